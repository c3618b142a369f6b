//! Requests as they are, and what of their answers is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use dynasink_tests::{Decimal, Item, Value as Attribute};
use serde_json::Value;

/// What was received, whatever the SDK makes of it.
#[derive(Clone, Debug, Default)]
struct Received(Arc<Mutex<Option<(u16, String)>>>);

impl Intercept for Received {
    fn name(&self) -> &'static str {
        "Received"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(body).into_owned();
        *self.0.lock().unwrap() = Some((response.status().as_u16(), body));
        Ok(())
    }
}

/// Has the SDK sign and send `body` to `operation`: the status and the body of the answer.
pub(crate) async fn send(client: &Client, operation: &str, body: String) -> (u16, String) {
    let received = Received::default();
    let target = format!("DynamoDB_20120810.{operation}");
    // The operation that has no input: all of the request is replaced.
    let sent = client
        .list_tables()
        .customize()
        .interceptor(received.clone())
        .mutate_request(move |request| {
            let headers = request.headers_mut();
            headers.insert("x-amz-target", target.clone());
            headers.insert("content-length", body.len().to_string());
            *request.body_mut() = body.as_str().into();
        })
        .send()
        .await;
    let received = received.0.lock().unwrap().take();
    received.unwrap_or_else(|| panic!("no answer: {sent:?}"))
}

/// An answer to one request that writes, and what is stored after it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// `200`, or `400 ValidationException`.
    verdict: String,
    capacity: String,
    collections: String,
    unprocessed: String,
    stored: BTreeMap<&'static str, BTreeSet<Item>>,
}

impl Answer {
    pub(crate) fn new(
        (status, body): (u16, &str),
        stored: BTreeMap<&'static str, BTreeSet<Item>>,
    ) -> Self {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let kind = body["__type"].as_str().unwrap_or_default();
        let kind = kind.rsplit('#').next().unwrap_or_default();
        Self {
            verdict: format!("{status} {kind}").trim_end().to_owned(),
            capacity: capacity(&body["ConsumedCapacity"]),
            collections: collections(&body["ItemCollectionMetrics"]),
            unprocessed: match body.get("UnprocessedItems") {
                None => "not there".to_owned(),
                Some(tables) => tables.to_string(),
            },
            stored,
        }
    }

    /// What this answer and `other` say where they differ.
    /// If the verdicts differ, the rest is not compared.
    pub(crate) fn differs_from(&self, other: &Self) -> Option<[String; 2]> {
        let pair = [self, other];
        if self.verdict != other.verdict {
            return Some(pair.map(|answer| answer.verdict.clone()));
        }
        let [ours, theirs] = pair.map(Self::aspects);
        let told = |aspects: &[(&str, String)], others: &[(&str, String)]| {
            let differing = aspects
                .iter()
                .zip(others)
                .filter(|(one, other)| one != other);
            let told = differing.map(|((aspect, value), _)| format!("{aspect}: {value}"));
            told.collect::<Vec<_>>().join("; ")
        };
        (ours != theirs).then(|| [told(&ours, &theirs), told(&theirs, &ours)])
    }

    fn aspects(&self) -> [(&'static str, String); 4] {
        [
            ("capacity", self.capacity.clone()),
            ("collections", self.collections.clone()),
            ("unprocessed", self.unprocessed.clone()),
            ("stored", format!("{:?}", self.stored)),
        ]
    }
}

/// `ConsumedCapacity` in short: `@things 4 (table 2, by-age 1, by-mail 1)`.
fn capacity(consumed: &Value) -> String {
    let tables: Vec<&Value> = match consumed {
        Value::Null => return "none".to_owned(),
        Value::Array(tables) => tables.iter().collect(),
        table => vec![table],
    };
    let tables: BTreeSet<String> = tables.into_iter().map(capacity_of_table).collect();
    tables.into_iter().collect::<Vec<_>>().join(", ")
}

fn capacity_of_table(consumed: &Value) -> String {
    let mut parts = Vec::new();
    let mut members: Vec<_> = consumed.as_object().unwrap().iter().collect();
    // The order of the API reference.
    members.sort_by_key(|(name, _)| (*name != "Table", *name == "GlobalSecondaryIndexes"));
    for (name, value) in members {
        match name.as_str() {
            "TableName" | "CapacityUnits" => {}
            "Table" => parts.push(format!("table {}", units(value))),
            "LocalSecondaryIndexes" | "GlobalSecondaryIndexes" => {
                let indexes = value.as_object().unwrap().iter();
                let indexes: BTreeMap<_, _> = indexes.collect();
                let indexes = indexes.into_iter();
                parts.extend(indexes.map(|(index, value)| format!("{index} {}", units(value))));
            }
            other => parts.push(format!("{other} {value}")),
        }
    }
    let name = consumed["TableName"].as_str().unwrap_or("?");
    let total = units(consumed);
    if parts.is_empty() {
        format!("{name} {total}")
    } else {
        format!("{name} {total} ({})", parts.join(", "))
    }
}

fn units(consumed: &Value) -> String {
    let units = consumed["CapacityUnits"].as_f64();
    units.map_or_else(|| "?".to_owned(), |units| units.to_string())
}

/// The keys of `ItemCollectionMetrics`: `@things {"customer":{"S":"a"}}`.
fn collections(metrics: &Value) -> String {
    let Some(tables) = metrics.as_object() else {
        return "none".to_owned();
    };
    let mut keys = BTreeSet::new();
    for (table, collections) in tables {
        for collection in collections.as_array().unwrap() {
            keys.insert(format!("{table} {}", collection["ItemCollectionKey"]));
        }
    }
    keys.into_iter().collect::<Vec<_>>().join(", ")
}

/// An item of DynamoDB JSON.
pub(crate) fn item(attributes: &Value) -> Item {
    let attributes = attributes.as_object().unwrap().iter();
    attributes
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect()
}

fn attribute(value: &Value) -> Attribute {
    let (descriptor, content) = value.as_object().unwrap().iter().next().unwrap();
    let text = || content.as_str().unwrap().to_owned();
    let texts = || {
        let members = content.as_array().unwrap().iter();
        members.map(|member| member.as_str().unwrap().to_owned())
    };
    match descriptor.as_str() {
        "S" => Attribute::S(text()),
        "N" => Attribute::number(text()),
        // As Base64, of which each value has one form.
        "B" => Attribute::B(text().into_bytes()),
        "BOOL" => Attribute::Bool(content.as_bool().unwrap()),
        "NULL" => Attribute::Null,
        "SS" => Attribute::Ss(texts().collect()),
        "NS" => Attribute::Ns(texts().map(|text| Decimal::new(&text)).collect()),
        "BS" => Attribute::Bs(texts().map(String::into_bytes).collect()),
        "L" => Attribute::L(content.as_array().unwrap().iter().map(attribute).collect()),
        "M" => Attribute::M(item(content)),
        other => panic!("an attribute of a type that is not known here: {other}"),
    }
}

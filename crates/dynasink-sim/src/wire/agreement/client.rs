//! What is computed here and what the client computes are the same: sizes, keys, and what is legal.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynasink_core::{
    Error, KeyType, Number, TableSchema, ValueEncoder, WriteBatchBuilder, WriteOp,
};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::table::SimulatedTable;
use crate::wire::request::{BatchWrite, Write, batch_write};
use crate::wire::value::AttributeValue;

const SEED: u64 = 0x00D1_4A51;

/// One table for each type of key.
fn tables() -> Vec<Arc<SimulatedTable>> {
    [
        (KeyType::S, KeyType::N),
        (KeyType::N, KeyType::B),
        (KeyType::B, KeyType::S),
    ]
    .into_iter()
    .map(|(partition, sort)| {
        let schema = TableSchema::builder(format!("by-{}", partition.descriptor()))
            .partition_key("id", partition)
            .sort_key("sort", sort)
            .build()
            .unwrap();
        Arc::new(SimulatedTable::new(schema))
    })
    .collect()
}

fn text(rng: &mut Rng, max: usize) -> String {
    let letters = ['a', 'Z', '0', 'é', '€', '😀', '"', '\\', '\n', '\u{1}', ' '];
    let len = rng.usize(0..=max);
    (0..len).filter_map(|_| rng.choice(letters)).collect()
}

fn base64(rng: &mut Rng, max: usize) -> String {
    let len = rng.usize(0..=max);
    let bytes: Vec<u8> = (0..len).map(|_| rng.u8(..)).collect();
    STANDARD.encode(bytes)
}

/// A number in one of its many spellings.
fn number(rng: &mut Rng) -> String {
    let digits = |rng: &mut Rng, max: usize| -> String {
        let len = rng.usize(1..=max);
        (0..len)
            .map(|_| if rng.u8(..3) == 0 { '0' } else { rng.digit(10) })
            .collect()
    };
    let sign = rng.choice(["", "", "+", "-"]).unwrap_or_default();
    let integer = digits(rng, 19);
    let fraction = match rng.u8(..3) {
        0 => format!(".{}", digits(rng, 19)),
        1 => ".".to_owned(),
        _ => String::new(),
    };
    let exponent = match rng.u8(..3) {
        0 => format!("e{}", rng.i32(-110..=105)),
        1 => format!("E+{}", rng.i32(0..=105)),
        _ => String::new(),
    };
    format!("{sign}{integer}{fraction}{exponent}")
}

fn scalar(rng: &mut Rng, key_type: KeyType) -> Value {
    match key_type {
        KeyType::S => json!({"S": text(rng, 12) + "k"}),
        KeyType::N => json!({"N": number(rng)}),
        KeyType::B => json!({"B": STANDARD.encode(text(rng, 12) + "k")}),
    }
}

fn distinct(rng: &mut Rng, member: impl Fn(&mut Rng) -> String) -> Vec<String> {
    let mut members: Vec<String> = (0..rng.usize(1..6)).map(|_| member(rng)).collect();
    members.sort();
    members.dedup();
    members
}

fn value(rng: &mut Rng, depth: usize) -> Value {
    let kinds = if depth == 0 { 8 } else { 10 };
    match rng.u8(..kinds) {
        0 => json!({"S": text(rng, 30)}),
        1 => json!({"N": number(rng)}),
        2 => json!({"B": base64(rng, 40)}),
        3 => json!({"BOOL": rng.bool()}),
        4 => json!({"NULL": true}),
        5 => json!({"SS": distinct(rng, |rng| text(rng, 5))}),
        // Members of different lengths, so that no two are one number.
        6 => {
            json!({"NS": (0..rng.u32(1..6)).map(|at| format!("{}e{at}", rng.u8(1..10))).collect::<Vec<_>>()})
        }
        7 => json!({"BS": distinct(rng, |rng| base64(rng, 5))}),
        8 => json!({"L": (0..rng.usize(0..4)).map(|_| value(rng, depth - 1)).collect::<Vec<_>>()}),
        _ => json!({"M": attributes(rng, depth - 1)}),
    }
}

fn attributes(rng: &mut Rng, depth: usize) -> Map<String, Value> {
    (0..rng.usize(0..5))
        .map(|at| (format!("{}{at}", text(rng, 6)), value(rng, depth)))
        .collect()
}

fn item(rng: &mut Rng, table: &TableSchema) -> Map<String, Value> {
    let depth = if rng.u8(..20) == 0 { 30 } else { 3 };
    let mut item = attributes(rng, depth);
    for key in table.keys() {
        item.insert(key.name().to_owned(), scalar(rng, key.key_type()));
    }
    item
}

/// The same item as the client makes it.
fn op(table: &TableSchema, item: &Map<String, Value>) -> Result<WriteOp, Error> {
    let item = table.item(|encoder| {
        item.iter()
            .try_for_each(|(name, value)| encode(value, encoder.attribute(name)?))
    })?;
    table.put(item)
}

fn encode(value: &Value, encoder: ValueEncoder<'_>) -> Result<(), Error> {
    let texts = |members: &[Value]| -> Vec<String> {
        let texts = members
            .iter()
            .map(|member| member.as_str().unwrap().to_owned());
        texts.collect()
    };
    match AttributeValue::of(value).unwrap() {
        AttributeValue::S(text) => encoder.string(text),
        AttributeValue::N(text) => encoder.try_number(text.parse::<Number>()),
        AttributeValue::B(text) => encoder.binary(&STANDARD.decode(text).unwrap()),
        AttributeValue::Bool(value) => encoder.bool(value),
        AttributeValue::Null(_) => encoder.null(),
        AttributeValue::Ss(members) => {
            encoder.string_set(texts(members).iter().map(String::as_str))
        }
        AttributeValue::Ns(members) => {
            encoder.number_set(texts(members).iter().map(|text| text.parse().unwrap()))
        }
        AttributeValue::Bs(members) => {
            let decoded = texts(members)
                .into_iter()
                .map(|text| STANDARD.decode(text).unwrap());
            let decoded: Vec<Vec<u8>> = decoded.collect();
            encoder.binary_set(decoded.iter().map(Vec::as_slice))
        }
        AttributeValue::L(elements) => {
            let mut list = encoder.list()?;
            elements
                .iter()
                .try_for_each(|element| encode(element, list.element()))
        }
        AttributeValue::M(attributes) => {
            let mut map = encoder.map()?;
            attributes
                .iter()
                .try_for_each(|(name, value)| encode(value, map.attribute(name)?))
        }
    }
}

fn receive(body: &[u8], table: &Arc<SimulatedTable>) -> Vec<Write> {
    let BatchWrite { writes, .. } = batch_write(body, |_| Some(Arc::clone(table))).unwrap();
    writes
}

#[test]
fn an_item_has_the_size_and_the_key_that_the_client_says() {
    let mut rng = Rng::with_seed(SEED);
    let tables = tables();
    for _ in 0..3_000 {
        let table = rng.choice(&tables).unwrap();
        let schema = table.schema();
        let item = item(&mut rng, schema);
        let Ok(op) = op(schema, &item) else {
            panic!("the client refuses {item:?}");
        };

        let put = json!({"PutRequest": {"Item": item}});
        let body = json!({"RequestItems": {schema.name().as_str(): [put]}}).to_string();
        let write = receive(body.as_bytes(), table).remove(0);

        let footprint = write.footprint.unwrap();
        assert_eq!(footprint.size, op.item().size(), "{item:?}");
        assert_eq!(&write.key, op.key(), "{item:?}");
    }
}

#[test]
fn what_the_client_sends_is_what_arrives() {
    let mut rng = Rng::with_seed(SEED + 1);
    for table in tables() {
        let schema = table.schema();
        for _ in 0..40 {
            let mut batch = WriteBatchBuilder::new();
            while !batch.is_full() {
                let put = op(schema, &item(&mut rng, schema)).unwrap();
                let op = if rng.bool() {
                    put
                } else {
                    schema.delete(put.item()).unwrap()
                };
                // A key that the batch has already is made anew.
                drop(batch.push(op));
            }
            let batch = batch.take().unwrap();
            let mut body = br#"{"RequestItems":"#.to_vec();
            body.extend(batch.request_items());
            body.push(b'}');

            let writes = receive(&body, &table);

            assert_eq!(writes.len(), batch.len());
            for (write, op) in writes.iter().zip(batch.ops()) {
                assert_eq!(&write.key, op.key());
                assert_eq!(write.action, op.action());
                let sent: Value = serde_json::from_slice(op.item().json()).unwrap();
                assert_eq!(sent, Value::from(write.attributes.clone()));
                if let Some(footprint) = &write.footprint {
                    assert_eq!(footprint.size, op.item().size());
                }
            }
        }
    }
}

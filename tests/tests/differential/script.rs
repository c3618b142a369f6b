//! The requests: each rule of the service with its legal neighbour, and what writes cost.
//!
//! Tables are called `@things`, `@plain`, `@numbers` and `@blobs`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "most values are literals, which read worse by reference"
)]

mod batches;
mod capacity;
mod keys;
mod shapes;
mod values;

use serde_json::{Value, json};

/// One request that writes.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What it is about; no two are called alike.
    pub(crate) name: String,
    pub(crate) operation: &'static str,
    /// As it goes over the wire.
    pub(crate) body: String,
    /// The `RequestItems` that are written before.
    pub(crate) given: Option<Value>,
}

pub(crate) fn requests() -> Vec<Request> {
    [
        shapes::requests(),
        values::requests(),
        keys::requests(),
        batches::requests(),
        capacity::requests(),
    ]
    .concat()
}

impl Request {
    fn new(name: impl Into<String>, operation: &'static str, body: impl ToString) -> Self {
        Self {
            name: name.into(),
            operation,
            body: body.to_string(),
            given: None,
        }
    }

    /// A `BatchWriteItem` with that body.
    fn batch(name: impl Into<String>, body: impl ToString) -> Self {
        Self::new(name, "BatchWriteItem", body)
    }

    /// A `BatchWriteItem` of these operations.
    fn writes(name: impl Into<String>, tables: Value) -> Self {
        Self::batch(name, json!({ "RequestItems": tables }))
    }

    /// A `BatchWriteItem` that puts one item.
    fn put(name: impl Into<String>, table: &str, item: Value) -> Self {
        Self::writes(name, json!({ table: [put(item)] }))
    }

    /// Whether that table is written to, or items of it are stored before.
    pub(crate) fn names(&self, table: &str) -> bool {
        let named = format!("@{table}");
        let given = self.given.as_ref();
        self.body.contains(&named) || given.is_some_and(|given| given.get(&named).is_some())
    }

    fn given(mut self, tables: Value) -> Self {
        self.given = Some(tables);
        self
    }
}

fn put(item: Value) -> Value {
    let mut put = json!({ "PutRequest": {} });
    put["PutRequest"]["Item"] = item;
    put
}

fn delete(key: Value) -> Value {
    let mut delete = json!({ "DeleteRequest": {} });
    delete["DeleteRequest"]["Key"] = key;
    delete
}

/// An item or a key of `@plain`.
fn plain(id: &str) -> Value {
    json!({ "id": { "S": id } })
}

/// An item or a key of `@things`.
fn thing(number: impl ToString) -> Value {
    json!({ "customer": { "S": "a" }, "number": { "N": number.to_string() } })
}

/// `item` and one more attribute, or another value of it.
fn with(mut item: Value, name: &str, value: Value) -> Value {
    item[name] = value;
    item
}

fn text(bytes: usize) -> Value {
    json!({ "S": "x".repeat(bytes) })
}

//! Made-up rows of ten columns, in the three forms in which rows come.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use aws_sdk_dynamodb::types::AttributeValue;
use dynasink::{KeyType, SourceBatch, TableSchema, WriteBatch, WriteOp};
use dynasink_core::WriteBatchBuilder;
use fastrand::Rng;
use serde::Serialize;

/// Rows of an Arrow batch, as many as the Parquet source reads at once.
const BATCH_ROWS: usize = 8_192;

const TAGS: [&str; 5] = ["express", "fragile", "return", "vip", "outlet"];

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Order {
    id: String,
    customer: i64,
    quantity: i32,
    price_cents: i64,
    weight: f64,
    discount: Option<f32>,
    ordered_at_micros: i64,
    gift: bool,
    note: Option<String>,
    tags: Vec<&'static str>,
}

pub(crate) fn table() -> TableSchema {
    TableSchema::builder("orders")
        .partition_key("id", KeyType::S)
        .build()
        .expect("the table is valid")
}

/// The same orders each time.
pub(crate) fn orders(count: usize) -> Vec<Order> {
    let mut rng = Rng::with_seed(1);
    (0..count).map(|n| order(n, &mut rng)).collect()
}

fn order(n: usize, rng: &mut Rng) -> Order {
    let note_len = rng.usize(20..=80);
    let tagged = rng.usize(..=3);
    Order {
        id: format!("order-{n:012}"),
        customer: rng.i64(1..=250_000),
        quantity: rng.i32(1..=12),
        price_cents: rng.i64(99..=999_999),
        weight: 40.0 * rng.f64(),
        discount: (rng.u8(..4) == 0).then(|| rng.f32()),
        ordered_at_micros: 1_704_067_200_000_000 + rng.i64(0..31_536_000_000_000),
        gift: rng.u8(..10) == 0,
        note: rng
            .bool()
            .then(|| (0..note_len).map(|_| rng.lowercase()).collect()),
        tags: rng.choose_multiple(TAGS, tagged),
    }
}

/// The orders as operations.
pub(crate) fn ops(orders: &[Order]) -> Vec<WriteOp> {
    let table = table();
    let op = |order| table.put_serde(order).expect("an order is an item");
    orders.iter().map(op).collect()
}

/// The operations in full batches.
pub(crate) fn batches(orders: &[Order]) -> Vec<WriteBatch> {
    let mut builder = WriteBatchBuilder::new();
    let mut batches = Vec::new();
    for op in ops(orders) {
        builder.push(op).expect("the orders are distinct and small");
        if builder.is_full() {
            batches.extend(builder.take());
        }
    }
    batches.extend(builder.take());
    batches
}

/// The orders as Arrow batches: the price as a decimal and the time as a timestamp.
pub(crate) fn record_batches(orders: &[Order]) -> Vec<SourceBatch> {
    let batches = orders.chunks(BATCH_ROWS).map(record_batch);
    batches.map(SourceBatch::from).collect()
}

fn record_batch(orders: &[Order]) -> RecordBatch {
    fn column<'a, T, A: FromIterator<T>>(orders: &'a [Order], field: impl Fn(&'a Order) -> T) -> A {
        orders.iter().map(field).collect()
    }
    let price: Decimal128Array = column(orders, |order| Some(i128::from(order.price_cents)));
    let price = price
        .with_precision_and_scale(12, 2)
        .expect("the prices have twelve digits at most");
    let ordered_at: TimestampMicrosecondArray =
        column(orders, |order| Some(order.ordered_at_micros));
    let id: StringArray = column(orders, |order| Some(&order.id));
    let customer: Int64Array = column(orders, |order| Some(order.customer));
    let quantity: Int32Array = column(orders, |order| Some(order.quantity));
    let weight: Float64Array = column(orders, |order| Some(order.weight));
    let discount: Float32Array = column(orders, |order| order.discount);
    let gift: BooleanArray = column(orders, |order| Some(order.gift));
    let note: StringArray = column(orders, |order| order.note.as_deref());
    let mut tags = ListBuilder::new(StringBuilder::new());
    for order in orders {
        tags.append_value(order.tags.iter().map(Some));
    }
    let columns: [(_, ArrayRef, _); 10] = [
        ("id", Arc::new(id), false),
        ("customer", Arc::new(customer), false),
        ("quantity", Arc::new(quantity), false),
        ("price", Arc::new(price), false),
        ("weight", Arc::new(weight), false),
        ("discount", Arc::new(discount), true),
        (
            "ordered_at",
            Arc::new(ordered_at.with_timezone("UTC")),
            false,
        ),
        ("gift", Arc::new(gift), false),
        ("note", Arc::new(note), true),
        ("tags", Arc::new(tags.finish()), false),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).expect("the columns are of one length")
}

/// The orders as the SDK's attribute values.
pub(crate) fn attributes(orders: &[Order]) -> Vec<HashMap<String, AttributeValue>> {
    orders.iter().map(attributes_of).collect()
}

fn attributes_of(order: &Order) -> HashMap<String, AttributeValue> {
    let string = |text: &str| AttributeValue::S(text.to_owned());
    let tags = order.tags.iter().map(|tag| string(tag));
    let present = [
        ("id", string(&order.id)),
        ("customer", AttributeValue::N(order.customer.to_string())),
        ("quantity", AttributeValue::N(order.quantity.to_string())),
        (
            "price_cents",
            AttributeValue::N(order.price_cents.to_string()),
        ),
        ("weight", AttributeValue::N(order.weight.to_string())),
        (
            "ordered_at_micros",
            AttributeValue::N(order.ordered_at_micros.to_string()),
        ),
        ("gift", AttributeValue::Bool(order.gift)),
        ("tags", AttributeValue::L(tags.collect())),
    ];
    let discount = order
        .discount
        .map(|share| AttributeValue::N(share.to_string()));
    let note = order.note.as_deref().map(string);
    let optional = [("discount", discount), ("note", note)];
    present
        .into_iter()
        .chain(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

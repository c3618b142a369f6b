//! The table of these tests: orders by customer and number, with an index by day.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemError, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::create_table::{CreateTableError, CreateTableOutput};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, PutRequest, ReturnConsumedCapacity, ScalarAttributeType,
    WriteRequest,
};

use aws_sdk_dynamodb::error::SdkError;

pub(crate) const ORDERS: &str = "orders";
pub(crate) const BY_DAY: &str = "by-day";

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) async fn create_orders(
    client: &Client,
) -> Result<CreateTableOutput, SdkError<CreateTableError>> {
    let key = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .unwrap()
    };
    client
        .create_table()
        .table_name(ORDERS)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("customer", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::N))
        .attribute_definitions(attribute("day", ScalarAttributeType::S))
        .key_schema(key("customer", KeyType::Hash))
        .key_schema(key("number", KeyType::Range))
        .global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(BY_DAY)
                .key_schema(key("day", KeyType::Hash))
                .projection(
                    Projection::builder()
                        .projection_type(ProjectionType::KeysOnly)
                        .build(),
                )
                .build()
                .unwrap(),
        )
        .send()
        .await
}

/// An order with an attribute of every type.
pub(crate) fn order(number: u32) -> Item {
    use AttributeValue::{B, Bool, Bs, L, M, N, Ns, Null, S, Ss};
    [
        ("customer", S("Zoë".into())),
        ("number", N(number.to_string())),
        ("day", S("2024-05-01".into())),
        ("total", N("12.5".into())),
        ("paid", Bool(true)),
        ("coupon", Null(true)),
        ("label", B(Blob::new([0, 255, 16]))),
        ("tags", Ss(vec!["gift".into(), "new".into()])),
        ("weights", Ns(vec!["1".into(), "2.5".into()])),
        ("digests", Bs(vec![Blob::new([1]), Blob::new([2])])),
        ("lines", L(vec![S("tea".into()), N("3".into())])),
        (
            "address",
            M(HashMap::from([("city".into(), S("Wien".into()))])),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

pub(crate) fn put(item: Item) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
    WriteRequest::builder().put_request(put).build()
}

pub(crate) async fn write(
    client: &Client,
    requests: Vec<WriteRequest>,
) -> Result<BatchWriteItemOutput, SdkError<BatchWriteItemError>> {
    client
        .batch_write_item()
        .request_items(ORDERS, requests)
        .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
        .send()
        .await
}

pub(crate) async fn read(client: &Client, number: u32) -> Option<Item> {
    let key = |name| order(number).remove(name).unwrap();
    client
        .get_item()
        .table_name(ORDERS)
        .key("customer", key("customer"))
        .key("number", key("number"))
        .consistent_read(true)
        .send()
        .await
        .unwrap()
        .item
}

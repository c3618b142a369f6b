//! Types that were written for `serde_dynamo` become the same items here, by either door.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use dynasink_aws::AttributeValueExt;
use dynasink_core::{KeyType, SerdeEncoder, TableSchema};
use serde::Serialize;

#[derive(Serialize)]
struct Document {
    id: u64,
    none: Option<u8>,
    some: Option<bool>,
    letter: char,
    float: f32,
    double: f64,
    negative: i8,
    unit: (),
    pair: (u8, Option<u8>),
    numbers_by_name: BTreeMap<String, u16>,
    address: Address,
    shapes: Vec<Shape>,
    #[serde(flatten)]
    rest: BTreeMap<String, bool>,
    #[serde(with = "serde_dynamo::string_set")]
    tags: Vec<&'static str>,
    #[serde(with = "serde_dynamo::number_set")]
    sizes: Vec<f64>,
    #[serde(with = "serde_dynamo::binary_set")]
    hashes: Vec<Bytes>,
    bytes: Bytes,
}

#[derive(Serialize)]
struct Address {
    street: &'static str,
    door: Option<u8>,
}

#[derive(Serialize)]
enum Shape {
    Point,
    Circle(f32),
    Line(u8, u8),
    Rect { w: u8, h: Option<u8> },
}

struct Bytes(&'static [u8]);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

fn document() -> Document {
    Document {
        id: u64::MAX,
        none: None,
        some: Some(true),
        letter: 'é',
        float: 0.1,
        double: -1.5e-7,
        negative: -128,
        unit: (),
        pair: (1, None),
        numbers_by_name: BTreeMap::from([("one".to_owned(), 1)]),
        address: Address {
            street: "",
            door: None,
        },
        shapes: vec![
            Shape::Point,
            Shape::Circle(1e21),
            Shape::Line(1, 2),
            Shape::Rect { w: 3, h: None },
        ],
        rest: BTreeMap::from([("flat".to_owned(), false)]),
        tags: vec!["b", "a"],
        sizes: vec![1.0, 2.5],
        hashes: vec![Bytes(&[0, 255])],
        bytes: Bytes(b""),
    }
}

fn parsed(json: &[u8]) -> serde_json::Value {
    serde_json::from_slice(json).unwrap()
}

#[test]
fn a_type_becomes_the_same_item_through_serde_and_through_serde_dynamo() {
    let table = TableSchema::builder("documents")
        .partition_key("id", KeyType::N)
        .build()
        .unwrap();
    let attributes: HashMap<String, AttributeValue> = serde_dynamo::to_item(document()).unwrap();
    let by_attributes = table.put_attributes(&attributes).unwrap();
    let by_serde = SerdeEncoder::new(&table)
        .null_fields()
        .put(&document())
        .unwrap();
    assert_eq!(
        parsed(by_serde.item().json()),
        parsed(by_attributes.item().json())
    );
    assert_eq!(by_serde.item().size(), by_attributes.item().size());
    assert_eq!(by_serde.key(), by_attributes.key());
}

#[test]
fn a_none_is_left_out_unless_it_is_asked_for() {
    let table = TableSchema::builder("documents")
        .partition_key("id", KeyType::N)
        .build()
        .unwrap();
    let item = parsed(table.put_serde(&document()).unwrap().item().json());
    assert_eq!(item.get("none"), None);
    assert_eq!(
        item["address"]["M"],
        serde_json::json!({ "street": { "S": "" } })
    );
    assert_eq!(item["pair"]["L"][1], serde_json::json!({ "NULL": true }));
}

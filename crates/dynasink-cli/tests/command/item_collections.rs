//! `--item-collection-metrics`, against a table with a local index.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, LocalSecondaryIndex, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynasink_sim::EmbeddedStore;
use serde_json::{Value, json};

use arrow_array::{Int64Array, StringArray};

use crate::workplace::{Workplace, column};

/// The table `things` in the store of `workplace`: by `customer` and `number`, and by `customer` and `age`.
async fn create_table(workplace: &Workplace) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .unwrap()
    };
    let key = |name: &str, role| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(role)
            .build()
            .unwrap()
    };
    let all = Projection::builder()
        .projection_type(ProjectionType::All)
        .build();
    let by_age = LocalSecondaryIndex::builder()
        .index_name("by-age")
        .key_schema(key("customer", KeyType::Hash))
        .key_schema(key("age", KeyType::Range))
        .projection(all)
        .build()
        .unwrap();
    EmbeddedStore::open(workplace.path("store.db"))
        .unwrap()
        .client()
        .create_table()
        .table_name("things")
        .attribute_definitions(attribute("customer", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::N))
        .attribute_definitions(attribute("age", ScalarAttributeType::N))
        .key_schema(key("customer", KeyType::Hash))
        .key_schema(key("number", KeyType::Range))
        .local_secondary_indexes(by_age)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn the_largest_item_collections_are_reported_if_they_are_asked_for() {
    let workplace = Workplace::new();
    create_table(&workplace).await;
    let customers = StringArray::from(vec!["ada", "bob", "ada"]);
    let columns = vec![
        ("customer", column(customers)),
        ("number", column(Int64Array::from(vec![1, 2, 3]))),
        ("age", column(Int64Array::from(vec![40, 50, 60]))),
    ];
    let file = workplace.parquet("rows.parquet", 10, columns);
    let stdout = |args: &[&str]| {
        let assert = workplace.load(&[&file], args).assert().code(0);
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    };
    let report = |args: &[&str]| serde_json::from_str::<Value>(&stdout(args)).unwrap();

    assert_eq!(report(&["--json"])["item_collections"], json!([]));
    let asked = report(&["--json", "--item-collection-metrics"]);
    let collections = asked["item_collections"].as_array().unwrap();
    let mut keys: Vec<_> = collections
        .iter()
        .map(|size| &size["partition_key"])
        .collect();
    keys.sort_by_key(ToString::to_string);
    assert_eq!(keys, ["ada", "bob"]);
    assert_eq!(collections[0]["size_gb"], json!([0.0, 1.0]));

    let text = stdout(&["--item-collection-metrics"]);
    assert!(
        text.contains("  the largest item collections, of 10 GB at most:\n"),
        "{text}"
    );
    assert!(text.contains("    0 to 1 GB  ada\n"), "{text}");
    assert!(!stdout(&[]).contains("item collections"));
}

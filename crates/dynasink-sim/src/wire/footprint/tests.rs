use dynasink_core::{AttributeName, KeyType, TableSchema, TableSchemaBuilder};
use serde_json::json;

use super::*;
use crate::wire::key;

/// A local index by age and a global one by city and mail, then age.
fn table() -> SimulatedTable {
    SimulatedTable::new(schema().build().unwrap())
}

fn schema() -> TableSchemaBuilder {
    TableSchema::builder("users")
        .partition_key("id", KeyType::S)
        .sort_key("n", KeyType::N)
        .index(
            "by-age",
            IndexKind::Local,
            [("id", KeyType::S)],
            [("age", KeyType::N)],
            None,
        )
        .index(
            "by-city",
            IndexKind::Global,
            [("city", KeyType::S), ("mail", KeyType::S)],
            [("age", KeyType::N)],
            None,
        )
}

fn of_table(table: &SimulatedTable, item: &Value) -> Footprint {
    let item = item.as_object().unwrap();
    let key = key::of_item(&table.schema, item).unwrap();
    Footprint::of(table, &key, item)
}

fn of(item: &Value) -> Footprint {
    of_table(&table(), item)
}

fn ann() -> Value {
    json!({
        "id": {"S": "ann"}, "n": {"N": "1"}, "age": {"N": "31"}, "city": {"S": "Oslo"}, "mail": {"S": "a@b"},
        "tags": {"SS": ["x", "y"]}, "more": {"M": {"p": {"N": "1"}, "q": {"NS": ["1", "2"]}}},
    })
}

fn changed(name: &str, value: Value) -> Value {
    let mut item = ann();
    item[name] = value;
    item
}

fn without(name: &str) -> Value {
    let mut item = ann();
    item.as_object_mut().unwrap().remove(name);
    item
}

fn entry(footprint: &Footprint, index: usize) -> IndexEntry {
    footprint.entries[index].clone().unwrap()
}

#[test]
fn an_entry_exists_only_with_all_key_attributes_of_its_index() {
    let exist = |item: &Value| {
        let footprint = of(item);
        [0, 1].map(|index: usize| footprint.entries[index].is_some())
    };
    assert_eq!(exist(&ann()), [true, true]);
    assert_eq!(exist(&without("mail")), [true, false]);
    assert_eq!(exist(&without("age")), [false, false]);
}

#[test]
fn an_entry_is_as_large_as_its_projected_attributes() {
    // id 5, n 3, age 5, city 8, mail 7, tags 6, and more: 4 + 3 + (1+1+2) + (1+1+4).
    assert_eq!(of(&ann()).size, 51);
    let sizes = |projection: Projection| {
        let schema = schema()
            .projecting("by-age", projection.clone())
            .projecting("by-city", projection);
        let table = SimulatedTable::new(schema.build().unwrap());
        let footprint = of_table(&table, &ann());
        [0, 1].map(|index| entry(&footprint, index).size)
    };
    assert_eq!(sizes(Projection::All), [51, 51]);
    assert_eq!(sizes(Projection::KeysOnly), [13, 28]);
    let included = ["tags", "mail", "absent"].map(|name| AttributeName::new(name).unwrap());
    assert_eq!(sizes(Projection::Include(included.into())), [26, 34]);
}

#[test]
fn entries_are_identical_where_their_projected_attributes_are() {
    let schema = schema().projecting("by-age", Projection::KeysOnly);
    let table = SimulatedTable::new(schema.build().unwrap());
    let before = of_table(&table, &ann());
    let entries = |item: Value| {
        let after = of_table(&table, &item);
        [0, 1].map(|index| entry(&after, index) == entry(&before, index))
    };
    assert_eq!(entries(ann()), [true, true]);
    assert_eq!(entries(changed("age", json!({"N": "31.0"}))), [true, true]);
    assert_eq!(
        entries(changed("tags", json!({"SS": ["y", "x"]}))),
        [true, true]
    );
    let more = json!({"M": {"q": {"NS": ["2.0", "1"]}, "p": {"N": "1e0"}}});
    assert_eq!(entries(changed("more", more)), [true, true]);
    // Only the global index holds the attribute.
    assert_eq!(
        entries(changed("tags", json!({"SS": ["x", "z"]}))),
        [true, false]
    );
    assert_eq!(
        entries(changed("tags", json!({"L": [{"S": "x"}]}))),
        [true, false]
    );
    let more = json!({"M": {"p": {"N": "2"}, "q": {"NS": ["1", "2"]}}});
    assert_eq!(entries(changed("more", more)), [true, false]);
    assert_eq!(entries(without("tags")), [true, false]);
    assert_eq!(entries(changed("age", json!({"N": "32"}))), [false, false]);
}

#[test]
fn an_entry_keeps_its_key_while_the_index_key_is_the_same() {
    let keys = |item: &Value| [0, 1].map(|index| entry(&of(item), index).key);
    let before = keys(&ann());
    assert_eq!(keys(&changed("tags", json!({"S": ""}))), before);
    assert_eq!(keys(&changed("age", json!({"N": "31.0"}))), before);
    let moved = keys(&changed("city", json!({"S": "Rome"})));
    assert_eq!(moved[0], before[0]);
    assert_ne!(moved[1], before[1]);
    // Other items have other keys, and values do not run into one another.
    assert_ne!(keys(&changed("n", json!({"N": "2"}))), before);
    let mut joined = changed("city", json!({"S": "Osloa"}));
    joined["mail"] = json!({"S": "@b"});
    assert_ne!(keys(&joined)[1], before[1]);
}

#[test]
fn an_entry_lies_by_its_partition_key() {
    let places = |item: &Value| [0, 1].map(|index| entry(&of(item), index).partition);
    let before = places(&ann());
    let id = key::of_item(&table().schema, ann().as_object().unwrap()).unwrap();
    assert_eq!(before[0], place(id.partition()));
    assert_eq!(places(&changed("age", json!({"N": "32"}))), before);
    assert_ne!(places(&changed("city", json!({"S": "Rome"})))[1], before[1]);
    assert_ne!(places(&changed("mail", json!({"S": "c@d"})))[1], before[1]);
    let other = places(&changed("id", json!({"S": "bob"})));
    assert_ne!(other[0], before[0]);
    assert_eq!(other[1], before[1]);
}

//! Which columns become which attributes.

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{Fields, Schema};

use super::*;

fn orders() -> SchemaRef {
    schema([
        ("id", DataType::Utf8),
        ("price", DataType::Int64),
        ("tmp_a", DataType::Utf8),
        ("tmp_b", DataType::Utf8),
    ])
}

fn names(text: &str, schema: &SchemaRef) -> Vec<String> {
    let mapping = map(text, schema, &table("id", KeyType::S)).unwrap();
    let names = mapping.attributes().iter().map(|it| it.name().to_owned());
    names.collect()
}

fn refusal(text: &str) -> String {
    refused(text, &orders(), &table("id", KeyType::S))
}

#[test]
fn a_column_can_be_renamed_dropped_and_taken_once_more() {
    assert_eq!(
        names(
            "columns.price = { rename = 'p' }\ncolumns.tmp_a.drop = true\nattributes.price_text = { column = 'price', as = 'S' }",
            &orders()
        ),
        ["id", "p", "tmp_b", "price_text"]
    );
}

#[test]
fn globs_choose_among_the_columns_without_an_entry() {
    assert_eq!(
        names("defaults.exclude = ['tmp_*']", &orders()),
        ["id", "price"]
    );
    assert_eq!(
        names("defaults.include = ['id', '*_b']", &orders()),
        ["id", "tmp_b"]
    );
    assert_eq!(
        names(
            "defaults = { unnamed = 'drop' }\n[columns]\nid = {}\ntmp_a = { rename = 'a' }",
            &orders()
        ),
        ["id", "a"]
    );
    assert_eq!(
        names(
            "defaults.exclude = ['tmp_*']\ncolumns.tmp_a = {}",
            &orders()
        ),
        ["id", "price", "tmp_a"]
    );
    assert_eq!(
        refusal("defaults.include = ['[']"),
        "m.toml:1:21: defaults.include[0]: \"[\" is not a glob: unclosed character class; missing ']'"
    );
}

#[test]
fn entries_that_mean_no_column_are_refused() {
    assert_eq!(
        refusal("columns.prize.drop = true"),
        "m.toml:1:9: columns.prize: no column is named \"prize\": is \"price\" meant? the columns are \"id\", \"price\", \"tmp_a\", \"tmp_b\""
    );
    for address in ["#4", "#", "#x", "/prize/a", "/id", "/id/*", "/price/x"] {
        let text = format!("columns.{address:?}.drop = true");
        assert!(
            map(&text, &orders(), &table("id", KeyType::S)).is_err(),
            "{address}"
        );
    }
    assert_eq!(
        refusal("columns.\"/price/x\" = {}"),
        "m.toml:1:9: columns.\"/price/x\": price is Int64, which has no part \"x\""
    );
    assert_eq!(
        refusal("columns.price = {}\ncolumns.'#1' = {}"),
        "m.toml:1:9: columns.price: it is the same column as columns.\"#1\": say all of it in one place"
    );
}

#[test]
fn two_sources_of_one_attribute_are_refused() {
    assert_eq!(
        refusal("columns.tmp_a.rename = 'price'"),
        "m.toml:1:9: columns.tmp_a: attribute \"price\" comes from column \"price\" already: rename one of them, or drop the column"
    );
    assert_eq!(
        refusal("attributes.price.constant = 1"),
        "m.toml:1:12: attributes.price: attribute \"price\" comes from column \"price\" already: rename one of them, or drop the column"
    );
    assert_eq!(
        refusal("columns.tmp_a.rename = ''"),
        "m.toml:1:9: columns.tmp_a: \"\" cannot name an attribute: an attribute name has 0 bytes, and it must have 1 to 65535 (255 for keys)"
    );
}

#[test]
fn columns_of_one_name_are_told_apart_by_their_place() {
    let schema = schema([
        ("id", DataType::Utf8),
        ("a", DataType::Utf8),
        ("a", DataType::Int64),
    ]);
    assert_eq!(
        names(
            "columns.'#1'.rename = 'first'\nattributes.twice = { column = '#2', as = 'S' }",
            &schema
        ),
        ["id", "first", "a", "twice"]
    );
    assert_eq!(
        refused("columns.a.drop = true", &schema, &table("id", KeyType::S)),
        "m.toml:1:9: columns.a: 2 columns are named \"a\": say which, by its place, such as \"#1\""
    );
}

#[test]
fn a_name_comes_before_a_place_and_a_pointer() {
    let inner: Fields = vec![Field::new("b", DataType::Utf8, true)].into();
    let schema = schema([
        ("id", DataType::Utf8),
        ("/a/b", DataType::Utf8),
        ("#0", DataType::Utf8),
        ("a", DataType::Struct(inner)),
    ]);
    assert_eq!(
        names(
            "columns.'/a/b'.rename = 'x'\ncolumns.'#0'.rename = 'y'\ncolumns.a.flatten = '-'",
            &schema
        ),
        ["id", "x", "y", "a-b"]
    );
}

fn people() -> RecordBatch {
    let geo: Fields = vec![
        Field::new("lat", DataType::Int64, true),
        Field::new("lon", DataType::Int64, true),
    ]
    .into();
    let geo_array: ArrayRef = Arc::new(StructArray::new(
        geo.clone(),
        vec![
            Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3)])),
            Arc::new(Int64Array::from(vec![None, Some(5), Some(6)])),
        ],
        Some(NullBuffer::from(vec![true, false, true])),
    ));
    let address: Fields = vec![
        Field::new("zip", DataType::Utf8, true),
        Field::new("geo", DataType::Struct(geo), true),
    ]
    .into();
    let address_array = StructArray::new(
        address.clone(),
        vec![
            Arc::new(StringArray::from(vec!["10115", "20095", "80331"])),
            geo_array,
        ],
        Some(NullBuffer::from(vec![true, true, false])),
    );
    let fields = vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("address", DataType::Struct(address), true),
    ];
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        vec![
            Arc::new(StringArray::from(vec!["a", "b", "c"])),
            Arc::new(address_array),
        ],
    )
    .unwrap()
}

fn people_by(text: &str) -> Vec<String> {
    let people = people();
    let mapping = map(text, &people.schema(), &table("id", KeyType::S)).unwrap();
    items(&mapping, people)
}

#[test]
fn a_struct_is_flattened_and_null_in_all_its_fields() {
    assert_eq!(
        people_by("columns.address.flatten = '.'\ncolumns.'/address/geo'.flatten = '_'"),
        [
            r#"{"id":{"S":"a"},"address.zip":{"S":"10115"},"address.geo_lat":{"N":"1"}}"#,
            r#"{"id":{"S":"b"},"address.zip":{"S":"20095"}}"#,
            r#"{"id":{"S":"c"}}"#
        ]
    );
    assert_eq!(
        people_by(
            "[columns]\naddress = { flatten = '.', rename = 'a' }\n'/address/zip' = { rename = 'zip', nulls = 'null' }\n'/address/geo' = { drop = true }"
        ),
        [
            r#"{"id":{"S":"a"},"zip":{"S":"10115"}}"#,
            r#"{"id":{"S":"b"},"zip":{"S":"20095"}}"#,
            r#"{"id":{"S":"c"},"zip":{"NULL":true}}"#
        ]
    );
}

#[test]
fn fields_of_a_struct_are_renamed_dropped_and_taken_out() {
    assert_eq!(
        people_by(
            "[columns]\n'/address/geo/lat' = { rename = 'latitude', as = 'S' }\n'/address/geo/lon' = { drop = true }\n[attributes]\nzip = { column = '/address/zip' }"
        ),
        [
            r#"{"id":{"S":"a"},"address":{"M":{"zip":{"S":"10115"},"geo":{"M":{"latitude":{"S":"1"}}}}},"zip":{"S":"10115"}}"#,
            r#"{"id":{"S":"b"},"address":{"M":{"zip":{"S":"20095"}}},"zip":{"S":"20095"}}"#,
            r#"{"id":{"S":"c"}}"#
        ]
    );
}

#[test]
fn what_cannot_be_flattened_is_refused() {
    assert_eq!(
        refusal("columns.price.flatten = '.'"),
        "m.toml:1:25: columns.price.flatten: only a struct can be flattened, and price is Int64"
    );
    let people = people();
    assert_eq!(
        refused(
            "columns.address = { as = 'M', flatten = '.' }",
            &people.schema(),
            &table("id", KeyType::S)
        ),
        "m.toml:1:31: columns.address.flatten: it means nothing beside `as`, since the struct itself is no attribute: leave it out"
    );
    assert_eq!(
        refused(
            "columns.'/address/geo'.flatten = '.'",
            &people.schema(),
            &table("id", KeyType::S)
        ),
        "m.toml:1:24: columns.\"/address/geo\".flatten: it means nothing inside a struct that is not flattened itself: leave it out"
    );
    assert_eq!(
        refused(
            "columns.'/address/zap'.as = 'S'",
            &people.schema(),
            &table("id", KeyType::S)
        ),
        "m.toml:1:9: columns.\"/address/zap\": address has no field \"zap\": is \"zip\" meant? the fields are \"zip\", \"geo\""
    );
}

#[test]
fn words_that_do_not_fit_a_type_are_refused_where_they_stand() {
    assert_eq!(
        refusal("columns.price = { rename = 'p', as = 'epoch_ms' }"),
        "m.toml:1:38: columns.price.as: column \"price\" has the Arrow type Int64, which cannot be written as epoch_ms: the words that fit are N, S, BOOL, decimal, iso_of_epoch_s, iso_of_epoch_ms, iso_of_epoch_us, iso_of_epoch_ns, json, NULL"
    );
    assert_eq!(
        refusal("columns.price.scale = 2"),
        "m.toml:1:23: columns.price.scale: column \"price\" of the Arrow type Int64: `scale` does not fit: it belongs to `as = \"decimal\"`"
    );
    assert_eq!(
        refusal("attributes.p = { column = 'price', as = 'uuid' }"),
        "m.toml:1:41: attributes.p.as: column \"price\" has the Arrow type Int64, which cannot be written as uuid: the words that fit are N, S, BOOL, decimal, iso_of_epoch_s, iso_of_epoch_ms, iso_of_epoch_us, iso_of_epoch_ns, json, NULL"
    );
    let people = people();
    let message = refused(
        "columns.'/address/geo/lat'.as = 'hex'",
        &people.schema(),
        &table("id", KeyType::S),
    );
    assert!(
        message.starts_with(
            "m.toml:1:33: columns.\"/address/geo/lat\".as: column \"address.geo.lat\""
        ),
        "{message}"
    );
}

#[test]
fn one_value_is_needed_where_an_attribute_is_made() {
    let element = Arc::new(Field::new("item", DataType::Int64, true));
    let schema = schema([("id", DataType::Utf8), ("tags", DataType::List(element))]);
    assert_eq!(
        refused(
            "attributes.t.column = '/tags/*'",
            &schema,
            &table("id", KeyType::S)
        ),
        "m.toml:1:23: attributes.t.column: \"/tags/*\" is inside a list, a map or a dictionary, of which a row has not one value: name the column, or a field of a struct"
    );
}

#[test]
fn elements_have_no_names_of_their_own() {
    let element = Arc::new(Field::new("item", DataType::Int64, true));
    let schema = schema([("id", DataType::Utf8), ("tags", DataType::List(element))]);
    assert_eq!(
        refused(
            "columns.'/tags/*'.rename = 't'",
            &schema,
            &table("id", KeyType::S)
        ),
        "m.toml:1:19: columns.\"/tags/*\".rename: it means nothing for the elements of a list or a map: leave it out"
    );
    assert!(
        map(
            "columns.'/tags/*'.as = 'S'",
            &schema,
            &table("id", KeyType::S)
        )
        .is_ok()
    );
}

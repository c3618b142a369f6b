//! Attributes that are made.

use arrow_array::{RecordBatch, StringArray, TimestampSecondArray};
use dynasink_core::SourcePosition;

use super::*;

fn batch() -> RecordBatch {
    RecordBatch::try_from_iter([
        ("id", Arc::new(StringArray::from(vec!["a", "b"])) as _),
        (
            "at",
            Arc::new(TimestampSecondArray::from(vec![Some(60), None])) as _,
        ),
    ])
    .unwrap()
}

fn by(text: &str) -> Vec<String> {
    let mapping = map(text, &batch().schema(), &table("id", KeyType::S)).unwrap();
    let position = SourcePosition::new("x.parquet".into(), 2, 5);
    items(&mapping, SourceBatch::at(batch(), position))
}

fn refusal(text: &str) -> String {
    refused(text, &batch().schema(), &table("id", KeyType::S))
}

#[test]
fn constants_are_what_toml_says() {
    assert_eq!(
        by("columns.at.drop = true\nattributes.c.constant = { a = [1, 1.50, true], b = 'x' }")[0],
        r#"{"id":{"S":"a"},"c":{"M":{"a":{"L":[{"N":"1"},{"N":"1.5"},{"BOOL":true}]},"b":{"S":"x"}}}}"#
    );
    assert_eq!(
        refusal("attributes.c.constant = 1e300"),
        "m.toml:1:25: attributes.c.constant: the constant cannot be written: its magnitude is above 9.99E+125"
    );
    let deep = format!(
        "attributes.c.constant = {}{}",
        "[".repeat(40),
        "]".repeat(40)
    );
    let message = refusal(&deep);
    assert!(
        message.contains("the constant cannot be written"),
        "{message}"
    );
}

#[test]
fn positions_are_those_of_the_row() {
    assert_eq!(
        by(
            "columns.at.drop = true\n[attributes]\nf.source = 'file'\ng.source = 'row_group'\nr.source = 'row'"
        ),
        [
            r#"{"id":{"S":"a"},"f":{"S":"x.parquet"},"g":{"N":"2"},"r":{"N":"5"}}"#,
            r#"{"id":{"S":"b"},"f":{"S":"x.parquet"},"g":{"N":"2"},"r":{"N":"6"}}"#
        ]
    );
    let mapping = map(
        "attributes.f.source = 'file'",
        &batch().schema(),
        &table("id", KeyType::S),
    )
    .unwrap();
    assert!(Rows::new(&mapping, batch().into()).is_err());
}

#[test]
fn a_time_to_live_is_in_seconds() {
    assert_eq!(
        by("columns.at.drop = true\nattributes.expires = { ttl = 'at', after = '1m' }"),
        [
            r#"{"id":{"S":"a"},"expires":{"N":"120"}}"#,
            r#"{"id":{"S":"b"}}"#
        ]
    );
    assert_eq!(
        refusal("attributes.e = { ttl = 'at', after = '1 parsec' }"),
        "m.toml:1:38: attributes.e.after: \"1 parsec\" is not a duration: write one such as 90d, 12h or -5m"
    );
}

#[test]
fn a_time_that_is_the_tables_time_to_live_is_written_in_seconds() {
    let table = TableSchema::builder("users")
        .partition_key("id", KeyType::S)
        .ttl_attribute("at")
        .build()
        .unwrap();
    let mapping = map("", &batch().schema(), &table).unwrap();
    assert_eq!(
        items(&mapping, batch()),
        [r#"{"id":{"S":"a"},"at":{"N":"60"}}"#, r#"{"id":{"S":"b"}}"#]
    );
    assert_eq!(
        mapping.warnings()[0].to_string(),
        "attribute \"at\" is the table's time to live: column \"at\" is written as seconds since 1970"
    );
    let mapping = map("columns.at.as = 'iso'", &batch().schema(), &table).unwrap();
    assert_eq!(
        mapping.warnings()[0].to_string(),
        "attribute \"at\" is the table's time to live, but a string (S) never expires: write it as a number of seconds since 1970"
    );
}

#[test]
fn a_template_that_does_not_fit_is_refused_where_it_stands() {
    let message = refusal("attributes.c = 'X#{att}'");
    assert_eq!(
        message,
        "m.toml:1:16: attributes.c: no column is named \"att\": is \"at\" meant? the columns are \"id\", \"at\" (byte 2 of the template)"
    );
    let message = refusal("attributes.c = { template = '{id' }");
    assert!(
        message.starts_with("m.toml:1:29: attributes.c.template: "),
        "{message}"
    );
    let message = refusal("attributes.c = '{id:010}'");
    assert!(
        message.starts_with("m.toml:1:16: attributes.c: "),
        "{message}"
    );
}

#[test]
fn a_time_to_live_of_local_times_goes_by_their_zone() {
    let local = "columns.at = { drop = true, assume_zone = 'Europe/Berlin' }\n";
    assert_eq!(
        by(&format!("{local}attributes.x.ttl = 'at'"))[0],
        r#"{"id":{"S":"a"},"x":{"N":"-3540"}}"#
    );
}

#[test]
fn a_column_that_any_key_gives_back_is_not_warned_of() {
    let schema = batch().schema();
    let table = TableSchema::builder("users")
        .partition_key("pk", KeyType::S)
        .sort_key("sk", KeyType::S)
        .build()
        .unwrap();
    let warned = |keys: &str| {
        let mapping = map(keys, &schema, &table).unwrap();
        let warnings = mapping.warnings().iter().map(ToString::to_string);
        warnings.collect::<Vec<_>>()
    };
    let shards = "[attributes]\npk = 'S#{id|shard(8)}'\n";
    assert_eq!(warned(&format!("{shards}sk = '{{at}}#{{id}}'")), [""; 0]);
    assert_eq!(
        warned(&format!("columns.id.rename = 'sk'\n{shards}")),
        [""; 0]
    );
    assert_eq!(
        warned(&format!("{shards}sk = '{{at}}'")),
        [
            "key \"pk\": rows that differ in column \"id\" can have one text: `shard` makes one number of many values"
        ]
    );
    assert_eq!(
        warned("[attributes]\npk = 'all'\nsk = { constant = 'one' }\n"),
        [
            "the keys of the table are made of no column: rows can have one key, and the later then replaces the earlier"
        ]
    );
    assert_eq!(warned("[attributes]\npk = 'all'\nsk = '{id}'\n"), [""; 0]);
}

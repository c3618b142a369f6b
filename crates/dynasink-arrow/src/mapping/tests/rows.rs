//! What rows do, and which version they are.

use arrow_array::{Int64Array, RecordBatch, StringArray};
use dynasink_core::Version;

use super::*;

fn changes() -> RecordBatch {
    RecordBatch::try_from_iter([
        (
            "op",
            Arc::new(StringArray::from(vec!["I", "D", "x", "B"])) as _,
        ),
        (
            "id",
            Arc::new(StringArray::from(vec!["a", "b", "c", "d"])) as _,
        ),
        (
            "n",
            Arc::new(Int64Array::from(vec![Some(1), None, Some(3), None])) as _,
        ),
    ])
    .unwrap()
}

#[test]
fn a_row_is_put_deleted_skipped_or_refused_by_its_operation() {
    let mapping = map(
        "operation = { column = 'op', preset = 'dms', skip = ['B'] }",
        &changes().schema(),
        &table("id", KeyType::S),
    )
    .unwrap();
    assert_eq!(
        items(&mapping, changes()),
        [
            r#"{"id":{"S":"a"},"n":{"N":"1"}}"#,
            r#"delete {"id":{"S":"b"}}"#,
            "op: table users: the mapping does not say what a row of this value does: put, delete or skip",
            "skipped"
        ]
    );
}

#[test]
fn the_column_of_operations_is_kept_if_its_entry_says_so() {
    let keeps = |text: &str| {
        let text = format!("operation = {{ column = 'op', preset = 'dms' }}\n{text}");
        let mapping = map(&text, &changes().schema(), &table("id", KeyType::S)).unwrap();
        mapping.attributes().iter().any(|it| it.name() == "op")
    };
    assert!(!keeps(""));
    assert!(!keeps("columns.op.rename = 'operation'"));
    assert!(keeps("columns.op.drop = false"));
}

#[test]
fn what_a_delete_does_not_need_does_not_reject_it() {
    let mapping = map(
        "operation = { column = 'op', delete = ['I', 'D', 'x', 'B'] }\nattributes.t = '{n}'",
        &changes().schema(),
        &table("id", KeyType::S),
    )
    .unwrap();
    let found = items(&mapping, changes());
    assert!(
        found.iter().all(|it| it.starts_with("delete ")),
        "{found:?}"
    );
}

#[test]
fn operations_carry_the_version_of_their_row() {
    let mapping = map(
        "version.column = 'n'",
        &changes().schema(),
        &table("id", KeyType::S),
    )
    .unwrap();
    let mut rows = Rows::new(&mapping, changes().into()).unwrap();
    let mut encoder = ItemEncoder::new(mapping.table());
    let op = rows
        .next(&mapping, &mut encoder)
        .unwrap()
        .op
        .unwrap()
        .unwrap();
    assert_eq!(op.version(), Some(&Version::integer(1_i64)));
    assert!(rows.next(&mapping, &mut encoder).unwrap().op.is_err());
}

#[test]
fn what_cannot_tell_an_operation_or_a_version_is_refused_where_it_stands() {
    let schema = schema([
        ("id", DataType::Utf8),
        ("o", DataType::Utf8),
        ("x", DataType::Float64),
    ]);
    for (text, start) in [
        (
            "operation = { column = 'x', put = ['1'] }",
            "m.toml:1:24: operation.column: ",
        ),
        (
            "operation = { column = 'y', put = ['1'] }",
            "m.toml:1:24: operation.column: no column is named \"y\"",
        ),
        (
            "operation = { column = 'o', put = ['1'], skip = ['2', '1'] }",
            "m.toml:1:55: operation.skip[1]: ",
        ),
        ("version.column = 'x'", "m.toml:1:18: version.column: "),
    ] {
        let message = refused(text, &schema, &table("id", KeyType::S));
        assert!(message.starts_with(start), "{message}");
    }
}

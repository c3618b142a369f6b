//! Batches of other schemas than the mapping's.

use arrow_array::types::Int8Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int8Array, Int64Array, LargeStringArray, ListArray, MapArray,
    RecordBatch, StringArray, StructArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{Fields, Schema};

use super::*;

fn mapping(fields: Vec<Field>) -> Mapping {
    Mapping::infer(&Arc::new(Schema::new(fields)), &table("id", KeyType::S)).unwrap()
}

fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

fn ids() -> ArrayRef {
    Arc::new(StringArray::from(vec!["a", "b"]))
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let mapping = mapping(vec![
        field("id", DataType::Utf8),
        field("x", DataType::Utf8),
        field("n", DataType::Int64),
    ]);
    let batch = RecordBatch::try_from_iter([
        ("n", Arc::new(Int8Array::from(vec![1, -2])) as ArrayRef),
        (
            "x",
            Arc::new(
                vec!["u", "v"]
                    .into_iter()
                    .collect::<DictionaryArray<Int8Type>>(),
            ),
        ),
        ("id", Arc::new(LargeStringArray::from(vec!["a", "b"]))),
    ])
    .unwrap();
    assert_eq!(
        items(&mapping, batch),
        [
            r#"{"id":{"S":"a"},"x":{"S":"u"},"n":{"N":"1"}}"#,
            r#"{"id":{"S":"b"},"x":{"S":"v"},"n":{"N":"-2"}}"#
        ]
    );
}

#[test]
fn a_column_that_a_batch_does_not_have_is_null() {
    let schema = schema([("id", DataType::Utf8), ("n", DataType::Int64)]);
    let mapping = map(
        "columns.n.nulls = 'null'",
        &schema,
        &table("id", KeyType::S),
    )
    .unwrap();
    let batch = RecordBatch::try_from_iter([("id", ids())]).unwrap();
    assert_eq!(
        items(&mapping, batch),
        [
            r#"{"id":{"S":"a"},"n":{"NULL":true}}"#,
            r#"{"id":{"S":"b"},"n":{"NULL":true}}"#
        ]
    );
}

#[test]
fn a_batch_without_a_key_or_with_a_column_too_many_is_refused() {
    let mapping = mapping(vec![
        field("id", DataType::Utf8),
        field("n", DataType::Int64),
    ]);
    for (columns, misfit) in [
        (
            vec![("n", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)],
            "id",
        ),
        (vec![("id", ids()), ("m", ids())], "m"),
        (vec![("id", ids()), ("n", ids())], "n"),
    ] {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        match Rows::new(&mapping, batch.into()) {
            Err(crate::rows::BatchRefused::Column(column)) => assert_eq!(column, misfit),
            other => panic!("{other:?}"),
        }
    }
}

fn points(fields: &[&str], values: &[i64]) -> StructArray {
    let arrays = (0..)
        .take(fields.len())
        .map(|at: i64| {
            let values = values.iter().map(|value| value * 10 + at);
            Arc::new(Int64Array::from_iter_values(values)) as ArrayRef
        })
        .collect();
    let fields: Fields = fields
        .iter()
        .map(|name| field(name, DataType::Int64))
        .collect();
    StructArray::new(fields, arrays, None)
}

#[test]
fn fields_of_structs_are_found_by_name_however_deep() {
    let point = DataType::Struct(points(&["x", "y"], &[]).fields().clone());
    let entries = DataType::Struct(
        vec![
            Field::new("key", DataType::Utf8, false),
            field("value", point.clone()),
        ]
        .into(),
    );
    let mapping = mapping(vec![
        field("id", DataType::Utf8),
        field("p", point.clone()),
        field("l", DataType::List(Arc::new(field("item", point)))),
        field(
            "m",
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false),
        ),
    ]);
    let turned = points(&["y", "x"], &[1, 2]);
    let item = Arc::new(field("element", turned.data_type().clone()));
    let list = ListArray::new(
        item,
        OffsetBuffer::from_lengths([2, 0]),
        Arc::new(turned.clone()),
        None,
    );
    let only_y = points(&["y"], &[3]);
    let entries = StructArray::new(
        vec![
            Field::new("keys", DataType::Utf8, false),
            field("values", only_y.data_type().clone()),
        ]
        .into(),
        vec![Arc::new(StringArray::from(vec!["k"])), Arc::new(only_y)],
        None,
    );
    let map = MapArray::new(
        Arc::new(Field::new("e", entries.data_type().clone(), false)),
        OffsetBuffer::from_lengths([1, 0]),
        entries,
        None,
        false,
    );
    let batch = RecordBatch::try_from_iter([
        ("id", ids()),
        ("p", Arc::new(turned) as ArrayRef),
        ("l", Arc::new(list)),
        ("m", Arc::new(map)),
    ])
    .unwrap();
    assert_eq!(
        items(&mapping, batch),
        [
            r#"{"id":{"S":"a"},"p":{"M":{"x":{"N":"11"},"y":{"N":"10"}}},"l":{"L":[{"M":{"x":{"N":"11"},"y":{"N":"10"}}},{"M":{"x":{"N":"21"},"y":{"N":"20"}}}]},"m":{"M":{"k":{"M":{"y":{"N":"30"}}}}}}"#,
            r#"{"id":{"S":"b"},"p":{"M":{"x":{"N":"21"},"y":{"N":"20"}}},"l":{"L":[]},"m":{"M":{}}}"#
        ]
    );
}

#[test]
fn where_columns_are_is_looked_up_once_per_schema() {
    let mapping = mapping(vec![
        field("id", DataType::Utf8),
        field("n", DataType::Int64),
    ]);
    let schema = schema([("n", DataType::Int64), ("id", DataType::Utf8)]);
    for _ in 0..3 {
        let columns = vec![Arc::new(Int64Array::from(vec![1, 2])) as _, ids()];
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
        assert_eq!(items(&mapping, batch).len(), 2);
    }
    assert_eq!(mapping.0.alignments.lock().unwrap().len(), 1);
}

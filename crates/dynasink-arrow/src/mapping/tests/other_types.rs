//! Batches whose types are not those of the mapping, but of a file that it was made for too.

use arrow_array::types::Float32Type;
use arrow_array::{
    ArrayRef, FixedSizeListArray, Int64Array, RecordBatch, TimestampMillisecondArray,
    TimestampSecondArray,
};
use arrow_schema::TimeUnit;

use super::*;

/// The items of `values`, a column `v` beside numbers `n`, by a mapping that was made for values of type `mapped`.
fn items_of(text: &str, table: &TableSchema, mapped: DataType, values: ArrayRef) -> Vec<String> {
    let of_type = |v| schema([("n", DataType::Int64), ("v", v)]);
    let mapping = map(text, &of_type(mapped), table).unwrap();
    let numbers = Int64Array::from_iter_values((0..).take(values.len()));
    let own = of_type(values.data_type().clone());
    items(
        &mapping,
        RecordBatch::try_new(own, vec![Arc::new(numbers), values]).unwrap(),
    )
}

#[test]
fn packed_floats_are_as_wide_in_every_file() {
    let list = |element| DataType::FixedSizeList(Arc::new(Field::new_list_field(element, true)), 1);
    let narrow =
        FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>([Some([Some(1.0)])], 1);
    assert_eq!(
        items_of(
            "columns.v.as = \"packed\"",
            &table("n", KeyType::N),
            list(DataType::Float64),
            Arc::new(narrow)
        ),
        [r#"{"n":{"N":"0"},"v":{"B":"AAAAAAAA8D8="}}"#]
    );
}

#[test]
fn a_timestamp_is_shown_in_the_zone_of_its_own_file() {
    let eastern = TimestampSecondArray::from(vec![0]).with_timezone("+05:00");
    assert_eq!(
        items_of(
            "columns.v.as = \"zoned\"",
            &table("n", KeyType::N),
            DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into())),
            Arc::new(eastern)
        ),
        [r#"{"n":{"N":"0"},"v":{"S":"1970-01-01T05:00:00+05:00"}}"#]
    );
}

#[test]
fn a_value_that_has_no_place_in_the_type_of_other_files_rejects_its_row_and_no_other() {
    // The year 9999 has no nanoseconds.
    let far = TimestampMillisecondArray::from(vec![Some(1), Some(253_402_300_799_000), None]);
    assert_eq!(
        items_of(
            "attributes.pk = \"T#{v}\"\ncolumns.v.drop = true",
            &table("pk", KeyType::S),
            DataType::Timestamp(TimeUnit::Nanosecond, None),
            Arc::new(far),
        ),
        [
            r#"{"pk":{"S":"T#1970-01-01T00:00:00.001000000"},"n":{"N":"0"}}"#,
            "v: table users: attribute \"pk\": it has no place in the type that the column has in other files, and a template needs all of its values",
            "v: table users: attribute \"pk\": it is null, and a template needs all of its values",
        ]
    );
}

//! Batches whose types are not those of the mapping, but of a file that it was made for too.

use arrow_array::types::{Float32Type, Int64Type};
use arrow_array::{
    ArrayRef, FixedSizeListArray, Int64Array, PrimitiveArray, RecordBatch,
    TimestampMillisecondArray, TimestampSecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use dynasink_core::{ItemEncoder, KeyType, TableSchema};
use std::sync::Arc;

use crate::mapping::Mapping;
use crate::mapping::spec::MappingSpec;
use crate::{SourceBatch, rows::Rows};

/// The items of `values`, a column `v` beside numbers `n`, by a mapping that was made for `mapped`.
fn items(
    toml: &str,
    key: &str,
    key_type: KeyType,
    mapped: &DataType,
    values: ArrayRef,
) -> Vec<String> {
    let schema = |data_type: &DataType| {
        Arc::new(Schema::new(vec![
            Field::new("n", DataType::Int64, false),
            Field::new("v", data_type.clone(), true),
        ]))
    };
    let table = TableSchema::builder("drifting")
        .partition_key(key, key_type)
        .build()
        .unwrap();
    let spec = MappingSpec::from_toml("m.toml", toml).unwrap();
    let mapping = Mapping::new(&spec, &schema(mapped), &table).unwrap();
    let numbers: PrimitiveArray<Int64Type> =
        Int64Array::from_iter_values(0..i64::try_from(values.len()).unwrap());
    let batch = RecordBatch::try_new(schema(values.data_type()), vec![Arc::new(numbers), values]);
    let mut rows = Rows::new(&mapping, SourceBatch::from(batch.unwrap())).unwrap();
    let mut encoder = ItemEncoder::new(&table);
    std::iter::from_fn(|| rows.next(&mapping, &mut encoder))
        .map(|row| match row.op {
            Ok(Some(op)) => String::from_utf8(op.item().json().to_vec()).unwrap(),
            Ok(None) => "skipped".to_owned(),
            Err(error) => error.reason().to_string(),
        })
        .collect()
}

#[test]
fn packed_floats_are_as_wide_in_every_file() {
    let list =
        |data_type| DataType::FixedSizeList(Arc::new(Field::new_list_field(data_type, true)), 1);
    let narrow =
        FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>([Some(vec![Some(1.0)])], 1);
    assert_eq!(
        items(
            "columns.v.as = \"packed\"",
            "n",
            KeyType::N,
            &list(DataType::Float64),
            Arc::new(narrow)
        ),
        [r#"{"n":{"N":"0"},"v":{"B":"AAAAAAAA8D8="}}"#]
    );
}

#[test]
fn a_timestamp_is_shown_in_the_zone_of_its_own_file() {
    let zone = |zone: &str| DataType::Timestamp(TimeUnit::Second, Some(zone.into()));
    let eastern = TimestampSecondArray::from(vec![0]).with_timezone("+05:00");
    assert_eq!(
        items(
            "columns.v.as = \"zoned\"",
            "n",
            KeyType::N,
            &zone("Europe/Berlin"),
            Arc::new(eastern)
        ),
        [r#"{"n":{"N":"0"},"v":{"S":"1970-01-01T05:00:00+05:00"}}"#]
    );
}

#[test]
fn a_value_that_has_no_place_in_the_type_of_other_files_rejects_its_row_and_no_other() {
    // The year 9999 has no nanoseconds.
    let far = TimestampMillisecondArray::from(vec![Some(1), Some(253_402_300_799_000), None]);
    let items = items(
        "attributes.pk = \"T#{v}\"\ncolumns.v.drop = true",
        "pk",
        KeyType::S,
        &DataType::Timestamp(TimeUnit::Nanosecond, None),
        Arc::new(far),
    );
    assert_eq!(
        items[0],
        r#"{"pk":{"S":"T#1970-01-01T00:00:00.001000000"},"n":{"N":"0"}}"#
    );
    assert!(
        items[1].contains("it has no place in the type"),
        "{items:?}"
    );
    assert!(items[2].contains("it is null"), "{items:?}");
}

//! What the rows of a Parquet file should become, read by Parquet's own record reader: neither Arrow nor the
//! mapping under test has a part in it.

use std::fs::File;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::ColumnDescriptor;

use crate::value::{Item, Value};

/// The items that the rows of the file become by default.
pub fn rows_of_parquet(path: &Path) -> Vec<Item> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| expected_item(&row.unwrap(), schema.columns()))
        .collect()
}

/// Each column is one attribute; null is no attribute.
fn expected_item<C: AsRef<ColumnDescriptor>>(row: &Row, columns: &[C]) -> Item {
    assert_eq!(row.len(), columns.len(), "only flat files are read here");
    row.get_column_iter()
        .zip(columns)
        .filter_map(|((name, field), column)| {
            let value = expected_value(field, column.as_ref())?;
            Some((name.clone(), value))
        })
        .collect()
}

fn expected_value(field: &Field, column: &ColumnDescriptor) -> Option<Value> {
    let logical = column.logical_type_ref();
    // Whether there is a time zone is in the file's schema, not in the value.
    let timestamp = |time: DateTime<Utc>, fraction: SecondsFormat| {
        let text = time.to_rfc3339_opts(fraction, true);
        Value::string(match logical {
            Some(LogicalType::Timestamp(of)) if !of.is_adjusted_to_u_t_c => {
                text.trim_end_matches('Z')
            }
            _ => &text,
        })
    };
    Some(match field {
        Field::Null => return None,
        Field::Str(text) => Value::string(text),
        Field::Bool(bool) => Value::Bool(*bool),
        Field::Int(integer) => Value::number(integer),
        Field::Long(raw) => match logical {
            None | Some(LogicalType::Integer(_)) => Value::number(raw),
            // The record reader has no field for nanoseconds.
            Some(LogicalType::Timestamp(of)) if of.unit == TimeUnit::NANOS => {
                timestamp(DateTime::from_timestamp_nanos(*raw), SecondsFormat::Nanos)
            }
            other => panic!("what a column of {other:?} becomes is not known here"),
        },
        // `Display` writes the shortest text that reads back as the same float.
        Field::Double(float) => Value::number(float),
        Field::Float(float) => Value::number(float),
        Field::TimestampMillis(raw) => {
            let time = DateTime::from_timestamp_millis(*raw).unwrap();
            timestamp(time, SecondsFormat::Millis)
        }
        Field::TimestampMicros(raw) => {
            let time = DateTime::from_timestamp_micros(*raw).unwrap();
            timestamp(time, SecondsFormat::Micros)
        }
        other => panic!("what {other:?} becomes is not known here"),
    })
}

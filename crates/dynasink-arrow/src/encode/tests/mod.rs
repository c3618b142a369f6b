//! Each type with the values at its edges, as the JSON that an item holds.

mod nested;
mod scalars;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use dynasink_core::{ItemEncoder, KeyType, TableSchema};

use crate::{Mapping, SourceBatch, rows::Rows};

/// The attribute of each value of `array`: its JSON, `omitted`, or the code of the error of its row.
fn encoded(array: impl Array + 'static) -> Vec<String> {
    let field = Field::new("v", array.data_type().clone(), true);
    encoded_as(field, Arc::new(array))
}

/// The same of a column whose field says more than its type.
fn encoded_as(field: Field, array: ArrayRef) -> Vec<String> {
    let table = TableSchema::builder("edges")
        .partition_key("k", KeyType::N)
        .build()
        .unwrap();
    let numbers = Int64Array::from_iter_values((0..array.len()).map(|_| 1));
    let schema = Arc::new(Schema::new(vec![
        field,
        Field::new("k", DataType::Int64, false),
    ]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![array, Arc::new(numbers)]).unwrap();
    let mapping = Mapping::infer(&schema, &table).unwrap();
    let mut rows = Rows::new(&mapping, SourceBatch::from(batch)).unwrap();
    let mut encoder = ItemEncoder::new(&table);
    let mut attributes = Vec::new();
    while let Some(row) = rows.next(&mapping, &mut encoder) {
        attributes.push(match row.op {
            Err(error) => error.reason().code().to_owned(),
            Ok(op) => {
                let json = String::from_utf8(op.item().json().to_vec()).unwrap();
                let rest = json.strip_prefix(r#"{"k":{"N":"1"}"#).unwrap();
                let rest = rest.strip_suffix('}').unwrap();
                rest.strip_prefix(r#","v":"#)
                    .unwrap_or("omitted")
                    .to_owned()
            }
        });
    }
    attributes
}

fn n(text: &str) -> String {
    format!(r#"{{"N":"{text}"}}"#)
}

fn s(text: &str) -> String {
    format!(r#"{{"S":"{text}"}}"#)
}

fn uuid_field() -> Field {
    let metadata = [("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())];
    Field::new("v", DataType::FixedSizeBinary(16), true).with_metadata(HashMap::from(metadata))
}

const OMITTED: &str = "omitted";
const NOT_A_NUMBER: &str = "number";
const UNSUPPORTED: &str = "unsupported_value";

//! Each type with the values at its edges, as the JSON that an item holds.

mod defaults;
mod documents;
mod epochs;
mod extensions;
mod keys;
mod nested;
mod numbers;
mod places;
mod policies;
mod random;
mod scalars;
mod sets;
mod strings;
mod times;
mod unions;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use dynasink_core::{AttributeName, AttributeNames, ItemEncoder, KeyType, TableSchema};

use crate::encode::{Column, Encoding, ValueError};
use crate::mapping::rules::ValuePath;
use crate::mapping::spec::{ColumnSpec, EncodeAs, MappingSpec, Policies};
use crate::{Error, Mapping, SourceBatch, rows::Rows};

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
            Ok(None) => "skipped".to_owned(),
            Ok(Some(op)) => {
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

/// What a mapping says of the one column.
fn mapping_of(column: ColumnSpec) -> MappingSpec {
    let mut spec = MappingSpec::default();
    spec.columns.insert("v".to_owned(), column);
    spec
}

/// The column by this word.
fn by(word: EncodeAs) -> ColumnSpec {
    ColumnSpec {
        encode_as: Some(word),
        ..ColumnSpec::default()
    }
}

fn policies(policies: Policies) -> ColumnSpec {
    ColumnSpec {
        policies,
        ..ColumnSpec::default()
    }
}

fn encoding(spec: &MappingSpec, data_type: &DataType) -> Result<Encoding, Error> {
    let field = Field::new("v", data_type.clone(), true);
    Encoding::new(&ValuePath::column(spec, "v"), &field)
}

/// The attribute of each value of `array` by `encoding`: its JSON, `omitted`, or the error of its row.
fn attributes(encoding: &Encoding, array: &dyn Array) -> Vec<Result<String, ValueError>> {
    let table = TableSchema::builder("edges")
        .partition_key("k", KeyType::N)
        .build()
        .unwrap();
    let names = AttributeNames::new([AttributeName::new("v").unwrap()]).unwrap();
    let column = Column::new(array, encoding).expect("the encoding was made for the type");
    let mut encoder = ItemEncoder::new(&table);
    let attribute = |row| {
        let item = encoder.item_of_fields(&names, |item| column.encode(row, item.field(0)?))?;
        let json = String::from_utf8(item.json().to_vec()).unwrap();
        let value = json.strip_prefix(r#"{"v":"#);
        let value = value.map(|value| value.strip_suffix('}').unwrap());
        Ok(value.unwrap_or(OMITTED).to_owned())
    };
    (0..array.len()).map(attribute).collect()
}

/// The same by a mapping, with the code of an error in its place.
fn mapped(spec: &MappingSpec, array: &dyn Array) -> Vec<String> {
    attributes(&encoding(spec, array.data_type()).unwrap(), array)
        .into_iter()
        .map(|attribute| attribute.unwrap_or_else(|error| error.reason().code().to_owned()))
        .collect()
}

/// The same by what a mapping says of the column.
fn mapped_by(column: ColumnSpec, array: &dyn Array) -> Vec<String> {
    mapped(&mapping_of(column), array)
}

/// The same by a word.
fn written_as(word: EncodeAs, array: &dyn Array) -> Vec<String> {
    mapped_by(by(word), array)
}

/// The attribute of each value of a column whose field says more than its type.
fn by_spec(spec: &MappingSpec, field: &Field, array: &ArrayRef) -> Vec<String> {
    let encoding = Encoding::new(&ValuePath::column(spec, field.name()), field).unwrap();
    attributes(&encoding, array)
        .into_iter()
        .map(|attribute| attribute.unwrap_or_else(|error| error.reason().code().to_owned()))
        .collect()
}

/// The same by the default mapping.
fn by_default(field: &Field, array: &ArrayRef) -> Vec<String> {
    by_spec(&MappingSpec::default(), field, array)
}

/// A column of an extension type.
fn extension(name: &str, storage: DataType) -> Field {
    let metadata = [("ARROW:extension:name".to_owned(), name.to_owned())];
    Field::new("v", storage, true).with_metadata(HashMap::from(metadata))
}

fn list_type(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", element, true)))
}

fn b(base64: &str) -> String {
    format!(r#"{{"B":"{base64}"}}"#)
}

fn n(text: &str) -> String {
    format!(r#"{{"N":"{text}"}}"#)
}

fn s(text: &str) -> String {
    format!(r#"{{"S":"{text}"}}"#)
}

fn uuid_field() -> Field {
    extension("arrow.uuid", DataType::FixedSizeBinary(16))
}

const OMITTED: &str = "omitted";
const NOT_A_NUMBER: &str = "number";
const UNSUPPORTED: &str = "unsupported_value";
const NULL: &str = r#"{"NULL":true}"#;
const TRUE: &str = r#"{"BOOL":true}"#;
const FALSE: &str = r#"{"BOOL":false}"#;

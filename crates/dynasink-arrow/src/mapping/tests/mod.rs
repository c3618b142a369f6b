//! Mappings, from their words to items.

mod batches;
mod columns;
mod infer;
mod keys;
mod made;
mod other_types;
mod outline;
mod rows;

use dynasink_core::{IndexKind, ItemEncoder};

use super::*;
use crate::batch::SourceBatch;
use crate::rows::Rows;

fn schema(fields: impl IntoIterator<Item = (&'static str, DataType)>) -> SchemaRef {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, data_type)| Field::new(name, data_type, true))
        .collect();
    Arc::new(arrow_schema::Schema::new(fields))
}

fn table(key: &str, key_type: KeyType) -> TableSchema {
    TableSchema::builder("users")
        .partition_key(key, key_type)
        .build()
        .unwrap()
}

/// A table with an index by the attribute `mail`.
fn table_by_mail(name: &str, partition_key: &str, sort_key: &str) -> TableSchema {
    TableSchema::builder(name)
        .partition_key(partition_key, KeyType::S)
        .sort_key(sort_key, KeyType::N)
        .index(
            "by-mail",
            IndexKind::Global,
            [("mail", KeyType::S)],
            [],
            None,
        )
        .build()
        .unwrap()
}

fn refusal(schema: &SchemaRef, table: &TableSchema) -> String {
    Mapping::infer(schema, table).unwrap_err().to_string()
}

/// The mapping that `text` says.
fn map(text: &str, schema: &SchemaRef, table: &TableSchema) -> Result<Mapping> {
    MappingFile::parse("m.toml", text)
        .unwrap()
        .mapping(schema, table)
}

/// Why the mapping that `text` says is refused.
fn refused(text: &str, schema: &SchemaRef, table: &TableSchema) -> String {
    map(text, schema, table).unwrap_err().to_string()
}

/// The JSON of each row: what is put or deleted, that it is skipped, or why it is refused.
fn items(mapping: &Mapping, batch: impl Into<SourceBatch>) -> Vec<String> {
    let mut rows = Rows::new(mapping, batch.into()).unwrap();
    let mut encoder = ItemEncoder::new(mapping.table());
    let mut items = Vec::new();
    while let Some(row) = rows.next(mapping, &mut encoder) {
        items.push(match row.op {
            Ok(Some(op)) => {
                let json = String::from_utf8(op.item().json().to_vec()).unwrap();
                match op.action() {
                    dynasink_core::WriteAction::Put => json,
                    dynasink_core::WriteAction::Delete => format!("delete {json}"),
                }
            }
            Ok(None) => "skipped".to_owned(),
            Err(error) => match error.value() {
                Some(value) => format!("{}: {}", value.column, error.reason()),
                None => error.reason().to_string(),
            },
        });
    }
    items
}

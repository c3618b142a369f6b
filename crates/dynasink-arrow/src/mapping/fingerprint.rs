//! A mapping in sixty-four digits.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

use super::Mapping;

impl Mapping {
    /// SHA-256, in hexadecimal, of what becomes of each column: of two mappings with the same fingerprint every row makes
    /// the same item. It is the same in every process, and does not tell which table the items go to.
    pub fn fingerprint(&self) -> String {
        let mut hashed = Hashed(Sha256::new());
        // Hashing cannot fail.
        let _infallible = self.outline_into(&mut hashed);
        let digest = hashed.0.finalize();
        digest.iter().fold(String::new(), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
    }

    /// What decides about items: the words of the mapping, and what they come to for this schema and this table.
    fn outline_into(&self, out: &mut impl Write) -> fmt::Result {
        let spec = &self.0.spec;
        // Nothing in it is without a form in JSON; if there were, it would still count.
        let words = serde_json::to_string(spec).unwrap_or_else(|_| format!("{spec:?}"));
        writeln!(out, "{words}")?;
        for field in self.schema().fields() {
            let mut metadata: Vec<_> = field.metadata().iter().collect();
            metadata.sort();
            let (name, data_type) = (field.name(), field.data_type());
            writeln!(out, "column {name:?} {data_type} {metadata:?}")?;
        }
        for attribute in self.attributes() {
            let (name, column) = (attribute.name(), attribute.column());
            let (kind, is_key) = (attribute.kind(), attribute.is_key());
            writeln!(out, "attribute {name:?} {column:?} {kind:?} {is_key}")?;
        }
        Ok(())
    }
}

struct Hashed(Sha256);

impl Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{DataType, Field, Schema, SchemaRef};
    use dynasink_core::{KeyType, TableSchema};

    use super::*;
    use crate::mapping::spec::{ColumnSpec, MappingSpec};

    fn schema(second: DataType) -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("text", second, true),
        ]))
    }

    fn fingerprint(spec: &MappingSpec, second: DataType, key_type: KeyType) -> String {
        let table = TableSchema::builder("users").partition_key("id", key_type);
        let mapping = Mapping::new(spec, &schema(second), &table.build().unwrap());
        mapping.unwrap().fingerprint()
    }

    #[test]
    fn a_fingerprint_is_the_same_in_every_process() {
        let of = fingerprint(&MappingSpec::new(), DataType::Utf8, KeyType::N);
        assert_eq!(
            of,
            "05c2d4a6e41ec834b8465d836935e4501d8d8b6ba94e10c53057ccb6d7f8909b"
        );
    }

    #[test]
    fn whatever_changes_items_changes_the_fingerprint() {
        let spec = MappingSpec::new();
        let renamed = MappingSpec::new().column("text", ColumnSpec::new().rename("t"));
        let prints = [
            fingerprint(&spec, DataType::Utf8, KeyType::N),
            fingerprint(&spec, DataType::Utf8, KeyType::S),
            fingerprint(&spec, DataType::Int32, KeyType::N),
            fingerprint(&renamed, DataType::Utf8, KeyType::N),
        ];
        for (at, print) in prints.iter().enumerate() {
            assert!(!prints[..at].contains(print), "{prints:?}");
        }
    }
}

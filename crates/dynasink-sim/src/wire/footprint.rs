//! What an item takes up: its size, and its entries in the indexes.

use std::collections::BTreeMap;
use std::hash::Hasher;

use bytes::Bytes;
use dynasink_core::{IndexKind, IndexSchema, KeyAttribute, PrimaryKey, Projection};
use serde_json::{Map, Value};
use siphasher::sip::SipHasher13;

use super::key::{KeyRole, KeyValue};
use super::size;
use super::value::{self, AttributeValue};
use crate::footprint::{Footprint, IndexEntry, place};
use crate::table::SimulatedTable;

impl Footprint {
    /// Of an item of `table` that was checked.
    ///
    /// Source: *DynamoDB item sizes and formats*; *Using Global Secondary Indexes in DynamoDB*, "Attribute
    /// projections" and "Storage considerations": an item without a key attribute of an index has no entry there,
    /// and an entry is as large as its projected attributes.
    pub(crate) fn of(
        table: &SimulatedTable,
        key: &PrimaryKey,
        attributes: &Map<String, Value>,
    ) -> Self {
        let indexes = table.schema.indexes();
        if indexes.is_empty() {
            return Self {
                size: size::of_attributes(attributes),
                entries: Box::default(),
            };
        }
        // By name, so that the order of attributes does not count.
        let measured: BTreeMap<&str, Measured> = attributes
            .iter()
            .map(|(name, value)| (name.as_str(), Measured::of(name, value)))
            .collect();
        Self {
            size: measured.values().map(|attribute| attribute.size).sum(),
            entries: indexes
                .iter()
                .map(|index| entry(table, index, key, attributes, &measured))
                .collect(),
        }
    }
}

/// Size and digest of one attribute.
struct Measured {
    size: u64,
    digest: u64,
}

impl Measured {
    fn of(name: &str, value: &Value) -> Self {
        let mut digest = Digest::new();
        digest.bytes(name.as_bytes());
        digest.value(value);
        Self {
            size: size::of_attribute(name, value),
            digest: digest.finish(),
        }
    }
}

fn entry(
    table: &SimulatedTable,
    index: &IndexSchema,
    key: &PrimaryKey,
    attributes: &Map<String, Value>,
    measured: &BTreeMap<&str, Measured>,
) -> Option<IndexEntry> {
    let mut entry_key = Vec::with_capacity(64);
    let mut partition_len = 0;
    for attribute in index.keys() {
        let value = attributes.get(attribute.name())?;
        append(&mut entry_key, attribute, value)?;
        if KeyRole::of(attribute) == KeyRole::Partition {
            partition_len = entry_key.len();
        }
    }
    let partition = match index.kind() {
        // It lies with the table's items of the same partition key.
        IndexKind::Local => place(key.partition()),
        IndexKind::Global => place(entry_key.get(..partition_len).unwrap_or_default()),
    };
    entry_key.extend_from_slice(key.as_bytes());

    let is_key = |name: &str| {
        let mut keys = table.schema.keys().chain(index.keys());
        keys.any(|key| key.name() == name)
    };
    let is_projected = |name: &str| match index.projection() {
        Projection::All => true,
        Projection::KeysOnly => is_key(name),
        Projection::Include(included) => {
            is_key(name) || included.iter().any(|included| included.as_str() == name)
        }
    };
    let mut size = 0;
    let mut digest = Digest::new();
    for (_, attribute) in measured.iter().filter(|(name, _)| is_projected(name)) {
        size += attribute.size;
        digest.word(attribute.digest);
    }
    Some(IndexEntry {
        key: Bytes::from(entry_key),
        partition,
        size,
        digest: digest.finish(),
    })
}

/// Appends the value of a key attribute: its type, its length and its canonical bytes, so that no two keys join
/// alike. `None` if it is of another type than the key schema says.
fn append(key: &mut Vec<u8>, attribute: &KeyAttribute, value: &Value) -> Option<()> {
    let value = KeyValue::of(attribute.key_type(), value)?;
    let bytes = value.canonical();
    key.extend_from_slice(attribute.key_type().descriptor().as_bytes());
    // A key value has at most 2048 bytes.
    key.extend_from_slice(&u16::try_from(bytes.len()).ok()?.to_be_bytes());
    key.extend_from_slice(&bytes);
    Some(())
}

/// A hash of values that is the same for values that the service takes for equal: numbers by value, sets and maps
/// whatever their order.
struct Digest(SipHasher13);

impl Digest {
    fn new() -> Self {
        Self(SipHasher13::new_with_keys(0, 0))
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }

    fn word(&mut self, word: u64) {
        self.0.write(&word.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.0.write(bytes);
    }

    fn value(&mut self, value: &Value) {
        let Ok(value) = AttributeValue::of(value) else {
            return;
        };
        self.bytes(value.descriptor().as_bytes());
        match value {
            AttributeValue::S(text) | AttributeValue::B(text) => self.bytes(text.as_bytes()),
            AttributeValue::N(text) => self.bytes(canonical_number(text).as_bytes()),
            AttributeValue::Bool(value) | AttributeValue::Null(value) => self.word(value.into()),
            AttributeValue::Ss(members) | AttributeValue::Bs(members) => {
                self.unordered(texts(members).map(digest_of));
            }
            AttributeValue::Ns(members) => {
                self.unordered(texts(members).map(|text| digest_of(&canonical_number(text))));
            }
            AttributeValue::L(elements) => {
                self.word(u64::try_from(elements.len()).unwrap_or(u64::MAX));
                for element in elements {
                    self.value(element);
                }
            }
            AttributeValue::M(attributes) => {
                let attributes = attributes.iter();
                self.unordered(attributes.map(|(name, value)| Measured::of(name, value).digest));
            }
        }
    }

    fn unordered(&mut self, digests: impl Iterator<Item = u64>) {
        let mut digests: Vec<u64> = digests.collect();
        digests.sort_unstable();
        self.word(u64::try_from(digests.len()).unwrap_or(u64::MAX));
        for digest in digests {
            self.word(digest);
        }
    }
}

fn texts(members: &[Value]) -> impl Iterator<Item = &str> {
    members.iter().filter_map(Value::as_str)
}

fn digest_of(text: &str) -> u64 {
    let mut digest = Digest::new();
    digest.bytes(text.as_bytes());
    digest.finish()
}

fn canonical_number(text: &str) -> String {
    value::number(text).map_or_else(|_| text.to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests;

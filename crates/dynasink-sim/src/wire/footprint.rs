//! What an item takes up: its size, and its entries in the indexes.

use std::collections::BTreeMap;
use std::hash::Hasher;

use bytes::Bytes;
use dynasink_core::{IndexKind, IndexSchema, KeyAttribute, PrimaryKey};
use serde_json::{Map, Value};
use siphasher::sip::SipHasher13;

use super::key::{KeyRole, KeyValue};
use super::size;
use super::value::{self, AttributeValue};
use crate::footprint::{Footprint, IndexEntry, place};
use crate::table::{Projection, SimulatedTable};

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
    let is_projected = |name: &str| match table.projection_of(index.name()) {
        Projection::All => true,
        Projection::KeysOnly => is_key(name),
        Projection::Include(included) => {
            is_key(name) || included.iter().any(|included| included == name)
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
mod tests {
    use dynasink_core::{KeyType, TableSchema};
    use serde_json::json;

    use super::super::key;
    use super::*;

    /// A local index by age and a global one by city and mail, then age.
    fn table() -> SimulatedTable {
        let schema = TableSchema::builder("users")
            .partition_key("id", KeyType::S)
            .sort_key("n", KeyType::N)
            .index(
                "by-age",
                IndexKind::Local,
                [("id", KeyType::S)],
                [("age", KeyType::N)],
                None,
            )
            .index(
                "by-city",
                IndexKind::Global,
                [("city", KeyType::S), ("mail", KeyType::S)],
                [("age", KeyType::N)],
                None,
            )
            .build()
            .unwrap();
        SimulatedTable::new(schema)
    }

    fn of_table(table: &SimulatedTable, item: &Value) -> Footprint {
        let item = item.as_object().unwrap();
        let key = key::of_item(&table.schema, item).unwrap();
        Footprint::of(table, &key, item)
    }

    fn of(item: &Value) -> Footprint {
        of_table(&table(), item)
    }

    fn ann() -> Value {
        json!({
            "id": {"S": "ann"}, "n": {"N": "1"}, "age": {"N": "31"}, "city": {"S": "Oslo"}, "mail": {"S": "a@b"},
            "tags": {"SS": ["x", "y"]}, "more": {"M": {"p": {"N": "1"}, "q": {"NS": ["1", "2"]}}},
        })
    }

    fn changed(name: &str, value: Value) -> Value {
        let mut item = ann();
        item[name] = value;
        item
    }

    fn without(name: &str) -> Value {
        let mut item = ann();
        item.as_object_mut().unwrap().remove(name);
        item
    }

    fn entry(footprint: &Footprint, index: usize) -> IndexEntry {
        footprint.entries[index].clone().unwrap()
    }

    #[test]
    fn an_entry_exists_only_with_all_key_attributes_of_its_index() {
        let exist = |item: &Value| {
            let footprint = of(item);
            [0, 1].map(|index: usize| footprint.entries[index].is_some())
        };
        assert_eq!(exist(&ann()), [true, true]);
        assert_eq!(exist(&without("mail")), [true, false]);
        assert_eq!(exist(&without("age")), [false, false]);
    }

    #[test]
    fn an_entry_is_as_large_as_its_projected_attributes() {
        // id 5, n 3, age 5, city 8, mail 7, tags 6, and more: 4 + 3 + (1+1+2) + (1+1+4).
        assert_eq!(of(&ann()).size, 51);
        let sizes = |projection: Projection| {
            let table = table()
                .projection("by-age", projection.clone())
                .projection("by-city", projection);
            let footprint = of_table(&table, &ann());
            [0, 1].map(|index| entry(&footprint, index).size)
        };
        assert_eq!(sizes(Projection::All), [51, 51]);
        assert_eq!(sizes(Projection::KeysOnly), [13, 28]);
        let included = ["tags", "mail", "absent"].map(str::to_owned);
        assert_eq!(sizes(Projection::Include(included.into())), [26, 34]);
    }

    #[test]
    fn entries_are_identical_where_their_projected_attributes_are() {
        let table = table().projection("by-age", Projection::KeysOnly);
        let before = of_table(&table, &ann());
        let entries = |item: Value| {
            let after = of_table(&table, &item);
            [0, 1].map(|index| entry(&after, index) == entry(&before, index))
        };
        assert_eq!(entries(ann()), [true, true]);
        assert_eq!(entries(changed("age", json!({"N": "31.0"}))), [true, true]);
        assert_eq!(
            entries(changed("tags", json!({"SS": ["y", "x"]}))),
            [true, true]
        );
        let more = json!({"M": {"q": {"NS": ["2.0", "1"]}, "p": {"N": "1e0"}}});
        assert_eq!(entries(changed("more", more)), [true, true]);
        // Only the global index holds the attribute.
        assert_eq!(
            entries(changed("tags", json!({"SS": ["x", "z"]}))),
            [true, false]
        );
        assert_eq!(
            entries(changed("tags", json!({"L": [{"S": "x"}]}))),
            [true, false]
        );
        let more = json!({"M": {"p": {"N": "2"}, "q": {"NS": ["1", "2"]}}});
        assert_eq!(entries(changed("more", more)), [true, false]);
        assert_eq!(entries(without("tags")), [true, false]);
        assert_eq!(entries(changed("age", json!({"N": "32"}))), [false, false]);
    }

    #[test]
    fn an_entry_keeps_its_key_while_the_index_key_is_the_same() {
        let keys = |item: &Value| [0, 1].map(|index| entry(&of(item), index).key);
        let before = keys(&ann());
        assert_eq!(keys(&changed("tags", json!({"S": ""}))), before);
        assert_eq!(keys(&changed("age", json!({"N": "31.0"}))), before);
        let moved = keys(&changed("city", json!({"S": "Rome"})));
        assert_eq!(moved[0], before[0]);
        assert_ne!(moved[1], before[1]);
        // Other items have other keys, and values do not run into one another.
        assert_ne!(keys(&changed("n", json!({"N": "2"}))), before);
        let mut joined = changed("city", json!({"S": "Osloa"}));
        joined["mail"] = json!({"S": "@b"});
        assert_ne!(keys(&joined)[1], before[1]);
    }

    #[test]
    fn an_entry_lies_by_its_partition_key() {
        let places = |item: &Value| [0, 1].map(|index| entry(&of(item), index).partition);
        let before = places(&ann());
        let id = key::of_item(&table().schema, ann().as_object().unwrap()).unwrap();
        assert_eq!(before[0], place(id.partition()));
        assert_eq!(places(&changed("age", json!({"N": "32"}))), before);
        assert_ne!(places(&changed("city", json!({"S": "Rome"})))[1], before[1]);
        assert_ne!(places(&changed("mail", json!({"S": "c@d"})))[1], before[1]);
        let other = places(&changed("id", json!({"S": "bob"})));
        assert_ne!(other[0], before[0]);
        assert_eq!(other[1], before[1]);
    }
}

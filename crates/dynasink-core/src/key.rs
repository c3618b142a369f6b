//! The identity of an item: its table and its key values, in one canonical form.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::error::{Error, Result, ValueKind};
use crate::item::Item;
use crate::json::{Attributes, EncodedValue, write_string};
use crate::table::{KeyAttribute, KeyType, TableName, TableSchema};

/// Names one item of one table. Cheap to clone, to compare and to hash.
///
/// The bytes are canonical, type-tagged and length-prefixed: `1`, `1.0` and `1e0` are one key, and the pair
/// `("a", "b")` is neither `("b", "a")` nor `("ab", "")`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrimaryKey {
    table: TableName,
    bytes: Bytes,
    partition_len: usize,
}

impl PrimaryKey {
    /// The table.
    pub fn table(&self) -> &TableName {
        &self.table
    }

    /// The canonical bytes of the key values.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The canonical bytes of the partition key value: what decides on which partition the item lies.
    pub fn partition(&self) -> &[u8] {
        &self.bytes[..self.partition_len]
    }

    /// The partition key: what all items of one item collection have in common.
    pub fn partition_key(&self) -> PartitionKey {
        PartitionKey {
            table: self.table.clone(),
            bytes: self.bytes.slice(..self.partition_len),
        }
    }
}

impl fmt::Debug for PrimaryKey {
    /// Shows no values: keys are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrimaryKey")
            .field("table", &self.table)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Names all items of one table that have one partition key value. Cheap to clone, to compare and to hash.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey {
    table: TableName,
    bytes: Bytes,
}

impl PartitionKey {
    /// The table.
    pub fn table(&self) -> &TableName {
        &self.table
    }

    /// The canonical bytes of the value.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The value as DynamoDB JSON: `{"S":"a"}`. For people and reports: it is users' data.
    pub fn value_json(&self) -> String {
        let (descriptor, value) = match self.bytes.as_ref() {
            [descriptor, _, _, value @ ..] => (char::from(*descriptor), value),
            _ => return "{}".to_owned(),
        };
        let text = match descriptor {
            'B' => STANDARD.encode(value),
            _ => String::from_utf8_lossy(value).into_owned(),
        };
        let mut json = format!("{{\"{descriptor}\":").into_bytes();
        write_string(&mut json, &text);
        json.push(b'}');
        String::from_utf8_lossy(&json).into_owned()
    }
}

impl fmt::Debug for PartitionKey {
    /// Shows no value: keys are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartitionKey")
            .field("table", &self.table)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Key values as they stand in an item, and the identity that they make.
pub(crate) struct KeyOfItem {
    pub(crate) key: PrimaryKey,
    /// The key attributes alone, as DynamoDB JSON.
    pub(crate) json: Vec<u8>,
    /// The size of the key attributes by DynamoDB's rule.
    pub(crate) size: u64,
}

/// Takes the table's key out of `item`.
pub(crate) fn key_of(table: &TableSchema, item: &Item) -> Result<KeyOfItem> {
    let mut bytes = Vec::with_capacity(64);
    let mut json = vec![b'{'];
    let mut size = 0;
    let mut partition_len = 0;
    for attribute in table.keys() {
        let Some(value) = find(item, attribute) else {
            return Err(Error::MissingKey {
                table: table.name().clone(),
                attribute: attribute.name().to_owned(),
            });
        };
        let key_bytes = check(table.name(), None, attribute, value)?;
        bytes.push(attribute.key_type().descriptor().as_bytes()[0]);
        // A key value has at most 2048 bytes, so two bytes hold its length.
        bytes.extend_from_slice(
            &u16::try_from(key_bytes.len())
                .unwrap_or(u16::MAX)
                .to_be_bytes(),
        );
        bytes.extend_from_slice(&key_bytes);
        if json.len() > 1 {
            json.push(b',');
        } else {
            partition_len = bytes.len();
        }
        json.extend_from_slice(attribute.attribute_name().json());
        json.push(b':');
        json.extend_from_slice(value.json());
        size += u64::try_from(attribute.name().len() + key_bytes.len()).unwrap_or(u64::MAX);
    }
    json.push(b'}');
    let key = PrimaryKey {
        table: table.name().clone(),
        bytes: bytes.into(),
        partition_len,
    };
    Ok(KeyOfItem { key, json, size })
}

/// Checks that `item` would not be refused for the sake of an index: a key attribute of an index may be
/// absent, but not of another type, empty or too long. Gives the indexes that will hold it, a bit for each of the
/// first 64.
///
/// Source: *Using Global Secondary Indexes in DynamoDB*, "Item puts with index keys of a wrong type".
pub(crate) fn check_index_keys(table: &TableSchema, item: &Item) -> Result<u64> {
    let mut holding = 0;
    for (index, number) in table.indexes().iter().zip(0..) {
        let mut holds = true;
        for attribute in index.keys() {
            match find(item, attribute) {
                Some(value) => {
                    check(table.name(), Some(index.name()), attribute, value)?;
                }
                None => holds = false,
            }
        }
        if holds && number < u64::BITS {
            holding |= 1 << number;
        }
    }
    Ok(holding)
}

fn find<'i>(item: &'i Item, attribute: &KeyAttribute) -> Option<EncodedValue<'i>> {
    let name = attribute.attribute_name().json();
    Attributes::of(item.json())
        .find(|(candidate, _)| *candidate == name)
        .map(|(_, value)| value)
}

/// The canonical bytes of a key value, if it may be one.
fn check<'i>(
    table: &TableName,
    index: Option<&str>,
    attribute: &KeyAttribute,
    value: EncodedValue<'i>,
) -> Result<Cow<'i, [u8]>> {
    let name = || attribute.name().to_owned();
    let owner = || index.map(str::to_owned);
    let expected = attribute.key_type();
    if value.descriptor() != expected.descriptor().as_bytes() {
        return Err(Error::KeyType {
            table: table.clone(),
            index: owner(),
            attribute: name(),
            expected,
            found: ValueKind::from_descriptor(value.descriptor()).unwrap_or(ValueKind::Null),
        });
    }
    let bytes = match (expected, value.text()) {
        (KeyType::B, text) => Cow::Owned(STANDARD.decode(text.as_bytes()).unwrap_or_default()),
        (_, Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
        (_, Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
    };
    if bytes.is_empty() {
        return Err(Error::EmptyKey {
            table: table.clone(),
            index: owner(),
            attribute: name(),
            kind: expected,
        });
    }
    if bytes.len() > attribute.max_bytes() {
        return Err(Error::KeyTooLong {
            table: table.clone(),
            index: owner(),
            attribute: name(),
            kind: expected,
            bytes: bytes.len(),
            max: attribute.max_bytes(),
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_key_shows_its_value_as_dynamodb_json() {
        let value_json = |key_type, item: &str| {
            let table = TableSchema::builder("users").partition_key("id", key_type);
            let item = Item::from_encoder(Bytes::copy_from_slice(item.as_bytes()), 10);
            let key = table.build().unwrap().primary_key(&item).unwrap();
            key.partition_key().value_json()
        };
        let string = r#"{"id":{"S":"a\"b"}}"#;
        assert_eq!(value_json(KeyType::S, string), r#"{"S":"a\"b"}"#);
        assert_eq!(
            value_json(KeyType::N, r#"{"id":{"N":"-1.5"}}"#),
            r#"{"N":"-1.5"}"#
        );
        assert_eq!(
            value_json(KeyType::B, r#"{"id":{"B":"AQI="}}"#),
            r#"{"B":"AQI="}"#
        );
    }
}

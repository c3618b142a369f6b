//! A valid write operation.

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::item::Item;
use crate::key::{self, PrimaryKey};
use crate::limits::{MAX_REQUEST_BYTES, MAX_TABLE_ARN_CHARS};
use crate::position::SourcePosition;
use crate::table::{TableName, TableSchema};
use crate::units::WriteUnits;
use crate::version::Version;

const PUT: (&[u8], &[u8]) = (b"{\"PutRequest\":{\"Item\":", b"}}");
const DELETE: (&[u8], &[u8]) = (b"{\"DeleteRequest\":{\"Key\":", b"}}");

/// Bytes of a request that are not operations: table names, brackets and parameters.
pub(crate) const REQUEST_ENVELOPE_BYTES: usize = 2 * MAX_TABLE_ARN_CHARS;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteAction {
    /// Replaces the item of the key.
    Put,
    /// Deletes the item of the key, if there is one.
    Delete,
}

/// One put or delete of one item, valid by construction. Cheap to clone.
///
/// Only a [`TableSchema`] makes one, by [`put`](TableSchema::put), [`delete`](TableSchema::delete) or
/// [`put_serde`](TableSchema::put_serde), so that none exists that DynamoDB would refuse for what it holds.
#[derive(Clone, Debug)]
pub struct WriteOp {
    table: TableSchema,
    action: WriteAction,
    item: Item,
    key: PrimaryKey,
    units: WriteUnits,
    /// The indexes whose keys its item has, by their numbers in the schema.
    indexes: u64,
    position: Option<SourcePosition>,
    version: Option<Version>,
}

impl WriteOp {
    /// Put or delete.
    pub fn action(&self) -> WriteAction {
        self.action
    }

    /// The name of the table that it writes to.
    pub fn table(&self) -> &TableName {
        self.table.name()
    }

    /// The table that made it.
    pub fn schema(&self) -> &TableSchema {
        &self.table
    }

    /// The item of a put; the key attributes of a delete.
    pub fn item(&self) -> &Item {
        &self.item
    }

    /// Which item it writes.
    pub fn key(&self) -> &PrimaryKey {
        &self.key
    }

    /// The write capacity units that it will cost the table, as far as its own size tells.
    ///
    /// A delete costs the size of the item that it removes, which is not known here; it counts as 1 KB.
    pub fn units(&self) -> WriteUnits {
        self.units
    }

    /// Where the row came from, if the source said so.
    pub fn position(&self) -> Option<&SourcePosition> {
        self.position.as_ref()
    }

    /// The same operation with the place that its row came from.
    #[must_use]
    pub fn at(mut self, position: SourcePosition) -> Self {
        self.position = Some(position);
        self
    }

    /// Which of the operations of its key is the newest, if the source said so.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// The same operation with its version. The service does not see it; a stage that keeps the greatest does.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    /// Bytes of this operation as an element of a request.
    pub fn wire_len(&self) -> usize {
        let (open, close) = self.brackets();
        open.len() + self.item.json().len() + close.len()
    }

    /// Bytes of memory that this operation holds, about.
    pub fn memory(&self) -> usize {
        let version = self.version.as_ref().map_or(0, Version::memory);
        size_of::<Self>() + self.item.json().len() + self.key.as_bytes().len() + version
    }

    pub(crate) fn index_bits(&self) -> u64 {
        self.indexes
    }

    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        let (open, close) = self.brackets();
        out.extend_from_slice(open);
        out.extend_from_slice(self.item.json());
        out.extend_from_slice(close);
    }

    fn brackets(&self) -> (&'static [u8], &'static [u8]) {
        match self.action {
            WriteAction::Put => PUT,
            WriteAction::Delete => DELETE,
        }
    }

    fn checked(self) -> Result<Self> {
        let bytes = self.wire_len() + REQUEST_ENVELOPE_BYTES;
        if bytes > MAX_REQUEST_BYTES {
            return Err(Error::OpTooLarge {
                table: self.table().clone(),
                bytes,
            });
        }
        Ok(self)
    }
}

impl TableSchema {
    /// An operation that puts `item` into this table.
    ///
    /// # Errors
    ///
    /// [`Error::MissingKey`], [`Error::KeyType`], [`Error::EmptyKey`] and [`Error::KeyTooLong`] for the keys of
    /// the table and of its indexes; [`Error::OpTooLarge`] for the rare item whose JSON exceeds 16 MB.
    pub fn put(&self, item: Item) -> Result<WriteOp> {
        let key = key::key_of(self, &item)?.key;
        let indexes = key::check_index_keys(self, &item)?;
        let op = WriteOp {
            table: self.clone(),
            action: WriteAction::Put,
            units: item.write_units(),
            indexes,
            item,
            key,
            position: None,
            version: None,
        };
        op.checked()
    }

    /// Which item of this table `item` is.
    ///
    /// # Errors
    ///
    /// [`Error::MissingKey`], [`Error::KeyType`], [`Error::EmptyKey`] and [`Error::KeyTooLong`].
    pub fn primary_key(&self, item: &Item) -> Result<PrimaryKey> {
        Ok(key::key_of(self, item)?.key)
    }

    /// The key attributes of `item` alone: what a request names an item by.
    ///
    /// # Errors
    ///
    /// [`Error::MissingKey`], [`Error::KeyType`], [`Error::EmptyKey`] and [`Error::KeyTooLong`].
    pub fn key_item(&self, item: &Item) -> Result<Item> {
        let key = key::key_of(self, item)?;
        Ok(Item::from_encoder(Bytes::from(key.json), key.size))
    }

    /// An operation that deletes the item with the key attributes of `item`; its other attributes do not count.
    ///
    /// # Errors
    ///
    /// [`Error::MissingKey`], [`Error::KeyType`], [`Error::EmptyKey`] and [`Error::KeyTooLong`].
    pub fn delete(&self, item: &Item) -> Result<WriteOp> {
        let key = key::key_of(self, item)?;
        let op = WriteOp {
            table: self.clone(),
            action: WriteAction::Delete,
            units: WriteUnits::new(1),
            indexes: u64::MAX,
            item: Item::from_encoder(Bytes::from(key.json), key.size),
            key: key.key,
            position: None,
            version: None,
        };
        op.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ValueKind;
    use crate::table::{IndexKind, KeyType};

    fn table() -> TableSchema {
        TableSchema::builder("users")
            .partition_key("id", KeyType::S)
            .sort_key("n", KeyType::N)
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

    fn put(id: &str, n: &str) -> Result<WriteOp> {
        let item = table().item(|item| {
            item.attribute("x")?.bool(true)?;
            item.attribute("id")?.string(id)?;
            item.attribute("n")?.try_number(n.parse())
        });
        table().put(item?)
    }

    #[test]
    fn keys_are_equal_when_the_service_says_so() {
        let key = |id: &str, n: &str| put(id, n).unwrap().key().clone();
        assert_eq!(key("a", "1"), key("a", "1.0"));
        assert_eq!(key("a", "1"), key("a", "1e0"));
        assert_ne!(key("a", "1"), key("a", "10"));
        assert_ne!(key("a", "1"), key("A", "1"));
        assert_eq!(key("a", "1").partition(), key("a", "2").partition());
        assert_ne!(key("a1", "1"), key("a", "11"));
    }

    #[test]
    fn a_pair_of_values_is_not_another_pair_that_joins_alike() {
        let table = TableSchema::builder("pairs")
            .partition_key("p", KeyType::S)
            .sort_key("s", KeyType::S)
            .build()
            .unwrap();
        let key = |p: &str, s: &str| {
            let item = table.item(|item| {
                item.attribute("p")?.string(p)?;
                item.attribute("s")?.string(s)
            });
            table.put(item.unwrap()).unwrap().key().clone()
        };
        assert_ne!(key("a", "b"), key("b", "a"));
        assert_ne!(key("a$", "b"), key("a", "$b"));
        assert_ne!(key("ab", "c"), key("a", "bc"));
    }

    #[test]
    fn a_delete_holds_the_key_attributes_only() {
        let item = put("a\"b", "2.50").unwrap().item().clone();
        let delete = table().delete(&item).unwrap();
        assert_eq!(
            delete.item().json(),
            br#"{"id":{"S":"a\"b"},"n":{"N":"2.5"}}"#.as_slice()
        );
        assert_eq!(delete.key(), put("a\"b", "2.5").unwrap().key());
        assert_eq!(delete.units(), WriteUnits::new(1));
    }

    #[test]
    fn a_key_that_the_service_refuses_is_refused() {
        assert!(
            matches!(put("", "1"), Err(Error::EmptyKey { attribute, .. }) if attribute == "id")
        );
        assert_eq!(
            put("", "1").unwrap_err().to_string(),
            "table users: attribute \"id\" is an empty string (S) but is a key of the table"
        );
        assert!(put(&"x".repeat(2048), "1").is_ok());
        assert!(matches!(
            put(&"x".repeat(2049), "1"),
            Err(Error::KeyTooLong {
                bytes: 2049,
                max: 2048,
                ..
            })
        ));
        let missing = table()
            .item(|item| item.attribute("id")?.string("a"))
            .and_then(|item| table().put(item));
        assert!(matches!(missing, Err(Error::MissingKey { attribute, .. }) if attribute == "n"));
        let wrong = table()
            .item(|item| {
                item.attribute("id")?.string("a")?;
                item.attribute("n")?.string("1")
            })
            .and_then(|item| table().put(item));
        let Err(
            error @ Error::KeyType {
                found: ValueKind::S,
                ..
            },
        ) = wrong
        else {
            panic!("{wrong:?}")
        };
        assert_eq!(
            error.to_string(),
            "table users: attribute \"n\" is a string (S) but the key of the table is a number (N)"
        );
    }

    #[test]
    fn an_index_key_may_be_absent_but_not_wrong() {
        let with_mail = |write: &dyn Fn(crate::ValueEncoder<'_>) -> Result<()>| {
            table()
                .item(|item| {
                    item.attribute("id")?.string("a")?;
                    item.attribute("n")?.integer(1)?;
                    write(item.attribute("mail")?)
                })
                .and_then(|item| table().put(item))
        };
        assert!(put("a", "1").is_ok());
        assert!(with_mail(&|mail| mail.string("a@b")).is_ok());
        assert!(
            matches!(with_mail(&|mail| mail.string("")), Err(Error::EmptyKey { index: Some(index), .. }) if index == "by-mail")
        );
        assert!(matches!(
            with_mail(&|mail| mail.null()),
            Err(Error::KeyType {
                found: ValueKind::Null,
                ..
            })
        ));
    }

    #[test]
    fn binary_keys_are_compared_and_measured_as_bytes() {
        let table = TableSchema::builder("blobs")
            .partition_key("id", KeyType::B)
            .build()
            .unwrap();
        let put = |bytes: &[u8]| {
            table
                .item(|item| item.attribute("id")?.binary(bytes))
                .and_then(|item| table.put(item))
        };
        assert!(put(&[0xff; 2048]).is_ok());
        assert!(matches!(put(&[0xff; 2049]), Err(Error::KeyTooLong { .. })));
        assert!(matches!(put(&[]), Err(Error::EmptyKey { .. })));
        assert_ne!(put(&[1]).unwrap().key(), put(&[1, 0]).unwrap().key());
    }
}

//! What a table is: its name, its keys, its indexes and its capacity.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, ValueKind};
use crate::limits::{
    MAX_KEY_NAME_BYTES, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, MAX_TABLE_ARN_CHARS,
    TABLE_NAME_CHARS,
};
use crate::name::AttributeName;
use crate::projection::Projection;
use crate::units::WriteUnits;

/// A table's name, or its ARN in the name's place. Cheap to clone.
///
/// A table named in two ways is two tables here: keys of the one are not keys of the other, and nothing keeps their
/// order. Name it in one way in a pipe.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName(Arc<str>);

impl TableName {
    /// Checks `name` as the service does.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidTable`] for a name that is not 3 to 255 characters of `a-z A-Z 0-9 _ - .`, nor an ARN.
    pub fn new(name: &str) -> Result<Self> {
        let is_arn = name.starts_with("arn:");
        let legal_char = |c: char| {
            c.is_ascii_alphanumeric() || "_-.".contains(c) || (is_arn && "/:".contains(c))
        };
        let legal_length = if is_arn {
            name.len() <= MAX_TABLE_ARN_CHARS
        } else {
            TABLE_NAME_CHARS.contains(&name.len())
        };
        if legal_length && name.chars().all(legal_char) {
            Ok(Self(name.into()))
        } else {
            Err(Error::InvalidTable {
                table: name.to_owned(),
                reason: "a table name has 3 to 255 characters of a-z, A-Z, 0-9, underscore, hyphen and dot".to_owned(),
            })
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The types that a key attribute can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyType {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
}

impl KeyType {
    /// The type descriptor of DynamoDB JSON.
    pub const fn descriptor(self) -> &'static str {
        self.value_kind().descriptor()
    }

    /// The same type among all types of values.
    pub const fn value_kind(self) -> ValueKind {
        match self {
            Self::S => ValueKind::S,
            Self::N => ValueKind::N,
            Self::B => ValueKind::B,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value_kind().fmt(f)
    }
}

/// An attribute of a key schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttribute {
    name: AttributeName,
    key_type: KeyType,
    max_bytes: usize,
}

impl KeyAttribute {
    fn new(table: &str, name: &str, key_type: KeyType, max_bytes: usize) -> Result<Self> {
        if name.len() > MAX_KEY_NAME_BYTES {
            return Err(Error::InvalidTable {
                table: table.to_owned(),
                reason: format!(
                    "the name of a key attribute has at most {MAX_KEY_NAME_BYTES} bytes"
                ),
            });
        }
        Ok(Self {
            name: AttributeName::new(name)?,
            key_type,
            max_bytes,
        })
    }

    /// The attribute.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Its type.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    pub(crate) fn attribute_name(&self) -> &AttributeName {
        &self.name
    }

    /// Most bytes that its value may have: 2048 for a partition key, 1024 for a sort key.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }
}

/// Whether an index is local or global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndexKind {
    /// It shares the table's partition key and capacity.
    Local,
    /// It has keys and capacity of its own.
    Global,
}

/// A secondary index. Items without its key attributes are not in it; items whose value of one is empty or
/// of another type are refused by the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSchema {
    name: Arc<str>,
    kind: IndexKind,
    /// Those of the partition key first.
    keys: Vec<KeyAttribute>,
    partition_keys: usize,
    projection: Projection,
    write_capacity: Option<WriteUnits>,
}

impl IndexSchema {
    /// The index.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn name_arc(&self) -> &Arc<str> {
        &self.name
    }

    /// Local or global.
    pub fn kind(&self) -> IndexKind {
        self.kind
    }

    /// The attributes of its partition key, then those of its sort key.
    pub fn keys(&self) -> &[KeyAttribute] {
        &self.keys
    }

    /// How many of these are of the partition key.
    pub fn partition_keys(&self) -> usize {
        self.partition_keys
    }

    /// What it holds of an item besides keys.
    pub fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Its provisioned write capacity per second; none for local indexes and on-demand tables.
    pub fn write_capacity(&self) -> Option<WriteUnits> {
        self.write_capacity
    }
}

/// How a table's writes are paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillingMode {
    /// A rate that is set, in units per second.
    Provisioned {
        /// Write capacity units per second.
        write: WriteUnits,
    },
    /// By request, up to a maximum if one is set.
    OnDemand {
        /// `MaxWriteRequestUnits`, in units per second.
        max_write: Option<WriteUnits>,
    },
}

impl BillingMode {
    /// The write capacity that the table's description names, in units per second.
    pub fn write_capacity(self) -> Option<WriteUnits> {
        match self {
            Self::Provisioned { write } => Some(write),
            Self::OnDemand { max_write } => max_write,
        }
    }
}

/// A table: name, key schema, indexes and capacity. Cheap to clone.
///
/// It is the only maker of [`WriteOp`](crate::WriteOp)s, so that no operation exists that the table would refuse.
///
/// ```
/// use dynasink_core::{KeyType, TableSchema};
///
/// let table = TableSchema::builder("users")
///     .partition_key("id", KeyType::S)
///     .sort_key("seq", KeyType::N)
///     .build()?;
/// let op = table.item(|item| {
///     item.attribute("id")?.string("u-1")?;
///     item.attribute("seq")?.integer(7)
/// })
/// .and_then(|item| table.put(item))?;
/// assert_eq!(op.item().json(), br#"{"id":{"S":"u-1"},"seq":{"N":"7"}}"#.as_slice());
/// # Ok::<(), dynasink_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema(Arc<Description>);

#[derive(Debug, PartialEq, Eq)]
struct Description {
    name: TableName,
    partition_key: KeyAttribute,
    sort_key: Option<KeyAttribute>,
    indexes: Vec<IndexSchema>,
    billing_mode: BillingMode,
    warm_throughput: Option<WriteUnits>,
    ttl_attribute: Option<AttributeName>,
}

impl TableSchema {
    /// Starts the description of a table.
    pub fn builder(name: impl Into<String>) -> TableSchemaBuilder {
        TableSchemaBuilder {
            name: name.into(),
            partition_key: None,
            sort_key: None,
            indexes: Vec::new(),
            billing_mode: BillingMode::OnDemand { max_write: None },
            warm_throughput: None,
            ttl_attribute: None,
        }
    }

    /// The table's name.
    pub fn name(&self) -> &TableName {
        &self.0.name
    }

    /// The partition key.
    pub fn partition_key(&self) -> &KeyAttribute {
        &self.0.partition_key
    }

    /// The sort key, if the table has one.
    pub fn sort_key(&self) -> Option<&KeyAttribute> {
        self.0.sort_key.as_ref()
    }

    /// The key attributes: partition key, then sort key.
    pub fn keys(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(self.partition_key()).chain(self.sort_key())
    }

    /// The secondary indexes.
    pub fn indexes(&self) -> &[IndexSchema] {
        &self.0.indexes
    }

    /// The attributes that are keys of indexes and not of the table.
    pub(crate) fn index_key_names(&self) -> impl Iterator<Item = String> {
        let of_indexes = self.indexes().iter().flat_map(IndexSchema::keys);
        of_indexes
            .map(KeyAttribute::name)
            .filter(|name| self.keys().all(|key| key.name() != *name))
            .map(str::to_owned)
    }

    /// How writes are paid for.
    pub fn billing_mode(&self) -> BillingMode {
        self.0.billing_mode
    }

    /// The writes that the table takes at once, in units per second. None if that is not known.
    ///
    /// Source: *Understanding DynamoDB warm throughput*.
    pub fn warm_throughput(&self) -> Option<WriteUnits> {
        self.0.warm_throughput
    }

    /// The attribute by which the service deletes items that have expired: seconds since 1970, as a number. None if
    /// the table has none, or if that is not known.
    ///
    /// Source: *Using time to live (TTL) in DynamoDB*.
    pub fn ttl_attribute(&self) -> Option<&str> {
        self.0.ttl_attribute.as_ref().map(AttributeName::as_str)
    }
}

/// Describes a [`TableSchema`] by hand. A wrong description is reported by [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use]
pub struct TableSchemaBuilder {
    name: String,
    partition_key: Option<(String, KeyType)>,
    sort_key: Option<(String, KeyType)>,
    indexes: Vec<IndexDescription>,
    billing_mode: BillingMode,
    warm_throughput: Option<WriteUnits>,
    ttl_attribute: Option<String>,
}

#[derive(Clone, Debug)]
struct IndexDescription {
    name: String,
    kind: IndexKind,
    partition_keys: Vec<(String, KeyType)>,
    sort_keys: Vec<(String, KeyType)>,
    projection: Projection,
    write_capacity: Option<WriteUnits>,
}

impl TableSchemaBuilder {
    /// Sets the partition key, which every table has.
    pub fn partition_key(mut self, name: impl Into<String>, key_type: KeyType) -> Self {
        self.partition_key = Some((name.into(), key_type));
        self
    }

    /// Sets the sort key.
    pub fn sort_key(mut self, name: impl Into<String>, key_type: KeyType) -> Self {
        self.sort_key = Some((name.into(), key_type));
        self
    }

    /// Adds an index: its partition key and sort key, each of one or more attributes, and its provisioned write
    /// capacity.
    pub fn index<N: Into<String>>(
        mut self,
        name: impl Into<String>,
        kind: IndexKind,
        partition_keys: impl IntoIterator<Item = (N, KeyType)>,
        sort_keys: impl IntoIterator<Item = (N, KeyType)>,
        write_capacity: Option<WriteUnits>,
    ) -> Self {
        let owned = |(name, key_type): (N, KeyType)| (name.into(), key_type);
        self.indexes.push(IndexDescription {
            name: name.into(),
            kind,
            partition_keys: partition_keys.into_iter().map(owned).collect(),
            sort_keys: sort_keys.into_iter().map(owned).collect(),
            projection: Projection::default(),
            write_capacity,
        });
        self
    }

    /// Sets what the index of that name, which was added before, holds of an item. All of it, unless set.
    pub fn projecting(mut self, index: &str, projection: Projection) -> Self {
        let named = self.indexes.iter_mut().find(|added| added.name == index);
        if let Some(added) = named {
            added.projection = projection;
        }
        self
    }

    /// Sets how writes are paid for. On demand without a maximum, unless set.
    pub fn billing_mode(mut self, billing_mode: BillingMode) -> Self {
        self.billing_mode = billing_mode;
        self
    }

    /// Sets the writes that the table takes at once, in units per second. Not known, unless set.
    pub fn warm_throughput(mut self, write: WriteUnits) -> Self {
        self.warm_throughput = Some(write);
        self
    }

    /// Sets the attribute of the time to live. None, unless set.
    pub fn ttl_attribute(mut self, name: impl Into<String>) -> Self {
        self.ttl_attribute = Some(name.into());
        self
    }

    /// Checks the description.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidTable`] if the name is not legal, the partition key is missing, both keys are one
    /// attribute, or an index has no partition key; [`Error::AttributeName`] for a key or a time to live
    /// without a name.
    pub fn build(self) -> Result<TableSchema> {
        let invalid = |reason: &str| Error::InvalidTable {
            table: self.name.clone(),
            reason: reason.to_owned(),
        };
        let name = TableName::new(&self.name)?;
        let key = |(name, key_type): &(String, KeyType), max_bytes| {
            KeyAttribute::new(&self.name, name, *key_type, max_bytes)
        };
        let partition_key = self
            .partition_key
            .as_ref()
            .ok_or_else(|| invalid("it has no partition key"))?;
        let partition_key = key(partition_key, MAX_PARTITION_KEY_BYTES)?;
        let sort_key = self
            .sort_key
            .as_ref()
            .map(|sort_key| key(sort_key, MAX_SORT_KEY_BYTES))
            .transpose()?;
        if sort_key
            .as_ref()
            .is_some_and(|sort_key| sort_key.name == partition_key.name)
        {
            return Err(invalid("partition key and sort key are one attribute"));
        }
        let mut indexes = Vec::with_capacity(self.indexes.len());
        for index in &self.indexes {
            if index.partition_keys.is_empty() {
                return Err(invalid("an index has a partition key"));
            }
            let partition_keys = index
                .partition_keys
                .iter()
                .map(|name| key(name, MAX_PARTITION_KEY_BYTES));
            let sort_keys = index
                .sort_keys
                .iter()
                .map(|name| key(name, MAX_SORT_KEY_BYTES));
            indexes.push(IndexSchema {
                name: index.name.as_str().into(),
                kind: index.kind,
                keys: partition_keys.chain(sort_keys).collect::<Result<_>>()?,
                partition_keys: index.partition_keys.len(),
                projection: index.projection.clone(),
                write_capacity: index.write_capacity,
            });
        }
        Ok(TableSchema(Arc::new(Description {
            name,
            partition_key,
            sort_key,
            indexes,
            billing_mode: self.billing_mode,
            warm_throughput: self.warm_throughput,
            ttl_attribute: self
                .ttl_attribute
                .as_deref()
                .map(AttributeName::new)
                .transpose()?,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_legal_as_the_service_says() {
        let longest = "x".repeat(255);
        for name in [
            "abc",
            "a.b-c_9",
            longest.as_str(),
            "arn:aws:dynamodb:eu-west-1:123456789012:table/users",
        ] {
            assert!(TableName::new(name).is_ok(), "{name}");
        }
        let too_long = "x".repeat(256);
        for name in ["ab", "", "a b", "users/1", "tablé", too_long.as_str()] {
            assert!(
                matches!(TableName::new(name), Err(Error::InvalidTable { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn a_description_without_a_usable_key_is_refused() {
        let table = || TableSchema::builder("users");
        assert!(table().build().is_err());
        assert!(
            table()
                .partition_key("id", KeyType::S)
                .sort_key("id", KeyType::S)
                .build()
                .is_err()
        );
        assert!(table().partition_key("", KeyType::S).build().is_err());
        assert!(
            table()
                .partition_key("k".repeat(256), KeyType::S)
                .build()
                .is_err()
        );
        let keys: [(&str, KeyType); 0] = [];
        let without_keys =
            table()
                .partition_key("id", KeyType::S)
                .index("i", IndexKind::Global, keys, keys, None);
        assert!(without_keys.build().is_err());
    }
}

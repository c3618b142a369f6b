//! An item, encoded once.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::json::{Attributes, unescape};
use crate::units::WriteUnits;

/// An item as DynamoDB JSON, with its size by DynamoDB's rule. Cheap to clone.
///
/// It is made by an [`ItemEncoder`](crate::ItemEncoder), so it is well-formed and at most 400 KB. Whether it
/// has the keys of a table is decided by [`TableSchema::put`](crate::TableSchema::put).
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    json: Bytes,
    size: u64,
}

impl Item {
    pub(crate) fn from_encoder(json: Bytes, size: u64) -> Self {
        Self { json, size }
    }

    /// The item as DynamoDB JSON: `{"id":{"S":"a"}}`, without white space.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// Its attributes in their order: the name, and the value as DynamoDB JSON.
    ///
    /// ```
    /// use dynasink_core::{KeyType, TableSchema};
    ///
    /// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
    /// let item = table.item(|item| item.attribute("id")?.integer(7))?;
    /// let attributes: Vec<_> = item.attributes().collect();
    /// assert_eq!(attributes, [("id".into(), r#"{"N":"7"}"#.into())]);
    /// # Ok::<(), dynasink_core::Error>(())
    /// ```
    pub fn attributes(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        Attributes::of(&self.json)
            .map(|(name, value)| (unescape(name), String::from_utf8_lossy(value.json())))
    }

    /// Bytes by DynamoDB's own rule, which the 400 KB limit and the price go by; not the length of the JSON.
    ///
    /// Source: *DynamoDB item sizes and formats*.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What it costs to put this item where no larger one lies.
    pub fn write_units(&self) -> WriteUnits {
        WriteUnits::for_item_size(self.size)
    }
}

impl fmt::Debug for Item {
    /// Shows sizes only: items are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("size", &self.size)
            .field("json_bytes", &self.json.len())
            .finish_non_exhaustive()
    }
}

//! An item, encoded once.

use std::fmt;

use bytes::Bytes;

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

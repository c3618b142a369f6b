//! Item collections: what lies under one partition key of a table with local indexes.

use std::collections::HashMap;

use bytes::Bytes;
use dynasink_core::IndexKind;

use crate::footprint::Footprint;
use crate::table::SimulatedTable;

/// The bytes under each partition key of a table, local indexes included.
///
/// Source: Developer Guide, *Local secondary indexes*, "Item collections".
#[derive(Debug, Default)]
pub(super) struct ItemCollections(HashMap<Bytes, u64>);

impl ItemCollections {
    /// Whether `table` has item collections with a limit: only one with local indexes has.
    pub(super) fn are_limited_in(table: &SimulatedTable) -> bool {
        let mut indexes = table.schema().indexes().iter();
        indexes.any(|index| index.kind() == IndexKind::Local)
    }

    /// The bytes that an item and its entries in local indexes add to its collection.
    pub(super) fn bytes_of(table: &SimulatedTable, footprint: &Footprint) -> u64 {
        if !Self::are_limited_in(table) {
            return 0;
        }
        let indexes = table.schema().indexes().iter();
        let entries = indexes
            .zip(&footprint.entries)
            .filter(|(index, _)| index.kind() == IndexKind::Local)
            .filter_map(|(_, entry)| entry.as_ref());
        footprint.size + entries.map(|entry| entry.size).sum::<u64>()
    }

    /// The size of a collection.
    pub(super) fn size(&self, partition: &[u8]) -> u64 {
        self.0.get(partition).copied().unwrap_or(0)
    }

    /// Takes note that an item of a collection now has `new` bytes in place of `old`, and says how large that makes
    /// the collection.
    pub(super) fn grow(&mut self, partition: &[u8], old: u64, new: u64) -> u64 {
        let size = self.0.entry(Bytes::copy_from_slice(partition)).or_default();
        *size = (*size + new).saturating_sub(old);
        *size
    }
}

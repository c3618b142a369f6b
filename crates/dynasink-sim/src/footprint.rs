//! What an item takes up in its table and in each index: all that the capacity model needs to know of it.

use bytes::Bytes;

/// The sizes of an item, and its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// Bytes of the item by the service's rule.
    pub(crate) size: u64,
    /// One for each index of the table's schema, in its order: the entry there, if the item has one.
    pub(crate) entries: Box<[Option<IndexEntry>]>,
}

/// An item's entry in one index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    /// The index key and the table's key in a canonical form: two entries are of one key if these bytes are equal.
    pub(crate) key: Bytes,
    /// Where the entry lies: the hash of the index's partition key.
    pub(crate) partition: u64,
    /// Bytes of the projected attributes.
    pub(crate) size: u64,
    /// The digest of the projected attributes: entries of one digest are identical.
    pub(crate) digest: u64,
}

/// Where a partition key lies among the partitions of a table or an index. The same bytes lie at the same place in
/// every run.
pub(crate) fn place(partition_key: &[u8]) -> u64 {
    use std::hash::Hasher;

    let mut hasher = siphasher::sip::SipHasher13::new_with_keys(0, 0);
    hasher.write(partition_key);
    hasher.finish()
}

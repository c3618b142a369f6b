//! How large the collections of items that share a partition key are.

use crate::table::TableName;

/// What the service estimates of an item collection: the items of one partition key and what the local indexes hold
/// of them, in a table that has local indexes. None can grow beyond 10 GB.
///
/// The service sends it with an answer only if the request asks for it.
///
/// Source: API reference, `ItemCollectionMetrics`; *Local secondary indexes*, "Item collections".
#[derive(Clone, Debug, PartialEq)]
pub struct ItemCollectionSize {
    /// The table.
    pub table: TableName,
    /// The value of the partition key: a string as it is, a number in the service's digits, binary as Base64.
    /// It is users' data.
    pub partition_key: String,
    /// It is at least that large, in GB.
    pub lower_gb: f64,
    /// It is at most that large, in GB.
    pub upper_gb: f64,
}

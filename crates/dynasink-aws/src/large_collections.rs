//! Item collections that come close to their limit, told of once each.

use std::collections::HashSet;

use dynasink_core::{ItemCollectionSize, TableName, limits::MAX_ITEM_COLLECTION_GB};

/// The upper estimate from which on whoever runs the load is warned: late enough to be rare, and early enough to
/// stop before writes of that partition key fail.
const WARN_FROM_GB: f64 = 8.0;

/// The item collections of which a warning has been given. They are few: each holds gigabytes.
#[derive(Debug, Default)]
pub(crate) struct LargeCollections(HashSet<(TableName, String)>);

impl LargeCollections {
    /// Warns of those that are large and were not when they were last looked at.
    pub(crate) fn warn_of(&mut self, sizes: &[ItemCollectionSize]) {
        for size in sizes.iter().filter(|size| size.upper_gb >= WARN_FROM_GB) {
            let collection = (size.table.clone(), size.partition_key.clone());
            if self.0.insert(collection) {
                tracing::warn!(
                    table = %size.table,
                    partition_key = size.partition_key,
                    lower_gb = size.lower_gb,
                    upper_gb = size.upper_gb,
                    "an item collection is close to the {MAX_ITEM_COLLECTION_GB} GB that a table with local indexes \
                     allows: from there on, puts of this partition key become dead letters"
                );
            }
        }
    }
}

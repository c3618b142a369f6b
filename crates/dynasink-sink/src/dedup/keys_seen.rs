//! Every key of an input, remembered in a few bytes each.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use dynasink_core::{PrimaryKey, StageError};

use super::fingerprint::Fingerprints;

/// Every key that ever came, as a fingerprint.
#[derive(Clone, Debug)]
pub(super) struct KeysSeen {
    fingerprints: Fingerprints,
    seen: HashSet<u128>,
    max_keys: usize,
}

impl KeysSeen {
    pub(super) fn new(max_keys: NonZeroUsize) -> Self {
        Self {
            fingerprints: Fingerprints::new(),
            seen: HashSet::new(),
            max_keys: max_keys.get(),
        }
    }

    /// Whether the key is new.
    pub(super) fn insert(&mut self, key: &PrimaryKey) -> Result<bool, StageError> {
        let fingerprint = self.fingerprints.of(key);
        if self.seen.len() < self.max_keys {
            return Ok(self.seen.insert(fingerprint));
        }
        if self.seen.contains(&fingerprint) {
            return Ok(false);
        }
        Err(StageError::TooManyKeys {
            max_keys: self.max_keys,
        })
    }
}

//! Every key of an input, remembered in a few bytes each.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroUsize;

use dynasink_core::{PrimaryKey, StageError};
use siphasher::sip128::{Hasher128, SipHasher13};

/// Every key that ever came, as a fingerprint.
#[derive(Debug)]
pub(super) struct KeysSeen {
    fingerprints: HashSet<u128>,
    max_keys: usize,
    secret: SipHasher13,
}

impl KeysSeen {
    pub(super) fn new(max_keys: NonZeroUsize) -> Self {
        // A collision would lose a row, so nobody must be able to make one: the secret is random.
        let (left, right) = (
            RandomState::new().hash_one(0),
            RandomState::new().hash_one(1),
        );
        Self {
            fingerprints: HashSet::new(),
            max_keys: max_keys.get(),
            secret: SipHasher13::new_with_keys(left, right),
        }
    }

    /// Whether the key is new.
    pub(super) fn insert(&mut self, key: &PrimaryKey) -> Result<bool, StageError> {
        let mut hasher = self.secret;
        key.hash(&mut hasher);
        let fingerprint = u128::from(hasher.finish128());
        if self.fingerprints.len() < self.max_keys {
            return Ok(self.fingerprints.insert(fingerprint));
        }
        if self.fingerprints.contains(&fingerprint) {
            return Ok(false);
        }
        Err(StageError::TooManyKeys {
            max_keys: self.max_keys,
        })
    }
}

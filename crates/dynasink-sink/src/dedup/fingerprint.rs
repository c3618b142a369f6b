//! A key in sixteen bytes.

use std::hash::{BuildHasher, Hash, RandomState};

use dynasink_core::PrimaryKey;
use siphasher::sip128::{Hasher128, SipHasher13};

/// Makes fingerprints of keys under a secret of its own.
#[derive(Clone, Debug)]
pub(super) struct Fingerprints {
    secret: SipHasher13,
}

impl Fingerprints {
    /// A collision would lose a row, so nobody must be able to make one: the secret is random.
    pub(super) fn new() -> Self {
        let (left, right) = (
            RandomState::new().hash_one(0),
            RandomState::new().hash_one(1),
        );
        Self {
            secret: SipHasher13::new_with_keys(left, right),
        }
    }

    pub(super) fn of(&self, key: &PrimaryKey) -> u128 {
        let mut hasher = self.secret;
        key.hash(&mut hasher);
        u128::from(hasher.finish128())
    }
}

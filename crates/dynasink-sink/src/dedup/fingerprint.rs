//! A key in sixteen bytes.

use std::hash::{BuildHasher, Hash, RandomState};

use dynasink_core::PrimaryKey;
use siphasher::sip128::{Hasher128, SipHasher13};

/// Makes 128-bit fingerprints of keys under a random secret of its own, to remember many keys by.
///
/// Those of one `Fingerprints` and its clones can be compared with each other, and with no others.
///
/// ```
/// use dynasink_core::{KeyType, TableSchema};
/// use dynasink_sink::Fingerprints;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
/// let (one, other) = (
///     table.put_serde(&serde_json::json!({ "id": 1, "name": "ann" }))?,
///     table.put_serde(&serde_json::json!({ "id": 1, "name": "bob" }))?,
/// );
/// let fingerprints = Fingerprints::new();
/// assert_eq!(fingerprints.of(one.key()), fingerprints.of(other.key()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Fingerprints {
    secret: SipHasher13,
}

impl Fingerprints {
    /// With a new secret.
    pub fn new() -> Self {
        // A collision would lose a row, so nobody must be able to make one.
        let (left, right) = (
            RandomState::new().hash_one(0),
            RandomState::new().hash_one(1),
        );
        Self {
            secret: SipHasher13::new_with_keys(left, right),
        }
    }

    /// The fingerprint of `key`.
    pub fn of(&self, key: &PrimaryKey) -> u128 {
        let mut hasher = self.secret;
        key.hash(&mut hasher);
        u128::from(hasher.finish128())
    }
}

impl Default for Fingerprints {
    fn default() -> Self {
        Self::new()
    }
}

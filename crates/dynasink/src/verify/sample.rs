//! Some of the keys, always the same.

use std::hash::Hasher;

use dynasink_core::PrimaryKey;
use siphasher::sip::SipHasher13;

/// A share of all keys, chosen by their hashes: all rows of a chosen key are in it, and a second run compares the same.
///
/// A [`CensusTaker`](crate::CensusTaker) that meets no key of its sample takes the one that is next to it, so that there is
/// no source with keys of which none is compared.
///
/// ```
/// use dynasink::Sample;
///
/// assert_eq!(Sample::all(), Sample::share(1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Keys whose hash is at most that are in it; none if it is none.
    highest: Option<u64>,
}

impl Sample {
    /// All keys.
    pub fn all() -> Self {
        Self {
            highest: Some(u64::MAX),
        }
    }

    /// That share of the keys, about: from 0 to 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float to integer casts saturate, and negative values and NaN become 0"
    )]
    pub fn share(share: f64) -> Self {
        Self {
            highest: (share > 0.0).then_some((share * u64::MAX as f64) as u64),
        }
    }

    /// The keys up to this hash.
    pub(super) fn up_to(highest: KeyHash) -> Self {
        Self {
            highest: Some(highest.0),
        }
    }

    /// Whether `key` is in it.
    pub fn has(&self, key: &PrimaryKey) -> bool {
        self.has_hash(KeyHash::of(key))
    }

    pub(super) fn has_hash(&self, hash: KeyHash) -> bool {
        self.highest.is_some_and(|highest| hash.0 <= highest)
    }
}

/// By what keys are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyHash(u64);

impl KeyHash {
    pub(super) fn of(key: &PrimaryKey) -> Self {
        // Nobody gains by keys that are left out, and a second run has to choose alike: the hash has no secret.
        let mut hasher = SipHasher13::new();
        hasher.write(key.as_bytes());
        Self(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{KeyType, TableSchema};

    use super::*;

    #[test]
    fn a_share_of_the_keys_is_chosen_and_always_the_same() {
        let table = TableSchema::builder("users")
            .partition_key("id", KeyType::N)
            .build()
            .unwrap();
        let keys: Vec<_> = (0..10_000)
            .map(|id| {
                let item = table
                    .item(|item| item.attribute("id")?.integer(id))
                    .unwrap();
                table.primary_key(&item).unwrap()
            })
            .collect();
        let chosen = |sample: Sample| keys.iter().filter(|key| sample.has(key)).count();
        assert_eq!(chosen(Sample::all()), 10_000);
        assert_eq!(chosen(Sample::share(0.0)), 0);
        let tenth = chosen(Sample::share(0.1));
        assert!((900..1_100).contains(&tenth), "{tenth}");
        assert_eq!(chosen(Sample::share(0.1)), tenth);
    }
}

//! The partition keys that take most of the units, found within a bound on memory.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;

use dynasink_core::{PartitionKey, WriteUnits};
use serde::Serialize;

/// Keys that are told of.
const TOLD: usize = 10;

/// Counts the units of partition keys by the Space-Saving algorithm: of so many keys at once, of which the least makes
/// room for a new one and hands its count on to it.
///
/// Counts are exact while there are no more keys than that. After that a count may be too high, by at most what the key
/// was handed, and a key that is not counted has less than every one that is.
///
/// Source: Metwally, Agrawal, El Abbadi: *Efficient Computation of Frequent and Top-k Elements in Data Streams*, 2005.
#[derive(Debug)]
pub(super) struct HeavyKeys {
    most: usize,
    counts: HashMap<PartitionKey, Count>,
    /// The keys by their units, and by when they were last counted where these are the same.
    ascending: BTreeMap<(u64, u64), PartitionKey>,
    noted: u64,
    units: u64,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    units: u64,
    handed: u64,
    last: u64,
}

/// A partition key that takes many units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeavyKey {
    /// Its value as DynamoDB JSON.
    pub key: String,
    /// The write units of its items, at most.
    pub units: u64,
    /// The write units of its items, at least. It is the same number if there are few partition keys.
    pub at_least: u64,
    /// Which part of the units of all items that is, at least: 0 to 1.
    pub share: f64,
}

impl HeavyKeys {
    pub(super) fn new(most: NonZeroUsize) -> Self {
        Self {
            most: most.get(),
            counts: HashMap::new(),
            ascending: BTreeMap::new(),
            noted: 0,
            units: 0,
        }
    }

    pub(super) fn note(&mut self, key: PartitionKey, units: WriteUnits) {
        self.noted += 1;
        self.units += units.get();
        let known = self.counts.get(&key).copied();
        let count = known.unwrap_or_else(|| self.room());
        if known.is_some() {
            self.ascending.remove(&(count.units, count.last));
        }
        let count = Count {
            units: count.units + units.get(),
            last: self.noted,
            ..count
        };
        self.ascending
            .insert((count.units, count.last), key.clone());
        self.counts.insert(key, count);
    }

    /// What a new key starts with: nothing while there is room, else what the least key had.
    fn room(&mut self) -> Count {
        let mut start = Count {
            units: 0,
            handed: 0,
            last: 0,
        };
        if self.counts.len() == self.most
            && let Some(((units, _), least)) = self.ascending.pop_first()
        {
            self.counts.remove(&least);
            (start.units, start.handed) = (units, units);
        }
        start
    }

    /// The keys with the most units that are certain, the greatest first.
    pub(super) fn heaviest(&self) -> Vec<HeavyKey> {
        let mut keys: Vec<_> = self
            .counts
            .iter()
            .map(|(key, count)| (count.units - count.handed, count.units, key))
            .collect();
        keys.sort_by(|left, right| (right.0, right.1, left.2).cmp(&(left.0, left.1, right.2)));
        let told = keys.into_iter().take(TOLD);
        told.map(|(at_least, units, key)| HeavyKey {
            key: key.value_json(),
            units,
            at_least,
            share: at_least as f64 / self.units.max(1) as f64,
        })
        .collect()
    }

    /// By how much a count may be too high, and how much a key that is not counted may have.
    pub(super) fn error(&self) -> u64 {
        match self.ascending.first_key_value() {
            Some(((units, _), _)) if self.counts.len() == self.most => *units,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{KeyType, TableSchema};

    use super::*;

    fn key(id: u64) -> PartitionKey {
        let table = TableSchema::builder("users").partition_key("id", KeyType::N);
        let op = table
            .build()
            .unwrap()
            .put_serde(&serde_json::json!({ "id": id }))
            .unwrap();
        op.key().partition_key()
    }

    fn heavy(most: usize, keys: impl IntoIterator<Item = u64>) -> HeavyKeys {
        let mut heavy = HeavyKeys::new(NonZeroUsize::new(most).unwrap());
        for id in keys {
            heavy.note(key(id), WriteUnits::new(1));
        }
        heavy
    }

    #[test]
    fn counts_are_exact_while_all_keys_have_room() {
        let heavy = heavy(10, [1, 2, 1, 3, 1, 2]);
        let told: Vec<_> = heavy.heaviest();
        assert_eq!(told[0].key, r#"{"N":"1"}"#);
        assert_eq!((told[0].units, told[0].at_least, heavy.error()), (3, 3, 0));
        assert!((told[0].share - 0.5).abs() < 1e-9);
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn what_is_certain_of_a_key_is_never_more_than_it_has_and_the_count_never_less() {
        for seed in 0..20_u64 {
            let mut state = seed;
            let keys: Vec<u64> = (0..2000)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let drawn = (state >> 33) % 100;
                    if drawn < 30 { 0 } else { (state >> 40) % 500 }
                })
                .collect();
            let heavy = heavy(40, keys.iter().copied());
            assert!(heavy.counts.len() <= 40 && heavy.ascending.len() <= 40);
            for told in heavy.heaviest() {
                let true_units = keys.iter().filter(|id| key(**id).value_json() == told.key);
                let true_units = true_units.count() as u64;
                assert!(
                    told.at_least <= true_units && true_units <= told.units,
                    "{told:?}"
                );
                assert!(told.units - told.at_least <= heavy.error());
            }
            assert_eq!(heavy.heaviest()[0].key, r#"{"N":"0"}"#, "seed {seed}");
        }
    }
}

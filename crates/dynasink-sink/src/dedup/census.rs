//! Which row of each key counts, over a whole input that is read twice.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;

use dynasink_core::{PrimaryKey, StageError, Version, WriteOp};

use super::fingerprint::Fingerprints;

/// Which operation of a key counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeptRow {
    /// The last of the whole input, which is what stays in a table.
    #[default]
    Last,
    /// The first of the whole input.
    First,
    /// The one with the greatest [version](WriteOp::version); of equal versions the later one.
    Greatest,
}

/// The first reading of an input: counts its keys, and learns which operation of each is to be kept.
///
/// Where operations cannot be replaced once they are handed on, such as in an import that applies duplicates in any
/// order, the choice needs the whole input. It is read twice then: first into [`note`](Self::note), and then past
/// [`KeyChoice::keeps`], with the operations of each key in the same order.
///
/// A key that comes once costs its 128-bit fingerprint under a random secret, about 18 to 36 bytes; one that comes
/// again costs about as much once more, and where the greatest version is kept, each key costs about 56 to 112 bytes.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use dynasink_core::{KeyType, TableSchema};
/// use dynasink_sink::{KeptRow, KeyCensus};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
/// let rows = [(1, "ann"), (2, "bob"), (1, "eve")]
///     .map(|(id, name)| table.put_serde(&serde_json::json!({ "id": id, "name": name })));
///
/// let mut census = KeyCensus::new(KeptRow::Last, NonZeroUsize::new(1000).unwrap());
/// for row in &rows {
///     census.note(row.as_ref().map_err(ToString::to_string)?)?;
/// }
/// assert_eq!((census.ops(), census.keys()), (3, 2));
///
/// let mut choice = census.into_choice();
/// let kept: Vec<_> = rows.iter().flatten().map(|row| choice.keeps(row)).collect();
/// assert_eq!(kept, [false, true, true]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct KeyCensus {
    fingerprints: Fingerprints,
    keys: Keys,
    repeated: HashMap<u128, Repeated>,
    max_keys: usize,
    ops: u64,
}

/// The keys of the input, with what the rule needs to know of each.
#[derive(Debug)]
enum Keys {
    Last(HashSet<u128>),
    First(HashSet<u128>),
    Greatest(HashMap<u128, Version>),
}

/// A key that came more than once.
#[derive(Clone, Copy, Debug)]
struct Repeated {
    ops: u64,
    /// How many of its operations come before the one to be kept.
    before_kept: u64,
}

impl KeyCensus {
    /// A census that has seen nothing. It holds up to `max_keys` keys.
    pub fn new(kept: KeptRow, max_keys: NonZeroUsize) -> Self {
        Self {
            fingerprints: Fingerprints::new(),
            keys: match kept {
                KeptRow::Last => Keys::Last(HashSet::new()),
                KeptRow::First => Keys::First(HashSet::new()),
                KeptRow::Greatest => Keys::Greatest(HashMap::new()),
            },
            repeated: HashMap::new(),
            max_keys: max_keys.get(),
            ops: 0,
        }
    }

    /// Counts `op`, the next of the input. Deletes take part like puts.
    ///
    /// # Errors
    ///
    /// [`StageError::TooManyKeysToCount`]; where the greatest version is kept also [`StageError::NoVersion`] and
    /// [`StageError::VersionKind`].
    pub fn note(&mut self, op: &WriteOp) -> Result<(), StageError> {
        let fingerprint = self.fingerprints.of(op.key());
        if self.keys.len() >= self.max_keys && !self.keys.contains(fingerprint) {
            return Err(StageError::TooManyKeysToCount {
                max_keys: self.max_keys,
            });
        }
        match self.keys.admit(fingerprint, op)? {
            Admitted::New => {}
            admitted @ (Admitted::InPlace | Admitted::NotInPlace) => {
                let repeated = self.repeated.entry(fingerprint).or_insert(Repeated {
                    ops: 1,
                    before_kept: 0,
                });
                if matches!(admitted, Admitted::InPlace) {
                    repeated.before_kept = repeated.ops;
                }
                repeated.ops += 1;
            }
        }
        self.ops += 1;
        Ok(())
    }

    /// Operations that were counted.
    pub fn ops(&self) -> u64 {
        self.ops
    }

    /// Distinct keys among them.
    pub fn keys(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Keys that came more than once.
    pub fn repeated_keys(&self) -> u64 {
        self.repeated.len() as u64
    }

    /// Whether an operation of `key` was counted.
    pub fn contains(&self, key: &PrimaryKey) -> bool {
        self.keys.contains(self.fingerprints.of(key))
    }

    /// The second reading.
    pub fn into_choice(self) -> KeyChoice {
        let keys = match self.keys {
            Keys::Last(keys) | Keys::First(keys) => keys,
            Keys::Greatest(versions) => versions.into_keys().collect(),
        };
        let repeated = self.repeated.into_iter();
        KeyChoice {
            fingerprints: self.fingerprints,
            keys,
            until_kept: repeated
                .map(|(key, repeated)| (key, Some(repeated.before_kept)))
                .collect(),
            kept: 0,
        }
    }
}

/// What became of an operation's key.
enum Admitted {
    /// It is the first of its key.
    New,
    /// It takes the place of the one that was to be kept.
    InPlace,
    /// It is not to be kept.
    NotInPlace,
}

impl Keys {
    fn len(&self) -> usize {
        match self {
            Self::Last(keys) | Self::First(keys) => keys.len(),
            Self::Greatest(versions) => versions.len(),
        }
    }

    fn contains(&self, fingerprint: u128) -> bool {
        match self {
            Self::Last(keys) | Self::First(keys) => keys.contains(&fingerprint),
            Self::Greatest(versions) => versions.contains_key(&fingerprint),
        }
    }

    fn admit(&mut self, fingerprint: u128, op: &WriteOp) -> Result<Admitted, StageError> {
        let versions = match self {
            Self::Last(keys) => {
                let is_new = keys.insert(fingerprint);
                return Ok(if is_new {
                    Admitted::New
                } else {
                    Admitted::InPlace
                });
            }
            Self::First(keys) => {
                let is_new = keys.insert(fingerprint);
                return Ok(if is_new {
                    Admitted::New
                } else {
                    Admitted::NotInPlace
                });
            }
            Self::Greatest(versions) => versions,
        };
        let position = || op.position().cloned();
        let Some(version) = op.version() else {
            return Err(StageError::NoVersion {
                position: position(),
            });
        };
        match versions.entry(fingerprint) {
            Entry::Vacant(place) => {
                place.insert(version.clone());
                Ok(Admitted::New)
            }
            Entry::Occupied(mut greatest) => match version.partial_cmp(greatest.get()) {
                Some(Ordering::Less) => Ok(Admitted::NotInPlace),
                Some(Ordering::Equal) => Ok(Admitted::InPlace),
                Some(Ordering::Greater) => {
                    greatest.insert(version.clone());
                    Ok(Admitted::InPlace)
                }
                None => Err(StageError::VersionKind {
                    position: position(),
                }),
            },
        }
    }
}

/// The second reading of an input: tells which operations are to be kept, one of each key.
///
/// Made by [`KeyCensus::into_choice`].
#[derive(Debug)]
#[must_use]
pub struct KeyChoice {
    fingerprints: Fingerprints,
    keys: HashSet<u128>,
    /// Of each key that comes more than once, how many operations are left before the one to be kept; none when that
    /// has passed.
    until_kept: HashMap<u128, Option<u64>>,
    kept: u64,
}

impl KeyChoice {
    /// Whether `op`, the next of the input, is the one of its key that is to be kept.
    ///
    /// An operation of a key that the first reading did not see is always kept.
    pub fn keeps(&mut self, op: &WriteOp) -> bool {
        let is_kept = match self.until_kept.get_mut(&self.fingerprints.of(op.key())) {
            None => true,
            Some(until) => match *until {
                Some(0) => {
                    *until = None;
                    true
                }
                Some(left) => {
                    *until = Some(left - 1);
                    false
                }
                None => false,
            },
        };
        self.kept += u64::from(is_kept);
        is_kept
    }

    /// Distinct keys that the first reading saw, and so the operations that are kept.
    pub fn keys(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Operations that were kept so far. If that are not as many as [`keys`](Self::keys) when the second reading is over,
    /// it was not of the same input.
    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// Whether the first reading saw an operation of `key`.
    pub fn contains(&self, key: &PrimaryKey) -> bool {
        self.keys.contains(&self.fingerprints.of(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_ops::{op, row};

    const SOME: NonZeroUsize = NonZeroUsize::new(100).unwrap();

    /// Up to 40 operations of few keys, deletes among them, with few versions so that equal ones are met.
    fn random_versions(rng: &mut fastrand::Rng) -> Vec<WriteOp> {
        let ops = (0..rng.u64(..=40)).map(|row| {
            let put = op(rng.u32(..8), row, 0);
            let op = if rng.u8(..4) == 0 {
                let delete = put.schema().delete(put.item()).unwrap();
                delete.at(put.position().unwrap().clone())
            } else {
                put
            };
            op.with_version(Version::integer(rng.i64(-3..3)))
        });
        ops.collect()
    }

    /// The rows to be kept, by looking at all operations of each key together.
    fn model(kept: KeptRow, ops: &[WriteOp]) -> Vec<u64> {
        let chosen = ops.iter().filter(|op| {
            let of_key = || ops.iter().filter(|other| other.key() == op.key());
            let chosen = match kept {
                KeptRow::Last => of_key().next_back(),
                KeptRow::First => of_key().next(),
                KeptRow::Greatest => of_key().max_by(|left, right| {
                    let order = left.version().partial_cmp(&right.version());
                    order.unwrap().then(row(left).cmp(&row(right)))
                }),
            };
            chosen.is_some_and(|chosen| row(chosen) == row(op))
        });
        chosen.map(row).collect()
    }

    fn census(kept: KeptRow, ops: &[WriteOp]) -> KeyCensus {
        let mut census = KeyCensus::new(kept, SOME);
        for op in ops {
            census.note(op).unwrap();
        }
        census
    }

    #[test]
    fn what_is_kept_is_what_a_look_at_all_rows_of_a_key_would_choose() {
        for seed in 0..500 {
            let ops = random_versions(&mut fastrand::Rng::with_seed(seed));
            for kept in [KeptRow::Last, KeptRow::First, KeptRow::Greatest] {
                let census = census(kept, &ops);
                let expected = model(kept, &ops);
                assert_eq!(census.ops(), ops.len() as u64, "seed {seed}, {kept:?}");
                assert_eq!(
                    census.keys(),
                    expected.len() as u64,
                    "seed {seed}, {kept:?}"
                );
                let mut choice = census.into_choice();
                let rows = ops.iter().filter(|op| choice.keeps(op)).map(row);
                assert_eq!(rows.collect::<Vec<_>>(), expected, "seed {seed}, {kept:?}");
                assert_eq!(choice.kept(), choice.keys(), "seed {seed}, {kept:?}");
            }
        }
    }

    #[test]
    fn a_key_is_known_in_both_readings_if_the_first_one_saw_it() {
        let ops = [op(1, 0, 0), op(2, 1, 0), op(1, 2, 0)];
        let census = census(KeptRow::Last, &ops);
        assert_eq!(census.repeated_keys(), 1);
        let known = |contains: &dyn Fn(&PrimaryKey) -> bool| {
            [1, 2, 3].map(|id| contains(op(id, 9, 9).key()))
        };
        assert_eq!(known(&|key| census.contains(key)), [true, true, false]);
        let mut choice = census.into_choice();
        assert_eq!(known(&|key| choice.contains(key)), [true, true, false]);
        assert!(
            choice.keeps(&op(3, 0, 0)),
            "it was not there to be chosen from"
        );
    }

    #[test]
    fn keys_that_come_once_are_not_counted_one_by_one() {
        let ops: Vec<_> = (0..100).map(|id| op(id, u64::from(id), 0)).collect();
        assert_eq!(census(KeptRow::Last, &ops).repeated.len(), 0);
    }

    #[test]
    fn more_keys_than_may_be_held_are_an_error_and_known_ones_are_not() {
        let mut census = KeyCensus::new(KeptRow::Last, NonZeroUsize::new(2).unwrap());
        for id in [1, 2, 1, 2] {
            census.note(&op(id, 0, 0)).unwrap();
        }
        let error = census.note(&op(3, 0, 0)).unwrap_err();
        assert!(
            matches!(error, StageError::TooManyKeysToCount { max_keys: 2 }),
            "{error}"
        );
        assert_eq!(census.ops(), 4);
    }

    #[test]
    fn versions_that_say_nothing_are_errors_that_name_the_row() {
        let mut census = KeyCensus::new(KeptRow::Greatest, SOME);
        assert!(matches!(
            census.note(&op(1, 7, 0)),
            Err(StageError::NoVersion { position: Some(position) }) if position.row() == 7
        ));
        census
            .note(&op(1, 0, 0).with_version(Version::integer(1)))
            .unwrap();
        assert!(matches!(
            census.note(&op(1, 8, 0).with_version(Version::text("1"))),
            Err(StageError::VersionKind { position: Some(position) }) if position.row() == 8
        ));
    }
}

//! The greatest version of every key of an input.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;

use dynasink_core::{StageError, Version, WriteOp};

use super::fingerprint::Fingerprints;

/// The greatest version of each key that ever came.
#[derive(Clone, Debug)]
pub(super) struct GreatestVersions {
    fingerprints: Fingerprints,
    greatest: HashMap<u128, Version>,
    max_keys: usize,
}

impl GreatestVersions {
    pub(super) fn new(max_keys: NonZeroUsize) -> Self {
        Self {
            fingerprints: Fingerprints::new(),
            greatest: HashMap::new(),
            max_keys: max_keys.get(),
        }
    }

    /// Whether no operation of its key came before that has a greater version.
    pub(super) fn admit(&mut self, op: &WriteOp) -> Result<bool, StageError> {
        let position = || op.position().cloned();
        let Some(version) = op.version() else {
            return Err(StageError::NoVersion {
                position: position(),
            });
        };
        let known_keys = self.greatest.len();
        match self.greatest.entry(self.fingerprints.of(op.key())) {
            Entry::Occupied(mut greatest) => match version.partial_cmp(greatest.get()) {
                Some(Ordering::Less) => Ok(false),
                Some(Ordering::Equal) => Ok(true),
                Some(Ordering::Greater) => {
                    greatest.insert(version.clone());
                    Ok(true)
                }
                None => Err(StageError::VersionKind {
                    position: position(),
                }),
            },
            Entry::Vacant(_) if known_keys >= self.max_keys => Err(StageError::TooManyKeys {
                max_keys: self.max_keys,
            }),
            Entry::Vacant(place) => {
                place.insert(version.clone());
                Ok(true)
            }
        }
    }
}

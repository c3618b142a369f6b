//! Items held back, to leave in an order that has nothing to do with that of the input.

use std::hash::{Hash, Hasher};

use bytes::Bytes;
use dynasink_core::WriteOp;
use siphasher::sip::SipHasher13;

/// Bytes of memory that a held item takes besides its JSON, about.
const ITEM_OVERHEAD: usize = 80;

/// An item on its way, with the hash of its key that decides on its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldItem {
    pub(super) hash: u64,
    pub(super) json: Bytes,
}

/// Items within a bound on memory, which leave in the order of their keys' hashes, spread over lanes by these hashes too.
///
/// The hash has no secret, so that an export of the same rows is the same. It is not the one that DynamoDB places items
/// by, so that neighbours here are no neighbours there.
#[derive(Debug)]
pub(super) struct Shuffle {
    held: Vec<HeldItem>,
    memory: usize,
    most_memory: usize,
    lanes: usize,
}

impl Shuffle {
    pub(super) fn new(most_memory: usize, lanes: usize) -> Self {
        Self {
            held: Vec::new(),
            memory: 0,
            most_memory,
            lanes,
        }
    }

    pub(super) fn push(&mut self, op: &WriteOp) {
        let mut hasher = SipHasher13::new();
        op.key().as_bytes().hash(&mut hasher);
        let json = op.item().json().clone();
        self.memory += json.len() + ITEM_OVERHEAD;
        self.held.push(HeldItem {
            hash: hasher.finish(),
            json,
        });
    }

    pub(super) fn is_full(&self) -> bool {
        self.memory >= self.most_memory
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// All that is held, for each lane in the order in which it leaves.
    pub(super) fn take(&mut self) -> Vec<Vec<HeldItem>> {
        self.memory = 0;
        let lanes = self.lanes as u64;
        let mut taken: Vec<Vec<HeldItem>> = Vec::new();
        taken.resize_with(self.lanes, Vec::new);
        for item in self.held.drain(..) {
            let lane = usize::try_from(item.hash % lanes).unwrap_or_default();
            taken[lane].push(item);
        }
        taken
    }
}

//! Operations held back, at most one of each key, in the order of their first arrival.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;

use dynasink_core::{PrimaryKey, WriteOp};

/// How much a dedup stage may hold back: the oldest operation leaves when either bound is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct DedupWindow {
    ops: NonZeroUsize,
    bytes: usize,
}

impl DedupWindow {
    /// Operations that the default window holds.
    pub const DEFAULT_OPS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

    /// Bytes that the default window holds.
    pub const DEFAULT_BYTES: usize = 16 * 1024 * 1024;

    /// At most `ops` operations and about `bytes` bytes of memory. One operation is no window: it leaves before
    /// the next comes. An operation larger than `bytes` is held alone.
    pub fn new(ops: NonZeroUsize, bytes: usize) -> Self {
        Self { ops, bytes }
    }
}

impl Default for DedupWindow {
    fn default() -> Self {
        Self::new(Self::DEFAULT_OPS, Self::DEFAULT_BYTES)
    }
}

/// Operations in line, at most one of each key.
#[derive(Debug)]
pub(super) struct Held {
    window: DedupWindow,
    line: VecDeque<WriteOp>,
    /// The place of each key, counted from the first operation that ever left.
    places: HashMap<PrimaryKey, u64>,
    left: u64,
    memory: usize,
}

impl Held {
    pub(super) fn new(window: DedupWindow) -> Self {
        Self {
            window,
            line: VecDeque::new(),
            places: HashMap::new(),
            left: 0,
            memory: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.line.len()
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        !self.is_empty()
            && (self.line.len() >= self.window.ops.get() || self.memory >= self.window.bytes)
    }

    pub(super) fn push(&mut self, op: WriteOp) {
        self.places
            .insert(op.key().clone(), self.left + self.line.len() as u64);
        self.memory += op.memory();
        self.line.push_back(op);
    }

    /// The operation of `key` that is held.
    pub(super) fn of_key(&self, key: &PrimaryKey) -> Option<&WriteOp> {
        self.line.get(self.place_of(key)?)
    }

    /// Where in the line the operation of `key` stands.
    fn place_of(&self, key: &PrimaryKey) -> Option<usize> {
        let place = self.places.get(key)?;
        usize::try_from(place - self.left).ok()
    }

    /// Puts `op` in the place of an operation of its key, which comes back, or else at the end of the line.
    pub(super) fn replace(&mut self, op: WriteOp) -> Option<WriteOp> {
        let place = self.place_of(op.key());
        let Some(earlier) = place.and_then(|place| self.line.get_mut(place)) else {
            self.push(op);
            return None;
        };
        self.memory += op.memory();
        self.memory -= earlier.memory();
        Some(std::mem::replace(earlier, op))
    }

    pub(super) fn pop(&mut self) -> Option<WriteOp> {
        let op = self.line.pop_front()?;
        self.places.remove(op.key());
        self.left += 1;
        self.memory -= op.memory();
        Some(op)
    }
}

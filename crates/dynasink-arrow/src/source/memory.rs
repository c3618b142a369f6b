//! How much the readers of a source hold, within a bound that is shared by all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are shared by all readers of a stream. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    total: u64,
    used: AtomicU64,
}

/// Bytes of a [`Budget`], which are given back when this is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Reservation {
    budget: Arc<Shared>,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(total: u64) -> Self {
        Self(Arc::new(Shared {
            total,
            used: AtomicU64::new(0),
        }))
    }

    /// Reserves `bytes` if they are free. While nothing is reserved any number is granted, since otherwise a row group
    /// that needs more than there is could never be read.
    pub(super) fn try_reserve(&self, bytes: u64) -> Option<Reservation> {
        let shared = &self.0;
        shared
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                let after = used.saturating_add(bytes);
                (used == 0 || after <= shared.total).then_some(after)
            })
            .ok()?;
        Some(Reservation {
            budget: Arc::clone(shared),
            bytes,
        })
    }

    /// Bytes that are reserved.
    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        self.0.used.load(Ordering::Acquire)
    }
}

impl Reservation {
    /// Makes it at least `bytes`, free or not: they are in use already. Nothing else is granted until they are free.
    pub(super) fn grow_to(&mut self, bytes: u64) {
        let more = bytes.saturating_sub(self.bytes);
        self.budget.used.fetch_add(more, Ordering::AcqRel);
        self.bytes += more;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_granted_than_there_is() {
        let budget = Budget::new(100);
        let first = budget.try_reserve(60).unwrap();
        assert!(budget.try_reserve(41).is_none());
        let second = budget.try_reserve(40).unwrap();
        drop(first);
        assert_eq!(budget.used(), 40);
        drop(second);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_larger_than_the_whole_is_granted_alone() {
        let budget = Budget::new(100);
        let small = budget.try_reserve(1).unwrap();
        assert!(budget.try_reserve(500).is_none());
        drop(small);
        let large = budget.try_reserve(500).unwrap();
        assert!(budget.try_reserve(1).is_none());
        drop(large);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_turned_out_larger_keeps_others_out_until_it_is_given_back() {
        let budget = Budget::new(100);
        let mut grown = budget.try_reserve(50).unwrap();
        grown.grow_to(20);
        assert_eq!(budget.used(), 50);
        grown.grow_to(120);
        assert!(budget.try_reserve(1).is_none());
        drop(grown);
        assert_eq!(budget.used(), 0);
    }
}

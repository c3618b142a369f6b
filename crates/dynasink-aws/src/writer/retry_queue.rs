//! Operations that are to be sent again.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::pending::PendingOp;

/// Operations by the time from which on they may be sent. Numbered, so that none shadows another.
#[derive(Debug, Default)]
pub(super) struct RetryQueue {
    ops: BTreeMap<(Instant, u64), PendingOp>,
    number: u64,
}

impl RetryQueue {
    pub(super) fn push(&mut self, due: Instant, pending: PendingOp) {
        self.number += 1;
        self.ops.insert((due, self.number), pending);
    }

    /// Those that may be sent at `now`, the longest due first.
    pub(super) fn due(&self, now: Instant) -> impl Iterator<Item = &PendingOp> {
        let due = self.ops.range(..=(now, u64::MAX));
        due.map(|(_, pending)| pending)
    }

    /// When the next one may be sent that may not be at `now`.
    pub(super) fn next_after(&self, now: Instant) -> Option<Instant> {
        let later = self.ops.range((now, u64::MAX)..).next();
        later.map(|((at, _), _)| *at)
    }

    /// Takes the first `count` out at `now`. The time for which they were due is no time for which they failed, since
    /// nobody tried them: all of it, or that from `held_since` on.
    pub(super) fn take(
        &mut self,
        now: Instant,
        count: usize,
        held_since: Option<Instant>,
    ) -> Vec<PendingOp> {
        let first = std::iter::from_fn(|| self.ops.pop_first());
        let excused = first.take(count).map(|((due, _), mut pending)| {
            let held =
                now.saturating_duration_since(held_since.map_or(due, |since| due.max(since)));
            pending.failures.excuse(held);
            pending
        });
        excused.collect()
    }

    /// Takes those out that `wanted` is true of, the longest due first.
    pub(super) fn extract(&mut self, wanted: impl Fn(&PendingOp) -> bool) -> Vec<PendingOp> {
        let extracted = self.ops.extract_if(.., |_, pending| wanted(pending));
        extracted.map(|(_, pending)| pending).collect()
    }
}

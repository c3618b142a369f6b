//! An operation without an outcome.

use std::time::Duration;

use dynasink_core::WriteOp;
use tokio::time::Instant;

use crate::retry::Failures;

/// An operation and what it has been through.
#[derive(Clone, Debug)]
pub(crate) struct PendingOp {
    pub(crate) op: WriteOp,
    /// Requests that carried it.
    pub(super) attempts: u32,
    /// When the first of them was sent.
    first_sent: Option<Instant>,
    pub(super) failures: Failures,
}

impl PendingOp {
    pub(super) fn new(op: WriteOp) -> Self {
        Self {
            op,
            attempts: 0,
            first_sent: None,
            failures: Failures::default(),
        }
    }

    /// Counts a request that carries it.
    pub(super) fn note_sent(&mut self, now: Instant) {
        self.attempts += 1;
        self.first_sent.get_or_insert(now);
    }

    /// How long ago the first request that carried it was sent.
    pub(super) fn tried_for(&self) -> Duration {
        self.first_sent
            .map_or(Duration::ZERO, |first_sent| first_sent.elapsed())
    }
}

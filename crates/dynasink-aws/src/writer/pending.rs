//! An operation without an outcome.

use dynasink_core::WriteOp;

use crate::retry::Failures;

/// An operation and what it has been through.
#[derive(Clone, Debug)]
pub(crate) struct PendingOp {
    pub(crate) op: WriteOp,
    /// Requests that carried it.
    pub(super) attempts: u32,
    pub(super) failures: Failures,
}

impl PendingOp {
    pub(super) fn new(op: WriteOp) -> Self {
        Self {
            op,
            attempts: 0,
            failures: Failures::default(),
        }
    }
}

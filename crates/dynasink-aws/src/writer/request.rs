//! How requests are filled.

use dynasink_core::{BatchLimit, WriteBatch, WriteBatchBuilder, WriteOp};

use super::pending::PendingOp;

/// The operations of one request, whose keys are unlike and stay reserved until each has its outcome.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) ops: Vec<PendingOp>,
    pub(super) batch: WriteBatch,
    /// Whether it carries operations whose last request failed: it has drawn on the budget.
    pub(super) after_failure: bool,
}

/// Adds the first of `ops` to `request`, as many as fit, and says how many that are.
#[expect(
    single_use_lifetimes,
    reason = "an anonymous lifetime is not stable here"
)]
pub(super) fn fill<'a>(
    request: &mut WriteBatchBuilder,
    ops: impl IntoIterator<Item = &'a PendingOp>,
    limit: BatchLimit,
) -> usize {
    let ops = ops.into_iter();
    ops.take_while(|pending| add(request, &pending.op, limit))
        .count()
}

/// Adds `op` to `request`, unless that would grow beyond `limit`. The first always fits.
pub(super) fn add(request: &mut WriteBatchBuilder, op: &WriteOp, limit: BatchLimit) -> bool {
    let fits = request.is_empty()
        || (request.len() < limit.ops
            && request.wire_len() + op.wire_len() <= limit.bytes
            && request.units() + op.units() <= limit.units);
    fits && request.push(op.clone()).is_ok()
}

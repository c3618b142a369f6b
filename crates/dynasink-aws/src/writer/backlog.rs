//! Operations that have no outcome yet and are in no request: in which order, and in which request, they go.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use dynasink_core::limits::MAX_BATCH_OPS;
use dynasink_core::{
    Admission, BatchLimit, PrimaryKey, WriteBatch, WriteBatchBuilder, WriteCost, WriteOp,
};
use tokio::time::Instant;

use crate::retry::{Failures, later};
use crate::retry_budget::{RetryBalance, RetryBudget};

/// How long a few fresh operations, left over by a request that retries filled up, wait for company.
const MERGE_WAIT: Duration = Duration::from_millis(20);

/// Shortest time between two questions to an admission that refuses: the grain of tokio's timer.
const ADMISSION_WAIT: Duration = Duration::from_millis(1);

/// An operation and what it has been through.
#[derive(Clone, Debug)]
pub(crate) struct PendingOp {
    pub(crate) op: WriteOp,
    /// Requests that carried it.
    pub(super) attempts: u32,
    pub(super) failures: Failures,
}

impl PendingOp {
    fn new(op: WriteOp) -> Self {
        Self {
            op,
            attempts: 0,
            failures: Failures::default(),
        }
    }
}

/// The operations of one request, whose keys are unlike and stay reserved until each has its outcome.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) ops: Vec<PendingOp>,
    pub(super) batch: WriteBatch,
    /// Whether it carries operations whose last request failed: it has drawn on the budget.
    pub(super) after_failure: bool,
}

/// What the backlog has to send.
#[derive(Debug)]
pub(super) enum Next {
    /// This, now.
    Send(Request),
    /// Something, at that time.
    At(Instant),
    /// Nothing, until more comes in.
    Nothing,
}

/// Operations of a key are sent one after the other: a key is busy from the acceptance of an operation to its
/// outcome, and later operations of the key wait in line. So no retry can undo a newer write, and no request
/// has a key twice.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Ready to be sent; paid for at the rate limiter.
    fresh: VecDeque<PendingOp>,
    /// To be sent again after a failure, as far as the budget goes; to be paid for again.
    failed: RetryQueue,
    /// To be sent again after a refusal, or after its turn in a line; to be paid for again.
    refused: RetryQueue,
    /// What is left of the budget for requests with failed operations.
    pub(super) balance: RetryBalance,
    /// Parts of a request that was refused for what it holds, each to be sent alone.
    parts: VecDeque<Vec<PendingOp>>,
    /// Busy keys, each with the operations in line for it.
    lines: HashMap<PrimaryKey, VecDeque<PendingOp>>,
    /// Until then, fewer fresh operations than fill a request wait for company.
    merge_until: Option<Instant>,
    /// Whether operations that pay here were refused admission the last time.
    waits_for_admission: bool,
}

impl Backlog {
    pub(super) fn new(budget: RetryBudget) -> Self {
        Self {
            balance: RetryBalance::new(budget),
            ..Self::default()
        }
    }

    /// Takes a fresh operation in. One that has to wait in line gives its units back, since nobody knows for how
    /// long: what was paid in the meantime would go out all at once.
    pub(super) fn accept(&mut self, op: WriteOp, admission: Option<&dyn Admission>) {
        let pending = PendingOp::new(op);
        if let Some(line) = self.lines.get_mut(pending.op.key()) {
            if let Some(admission) = admission {
                admission.give_back(&WriteCost::of([&pending.op]));
            }
            line.push_back(pending);
        } else {
            self.lines.insert(pending.op.key().clone(), VecDeque::new());
            self.fresh.push_back(pending);
        }
    }

    /// Takes operations back that are to be sent again at `due`.
    pub(super) fn retry_at(&mut self, due: Instant, ops: Vec<PendingOp>) {
        for pending in ops {
            let queue = if pending.failures.last_was_a_failure() {
                &mut self.failed
            } else {
                &mut self.refused
            };
            queue.push(due, pending);
        }
    }

    /// Takes the operations of a request back that something in it spoils: they go again in two halves.
    pub(super) fn bisect(&mut self, mut ops: Vec<PendingOp>) {
        let half = ops.split_off(ops.len() / 2);
        self.parts
            .extend([ops, half].into_iter().filter(|part| !part.is_empty()));
    }

    /// Operations that are paid for and not sent yet.
    pub(super) fn fresh_ops(&self) -> usize {
        self.fresh.len()
    }

    /// Whether operations wait for their admission, and fresh ones should not ask for any: a cost that has to be saved
    /// up would never come together while others spend.
    pub(super) fn waits_for_admission(&self) -> bool {
        self.waits_for_admission
    }

    /// Notes that an operation of `key` has its outcome: the next in line may go at `now`.
    pub(super) fn release(&mut self, key: &PrimaryKey, now: Instant) {
        if let Some(line) = self.lines.get_mut(key) {
            match line.pop_front() {
                Some(next) => self.refused.push(now, next),
                None => {
                    self.lines.remove(key);
                }
            }
        }
    }

    /// The next request, if there is something to send at `now`.
    ///
    /// Retries are paid for at `admission` and go first; fresh operations fill the request up. With `flushing`
    /// nothing waits for company.
    pub(super) fn next(
        &mut self,
        now: Instant,
        limit: BatchLimit,
        admission: Option<&dyn Admission>,
        flushing: bool,
    ) -> Next {
        // A sizer is anyone's code.
        let limit = BatchLimit {
            ops: limit.ops.clamp(1, MAX_BATCH_OPS),
            ..limit
        };
        let admit = |cost: &WriteCost| match admission {
            Some(admission) => admission
                .try_admit(cost)
                .map_err(|wait| later(now, wait.max(ADMISSION_WAIT))),
            None => Ok(()),
        };
        self.waits_for_admission = false;
        let mut wake: Option<Instant> = None;
        let mut wake_at = |at: Instant| wake = Some(wake.map_or(at, |wake| wake.min(at)));

        if let Some(part) = self.parts.front() {
            let mut request = WriteBatchBuilder::new();
            fill(&mut request, part, BatchLimit::REQUEST);
            match admit(&request.cost()) {
                Ok(()) => {
                    let mut part = self.parts.pop_front().unwrap_or_default();
                    let rest = part.split_off(request.len());
                    self.retry_at(now, rest);
                    return finish(part, request, false);
                }
                Err(until) => {
                    self.waits_for_admission = true;
                    wake_at(until);
                }
            }
        }
        let mut request = WriteBatchBuilder::new();
        let mut failed = 0;
        if self.failed.due(now).next().is_some() {
            match self.balance.check(now) {
                Ok(()) => failed = fill(&mut request, self.failed.due(now), limit),
                Err(until) => wake_at(until),
            }
        }
        let refused = fill(&mut request, self.refused.due(now), limit);
        if !request.is_empty() {
            match admit(&request.cost()) {
                Ok(()) => {
                    if failed > 0 {
                        self.balance.withdraw();
                    }
                    let mut retries = self.failed.take(failed);
                    retries.extend(self.refused.take(refused));
                    return self.fill_up(now, retries, request, limit, failed > 0);
                }
                Err(until) => {
                    self.waits_for_admission = true;
                    wake_at(until);
                }
            }
        }
        for queue in [&self.failed, &self.refused] {
            queue.next_after(now).into_iter().for_each(&mut wake_at);
        }
        if let Some(until) = self.merge_until
            && now < until
            && !flushing
            && !self.fresh_fill_a_request(limit)
        {
            wake_at(until);
        } else if !self.fresh.is_empty() {
            return self.fill_up(now, Vec::new(), WriteBatchBuilder::new(), limit, false);
        }
        wake.map_or(Next::Nothing, Next::At)
    }

    fn fresh_fill_a_request(&self, limit: BatchLimit) -> bool {
        let mut request = WriteBatchBuilder::new();
        fill(&mut request, &self.fresh, limit);
        request.len() == limit.ops || request.len() < self.fresh.len()
    }

    /// Fills a request that carries the retries `ops` up with fresh operations. Where there are retries, batches are
    /// cut anew, and the few that may be left over wait for company; otherwise batches are cut as they came.
    fn fill_up(
        &mut self,
        now: Instant,
        mut ops: Vec<PendingOp>,
        mut request: WriteBatchBuilder,
        limit: BatchLimit,
        after_failure: bool,
    ) -> Next {
        let merging = !ops.is_empty() || self.merge_until.is_some();
        while let Some(pending) = self
            .fresh
            .pop_front_if(|pending| add(&mut request, &pending.op, limit))
        {
            ops.push(pending);
        }
        if self.fresh.is_empty() {
            self.merge_until = None;
        } else if merging {
            // Not set anew for those that are left over again: they have waited.
            self.merge_until.get_or_insert(now + MERGE_WAIT);
        }
        finish(ops, request, after_failure)
    }
}

/// Operations by the time from which on they may be sent. Numbered, so that none shadows another.
#[derive(Debug, Default)]
struct RetryQueue {
    ops: BTreeMap<(Instant, u64), PendingOp>,
    number: u64,
}

impl RetryQueue {
    fn push(&mut self, due: Instant, pending: PendingOp) {
        self.number += 1;
        self.ops.insert((due, self.number), pending);
    }

    /// Those that may be sent at `now`, the longest due first.
    fn due(&self, now: Instant) -> impl Iterator<Item = &PendingOp> {
        let due = self.ops.range(..=(now, u64::MAX));
        due.map(|(_, pending)| pending)
    }

    /// When the next one may be sent that may not be at `now`.
    fn next_after(&self, now: Instant) -> Option<Instant> {
        let later = self.ops.range((now, u64::MAX)..).next();
        later.map(|((at, _), _)| *at)
    }

    /// Takes the first `count` out.
    fn take(&mut self, count: usize) -> Vec<PendingOp> {
        let first = std::iter::from_fn(|| self.ops.pop_first().map(|(_, pending)| pending));
        first.take(count).collect()
    }
}

/// Adds the first of `ops` to `request`, as many as fit, and says how many that are.
#[expect(
    single_use_lifetimes,
    reason = "an anonymous lifetime is not stable here"
)]
fn fill<'a>(
    request: &mut WriteBatchBuilder,
    ops: impl IntoIterator<Item = &'a PendingOp>,
    limit: BatchLimit,
) -> usize {
    let ops = ops.into_iter();
    ops.take_while(|pending| add(request, &pending.op, limit))
        .count()
}

/// Adds `op` to `request`, unless that would grow beyond `limit`. The first always fits.
fn add(request: &mut WriteBatchBuilder, op: &WriteOp, limit: BatchLimit) -> bool {
    let fits = request.is_empty()
        || (request.len() < limit.ops
            && request.wire_len() + op.wire_len() <= limit.bytes
            && request.units() + op.units() <= limit.units);
    fits && request.push(op.clone()).is_ok()
}

fn finish(ops: Vec<PendingOp>, mut request: WriteBatchBuilder, after_failure: bool) -> Next {
    match request.take() {
        Some(batch) => Next::Send(Request {
            ops,
            batch,
            after_failure,
        }),
        None => Next::Nothing,
    }
}

//! Operations that have no outcome yet and are in no request: in which order, and in which request, they go.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use dynasink_core::limits::MAX_BATCH_OPS;
use dynasink_core::{
    Admission, BatchLimit, PartitionKey, PrimaryKey, WriteBatchBuilder, WriteCost, WriteOp,
    WriteUnits,
};
use tokio::time::Instant;

use super::hot::{Answered, BYTES_TO_QUEUE, HotKeys};
use super::pending::PendingOp;
use super::request::{Request, add, fill};
use super::retry_queue::RetryQueue;
use crate::retry::later;
use crate::retry_budget::{RetryBalance, RetryBudget};

/// How long a few fresh operations, left over by a request that retries filled up, wait for company.
const MERGE_WAIT: Duration = Duration::from_millis(20);

/// Shortest time between two questions to an admission that refuses: the grain of tokio's timer.
const ADMISSION_WAIT: Duration = Duration::from_millis(1);

/// Operations of hot keys that were refused admission ask again after this at the earliest, whatever else there is to send:
/// fresh operations would have them ask with each request.
const ASKS_AGAIN: Duration = Duration::from_millis(5);

/// Bytes that it takes to hold a parked operation, beside those of the operation: its place in the queue of its partition
/// key, and the line of its primary key, in a table that grows by doubling.
pub(super) const BYTES_TO_PARK: usize =
    BYTES_TO_QUEUE + 2 * size_of::<(PrimaryKey, VecDeque<PendingOp>)>();

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
///
/// Operations of a hot partition key stand in a queue of that key, whether they are fresh or refused or had to wait in
/// line, and go at its pace; those of other keys pass.
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
    /// Partition keys to which more is written than their partitions take, with their operations.
    hot: HotKeys,
    /// Until then, fewer fresh operations than fill a request wait for company.
    merge_until: Option<Instant>,
    /// Whether operations that pay here were refused admission the last time, and nothing fresh may be admitted before.
    waits_for_admission: bool,
    /// Since when operations that failed are refused admission.
    failed_held_since: Option<Instant>,
    /// What operations of hot keys were refused admission for.
    hot_wait: Option<HotWait>,
    /// Units of the fresh operations that were sent since operations of hot keys were, which is what those may have next.
    fresh_units: WriteUnits,
}

/// A refusal of admission to operations of hot keys.
#[derive(Clone, Copy, Debug)]
struct HotWait {
    /// When they may be admitted, by what the admission knew.
    until: Instant,
    /// When they may ask again, if there is something else to do.
    asks_at: Instant,
    /// What they cost.
    units: WriteUnits,
}

impl Backlog {
    pub(super) fn new(budget: RetryBudget) -> Self {
        Self {
            balance: RetryBalance::new(budget),
            ..Self::default()
        }
    }

    /// Takes a fresh operation in at `now`. One that has to wait, in line or for the pace of a hot key, gives its units
    /// back, since nobody knows for how long: what was paid in the meantime would go out all at once.
    pub(super) fn accept(&mut self, op: WriteOp, admission: Option<&dyn Admission>, now: Instant) {
        let pending = PendingOp::new(op);
        let hot = self.hot.hot(pending.op.key());
        if let Some(line) = self.lines.get_mut(pending.op.key()) {
            give_back(admission, &pending);
            line.push_back(pending);
            if let Some(key) = hot {
                self.hot.enter_lines(&key, 1);
            }
            return;
        }
        self.lines.insert(pending.op.key().clone(), VecDeque::new());
        if let Some(key) = hot {
            give_back(admission, &pending);
            self.hot.park(&key, pending, now);
        } else {
            self.fresh.push_back(pending);
        }
    }

    /// Takes operations back at `now` that are to be sent again at `due`; of those that were refused for a hot key, the
    /// pace of that key says when.
    pub(super) fn retry_at(&mut self, now: Instant, due: Instant, ops: Vec<PendingOp>) {
        // The last one first, so that the first comes to stand at the front.
        let mut parked = Vec::new();
        for pending in ops {
            if pending.failures.last_was_a_failure() {
                self.failed.push(due, pending);
            } else if let Some(key) = self.hot.hot(pending.op.key()) {
                parked.push((key, pending));
            } else {
                self.refused.push(due, pending);
            }
        }
        for (key, pending) in parked.into_iter().rev() {
            self.hot.park_first(&key, pending, now);
        }
    }

    /// Learns at `now` from what became of a request, and says how many of its operations were refused for the sake of
    /// hot keys. The operations of keys that are hot from now on are parked.
    pub(super) fn observe(
        &mut self,
        now: Instant,
        answered: Answered<'_>,
        admission: Option<&dyn Admission>,
    ) -> usize {
        let heated = self.hot.observe(now, answered);
        for key in &heated.keys {
            self.park_all(key, admission, now);
        }
        heated.ops
    }

    /// Parks what there is of a key that is hot from now on.
    fn park_all(&mut self, key: &PartitionKey, admission: Option<&dyn Admission>, now: Instant) {
        let of_key = |pending: &PendingOp| pending.op.key().partition_key() == *key;
        for pending in self.refused.extract(of_key) {
            self.hot.park(key, pending, now);
        }
        let (parked, fresh) = std::mem::take(&mut self.fresh)
            .into_iter()
            .partition(of_key);
        self.fresh = fresh;
        for pending in VecDeque::<PendingOp>::into_iter(parked) {
            give_back(admission, &pending);
            self.hot.park(key, pending, now);
        }
        let lines = self.lines.iter();
        let in_lines = lines.filter(|(busy, _)| busy.partition_key() == *key);
        let in_lines = in_lines.map(|(_, line)| line.len()).sum();
        self.hot.enter_lines(key, in_lines);
    }

    /// Sends nothing before `until` of the hot keys of `ops`.
    pub(super) fn hold_back(&mut self, ops: &[PendingOp], until: Instant) {
        for pending in ops {
            if let Some(key) = self.hot.hot(pending.op.key()) {
                self.hot.pause_until(&key, until);
            }
        }
    }

    /// Operations of hot keys that wait.
    pub(super) fn parked_ops(&self) -> usize {
        self.hot.parked_ops()
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
    /// up would never come together while others spend. Hot keys, whose operations could take all of the rate, have
    /// fresh ones wait no longer than these had them.
    pub(super) fn waits_for_admission(&self) -> bool {
        self.waits_for_admission
    }

    /// Notes that an operation of `key` has its outcome: the next in line may go at `now`.
    pub(super) fn release(&mut self, key: &PrimaryKey, now: Instant) {
        if let Some(line) = self.lines.get_mut(key) {
            match line.pop_front() {
                Some(next) => match self.hot.hot(key) {
                    Some(hot) => {
                        self.hot.leave_line(&hot);
                        self.hot.park(&hot, next, now);
                    }
                    None => self.refused.push(now, next),
                },
                None => {
                    self.lines.remove(key);
                }
            }
        }
    }

    /// The next request, if there is something to send at `now`.
    ///
    /// Retries and what is due of hot keys are paid for at `admission`; fresh operations fill the request up. Retries go
    /// before fresh ones; hot keys and fresh operations take turns where there is too little for both. With `flushing`
    /// no fresh ones wait for company.
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
        self.hot.advance(now);
        let mut wake: Option<Instant> = None;
        let mut wake_at = |at: Instant| wake = Some(wake.map_or(at, |wake| wake.min(at)));

        if let Some(part) = self.parts.front() {
            let mut request = WriteBatchBuilder::new();
            fill(&mut request, part, BatchLimit::REQUEST);
            match admit(&request.cost()) {
                Ok(()) => {
                    let mut part = self.parts.pop_front().unwrap_or_default();
                    let rest = part.split_off(request.len());
                    self.retry_at(now, now, rest);
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
        let fresh_wait = self
            .merge_until
            .filter(|until| now < *until && !flushing && !self.fresh_fill_a_request(limit));
        let fresh_go = !self.fresh.is_empty() && fresh_wait.is_none();
        let retries = request.len();
        let released = self.fill_released(now, &mut request, limit, fresh_go);
        if !request.is_empty() {
            match admit(&request.cost()) {
                Ok(()) => {
                    let mut ops = Vec::new();
                    if failed > 0 {
                        self.balance.withdraw();
                        // They wait for their budget too, and that counts.
                        let held_since = self.failed_held_since.take().unwrap_or(now);
                        ops = self.failed.take(now, failed, Some(held_since));
                    }
                    ops.extend(self.refused.take(now, refused, None));
                    ops.extend(self.hot.take(now, released));
                    if released > 0 {
                        self.fresh_units = WriteUnits::ZERO;
                        self.hot_wait = None;
                    }
                    return self.fill_up(now, ops, request, limit, failed > 0);
                }
                Err(until) => {
                    if failed > 0 {
                        self.failed_held_since.get_or_insert(now);
                    }
                    if retries > 0 {
                        self.waits_for_admission = true;
                    } else {
                        self.hot_wait = Some(HotWait {
                            until,
                            asks_at: until.min(now + ASKS_AGAIN),
                            units: request.units(),
                        });
                    }
                    wake_at(until);
                }
            }
        }
        if let Some(wait) = self.hot_wait.filter(|wait| now < wait.asks_at) {
            self.waits_for_admission |= self.fresh_units >= wait.units;
            wake_at(wait.until);
        }
        for queue in [&self.failed, &self.refused] {
            queue.next_after(now).into_iter().for_each(&mut wake_at);
        }
        let later = self.hot.due_alone_at().filter(|at| *at > now);
        later.into_iter().for_each(&mut wake_at);
        match fresh_wait {
            Some(until) => wake_at(until),
            None if fresh_go => {
                return self.fill_up(now, Vec::new(), WriteBatchBuilder::new(), limit, false);
            }
            None => {}
        }
        wake.map_or(Next::Nothing, Next::At)
    }

    /// Adds what is due of hot keys at `now` to `request`, if that goes at all, and says how many operations that are.
    fn fill_released(
        &self,
        now: Instant,
        request: &mut WriteBatchBuilder,
        limit: BatchLimit,
        fresh_go: bool,
    ) -> usize {
        if !self.hot.is_any_due(now) || self.hot_wait.is_some_and(|wait| now < wait.asks_at) {
            return 0;
        }
        let due = self.hot.due(now);
        let alone = self.hot.due_alone_at().is_some_and(|at| at <= now) || due.len() >= limit.ops;
        if alone || fresh_go || !request.is_empty() {
            fill(request, due.into_iter().map(|(_, op)| op), limit)
        } else {
            0
        }
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
            self.fresh_units += pending.op.units();
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

/// Gives the units of a fresh operation back that cannot be sent yet.
fn give_back(admission: Option<&dyn Admission>, pending: &PendingOp) {
    if let Some(admission) = admission {
        admission.give_back(&WriteCost::of([&pending.op]));
    }
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

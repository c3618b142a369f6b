//! The writer's task: requests out, answers in, outcomes told.

use std::collections::HashSet;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use dynasink_core::{
    CapacityFeedback, DeadReason, Outcome, OutcomeEvent, PrimaryKey, ThrottleScope, WriteBatch,
    WriteCost,
};
use fastrand::Rng;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::Settings;
use super::backlog::{Backlog, Next};
use super::hot::Answered;
use super::pending::PendingOp;
use super::request::Request;
use super::shared::{Departure, Shared};
use super::stop::{EndGuard, Stop};
use crate::classify::{Cause, Retry};
use crate::concurrency::ConcurrencyLaw;
use crate::large_collections::LargeCollections;
use crate::preflight::innermost;
use crate::retry::later;
use crate::telemetry::Telemetry;
use crate::throttle::ThrottlingReason;
use crate::transport::{BatchResponse, RequestError, Transport};

/// Owns everything between the acceptance of an operation and its outcome.
pub(super) struct Engine<T> {
    transport: Arc<T>,
    settings: Settings,
    shared: EndGuard,
    backlog: Backlog,
    concurrency: ConcurrencyLaw,
    /// When the service last answered as one that can be written to, whatever it said.
    last_answer: Option<Instant>,
    jitter: Rng,
    large_collections: LargeCollections,
    telemetry: Telemetry,
    resolved: Resolved,
}

/// A request that came back.
struct Answer {
    ops: Vec<PendingOp>,
    wire_bytes: usize,
    after_failure: bool,
    result: Result<BatchResponse, RequestError>,
    sent: Instant,
    latency: Duration,
}

impl<T: Transport> Engine<T> {
    pub(super) fn new(transport: T, settings: Settings, shared: Arc<Shared>) -> Self {
        Self {
            transport: Arc::new(transport),
            concurrency: ConcurrencyLaw::new(settings.concurrency),
            jitter: settings.jitter_seed.map_or_else(Rng::new, Rng::with_seed),
            backlog: Backlog::new(settings.retry.budget),
            settings,
            shared: EndGuard(shared),
            last_answer: None,
            large_collections: LargeCollections::default(),
            telemetry: Telemetry::new(),
            resolved: Resolved::default(),
        }
    }

    pub(super) async fn run(mut self) {
        // Dropped with the engine, it aborts the requests that are in flight.
        let mut requests = JoinSet::new();
        loop {
            let wake_at = self.send_what_can_be_sent(&mut requests);
            let timer = async {
                match wake_at {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            let answer = tokio::select! {
                biased;
                Some(answer) = requests.join_next() => answer,
                () = self.shared.engine.notified() => continue,
                () = timer => continue,
            };
            if let Err(stop) = self.settle(answer, requests.len()) {
                self.shared.stop(stop);
                return;
            }
        }
    }

    /// Sends requests until the limit is reached or there is nothing to send, and says when there will be.
    fn send_what_can_be_sent(&mut self, requests: &mut JoinSet<Answer>) -> Option<Instant> {
        let admission = self.settings.admission.as_deref();
        let flushing = {
            let (mut state, now) = (self.shared.state(), Instant::now());
            for op in state.inbox.drain(..).flat_map(WriteBatch::into_ops) {
                self.backlog.accept(op, admission, now);
            }
            state.flushing
        };
        let mut wake_at = None;
        while requests.len() < self.concurrency.limit() {
            let limit = self.settings.sizer.limit();
            let now = Instant::now();
            match self.backlog.next(now, limit, admission, flushing) {
                Next::Send(request) => self.send(request, requests),
                Next::At(at) => {
                    wake_at = Some(at);
                    break;
                }
                Next::Nothing => break,
            }
        }
        let free = self.concurrency.limit().saturating_sub(requests.len());
        self.shared.depart(&Departure {
            unsent_ops: self.backlog.fresh_ops(),
            parked_ops: self.backlog.parked_ops(),
            free_requests: free,
            retries_wait: free > 0 && self.backlog.waits_for_admission(),
        });
        wake_at
    }

    fn send(&self, request: Request, requests: &mut JoinSet<Answer>) {
        let Request {
            mut ops,
            batch,
            after_failure,
        } = request;
        let sent = Instant::now();
        let wire_bytes = batch.wire_len();
        for pending in &mut ops {
            pending.note_sent(sent);
        }
        let transport = Arc::clone(&self.transport);
        requests.spawn(async move {
            let result = transport.batch_write(&batch).await;
            Answer {
                ops,
                wire_bytes,
                after_failure,
                result,
                sent,
                latency: sent.elapsed(),
            }
        });
        self.settings.tell_departed(requests.len());
    }

    fn settle(&mut self, answer: Result<Answer, JoinError>, in_flight: usize) -> Result<(), Stop> {
        // Only a panic ends a request's task without an answer, and its operations went with it.
        let Ok(answer) = answer else {
            return Err(Stop::Aborted);
        };
        let Answer {
            ops,
            wire_bytes,
            after_failure,
            result,
            sent,
            latency,
        } = answer;
        let cause = result.as_ref().err().map(|error| &error.cause);
        self.telemetry.record_request(&ops, latency, cause);
        self.backlog.balance.settle(after_failure, cause);
        if !cause.is_some_and(Cause::is_outage) {
            self.last_answer = Some(Instant::now());
        }
        // That an operation is not valid says nothing about how many requests the service can take.
        let tells_of_load = cause.is_none_or(|cause| cause.retry() != Retry::Bisect);
        let mut feedback = CapacityFeedback {
            wire_bytes,
            failure: cause.and_then(Cause::failure),
            latency,
            in_flight,
            ..CapacityFeedback::default()
        };
        let settled = match result {
            Ok(response) => self.settle_response(ops, response, sent, &mut feedback),
            Err(error) => self.settle_failure(ops, error, sent, &mut feedback),
        };
        if tells_of_load {
            let rate = self.settings.admission.as_ref();
            let rate = rate.and_then(|admission| admission.rate());
            self.concurrency.observe(&feedback, rate);
        }
        self.telemetry.record_capacity(&feedback);
        self.settings.tell(&feedback);
        self.give_room();
        settled
    }

    fn settle_response(
        &mut self,
        ops: Vec<PendingOp>,
        response: BatchResponse,
        sent: Instant,
        feedback: &mut CapacityFeedback,
    ) -> Result<(), Stop> {
        let unprocessed: HashSet<PrimaryKey> = response.unprocessed.into_iter().collect();
        let (mut refused, written): (Vec<_>, Vec<_>) = ops
            .into_iter()
            .partition(|pending| unprocessed.contains(pending.op.key()));
        feedback.consumed = response.consumed;
        self.large_collections.warn_of(&response.item_collections);
        feedback.item_collections = response.item_collections;
        feedback.written_ops = written.len();
        feedback.written = cost_of(&written);
        feedback.throttled_ops = refused.len();
        feedback.hot_key_ops = self.backlog.observe(
            Instant::now(),
            Answered {
                written: &written,
                refused: &refused,
                sent,
                key_range: false,
            },
            self.settings.admission.as_deref(),
        );
        for pending in written {
            self.resolve(
                &pending,
                &Outcome::Written {
                    attempts: pending.attempts,
                },
            )?;
        }
        if refused.is_empty() {
            return Ok(());
        }
        feedback.unwritten = cost_of(&refused);
        let cause = Cause::Throttled(Vec::new());
        note_failure(&mut refused, &cause, sent);
        self.retry_or_bury(
            refused,
            &cause,
            "it was left unprocessed",
            Duration::ZERO,
            feedback,
        )
    }

    fn settle_failure(
        &mut self,
        mut ops: Vec<PendingOp>,
        error: RequestError,
        sent: Instant,
        feedback: &mut CapacityFeedback,
    ) -> Result<(), Stop> {
        if !error.cause.may_be_applied() {
            feedback.unwritten = cost_of(&ops);
        }
        match &error.cause {
            Cause::Throttled(reasons) => {
                feedback.throttled_ops = ops.len();
                let throttles = reasons.iter().filter_map(ThrottlingReason::throttle);
                feedback.throttles = throttles.collect();
                feedback.hot_key_ops = self.heat_of_refusal(&ops, sent, feedback);
            }
            _ => feedback.failed_ops = ops.len(),
        }
        // What the service says, or else what happened at the bottom of it.
        let message = innermost(error.source.as_ref()).to_string();
        tracing::debug!(cause = %error.cause, operations = ops.len(), message, "a request failed");
        match error.cause.retry() {
            Retry::Never => Err(Stop::Systemic(error)),
            Retry::Backoff => {
                note_failure(&mut ops, &error.cause, sent);
                if self.gives_up_on_the_service(&ops, &error.cause) {
                    return Err(Stop::Systemic(error));
                }
                let asked = error.retry_after.unwrap_or_default();
                self.retry_or_bury(ops, &error.cause, &message, asked, feedback)
            }
            Retry::Bisect => match <[PendingOp; 1]>::try_from(ops) {
                Ok([pending]) => self.bury(&pending, &error.cause, message),
                Err(ops) => {
                    feedback.retried_ops = ops.len();
                    self.backlog.bisect(ops);
                    Ok(())
                }
            },
        }
    }

    /// Of `ops`, which were refused together, those of hot keys: none if the service names the table or an index. A key
    /// range of an index is one of the index's keys, and says nothing of the table's.
    fn heat_of_refusal(
        &mut self,
        ops: &[PendingOp],
        sent: Instant,
        feedback: &CapacityFeedback,
    ) -> usize {
        let mut throttles = feedback.throttles.iter();
        let key_range = throttles
            .any(|throttle| throttle.scope == ThrottleScope::KeyRange && throttle.index.is_none());
        if !key_range && !feedback.throttles.is_empty() {
            return 0;
        }
        self.backlog.observe(
            Instant::now(),
            Answered {
                written: &[],
                refused: ops,
                sent,
                key_range,
            },
            self.settings.admission.as_deref(),
        )
    }

    /// An outage for as long as an operation may be tried is no reason to bury that operation: the next ones would
    /// follow it into the dead letters. If the service has answered other requests in the later half of that time,
    /// the fault is not the service's.
    fn gives_up_on_the_service(&self, ops: &[PendingOp], cause: &Cause) -> bool {
        cause.is_outage()
            && ops.iter().any(|pending| {
                self.is_exhausted(pending, cause)
                    && self
                        .last_answer
                        .is_none_or(|last| last.elapsed() >= pending.failures.elapsed() / 2)
            })
    }

    fn is_exhausted(&self, pending: &PendingOp, cause: &Cause) -> bool {
        let failures = &pending.failures;
        let backoff = self.settings.retry.backoff(cause);
        backoff.is_exhausted(failures.attempts(cause), failures.elapsed())
    }

    /// Sends `ops` again after a wait, of which the service has `asked` for a part. Those whose attempts or time are
    /// used up are buried.
    fn retry_or_bury(
        &mut self,
        ops: Vec<PendingOp>,
        cause: &Cause,
        message: &str,
        asked: Duration,
        feedback: &mut CapacityFeedback,
    ) -> Result<(), Stop> {
        let (exhausted, again): (Vec<_>, Vec<_>) = ops
            .into_iter()
            .partition(|pending| self.is_exhausted(pending, cause));
        feedback.retried_ops = again.len();
        let attempts = again
            .iter()
            .map(|pending| pending.failures.attempts(cause))
            .max()
            .unwrap_or_default();
        let backoff = self.settings.retry.backoff(cause);
        let asked = asked.min(self.settings.retry.max_retry_after);
        let wait = asked.saturating_add(backoff.wait(attempts, self.jitter.f64()));
        let now = Instant::now();
        if !asked.is_zero() {
            self.backlog.hold_back(&again, later(now, asked));
        }
        self.backlog.retry_at(now, later(now, wait), again);
        for pending in exhausted {
            let message = format!("given up after {} requests: {message}", pending.attempts);
            self.bury(&pending, cause, message)?;
        }
        Ok(())
    }

    fn bury(&mut self, pending: &PendingOp, cause: &Cause, message: String) -> Result<(), Stop> {
        let reason = DeadReason {
            code: cause.code().to_owned(),
            message,
            attempts: pending.attempts,
            tried_for: pending.tried_for(),
            value: None,
        };
        if !self.settings.outcomes.keep_dead_rows() {
            let position = pending.op.position().cloned();
            return Err(Stop::unobserved(position, reason));
        }
        self.resolve(pending, &Outcome::Dead(reason))
    }

    fn resolve(&mut self, pending: &PendingOp, outcome: &Outcome) -> Result<(), Stop> {
        self.settings
            .outcomes
            .observe(&OutcomeEvent::of(&pending.op, outcome))?;
        self.backlog.release(pending.op.key(), Instant::now());
        self.resolved.ops += 1;
        self.resolved.bytes += pending.op.memory();
        Ok(())
    }

    /// Makes room for what has its outcome. The last thing to do about an answer: whoever waits for the outcomes
    /// may go on from here, and finds everything counted.
    fn give_room(&mut self) {
        let Resolved { ops, bytes } = std::mem::take(&mut self.resolved);
        if ops == 0 {
            return;
        }
        let waker = {
            let mut state = self.shared.state();
            state.held_ops = state.held_ops.saturating_sub(ops);
            state.held_bytes = state.held_bytes.saturating_sub(bytes);
            state.waker.take()
        };
        waker.into_iter().for_each(std::task::Waker::wake);
    }
}

/// Operations that have their outcome and still count as held.
#[derive(Debug, Default)]
struct Resolved {
    ops: usize,
    bytes: usize,
}

fn cost_of(ops: &[PendingOp]) -> WriteCost {
    WriteCost::of(ops.iter().map(|pending| &pending.op))
}

fn note_failure(ops: &mut [PendingOp], cause: &Cause, sent: Instant) {
    for pending in ops {
        pending.failures.note(cause, sent);
    }
}

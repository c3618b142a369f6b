//! What passes between the sink and its engine.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use dynasink_core::WriteBatch;
use dynasink_core::limits::MAX_BATCH_OPS;
use tokio::sync::Notify;

use super::backlog::BYTES_TO_PARK;
use super::stop::Stop;

/// What the sink and its engine share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Wakes the engine: there is a batch, or a flush.
    pub(super) engine: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) inbox: VecDeque<WriteBatch>,
    /// Operations without an outcome, and what they hold.
    pub(super) held_ops: usize,
    pub(super) held_bytes: usize,
    /// Of these, operations of hot partition keys that wait for their turn.
    pub(super) parked_ops: usize,
    /// Operations that could be sent, and were not yet.
    pub(super) unsent_ops: usize,
    /// Requests that could be in flight beside those that are.
    pub(super) free_requests: usize,
    /// Whether operations that were sent before wait for the rate limiter.
    pub(super) retries_wait: bool,
    pub(super) flushing: bool,
    /// Why the engine has ended, until the sink reports it.
    pub(super) end: Option<Stop>,
    /// Whoever waits for room or for outcomes.
    pub(super) waker: Option<Waker>,
}

/// What is left when the engine has sent what it could.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    /// Operations that are paid for and not sent.
    pub(super) unsent_ops: usize,
    /// Operations of hot partition keys that wait for their turn.
    pub(super) parked_ops: usize,
    /// Requests that could be in flight beside those that are.
    pub(super) free_requests: usize,
    /// Whether operations that were sent before wait for the rate limiter.
    pub(super) retries_wait: bool,
}

impl State {
    /// Operations that count against the bound on operations. Those of hot keys may wait for long, and are held to a
    /// bound on bytes alone, so that the operations behind them are seen.
    pub(super) fn counted_ops(&self) -> usize {
        self.held_ops.saturating_sub(self.parked_ops)
    }

    /// Bytes that count against the bound on bytes. That on operations does not hold parked ones, which may be small and
    /// many, so that what it takes to hold them counts.
    pub(super) fn counted_bytes(&self) -> usize {
        let to_hold = self.parked_ops.saturating_mul(BYTES_TO_PARK);
        self.held_bytes.saturating_add(to_hold)
    }

    /// Whether one more batch would be sent soon. What is accepted was admitted by the rate limiter above, and would
    /// exceed its rate if it piled up here and left all at once. Retries go first: the limiter admits nothing fresh
    /// while there is no room here.
    pub(super) fn departs(&self) -> bool {
        !self.retries_wait && self.unsent_ops <= MAX_BATCH_OPS.saturating_mul(self.free_requests)
    }
}

impl Shared {
    /// With nothing in it, and so many requests that could be in flight.
    pub(super) fn new(free_requests: usize) -> Self {
        let state = State {
            free_requests,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            engine: Notify::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what was sent and what was not.
    pub(super) fn depart(&self, departure: &Departure) {
        let waker = {
            let mut state = self.state();
            let in_inbox = state.inbox.iter().map(WriteBatch::len).sum::<usize>();
            state.unsent_ops = departure.unsent_ops + in_inbox;
            state.parked_ops = departure.parked_ops;
            state.free_requests = departure.free_requests;
            state.retries_wait = departure.retries_wait;
            // Whoever flushes waits for outcomes, and would only ask again.
            if state.departs() && !state.flushing {
                state.waker.take()
            } else {
                None
            }
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Notes that the engine ends. What is noted first counts.
    pub(super) fn stop(&self, why: Stop) {
        let waker = {
            let mut state = self.state();
            state.end.get_or_insert(why);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

//! The handle to a [`StrictSink`](super::StrictSink).

use std::sync::{Arc, Mutex};

use super::{Gates, Phase, State, lock};
use crate::contract::{Method, Rule, trace::Event};

/// The command over a [`StrictSink`](super::StrictSink), and the view into it. It starts with no capacity
/// and both gates shut.
#[derive(Debug)]
pub struct Probe<Out> {
    state: Arc<Mutex<State<Out>>>,
}

impl<Out> Probe<Out> {
    pub(super) const fn new(state: Arc<Mutex<State<Out>>>) -> Self {
        Self { state }
    }

    /// Adds room for `slots` more items and wakes who waits for it.
    pub fn grant(&self, slots: usize) {
        self.change(Event::Granted(slots), |gates| gates.capacity += slots);
    }

    /// Sets whether `poll_flush` and `poll_close` are `Ready`, and wakes who waits for that.
    pub fn set_gates(&self, flush: bool, close: bool) {
        let gates = self.gates();
        if (gates.flush, gates.close) != (flush, close) {
            self.change(Event::Gates { flush, close }, |gates| {
                (gates.flush, gates.close) = (flush, close);
            });
        }
    }

    /// Lets everything through from now on and wakes who waits.
    pub fn unblock(&self) {
        self.change(Event::Unblocked, |gates| {
            *gates = Gates {
                capacity: gates.capacity,
                unlimited: true,
                flush: true,
                close: true,
            };
        });
    }

    /// Makes the `call`-th call of `method` fail, counted from 1. There is one such switch.
    pub fn fail_at(&self, method: Method, call: usize) {
        lock(&self.state).fail_at = Some((method, call));
    }

    /// How often `method` was called.
    pub fn calls(&self, method: Method) -> usize {
        lock(&self.state).calls[method as usize]
    }

    /// How many slots were taken. More than were delivered means that one is held unused.
    pub fn reservations(&self) -> usize {
        lock(&self.state).reservations
    }

    /// What arrived so far.
    pub fn delivered(&self) -> Vec<Out>
    where
        Out: Clone,
    {
        lock(&self.state).delivered.clone()
    }

    /// Whether all that arrived was also flushed.
    pub fn is_flushed(&self) -> bool {
        lock(&self.state).flushed
    }

    /// Whether `poll_close` was `Ready`.
    pub fn is_closed(&self) -> bool {
        lock(&self.state).phase == Phase::Closed
    }

    /// What the caller of the sink did that no caller may do.
    pub fn breaches(&self) -> Vec<(Rule, String)> {
        lock(&self.state).breaches.clone()
    }

    pub(in crate::contract) fn gates(&self) -> Gates {
        lock(&self.state).gates
    }

    pub(in crate::contract) fn restore(&self, before: Gates) {
        self.change(Event::Restored, |gates| *gates = before);
    }

    pub(in crate::contract) fn record(&self, event: Event) {
        lock(&self.state).trace.push(event);
    }

    pub(in crate::contract) fn trace(&self) -> Vec<Event> {
        lock(&self.state).trace.clone()
    }

    pub(in crate::contract) fn with_delivered<T>(&self, look: impl FnOnce(&[Out]) -> T) -> T {
        look(&lock(&self.state).delivered)
    }

    pub(in crate::contract) fn snapshot(&self) -> Snapshot {
        let state = lock(&self.state);
        Snapshot {
            calls: state.calls,
            delivered: state.delivered.len(),
            reserved: state.reserved,
            reservations: state.reservations,
            flushed: state.flushed,
            closed: state.phase == Phase::Closed,
            failure: match state.phase {
                Phase::Failed(method, call) => Some((method, call)),
                _ => None,
            },
            progress: state.progress,
        }
    }

    fn change(&self, event: Event, change: impl FnOnce(&mut Gates)) {
        let woken = {
            let mut state = lock(&self.state);
            state.trace.push(event);
            change(&mut state.gates);
            Method::ALL.map(|method| state.grant(method))
        };
        // Woken without the lock: a waker may poll at once.
        for waker in woken.into_iter().flatten() {
            waker.wake();
        }
    }
}

/// The inner sink at one moment, to compare before and after a call.
#[derive(Debug, Clone, Copy)]
pub(in crate::contract) struct Snapshot {
    pub(in crate::contract) calls: [usize; Method::ALL.len()],
    pub(in crate::contract) delivered: usize,
    pub(in crate::contract) reserved: bool,
    pub(in crate::contract) reservations: usize,
    pub(in crate::contract) flushed: bool,
    pub(in crate::contract) closed: bool,
    pub(in crate::contract) failure: Option<(Method, usize)>,
    /// Rises with every call that did not answer `Pending`.
    pub(in crate::contract) progress: usize,
}

impl Snapshot {
    pub(in crate::contract) const fn calls(&self, method: Method) -> usize {
        self.calls[method as usize]
    }

    pub(in crate::contract) const fn polls(&self) -> usize {
        self.calls(Method::PollReady)
            + self.calls(Method::PollFlush)
            + self.calls(Method::PollClose)
    }
}

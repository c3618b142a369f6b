//! The inner sink that notices every breach.

mod probe;

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use dynasink_core::StageError;
use futures::Sink;

pub use self::probe::Probe;
pub(super) use self::probe::Snapshot;
use super::{
    Method, Rule,
    trace::{Answer, Event},
};

/// What [`StrictSink`] fails with.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StrictError {
    /// The error that [`Probe::fail_at`] asked for.
    #[error("error injected at call {call} of {method}")]
    Injected {
        /// The method that failed.
        method: Method,
        /// The number of the call, from 1.
        call: usize,
    },
    /// The sink was called after an error or after it had closed.
    #[error("{method} called on a sink that had failed or closed")]
    Finished {
        /// The method that was called.
        method: Method,
    },
    /// A stage above failed, and has the error type of the sink below.
    #[error("a stage above the sink failed")]
    Stage(#[source] Arc<StageError>),
}

impl From<StageError> for StrictError {
    fn from(error: StageError) -> Self {
        Self::Stage(Arc::new(error))
    }
}

/// A sink that blocks as its [`Probe`] commands, keeps what it is given and records every breach of
/// the contract by its caller.
///
/// `Pending` registers the waker of the call and forgets the one before.
#[derive(Debug)]
pub struct StrictSink<Out> {
    state: Arc<Mutex<State<Out>>>,
}

#[derive(Debug)]
struct State<Out> {
    gates: Gates,
    fail_at: Option<(Method, usize)>,
    wakers: [Option<Waker>; Method::ALL.len()],
    delivered: Vec<Out>,
    reserved: bool,
    reservations: usize,
    flushed: bool,
    phase: Phase,
    calls: [usize; Method::ALL.len()],
    progress: usize,
    breaches: Vec<(Rule, String)>,
    trace: Vec<Event>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// `poll_close` was called.
    Closing,
    /// `poll_close` was `Ready`.
    Closed,
    /// That call of that method failed.
    Failed(Method, usize),
}

/// What the sink allows at the moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gates {
    capacity: usize,
    unlimited: bool,
    flush: bool,
    close: bool,
}

impl<Out> StrictSink<Out> {
    /// A sink without capacity, both gates shut, and its probe.
    pub fn new() -> (Self, Probe<Out>) {
        let state = Arc::new(Mutex::new(State {
            gates: Gates::default(),
            fail_at: None,
            wakers: [const { None }; Method::ALL.len()],
            delivered: Vec::new(),
            reserved: false,
            reservations: 0,
            flushed: true,
            phase: Phase::Open,
            calls: [0; Method::ALL.len()],
            progress: 0,
            breaches: Vec::new(),
            trace: Vec::new(),
        }));
        (
            Self {
                state: Arc::clone(&state),
            },
            Probe::new(state),
        )
    }

    fn poll(
        &self,
        method: Method,
        cx: &Context<'_>,
        answer: impl FnOnce(&mut State<Out>) -> bool,
    ) -> Poll<Result<(), StrictError>> {
        let mut state = lock(&self.state);
        let poll = match state.enter(method) {
            Err(error) => Poll::Ready(Err(error)),
            Ok(()) if answer(&mut state) => Poll::Ready(Ok(())),
            Ok(()) => {
                state.wakers[method as usize] = Some(cx.waker().clone());
                Poll::Pending
            }
        };
        state.leave(method, Answer::of(&poll));
        poll
    }
}

impl<Out> Sink<Out> for StrictSink<Out> {
    type Error = StrictError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), StrictError>> {
        self.poll(Method::PollReady, cx, |state| {
            let available = state.gates.unlimited || state.gates.capacity > 0;
            if !state.reserved && available {
                state.gates.capacity = state.gates.capacity.saturating_sub(1);
                state.reservations += 1;
                state.reserved = true;
            }
            state.reserved
        })
    }

    fn start_send(self: Pin<&mut Self>, item: Out) -> Result<(), StrictError> {
        let mut state = lock(&self.state);
        let result = state.enter(Method::StartSend);
        if result.is_ok() {
            if !state.reserved {
                state.breach(
                    Rule::Reservation,
                    "the inner sink got an item without a reservation",
                );
            }
            state.reserved = false;
            state.flushed = false;
            state.delivered.push(item);
        }
        state.leave(
            Method::StartSend,
            if result.is_ok() {
                Answer::Ready
            } else {
                Answer::Failed
            },
        );
        result
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), StrictError>> {
        self.poll(Method::PollFlush, cx, |state| {
            state.flushed |= state.gates.flush;
            state.gates.flush
        })
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), StrictError>> {
        self.poll(Method::PollClose, cx, |state| {
            let closed = state.gates.close;
            state.phase = if closed {
                Phase::Closed
            } else {
                Phase::Closing
            };
            state.flushed |= closed;
            closed
        })
    }
}

impl<Out> State<Out> {
    fn enter(&mut self, method: Method) -> Result<(), StrictError> {
        self.calls[method as usize] += 1;
        match self.phase {
            Phase::Failed(failed, call) => {
                self.breach(
                    Rule::Error,
                    &format!("inner {method} was called after call {call} of {failed} had failed"),
                );
                return Err(StrictError::Finished { method });
            }
            Phase::Closed => {
                self.breach(
                    Rule::Close,
                    &format!("inner {method} was called after the inner sink had closed"),
                );
                return Err(StrictError::Finished { method });
            }
            Phase::Closing if method != Method::PollClose => {
                // No item can follow a close, so a slot taken now is one without an item.
                let rule = if method == Method::PollReady {
                    Rule::IdleFlush
                } else {
                    Rule::Close
                };
                self.breach(
                    rule,
                    &format!("inner {method} was called after inner poll_close had begun"),
                );
            }
            Phase::Closing | Phase::Open => {}
        }
        let call = self.calls[method as usize];
        if self.fail_at == Some((method, call)) {
            self.phase = Phase::Failed(method, call);
            return Err(StrictError::Injected { method, call });
        }
        Ok(())
    }

    fn leave(&mut self, method: Method, answer: Answer) {
        self.trace.push(Event::Inner(method, answer));
        if answer != Answer::Pending {
            self.progress += 1;
        }
    }

    fn breach(&mut self, rule: Rule, message: &str) {
        self.breaches.push((rule, message.to_owned()));
    }

    fn grant(&mut self, method: Method) -> Option<Waker> {
        let open = match method {
            Method::PollReady => self.gates.unlimited || self.gates.capacity > 0,
            Method::PollFlush => self.gates.flush,
            Method::PollClose => self.gates.close,
            Method::StartSend => false,
        };
        if open {
            self.wakers[method as usize].take()
        } else {
            None
        }
    }
}

/// A panic of the stage under test is reported as such; the state stays readable.
fn lock<Out>(state: &Mutex<State<Out>>) -> MutexGuard<'_, State<Out>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

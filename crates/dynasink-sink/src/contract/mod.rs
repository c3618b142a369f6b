//! The `Sink` contract, and a check that a sink above another sink keeps it.
//!
//! The documentation of [`Sink`] leaves room that generic code cannot live with. These are the rules that
//! the stages of this crate keep; [`check`] tests them on any sink that is built above another one.
//!
//! 1. **Reservation.** Each inner `start_send` has its own earlier inner `poll_ready` that was `Ready`.
//! 2. **Grant held.** `Ready` from `poll_ready` stays granted until one `start_send` uses it, whatever is
//!    polled meanwhile and however full the inner sink becomes.
//! 3. **`start_send` only begins.** It polls nothing.
//! 4. **Idle flush.** A flush or close with nothing held does not call inner `poll_ready`, and none leaves a
//!    slot reserved that it had no item for: `Sink` has no way to give it back.
//! 5. **Delivery.** What arrives is what was sent: nothing is lost, made up, doubled or out of order.
//! 6. **Bound.** No more is held than the stage states.
//! 7. **Flush.** `Ready` from `poll_flush` means that all that was accepted was delivered, and that inner
//!    `poll_flush` was `Ready` after the last item.
//! 8. **Close.** `Ready` from `poll_close` means that all was delivered and the inner sink is closed. It
//!    works as the first call. Inner `poll_close` begins after the last item, and only it follows.
//! 9. **Second close.** `poll_close` after `Ready` does not reach the inner sink.
//! 10. **Wake.** `Pending` means that the waker of this very call will be woken when what blocks is gone.
//!     The latest waker wins.
//! 11. **Spin.** A sink does not wake its own task without progress.
//! 12. **Termination.** With nothing in the way a flush or close ends after a bounded number of polls.
//! 13. **Error.** An error of the inner sink is returned by the call that met it. Every later call is an
//!     error too, and does not reach the inner sink.
//! 14. **Panic.** No call panics, also none after an error, and no drop at any moment.
//!
//! # How it is checked
//!
//! The stage stands above a [`StrictSink`], which records what it is made to do and keeps `Pending` until the
//! environment lets it go on. A run makes random legal calls, each with a waker of its own, while a random
//! environment grants slots, opens and shuts gates and lets time pass, and ends with a close. Besides the
//! random runs ([`SEEDS`] of them) there are fixed ones: an error at the first calls of each inner method,
//! close as the first call, close twice, flush with nothing held, a waker replaced between two polls, and a
//! drop in the middle. A case is the same each time as long as the stage under test is.
//!
//! ```
//! use dynasink_core::StageError;
//! use dynasink_sink::contract::{self, Expect};
//! # use std::{pin::Pin, task::{Context, Poll, ready}};
//! # use dynasink_core::Fuse;
//! # use futures::Sink;
//! # use pin_project_lite::pin_project;
//! # pin_project! { struct Doubled<S> { #[pin] inner: S, fuse: Fuse, closed: bool } }
//! # impl<S> Doubled<S> {
//! #     fn new(inner: S) -> Self { Self { inner, fuse: Fuse::new("double"), closed: false } }
//! # }
//! # impl<S: Sink<u32>> Sink<u32> for Doubled<S> where S::Error: From<StageError> {
//! #     type Error = S::Error;
//! #     fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
//! #         let this = self.project();
//! #         this.fuse.check::<S::Error>()?;
//! #         this.fuse.guard_poll(this.inner.poll_ready(cx))
//! #     }
//! #     fn start_send(self: Pin<&mut Self>, n: u32) -> Result<(), S::Error> {
//! #         let this = self.project();
//! #         this.fuse.check::<S::Error>()?;
//! #         this.fuse.guard(this.inner.start_send(2 * n))
//! #     }
//! #     fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
//! #         let this = self.project();
//! #         this.fuse.check::<S::Error>()?;
//! #         this.fuse.guard_poll(this.inner.poll_flush(cx))
//! #     }
//! #     fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
//! #         let this = self.project();
//! #         this.fuse.check::<S::Error>()?;
//! #         if !*this.closed {
//! #             ready!(this.fuse.guard_poll(this.inner.poll_close(cx)))?;
//! #             *this.closed = true;
//! #         }
//! #         Poll::Ready(Ok(()))
//! #     }
//! # }
//!
//! contract::check(
//!     &Expect::outputs(|sent: &[u32]| sent.iter().map(|n| 2 * n).collect::<Vec<_>>()),
//!     |rng| (0..rng.u32(..20)).collect(),
//!     |inner| Doubled::new(inner),
//! );
//! ```
//!
//! A stage that batches states what is in a batch and leaves its boundaries free ([`Expect::batches`]). One
//! that has timers says how long it may sleep and runs under paused Tokio time ([`Expect::timed`]). One that
//! reorders or merges judges its delivery itself ([`Expect::outstanding`]).
//!
//! # Replay
//!
//! A broken rule panics with the name of its case and the calls that led to it. To run that case alone, put
//! its name in the environment: `DYNASINK_CONTRACT_REPLAY=random:17 cargo test name_of_the_test`.

mod cases;
mod clock;
mod driver;
mod expect;
mod rule;
mod strict_sink;
mod trace;
mod wake;

#[cfg(test)]
mod mutants;
#[cfg(test)]
mod tests;

use std::{
    any::Any,
    fmt::Debug,
    panic::{AssertUnwindSafe, catch_unwind},
};

use fastrand::Rng;
use futures::Sink;

use self::{cases::Case, clock::Clock, driver::Driver};
pub use self::{
    expect::Expect,
    rule::{Rule, Violation},
    strict_sink::{Probe, StrictError, StrictSink},
    trace::Method,
    wake::WakeCounter,
};

/// Random runs of a check, unless [`Expect::seeds`] says otherwise.
///
/// Bugs of the common kinds show in more than half of them, so that rare ones have a chance too.
pub const SEEDS: u64 = 2_000;

/// The environment variable that names the one case to run.
pub const REPLAY: &str = "DYNASINK_CONTRACT_REPLAY";

/// How much a check saw. All zero means that it proved nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Runs made.
    pub runs: usize,
    /// Inputs sent to the stage.
    pub sent: usize,
    /// Outputs that arrived.
    pub delivered: usize,
    /// Calls of the stage that were `Pending`.
    pub pending: usize,
    /// Runs in which an injected error was met.
    pub failed: usize,
}

/// Checks that the sink that `combinator` makes above an inner sink keeps the contract.
///
/// `inputs` makes the inputs of one run, best a different number of them each time, from none to a few times
/// what the stage can hold. The stage must accept all of them. Its errors must show the inner error in their
/// `Debug` output, as a derived one does.
///
/// # Panics
///
/// When a rule is broken, with the case and its calls; when the inputs of all runs are empty; when
/// [`REPLAY`] names no case of this check.
#[track_caller]
pub fn check<In, Out, S>(
    expect: &Expect<In, Out>,
    inputs: impl Fn(&mut Rng) -> Vec<In>,
    combinator: impl Fn(StrictSink<Out>) -> S,
) where
    In: Clone,
    S: Sink<In>,
    S::Error: Debug,
{
    let replay = std::env::var(REPLAY).ok();
    let wanted = |case: &Case| replay.as_ref().is_none_or(|name| *name == case.to_string());
    match run_all(expect, wanted, inputs, combinator) {
        Err(violation) => panic!("{violation}"),
        Ok(Coverage { runs: 0, .. }) => panic!("there is no case {}", replay.unwrap_or_default()),
        Ok(Coverage { sent: 0, .. }) if replay.is_none() => {
            panic!("the inputs of every run were empty")
        }
        Ok(_) => {}
    }
}

/// As [`check`], but gives the broken rule back, and otherwise how much was seen. Ignores [`REPLAY`].
///
/// # Errors
///
/// The first broken rule.
pub fn try_check<In, Out, S>(
    expect: &Expect<In, Out>,
    inputs: impl Fn(&mut Rng) -> Vec<In>,
    combinator: impl Fn(StrictSink<Out>) -> S,
) -> Result<Coverage, Violation>
where
    In: Clone,
    S: Sink<In>,
    S::Error: Debug,
{
    run_all(expect, |_| true, inputs, combinator)
}

fn run_all<In, Out, S>(
    expect: &Expect<In, Out>,
    wanted: impl Fn(&Case) -> bool,
    inputs: impl Fn(&mut Rng) -> Vec<In>,
    combinator: impl Fn(StrictSink<Out>) -> S,
) -> Result<Coverage, Violation>
where
    In: Clone,
    S: Sink<In>,
    S::Error: Debug,
{
    let mut coverage = Coverage::default();
    for case in Case::all(expect.seeds).filter(wanted) {
        let mut rng = Rng::with_seed(case.seed);
        let inputs = inputs(&mut rng);
        run(case, expect, &mut rng, inputs, &combinator, &mut coverage)?;
    }
    Ok(coverage)
}

fn run<In, Out, S>(
    case: Case,
    expect: &Expect<In, Out>,
    rng: &mut Rng,
    inputs: Vec<In>,
    combinator: impl Fn(StrictSink<Out>) -> S,
    coverage: &mut Coverage,
) -> Result<(), Violation>
where
    In: Clone,
    S: Sink<In>,
    S::Error: Debug,
{
    let (inner, probe) = StrictSink::new();
    if let Some((method, call)) = case.failure() {
        probe.fail_at(method, call);
    }
    let clock = Clock::new(expect.max_wait);
    // The stage lives and dies in here, so that a panic of its drop is caught too.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _time = clock.enter();
        let mut driver = Driver::new(combinator(inner), &probe, expect, &clock, inputs);
        let result = case.run(&mut driver, rng);
        coverage.sent += driver.sent();
        coverage.pending += driver.pendings;
        coverage.failed += usize::from(driver.end() == Some(driver::End::Failed));
        result
    }));
    coverage.runs += 1;
    coverage.delivered += probe.snapshot().delivered;
    let (rule, message) = match result {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(breach)) => breach,
        Err(_) if expect.is_waived(Rule::Panic) => return Ok(()),
        Err(panic) => (
            Rule::Panic,
            format!("it panicked: {}", panic_message(panic.as_ref())),
        ),
    };
    Err(Violation {
        rule,
        case: case.to_string(),
        message,
        trace: probe.trace(),
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with a payload that is no text")
}

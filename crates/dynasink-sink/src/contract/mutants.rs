//! Planted bugs: a buffer that is right, and one copy of it for each way to be wrong. A check that lets one
//! of them pass proves nothing.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use dynasink_core::StageError;
use fastrand::Rng;
use futures::Sink;

use super::{Coverage, Expect, Rule, StrictError, StrictSink, Violation, try_check};

const CAPACITY: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    NoWakerRegistered,
    FlushSkipsOwnBuffer,
    CloseNotPropagated,
    StartSendWithoutReady,
    UnboundedHolding,
    InnerFlushSkipped,
    FirstWakerWins,
    MoreDrainedThanNeeded,
    InnerFlushBeforeDrain,
    CloseSkipsOwnBuffer,
    CloseOnlyFlushes,
    SlotTakenByEmptyFlush,
    SlotLeftByFlush,
    GrantTakenBack,
    StartSendPolls,
    LastInFirstOut,
    ItemSentTwice,
    ItemLostOnPending,
    FlushAfterInnerClose,
    InnerClosedTwice,
    WakesItself,
    FlushNeverEnds,
    ErrorSwallowed,
    ErrorReplaced,
    InnerPolledAfterError,
    ReadyAfterError,
    PanicAfterError,
    PanicInDrop,
}

/// Holds up to [`CAPACITY`] items and passes them on when full, flushed or closed.
struct Buffered {
    inner: StrictSink<u32>,
    items: VecDeque<u32>,
    first_waker: Option<Waker>,
    granted: bool,
    failed: bool,
    closed: bool,
    bug: Option<Bug>,
}

type Polled = Poll<Result<(), StrictError>>;

impl Buffered {
    fn new(inner: StrictSink<u32>, bug: Option<Bug>) -> Self {
        Self {
            inner,
            items: VecDeque::new(),
            first_waker: None,
            granted: false,
            failed: false,
            closed: false,
            bug,
        }
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Sends until at most `keep` items are left.
    fn poll_drain(&mut self, cx: &mut Context<'_>, keep: usize) -> Polled {
        while self.items.len() > keep {
            if !self.has(Bug::StartSendWithoutReady) {
                let ready = Pin::new(&mut self.inner).poll_ready(cx);
                if ready.is_pending() && self.has(Bug::ItemLostOnPending) {
                    self.items.pop_front();
                }
                ready!(ready)?;
            }
            let last_first = self.has(Bug::LastInFirstOut);
            let item = if last_first {
                self.items.pop_back()
            } else {
                self.items.pop_front()
            };
            let Some(item) = item else { break };
            Pin::new(&mut self.inner).start_send(item)?;
            if self.has(Bug::ItemSentTwice) && item == 1 {
                ready!(Pin::new(&mut self.inner).poll_ready(cx))?;
                Pin::new(&mut self.inner).start_send(item)?;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn ready(&mut self, cx: &mut Context<'_>) -> Polled {
        if self.granted && self.has(Bug::GrantTakenBack) {
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        }
        if !self.has(Bug::UnboundedHolding) {
            let keep = if self.has(Bug::MoreDrainedThanNeeded) && self.items.len() == CAPACITY {
                0
            } else {
                CAPACITY - 1
            };
            ready!(self.poll_drain(cx, keep))?;
        }
        self.granted = true;
        Poll::Ready(Ok(()))
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Polled {
        if self.has(Bug::SlotTakenByEmptyFlush) {
            ready!(Pin::new(&mut self.inner).poll_ready(cx))?;
        }
        if self.has(Bug::InnerFlushBeforeDrain) {
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            return self.poll_drain(cx, 0);
        }
        if !self.has(Bug::FlushSkipsOwnBuffer) {
            let held = !self.items.is_empty();
            ready!(self.poll_drain(cx, 0))?;
            if held && self.has(Bug::SlotLeftByFlush) {
                ready!(Pin::new(&mut self.inner).poll_ready(cx))?;
            }
        }
        if self.has(Bug::InnerFlushSkipped) {
            return Poll::Ready(Ok(()));
        }
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        if self.has(Bug::FlushNeverEnds) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn close(&mut self, cx: &mut Context<'_>) -> Polled {
        if self.closed && !self.has(Bug::InnerClosedTwice) {
            return Poll::Ready(Ok(()));
        }
        if !self.has(Bug::CloseSkipsOwnBuffer) {
            ready!(self.poll_drain(cx, 0))?;
        }
        if self.has(Bug::CloseOnlyFlushes) {
            return Pin::new(&mut self.inner).poll_flush(cx);
        }
        if !self.has(Bug::CloseNotPropagated) {
            let closed = Pin::new(&mut self.inner).poll_close(cx)?;
            if self.has(Bug::FlushAfterInnerClose) {
                ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            }
            ready!(closed);
        }
        self.closed = true;
        Poll::Ready(Ok(()))
    }

    /// Every method with the rules, and the bugs, that all of them share.
    fn guarded(
        &mut self,
        cx: &Context<'_>,
        call: impl FnOnce(&mut Self, &mut Context<'_>) -> Polled,
    ) -> Polled {
        if self.failed {
            match self.bug {
                Some(Bug::PanicAfterError) => panic!("planted: polled after an error"),
                Some(Bug::ReadyAfterError) => return Poll::Ready(Ok(())),
                Some(Bug::InnerPolledAfterError) => {}
                _ => return Poll::Ready(Err(StageError::Poisoned { stage: "buffer" }.into())),
            }
        }
        let waker = match self.bug {
            Some(Bug::NoWakerRegistered) => Waker::noop().clone(),
            Some(Bug::FirstWakerWins) => self
                .first_waker
                .get_or_insert_with(|| cx.waker().clone())
                .clone(),
            _ => cx.waker().clone(),
        };
        let poll = call(self, &mut Context::from_waker(&waker));
        if poll.is_ready() {
            self.first_waker = None;
        } else if self.has(Bug::WakesItself) {
            cx.waker().wake_by_ref();
        }
        let Poll::Ready(Err(error)) = poll else {
            return poll;
        };
        self.failed = true;
        match self.bug {
            Some(Bug::ErrorSwallowed) => Poll::Ready(Ok(())),
            Some(Bug::ErrorReplaced) => {
                Poll::Ready(Err(StageError::Poisoned { stage: "buffer" }.into()))
            }
            _ => Poll::Ready(Err(error)),
        }
    }
}

impl Sink<u32> for Buffered {
    type Error = StrictError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        self.guarded(cx, Self::ready)
    }

    fn start_send(mut self: Pin<&mut Self>, item: u32) -> Result<(), StrictError> {
        let sent = self.guarded(&Context::from_waker(Waker::noop()), |buffer, cx| {
            buffer.granted = false;
            buffer.items.push_back(item);
            if buffer.has(Bug::StartSendPolls) {
                return buffer.poll_drain(cx, 0);
            }
            Poll::Ready(Ok(()))
        });
        match sent {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        self.guarded(cx, Self::flush)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        self.guarded(cx, Self::close)
    }
}

impl Drop for Buffered {
    fn drop(&mut self) {
        assert!(
            !self.has(Bug::PanicInDrop) || self.items.is_empty(),
            "planted: dropped with items"
        );
    }
}

fn some_inputs(rng: &mut Rng) -> Vec<u32> {
    (0..rng.u32(..16)).collect()
}

fn check_buffer(bug: Option<Bug>) -> Result<Coverage, Violation> {
    let expect = Expect::outputs(<[u32]>::to_vec).max_held(CAPACITY);
    try_check(&expect, some_inputs, |inner| Buffered::new(inner, bug))
}

#[track_caller]
fn assert_caught(bug: Bug, by: &[Rule]) {
    match check_buffer(Some(bug)) {
        Ok(coverage) => panic!("{bug:?} passed: {coverage:?}"),
        Err(violation) => assert!(
            by.contains(&violation.rule()),
            "{bug:?} was caught, but as {violation}"
        ),
    }
}

#[test]
fn right_buffer_passes_and_every_kind_of_run_was_met() {
    let coverage = check_buffer(None).unwrap_or_else(|violation| panic!("{violation}"));
    assert!(coverage.runs > 2_000, "{coverage:?}");
    assert!(
        coverage.sent > 10_000 && coverage.delivered > 10_000,
        "{coverage:?}"
    );
    assert!(coverage.pending > 10_000, "{coverage:?}");
    assert!(coverage.failed > 50, "{coverage:?}");
}

#[test]
fn lost_wakers_are_caught() {
    assert_caught(Bug::NoWakerRegistered, &[Rule::Wake]);
    assert_caught(Bug::FirstWakerWins, &[Rule::Wake]);
    // `Pending` for more room than one item needs: the next poll is `Ready` without a wake.
    assert_caught(Bug::MoreDrainedThanNeeded, &[Rule::Wake]);
}

#[test]
fn wrong_flushes_are_caught() {
    assert_caught(Bug::FlushSkipsOwnBuffer, &[Rule::Flush]);
    assert_caught(Bug::InnerFlushSkipped, &[Rule::Flush]);
    assert_caught(Bug::InnerFlushBeforeDrain, &[Rule::Flush]);
    assert_caught(Bug::SlotTakenByEmptyFlush, &[Rule::IdleFlush]);
    assert_caught(Bug::SlotLeftByFlush, &[Rule::IdleFlush]);
    assert_caught(Bug::FlushNeverEnds, &[Rule::Termination]);
}

#[test]
fn wrong_closes_are_caught() {
    assert_caught(Bug::CloseNotPropagated, &[Rule::Close]);
    assert_caught(Bug::CloseSkipsOwnBuffer, &[Rule::Close]);
    assert_caught(Bug::CloseOnlyFlushes, &[Rule::Close]);
    assert_caught(Bug::FlushAfterInnerClose, &[Rule::Close]);
    assert_caught(Bug::InnerClosedTwice, &[Rule::SecondClose]);
}

#[test]
fn sends_out_of_turn_are_caught() {
    assert_caught(Bug::StartSendWithoutReady, &[Rule::Reservation]);
    assert_caught(Bug::UnboundedHolding, &[Rule::Bound]);
    assert_caught(Bug::GrantTakenBack, &[Rule::GrantHeld]);
    assert_caught(Bug::StartSendPolls, &[Rule::StartSend]);
}

#[test]
fn wrong_deliveries_are_caught() {
    assert_caught(Bug::LastInFirstOut, &[Rule::Delivery]);
    assert_caught(Bug::ItemSentTwice, &[Rule::Delivery]);
    // Whether a loss shows as a gap or at the end depends on the case that finds it.
    assert_caught(
        Bug::ItemLostOnPending,
        &[Rule::Delivery, Rule::Flush, Rule::Close],
    );
}

#[test]
fn spinning_is_caught() {
    assert_caught(Bug::WakesItself, &[Rule::Spin]);
}

#[test]
fn wrong_errors_are_caught() {
    assert_caught(Bug::ErrorSwallowed, &[Rule::Error]);
    assert_caught(Bug::ErrorReplaced, &[Rule::Error]);
    assert_caught(Bug::InnerPolledAfterError, &[Rule::Error]);
    assert_caught(Bug::ReadyAfterError, &[Rule::Error]);
}

#[test]
fn panics_are_caught() {
    assert_caught(Bug::PanicAfterError, &[Rule::Panic]);
    assert_caught(Bug::PanicInDrop, &[Rule::Panic]);
}

/// The fixed cases come first and catch most bugs. The six basic ones must also fall to the random runs
/// alone, and not by one lucky seed.
#[test]
fn most_random_runs_catch_the_six_basic_bugs() {
    use super::{SEEDS, cases::Case, run_all};

    for bug in [
        Bug::NoWakerRegistered,
        Bug::FlushSkipsOwnBuffer,
        Bug::CloseNotPropagated,
        Bug::StartSendWithoutReady,
        Bug::UnboundedHolding,
        Bug::InnerFlushSkipped,
    ] {
        let expect = Expect::outputs(<[u32]>::to_vec).max_held(CAPACITY);
        let random = Case::all(SEEDS).filter(|case| case.to_string().starts_with("random:"));
        let caught = random
            .filter(|wanted| {
                let only = Case::clone(wanted);
                run_all(
                    &expect,
                    |case| *case == only,
                    some_inputs,
                    |inner| Buffered::new(inner, Some(bug)),
                )
                .is_err()
            })
            .count();
        assert!(
            caught as u64 > SEEDS / 2,
            "{bug:?} was caught by {caught} of {SEEDS} seeds"
        );
    }
}

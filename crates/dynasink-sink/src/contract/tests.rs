//! The check on sinks that it was not written for: those of `futures`, and stages with timers.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use dynasink_core::Fuse;
use futures::{Sink, SinkExt, future, stream};
use tokio::time::{Instant, Sleep};

use super::{Expect, Probe, Rule, StrictError, StrictSink, WakeCounter, check, try_check};

fn numbers(rng: &mut fastrand::Rng) -> Vec<u32> {
    (0..rng.u32(..12)).collect()
}

/// What no stateless sink and none of `futures` keeps: a fuse for errors and closes.
fn forgiving<In, Out>(expect: Expect<In, Out>) -> Expect<In, Out> {
    expect.waive(Rule::Error).waive(Rule::SecondClose)
}

#[test]
fn strict_sink_keeps_its_own_rules_but_has_no_fuse() {
    check(
        &forgiving(Expect::outputs(<[u32]>::to_vec)),
        numbers,
        |inner| inner,
    );
    let broken = try_check(&Expect::outputs(<[u32]>::to_vec), numbers, |inner| inner);
    assert_eq!(
        broken.map_err(|violation| violation.rule()),
        Err(Rule::SecondClose)
    );
}

#[test]
fn futures_buffer_passes_but_for_the_slot_that_an_empty_flush_takes() {
    let buffer = |inner: StrictSink<u32>| inner.buffer(3);
    let expect = || forgiving(Expect::outputs(<[u32]>::to_vec).max_held(3));
    check(&expect().waive(Rule::IdleFlush), numbers, buffer);
    let broken = try_check(&expect(), numbers, buffer);
    assert_eq!(
        broken.map_err(|violation| violation.rule()),
        Err(Rule::IdleFlush)
    );
}

#[test]
fn futures_with_passes() {
    let doubled = |sent: &[u32]| sent.iter().map(|n| n * 2).collect();
    check(
        &forgiving(Expect::outputs(doubled).max_held(1)),
        numbers,
        |inner: StrictSink<u32>| inner.with(|n: u32| future::ready(Ok::<_, StrictError>(n * 2))),
    );
}

#[test]
fn futures_with_flat_map_passes() {
    let repeated = |sent: &[u32]| {
        sent.iter()
            .flat_map(|n| vec![*n; *n as usize % 3])
            .collect()
    };
    check(
        &forgiving(Expect::outputs(repeated).max_held(2)),
        numbers,
        |inner: StrictSink<u32>| {
            inner.with_flat_map(|n: u32| stream::iter(vec![Ok(n); n as usize % 3]))
        },
    );
}

#[test]
fn violation_names_the_rule_the_case_and_the_calls() {
    let violation =
        try_check(&Expect::outputs(<[u32]>::to_vec), numbers, |inner| inner).unwrap_err();
    let text = violation.to_string();
    assert!(
        text.starts_with("rule 9 (second close) is broken in case close-twice:0: "),
        "{text}"
    );
    assert!(text.contains("inner poll_close = Ready"), "{text}");
    assert!(
        text.ends_with("replay it alone with DYNASINK_CONTRACT_REPLAY=close-twice:0"),
        "{text}"
    );
}

#[test]
#[should_panic(expected = "the inputs of every run were empty")]
fn check_without_inputs_is_refused() {
    check(
        &forgiving(Expect::outputs(<[u32]>::to_vec)),
        |_| Vec::new(),
        |inner| inner,
    );
}

#[test]
fn timed_stage_passes() {
    for timer in [Timer::Polled, Timer::ResetByItems] {
        check(&lingering(), numbers, |inner| Lingering::new(inner, timer));
    }
}

#[test]
fn timer_that_is_not_polled_is_a_lost_wake() {
    let broken = try_check(&lingering(), numbers, |inner| {
        Lingering::new(inner, Timer::Forgotten)
    });
    assert_eq!(
        broken.map_err(|violation| violation.rule()),
        Err(Rule::Wake)
    );
}

#[test]
fn sleep_longer_than_stated_is_a_lost_wake() {
    let expect = lingering().timed(PAUSE / 2);
    let broken = try_check(&expect, numbers, |inner| {
        Lingering::new(inner, Timer::Polled)
    });
    assert_eq!(
        broken.map_err(|violation| violation.rule()),
        Err(Rule::Wake)
    );
}

#[test]
fn probe_tells_a_slot_that_is_held_unused() {
    let (mut inner, probe): (StrictSink<u32>, Probe<u32>) = StrictSink::new();
    let first = WakeCounter::new();
    assert!(
        inner
            .poll_ready_unpin(&mut Context::from_waker(&first.waker()))
            .is_pending()
    );
    let second = WakeCounter::new();
    assert!(
        inner
            .poll_ready_unpin(&mut Context::from_waker(&second.waker()))
            .is_pending()
    );
    probe.grant(2);
    assert_eq!(
        (first.count(), second.count()),
        (0, 1),
        "the latest waker wins"
    );
    for _ in 0..2 {
        assert!(
            inner
                .poll_ready_unpin(&mut Context::from_waker(&second.waker()))
                .is_ready()
        );
    }
    assert_eq!((probe.reservations(), probe.delivered().len()), (1, 0));
    assert!(probe.breaches().is_empty());
    inner.start_send_unpin(7).unwrap();
    inner.start_send_unpin(8).unwrap();
    assert_eq!(
        probe.breaches().first().map(|(rule, _)| *rule),
        Some(Rule::Reservation)
    );
}

/// The least time between two batches.
const PAUSE: Duration = Duration::from_millis(8);

const BATCH: usize = 3;

fn lingering() -> Expect<u32, Vec<u32>> {
    Expect::batches(Clone::clone)
        .max_held(2 * BATCH)
        .timed(PAUSE)
}

/// Batches of up to [`BATCH`] with at least [`PAUSE`] between two of them, cut where the flush comes.
struct Lingering {
    inner: StrictSink<Vec<u32>>,
    open: Vec<u32>,
    full: VecDeque<Vec<u32>>,
    pause: Pin<Box<Sleep>>,
    fuse: Fuse,
    granted: bool,
    closed: bool,
    timer: Timer,
}

/// How a stage treats its timer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Timer {
    Polled,
    /// Also right: every item starts the pause anew.
    ResetByItems,
    /// Wrong: the clock is read, the timer is not polled.
    Forgotten,
}

type Polled = Poll<Result<(), StrictError>>;

impl Lingering {
    fn new(inner: StrictSink<Vec<u32>>, timer: Timer) -> Self {
        Self {
            inner,
            open: Vec::new(),
            full: VecDeque::new(),
            pause: Box::pin(tokio::time::sleep(PAUSE)),
            fuse: Fuse::new("lingering"),
            granted: false,
            closed: false,
            timer,
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Polled {
        while !self.full.is_empty() {
            if self.timer == Timer::Forgotten && self.pause.deadline() > Instant::now() {
                return Poll::Pending;
            }
            ready!(self.pause.as_mut().poll(cx));
            ready!(Pin::new(&mut self.inner).poll_ready(cx))?;
            if let Some(batch) = self.full.pop_front() {
                Pin::new(&mut self.inner).start_send(batch)?;
                self.pause.as_mut().reset(Instant::now() + PAUSE);
            }
        }
        Poll::Ready(Ok(()))
    }

    fn seal(&mut self) {
        if !self.open.is_empty() {
            self.full.push_back(std::mem::take(&mut self.open));
        }
    }

    fn guarded(
        &mut self,
        cx: &mut Context<'_>,
        call: impl FnOnce(&mut Self, &mut Context<'_>) -> Polled,
    ) -> Polled {
        self.fuse.check::<StrictError>()?;
        let poll = call(self, cx);
        self.fuse.guard_poll(poll)
    }
}

impl Sink<u32> for Lingering {
    type Error = StrictError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        self.guarded(cx, |stage, cx| {
            if stage.open.len() >= BATCH {
                stage.seal();
            }
            // A flush that was given up may have sealed a batch after the grant.
            if !stage.granted {
                ready!(stage.poll_send(cx))?;
            }
            stage.granted = true;
            Poll::Ready(Ok(()))
        })
    }

    fn start_send(mut self: Pin<&mut Self>, item: u32) -> Result<(), StrictError> {
        self.fuse.check::<StrictError>()?;
        self.granted = false;
        self.open.push(item);
        if self.timer == Timer::ResetByItems {
            self.pause.as_mut().reset(Instant::now() + PAUSE);
        }
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        self.guarded(cx, |stage, cx| {
            stage.seal();
            ready!(stage.poll_send(cx))?;
            Pin::new(&mut stage.inner).poll_flush(cx)
        })
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        self.guarded(cx, |stage, cx| {
            if stage.closed {
                return Poll::Ready(Ok(()));
            }
            stage.seal();
            ready!(stage.poll_send(cx))?;
            ready!(Pin::new(&mut stage.inner).poll_close(cx))?;
            stage.closed = true;
            Poll::Ready(Ok(()))
        })
    }
}

//! The runs that a check is made of: the fixed cases and the random ones.

use std::{fmt, fmt::Debug};

use fastrand::Rng;
use futures::Sink;

use super::{
    Method,
    driver::{Breach, Driver, End},
    trace::Answer,
};

/// Seeds per fixed case: enough for stages of several phases, few beside the random runs.
const FIXED_SEEDS: u64 = 8;

/// Seeds of runs that are dropped on the way.
const ABANDONED_SEEDS: u64 = 64;

/// Errors are injected at the first, second, ... call of each method, up to this one.
const FAILING_CALLS: usize = 4;

/// One run, told by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    plan: Plan,
    pub(super) seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// Random calls and a random environment, then a close.
    Random,
    /// The same, and the inner sink fails at that call.
    Failing(Method, usize),
    /// The same, dropped on the way.
    Abandoned,
    /// `poll_close` as the first call.
    CloseFirst,
    /// `poll_close` again after it was `Ready`.
    CloseTwice,
    /// `poll_flush` with nothing held and an inner sink without room.
    IdleFlush,
    /// A `Pending` method polled again with another waker, which must be the one that wakes.
    ReplacedWaker(Method),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plan {
            Plan::Random => f.write_str("random")?,
            Plan::Failing(method, call) => write!(f, "failing-{method}-{call}")?,
            Plan::Abandoned => f.write_str("abandoned")?,
            Plan::CloseFirst => f.write_str("close-first")?,
            Plan::CloseTwice => f.write_str("close-twice")?,
            Plan::IdleFlush => f.write_str("idle-flush")?,
            Plan::ReplacedWaker(method) => write!(f, "replaced-waker-{method}")?,
        }
        write!(f, ":{}", self.seed)
    }
}

impl Case {
    /// The fixed cases, then `random` random ones.
    pub(super) fn all(random: u64) -> impl Iterator<Item = Self> {
        let failing = Method::ALL
            .into_iter()
            .flat_map(|method| (1..=FAILING_CALLS).map(move |call| Plan::Failing(method, call)));
        let fixed = [Plan::CloseFirst, Plan::CloseTwice, Plan::IdleFlush]
            .into_iter()
            .chain(
                [Method::PollReady, Method::PollFlush, Method::PollClose].map(Plan::ReplacedWaker),
            )
            .chain(failing)
            .flat_map(|plan| (0..FIXED_SEEDS).map(move |seed| Self { plan, seed }));
        fixed
            .chain((0..ABANDONED_SEEDS).map(|seed| Self {
                plan: Plan::Abandoned,
                seed,
            }))
            .chain((0..random).map(|seed| Self {
                plan: Plan::Random,
                seed,
            }))
    }

    /// The call of the inner sink that fails.
    pub(super) const fn failure(&self) -> Option<(Method, usize)> {
        match self.plan {
            Plan::Failing(method, call) => Some((method, call)),
            _ => None,
        }
    }

    pub(super) fn run<In, Out, S>(
        &self,
        driver: &mut Driver<'_, In, Out, S>,
        rng: &mut Rng,
    ) -> Result<(), Breach>
    where
        In: Clone,
        S: Sink<In>,
        S::Error: Debug,
    {
        match self.plan {
            Plan::Random | Plan::Failing(..) => {
                random_calls(driver, rng, usize::MAX)?;
                random_close(driver, rng)?;
                driver.check_fused()
            }
            Plan::Abandoned => {
                let steps = rng.usize(..40);
                random_calls(driver, rng, steps)?;
                if rng.bool() && driver.end().is_none() {
                    driver.poll(Method::PollClose)?;
                }
                Ok(())
            }
            Plan::CloseFirst => {
                if self.seed.is_multiple_of(2) {
                    driver.poll(Method::PollClose)?;
                }
                driver.settle(Method::PollClose)
            }
            Plan::CloseTwice => {
                driver.unblock();
                fill(driver, rng)?;
                driver.settle(Method::PollClose)?;
                driver.close_again()
            }
            Plan::IdleFlush => {
                driver.change(0, Some((true, false)));
                driver.poll(Method::PollFlush)?;
                driver.change(rng.usize(1..4), None);
                driver.poll(Method::PollFlush)?;
                driver.settle(Method::PollFlush)?;
                fill(driver, rng)?;
                driver.settle(Method::PollFlush)?;
                driver.poll(Method::PollFlush)?;
                driver.settle(Method::PollClose)
            }
            Plan::ReplacedWaker(method) => {
                driver.change(rng.usize(..3), None);
                fill(driver, rng)?;
                for _ in 0..=rng.usize(1..3) {
                    driver.poll(method)?;
                }
                driver.expect_wake()?;
                driver.settle(method)?;
                driver.settle(Method::PollClose)
            }
        }
    }
}

/// How much the environment lets through.
#[derive(Debug, Clone, Copy)]
enum Weather {
    /// Rarely a slot, gates open for a single step. Lost wakes show only here.
    Tight,
    /// Slots and gates come and go.
    Changing,
    /// Nothing blocks.
    Clear,
}

impl Weather {
    fn random(rng: &mut Rng) -> Self {
        match rng.u8(..8) {
            0..=3 => Self::Tight,
            4..=6 => Self::Changing,
            _ => Self::Clear,
        }
    }

    fn step<In, Out, S>(self, driver: &Driver<'_, In, Out, S>, rng: &mut Rng)
    where
        In: Clone,
        S: Sink<In>,
        S::Error: Debug,
    {
        match self {
            Self::Tight if rng.u8(..4) == 0 => match rng.u8(..3) {
                0 => driver.change(1, Some((false, false))),
                1 => driver.change(0, Some((true, false))),
                _ => driver.change(0, Some((false, true))),
            },
            Self::Tight => driver.change(0, Some((false, false))),
            Self::Changing if rng.u8(..4) > 0 => {
                let gates = rng.bool().then(|| (rng.bool(), rng.bool()));
                driver.change(rng.usize(..3), gates);
            }
            Self::Changing => {}
            Self::Clear => driver.unblock(),
        }
        if rng.u8(..3) == 0 {
            driver.pass_time(rng);
        }
    }
}

/// Random legal calls, short of a close, until the inputs are sent or `steps` are made.
fn random_calls<In, Out, S>(
    driver: &mut Driver<'_, In, Out, S>,
    rng: &mut Rng,
    steps: usize,
) -> Result<(), Breach>
where
    In: Clone,
    S: Sink<In>,
    S::Error: Debug,
{
    let weather = Weather::random(rng);
    // Some stages are flushed often, some hardly ever, so that both full and empty buffers are met.
    let flushes = rng.u8(..4);
    let enough = 20 + 12 * driver.unsent();
    for _ in 0..steps.min(rng.usize(enough / 2..=enough)) {
        weather.step(driver, rng);
        match driver.waiting_for() {
            // Half of the time as an executor: the same call again.
            Some(method) if rng.bool() => driver.poll(method).map(drop)?,
            Some(_) if rng.bool() => driver.expect_wake()?,
            _ if rng.u8(..12) < flushes => driver.poll(Method::PollFlush).map(drop)?,
            _ if rng.u8(..24) < flushes => driver.settle(Method::PollFlush)?,
            _ => driver.poll(Method::PollReady).map(drop)?,
        }
        if driver.end().is_some() {
            return Ok(());
        }
        // A grant is now and then held across other calls.
        if driver.is_granted() && rng.u8(..4) > 0 {
            driver.send()?;
        }
        if driver.end().is_some() {
            return Ok(());
        }
    }
    Ok(())
}

/// Closes in the same kind of environment, then with nothing in the way.
fn random_close<In, Out, S>(
    driver: &mut Driver<'_, In, Out, S>,
    rng: &mut Rng,
) -> Result<(), Breach>
where
    In: Clone,
    S: Sink<In>,
    S::Error: Debug,
{
    let weather = Weather::random(rng);
    for _ in 0..rng.usize(..50) {
        if driver.end().is_some() {
            return Ok(());
        }
        weather.step(driver, rng);
        driver.poll(Method::PollClose)?;
        if rng.bool() {
            driver.expect_wake()?;
        }
    }
    if driver.end().is_some() {
        Ok(())
    } else {
        driver.settle(Method::PollClose)
    }
}

/// Sends until the stage takes no more, or a random number of inputs.
fn fill<In, Out, S>(driver: &mut Driver<'_, In, Out, S>, rng: &mut Rng) -> Result<(), Breach>
where
    In: Clone,
    S: Sink<In>,
    S::Error: Debug,
{
    let wanted = if rng.bool() {
        driver.unsent()
    } else {
        rng.usize(..=driver.unsent())
    };
    for _ in 0..wanted {
        if driver.poll(Method::PollReady)? != Answer::Ready {
            break;
        }
        driver.send()?;
    }
    debug_assert_ne!(driver.end(), Some(End::Closed), "nothing was closed yet");
    Ok(())
}

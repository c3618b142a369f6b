//! A rate that finds out what the table can take.

use std::time::Duration;

use dynasink_core::WriteUnits;

use super::estimate::CapacityEstimate;
use super::questions::Questions;
use super::{FIRST_PAUSE, GREATEST_RATE, LEAST_RATE, LONGEST_PAUSE, Observation, Pauses};

/// What on-demand tables take when they are new, in units per second: the start where nothing else is known.
///
/// Source: *DynamoDB on-demand capacity mode*, "Initial throughput".
const NEW_ON_DEMAND_TABLE: f64 = 4_000.0;

/// The start of a search for a capacity of which nothing is known: most tables take it.
const SEARCH_START: f64 = 100.0;

/// The search doubles in so many seconds: 100 units per second become 40,000, a table's quota, in five.
const DOUBLING: f64 = 0.5;

/// What is left below the estimate after a refusal. The pause has made room already.
const DIP: f64 = 0.03;

/// Seconds until the rate is back at the estimate, and again until it is as far above.
const PLATEAU: f64 = 2.0;

/// So that the growth is [`DIP`] after [`PLATEAU`]; twice the estimate is reached after 8.4 seconds.
const STEEPNESS: f64 = DIP / (PLATEAU * PLATEAU * PLATEAU);

/// The longest first pause: a service saves up at least a second.
const LONGEST_FIRST_PAUSE: f64 = 1.0;

/// From this pause on, which is the fourth in a row, the estimate falls as well: it was not a debt that is paid by now.
const HOPELESS_PAUSE: Duration = Duration::from_millis(800);

/// The most that one answer adds to the time of a return: four times the rate.
const LONGEST_STEP: Duration = Duration::from_secs(1);

/// A run of refusals leaves at least this part of the capacity that was there before it. It is the pauses that keep what
/// is refused low; and from here the return takes four seconds.
const LEAST_PART: f64 = 0.01;

/// What a return that was refused leaves of the capacity before: it is not there.
const NOT_THERE: f64 = 0.5;

/// The law of the automatic rate: all of a capacity, whose rate and depth are not known.
///
/// A table, an index and a partition are token buckets. One that refuses is empty; what was written between two
/// refusals, over the time between them, is its rate.
///
/// - **A refusal** makes the estimate anew, and the rate goes on at 0.97 of it after a pause of 0.1 s, or as long as the
///   largest item takes if that is more: the bucket may be in debt by it. Refusals of what was under way then are echoes
///   and decide nothing. Refused again without a clean answer in between, the pause doubles, up to 4 s; from the fourth
///   on the estimate falls by 30 %, down to a hundredth of what it was before the run.
/// - **After such a run** nothing is measured. With the first clean answers the rate doubles every half second, up to
///   what the capacity was before: one that was gone for a while is used again within seconds.
/// - **Without refusals** the rate grows as a cubic of the law's time `t` since the refusal, `1 + a (t - 2)³` times the
///   estimate: 0.97 at once, level at 2 s, 1.03 at 4 s, twice as much at 8.4 s. So it stays long where the capacity was, and
///   finds one that has doubled within 10 s.
/// - **The law's time** passes while the rate is what holds the load back, and only as fast as operations tell
///   something: at first a second in nine of them, or in 100 for each operation that a question costs, and twice as much
///   with each such stretch. So a steady capacity has about 0.5 % of operations refused, whatever the latency; up to 5 %
///   where one takes many seconds of the rate.
/// - **The start** is the capacity that is described. Where there is none, [`unknown`](Self::unknown) doubles the rate
///   every half second until the first refusal.
///
/// It has no clock. The shape of the growth is that of CUBIC (RFC 9438).
#[derive(Clone, Debug)]
pub struct AutoRate {
    phase: Phase,
    /// The law's time in its phase, in seconds.
    time: f64,
    rate: f64,
    ceiling: f64,
    /// What somebody has chosen, which is a ceiling as well.
    chosen: f64,
    estimate: CapacityEstimate,
    /// The estimate at the first refusal of a run.
    before_the_run: f64,
    pauses: Pauses,
    questions: Questions,
    seen: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Doubling until the first refusal.
    Search,
    /// No rate until the first refusal.
    Open,
    /// Around this estimate.
    Around(f64),
    /// Doubling from a rate that a run of refusals has left, up to the estimate before the run.
    Return(f64),
}

impl AutoRate {
    /// Starts at the capacity that the table's description names, else at what a new on-demand table takes.
    pub fn starting_at(capacity: Option<WriteUnits>) -> Self {
        let start = capacity.map_or(NEW_ON_DEMAND_TABLE, |units| units.get() as f64);
        let start = start.clamp(LEAST_RATE, GREATEST_RATE);
        let phase = Phase::Around(start);
        Self::new(phase, PLATEAU, CapacityEstimate::described(start))
    }

    /// Starts a search for a capacity of which nothing is known, at 100 units per second.
    pub fn unknown() -> Self {
        Self::new(Phase::Search, 0.0, CapacityEstimate::default())
    }

    /// Starts without a limit, for an index of which nothing is known: it is the first refusal that makes one.
    pub fn open() -> Self {
        Self::new(Phase::Open, 0.0, CapacityEstimate::default())
    }

    fn new(phase: Phase, time: f64, estimate: CapacityEstimate) -> Self {
        let mut law = Self {
            phase,
            time,
            rate: LEAST_RATE,
            ceiling: GREATEST_RATE,
            chosen: GREATEST_RATE,
            before_the_run: estimate.units().unwrap_or(GREATEST_RATE),
            estimate,
            pauses: Pauses::default(),
            questions: Questions::default(),
            seen: None,
        };
        law.follow();
        law
    }

    /// Never goes above `ceiling`, a limit that is set and does not move, such as a maximum on demand.
    #[must_use]
    pub fn below(mut self, ceiling: WriteUnits) -> Self {
        self.ceiling = (ceiling.get() as f64).clamp(LEAST_RATE, GREATEST_RATE);
        self.follow();
        self
    }

    /// The rate now, in units per second.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The capacity as described or as last measured, in units per second.
    pub fn capacity(&self) -> Option<f64> {
        self.estimate.units()
    }

    /// Goes on from `rate`, which somebody else has chosen, and does not go above it until another is chosen.
    pub fn set_rate(&mut self, rate: WriteUnits) {
        let rate = (rate.get() as f64).clamp(LEAST_RATE, GREATEST_RATE);
        self.chosen = rate;
        self.before_the_run = self.estimate.set(rate);
        self.phase = Phase::Around(rate);
        self.time = PLATEAU;
        self.follow();
    }

    /// Goes on below the ceiling of `law`, and above what somebody has chosen.
    pub(super) fn change_to(&mut self, law: &Self) {
        self.ceiling = law.ceiling;
        self.chosen = GREATEST_RATE;
        self.follow();
    }

    /// Learns from an answer that came at `now`. After a refusal it asks for a pause.
    pub fn observe(&mut self, now: Duration, observation: &Observation) -> Option<Duration> {
        let elapsed = now.saturating_sub(self.seen.replace(now).unwrap_or(now));
        let held_back = if observation.waited {
            elapsed
        } else {
            Duration::ZERO
        };
        let Observation {
            sent,
            units,
            written_ops,
            refused_ops,
            ..
        } = *observation;
        self.estimate.written(now, units, written_ops, held_back);
        if refused_ops > 0 {
            self.questions.refused(refused_ops);
            return (!self.pauses.is_echo(sent)).then(|| self.back_off(now, refused_ops));
        }
        if written_ops > 0 {
            self.pauses.clean(sent);
        }
        if written_ops > 0 && !held_back.is_zero() {
            self.time += self.passed(held_back, units, written_ops);
        }
        self.follow();
        self.end_a_return();
        None
    }

    /// The law's time in `held_back`, in which so much was written.
    fn passed(&mut self, held_back: Duration, units: f64, written_ops: usize) -> f64 {
        if let Phase::Return(_) = self.phase {
            return held_back.min(LONGEST_STEP).as_secs_f64();
        }
        let seconds_each = units / written_ops as f64 / self.rate;
        let worth = self.questions.seconds(written_ops, seconds_each);
        held_back.as_secs_f64().min(worth)
    }

    /// Goes on around the capacity that was there before, once a return has come so far.
    fn end_a_return(&mut self) {
        let most = self.ceiling.min(self.chosen).min(self.before_the_run);
        if matches!(self.phase, Phase::Return(_)) && self.rate >= most {
            let estimate = self.estimate.set(self.before_the_run);
            self.phase = Phase::Around(estimate);
            self.time = 0.0;
            self.follow();
        }
    }

    fn back_off(&mut self, now: Duration, refused_ops: usize) -> Duration {
        let runs_on = self.pauses.runs_on(now);
        let mut estimate = match self.phase {
            Phase::Return(_) if !runs_on => {
                let most = self.rate.min(self.before_the_run * NOT_THERE);
                self.estimate.refused_in_a_return(now, most)
            }
            _ => self.estimate.refused(now, self.rate),
        };
        if !runs_on {
            self.questions.answered(refused_ops);
            self.before_the_run = estimate;
        }
        let debt = (self.estimate.largest_item() / estimate).min(LONGEST_FIRST_PAUSE);
        let first = FIRST_PAUSE.max(Duration::from_secs_f64(debt));
        let pause = self.pauses.begin(now, first);
        self.phase = if pause >= HOPELESS_PAUSE.max(first * 2) {
            estimate = self.estimate.fall(self.least_after_a_run());
            Phase::Return(estimate)
        } else {
            Phase::Around(estimate)
        };
        self.time = 0.0;
        self.follow();
        pause
    }

    /// A part of the capacity that was there before, at which the largest request comes together in the longest pause: one is
    /// to be tried after each.
    fn least_after_a_run(&self) -> f64 {
        let of_a_request = self.estimate.largest_request() / LONGEST_PAUSE.as_secs_f64();
        let part = self.before_the_run * LEAST_PART;
        part.max(of_a_request).min(self.before_the_run)
    }

    /// Sets the rate to what the law says.
    fn follow(&mut self) {
        let rate = match self.phase {
            Phase::Search => SEARCH_START * (self.time / DOUBLING).exp2(),
            Phase::Open => GREATEST_RATE,
            Phase::Around(estimate) => estimate * (1.0 + STEEPNESS * (self.time - PLATEAU).powi(3)),
            Phase::Return(from) => (from * (self.time / DOUBLING).exp2()).min(self.before_the_run),
        };
        self.rate = rate.clamp(LEAST_RATE, self.ceiling.min(self.chosen));
    }
}

#[cfg(test)]
mod tests;

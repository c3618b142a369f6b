//! The laws of a rate: pure, without a clock. Time is what has passed since any one moment.

mod auto;
mod estimate;
mod last_second;
mod questions;
mod yielding;

use std::time::Duration;

use dynasink_core::WriteUnits;

pub use auto::AutoRate;
pub(super) use last_second::LastSecond;
pub use yielding::YieldingRate;

/// No rate is lower, in units per second: the smallest item must pass some time.
const LEAST_RATE: f64 = 1.0;

/// No rate is higher, in units per second: more than any table takes, and still one unit in some nanoseconds.
pub(super) const GREATEST_RATE: f64 = 100_000_000.0;

/// The first pause after a refusal. The service saves up for at least a second what is not drawn, so it costs nothing;
/// and it is longer than most latencies, so that the answers of what was under way have come when it ends.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause: a table that refuses everything is still asked that often.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// What one answer says about one resource, a table or an index.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observation {
    /// When the request was sent.
    pub sent: Duration,
    /// Units that it drew.
    pub units: f64,
    /// Operations that were written.
    pub written_ops: usize,
    /// Operations that were refused for want of this resource's capacity.
    pub refused_ops: usize,
    /// Whether somebody had to wait for this resource's units since the last observation: the rate is what holds the
    /// load back.
    pub waited: bool,
}

/// How the rate of a table or an index is found.
#[derive(Clone, Debug)]
pub enum RateLaw {
    /// It is given, in units per second.
    Fixed(WriteUnits),
    /// All of the capacity: see [`AutoRate`].
    Auto(Box<AutoRate>),
    /// What others leave: see [`YieldingRate`].
    Yielding(YieldingRate),
}

impl RateLaw {
    /// The rate now, in units per second.
    pub fn rate(&self) -> f64 {
        match self {
            Self::Fixed(rate) => (rate.get() as f64).clamp(LEAST_RATE, GREATEST_RATE),
            Self::Auto(law) => law.rate(),
            Self::Yielding(law) => law.rate(),
        }
    }

    /// Goes on from `rate`, which somebody else has chosen. A law that finds its rate does not go above it until another is
    /// chosen.
    pub fn set_rate(&mut self, rate: WriteUnits) {
        match self {
            Self::Fixed(fixed) => *fixed = rate,
            Self::Auto(law) => law.set_rate(rate),
            Self::Yielding(law) => law.set_rate(rate),
        }
    }

    /// Goes on by `law`. What a law of the same kind has learnt is kept, and what somebody has chosen is forgotten.
    pub fn change_to(&mut self, law: Self) {
        match (self, law) {
            (Self::Auto(known), Self::Auto(law)) => known.change_to(&law),
            (Self::Yielding(known), Self::Yielding(law)) => known.change_to(&law),
            (known, law) => *known = law,
        }
    }

    /// The capacity of the resource as far as it is known, in units per second.
    pub fn capacity(&self) -> Option<f64> {
        match self {
            Self::Fixed(_) => None,
            Self::Auto(law) => law.capacity(),
            Self::Yielding(law) => law.capacity(),
        }
    }

    /// Learns from an answer. It may ask for a pause, in which nothing is admitted.
    pub fn observe(&mut self, now: Duration, observation: &Observation) -> Option<Duration> {
        match self {
            Self::Fixed(_) => None,
            Self::Auto(law) => law.observe(now, observation),
            Self::Yielding(law) => law.observe(now, observation),
        }
    }
}

impl From<AutoRate> for RateLaw {
    fn from(law: AutoRate) -> Self {
        Self::Auto(Box::new(law))
    }
}

impl From<YieldingRate> for RateLaw {
    fn from(law: YieldingRate) -> Self {
        Self::Yielding(law)
    }
}

/// Pauses after refusals: the first is short, and each doubles that follows one without a clean answer in between.
#[derive(Clone, Copy, Debug, Default)]
struct Pauses {
    last: Option<Pause>,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    began: Duration,
    length: Duration,
    /// Whether something that was sent after it was written, and nothing of its request refused.
    answered: bool,
}

impl Pause {
    fn runs_on(&self, now: Duration) -> bool {
        let due = self.began + self.length * 2 + Duration::from_secs(1);
        !self.answered && now <= due
    }
}

impl Pauses {
    /// Whether a request that was sent then was under way when the last pause began: its refusal is an echo.
    fn is_echo(&self, sent: Duration) -> bool {
        self.last.is_some_and(|pause| sent <= pause.began)
    }

    /// Takes note of a request of which nothing was refused.
    fn clean(&mut self, sent: Duration) {
        if let Some(pause) = &mut self.last
            && sent > pause.began
        {
            pause.answered = true;
        }
    }

    /// Whether a pause that begins now is the next in a row.
    fn runs_on(&self, now: Duration) -> bool {
        self.last.is_some_and(|last| last.runs_on(now))
    }

    /// Begins a pause, of `first` if it is not the next in a row.
    fn begin(&mut self, now: Duration, first: Duration) -> Duration {
        let length = match self.last {
            Some(last) if last.runs_on(now) => (last.length * 2).max(first),
            _ => first,
        }
        .min(LONGEST_PAUSE);
        self.last = Some(Pause {
            began: now,
            length,
            answered: false,
        });
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rate after a minute in which it was all used and nothing refused.
    fn a_clean_minute(law: &mut RateLaw, from: u64) -> f64 {
        for second in from..from + 60 {
            let rate = law.rate();
            let observation = Observation {
                sent: Duration::from_secs(second),
                units: rate,
                written_ops: 1_000,
                refused_ops: 0,
                waited: true,
            };
            law.observe(Duration::from_secs(second + 1), &observation);
        }
        law.rate()
    }

    #[test]
    fn a_rate_that_was_lowered_stays_so_until_that_is_taken_back() {
        let capacity = Some(WriteUnits::new(1_000));
        let auto: RateLaw = AutoRate::starting_at(capacity).into();
        let yielding: RateLaw = YieldingRate::new(capacity, 0.1).into();
        for start in [auto, yielding] {
            let mut law = start.clone();
            law.set_rate(WriteUnits::new(100));
            let lowered = a_clean_minute(&mut law, 0);
            assert!(lowered <= 100.0, "{lowered}");
            law.change_to(start);
            let lifted = a_clean_minute(&mut law, 60);
            assert!(lifted >= 800.0, "{lifted}");
        }
    }

    #[test]
    fn a_law_of_another_kind_takes_the_place_of_the_one_before() {
        let mut law = RateLaw::Fixed(WriteUnits::new(100));
        law.change_to(AutoRate::starting_at(Some(WriteUnits::new(1_000))).into());
        assert!((law.rate() - 1_000.0).abs() < 1.0);
        law.change_to(RateLaw::Fixed(WriteUnits::new(70)));
        assert!((law.rate() - 70.0).abs() < 1.0);
    }

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn pauses_double_until_an_answer_is_clean() {
        let mut pauses = Pauses::default();
        let lengths: Vec<u128> = (0..8_u64)
            .map(|n| pauses.begin(millis(n * 1_000), FIRST_PAUSE).as_millis())
            .collect();
        assert_eq!(lengths, [100, 200, 400, 800, 1600, 3200, 4000, 4000]);
        pauses.clean(millis(6_900));
        assert_eq!(pauses.begin(millis(8_000), FIRST_PAUSE), millis(4_000));
        pauses.clean(millis(8_001));
        assert_eq!(pauses.begin(millis(8_100), FIRST_PAUSE), FIRST_PAUSE);
        assert_eq!(pauses.begin(millis(60_000), FIRST_PAUSE), FIRST_PAUSE);
    }

    #[test]
    fn what_was_under_way_is_an_echo() {
        let mut pauses = Pauses::default();
        assert!(!pauses.is_echo(Duration::ZERO));
        pauses.begin(millis(50), FIRST_PAUSE);
        assert!(pauses.is_echo(millis(50)));
        assert!(!pauses.is_echo(millis(51)));
    }
}

//! A rate that finds out what the table can take.

use std::time::Duration;

use dynasink_core::WriteUnits;

use super::estimate::CapacityEstimate;
use super::questions::Questions;
use super::{FIRST_PAUSE, GREATEST_RATE, LEAST_RATE, Observation, Pauses};

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

/// The law of the automatic rate: all of a capacity, whose rate and depth are not known.
///
/// A table, an index and a partition are token buckets. One that refuses is empty; what was written between two
/// refusals, over the time between them, is its rate.
///
/// - **A refusal** makes the estimate anew, and the rate goes on at 0.97 of it after a pause of 0.1 s, or as long as the
///   largest item takes if that is more: the bucket may be in debt by it. Refusals of what was under way then are echoes
///   and decide nothing. Refused again without a clean answer in between, the pause doubles, up to 4 s; from the fourth
///   on the estimate falls by 30 %.
/// - **Without refusals** the rate grows as a cubic of the law's time `t` since the refusal, `1 + a (t - 2)³` times the
///   estimate: 0.97 at once, level at 2 s, 1.03 at 4 s, twice as much at 8.4 s. So it stays long where the capacity was, and
///   finds one that has doubled within 10 s.
/// - **The law's time** passes while the rate is what holds the load back, and only as fast as operations tell
///   something: at most a second in twelve of them, or in 40 for each operation that a question costs. So a steady
///   capacity has about 0.5 % of operations refused, whatever their size and the latency.
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
    estimate: CapacityEstimate,
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

    /// Goes on from `rate`, which somebody else has chosen.
    pub fn set_rate(&mut self, rate: WriteUnits) {
        let rate = (rate.get() as f64).clamp(LEAST_RATE, GREATEST_RATE);
        self.estimate.set(rate);
        self.phase = Phase::Around(rate);
        self.time = PLATEAU;
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
        let worth = self.questions.seconds(written_ops);
        self.time += held_back.as_secs_f64().min(worth);
        self.follow();
        None
    }

    fn back_off(&mut self, now: Duration, refused_ops: usize) -> Duration {
        self.questions.answered(refused_ops);
        let mut estimate = self.estimate.refused(now, self.rate);
        let debt = (self.estimate.largest_item() / estimate).min(LONGEST_FIRST_PAUSE);
        let first = FIRST_PAUSE.max(Duration::from_secs_f64(debt));
        let pause = self.pauses.begin(now, first);
        if pause >= HOPELESS_PAUSE.max(first * 2) {
            estimate = self.estimate.fall();
        }
        self.phase = Phase::Around(estimate);
        self.time = 0.0;
        self.follow();
        pause
    }

    /// Sets the rate to what the law says.
    fn follow(&mut self) {
        let rate = match self.phase {
            Phase::Search => SEARCH_START * (self.time / DOUBLING).exp2(),
            Phase::Open => GREATEST_RATE,
            Phase::Around(estimate) => estimate * (1.0 + STEEPNESS * (self.time - PLATEAU).powi(3)),
        };
        self.rate = rate.clamp(LEAST_RATE, self.ceiling);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// Answers every ten milliseconds at the law's rate, one unit an operation.
    fn run(law: &mut AutoRate, from: f64, to: f64, waited: bool) {
        let mut now = from;
        while now < to {
            now += 0.01;
            let units = (law.rate() / 100.0).round();
            let observation = Observation {
                sent: at(now - 0.005),
                units,
                written_ops: WriteUnits::from_consumed(units).get().try_into().unwrap(),
                waited,
                ..Observation::default()
            };
            assert_eq!(law.observe(at(now), &observation), None);
        }
    }

    fn refuse(law: &mut AutoRate, now: f64) -> Option<Duration> {
        let refused = Observation {
            sent: at(now - 0.005),
            refused_ops: 1,
            waited: true,
            ..Observation::default()
        };
        law.observe(at(now), &refused)
    }

    fn about(rate: f64, expected: f64) {
        assert!(
            (rate / expected - 1.0).abs() < 0.03,
            "{rate} for {expected}"
        );
    }

    #[test]
    fn it_stays_where_the_capacity_was_and_then_grows_without_bound() {
        let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
        refuse(&mut law, 1.0);
        for (from, to, expected) in [
            (1.0, 1.02, 970.0),
            (1.02, 3.0, 1_000.0),
            (3.0, 5.0, 1_030.0),
            (5.0, 9.4, 2_000.0),
        ] {
            run(&mut law, from, to, true);
            about(law.rate(), expected);
        }
    }

    #[test]
    fn a_rate_that_holds_nothing_back_does_not_grow() {
        let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
        run(&mut law, 0.0, 60.0, false);
        about(law.rate(), 1_000.0);
    }

    #[test]
    fn an_echo_decides_nothing() {
        let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
        run(&mut law, 0.0, 6.0, true);
        assert_eq!(refuse(&mut law, 6.01), Some(FIRST_PAUSE));
        let rate = law.rate();
        assert_eq!(refuse(&mut law, 6.012), None);
        about(law.rate(), rate);
    }

    #[test]
    fn a_search_doubles_until_the_first_refusal() {
        let mut law = AutoRate::unknown();
        assert_eq!(law.capacity(), None);
        run(&mut law, 0.0, 2.0, true);
        about(law.rate(), 1_600.0);
        assert!(refuse(&mut law, 2.01).is_some());
        let found = law.capacity().unwrap();
        assert!((600.0..1_600.0).contains(&found), "{found}");
    }

    #[test]
    fn a_ceiling_is_never_passed() {
        let ceiling = WriteUnits::new(1_200);
        let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000))).below(ceiling);
        run(&mut law, 0.0, 30.0, true);
        about(law.rate(), 1_200.0);
    }

    #[test]
    fn a_table_that_refuses_everything_is_asked_seldom_and_at_the_least_rate() {
        let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
        let mut now = 1.0;
        let mut asked = 0;
        while now < 301.0 {
            let pause = refuse(&mut law, now).unwrap();
            now += pause.as_secs_f64() + 0.05;
            asked += 1;
        }
        assert!((70..90).contains(&asked), "{asked} times in five minutes");
        about(law.rate(), LEAST_RATE);
    }

    #[test]
    fn an_open_law_has_no_limit_before_the_first_refusal() {
        let mut law = AutoRate::open();
        assert!(law.rate() >= 1e6);
        let written = Observation {
            sent: at(0.9),
            units: 500.0,
            written_ops: 500,
            ..Observation::default()
        };
        law.observe(at(1.0), &written);
        assert!(refuse(&mut law, 1.5).is_some());
        assert!(law.rate() <= 1_000.0, "{}", law.rate());
    }

    /// Written at what is left: a tenth at first, and later all that the law asks for.
    fn until_doubled(law: &mut AutoRate, mut now: f64, ops: usize) -> f64 {
        let (start, first, mut sent) = (now, law.rate(), 0.0);
        while law.rate() < 2.0 * first {
            assert!(now - start < 36_000.0, "not doubled within ten hours");
            now += 0.01;
            sent += law.rate() / 100.0;
            // One unit an operation, in requests of so many.
            let mut written_ops = 0;
            while sent >= ops as f64 {
                sent -= ops as f64;
                written_ops += ops;
            }
            if written_ops > 0 {
                let observation = Observation {
                    sent: at(now - 0.005),
                    units: written_ops as f64,
                    written_ops,
                    waited: true,
                    ..Observation::default()
                };
                law.observe(at(now), &observation);
            }
        }
        now - start
    }

    #[test]
    fn echoes_of_one_fall_do_not_freeze_the_growth() {
        let mut law = AutoRate::starting_at(Some(WriteUnits::new(4_000)));
        run(&mut law, 0.0, 2.0, true);
        // A tenth is left. At 150 ms and 4,000 a second, 24 requests of 25 are under way.
        refuse(&mut law, 2.01);
        for _ in 0..24 {
            let echo = Observation {
                sent: at(2.0),
                refused_ops: 25,
                waited: true,
                ..Observation::default()
            };
            law.observe(at(2.1), &echo);
        }
        refuse(&mut law, 2.5);
        law.set_rate(WriteUnits::new(400));
        law.time = 0.0;
        let seconds = until_doubled(&mut law, 2.6, 25);
        assert!(seconds < 20.0, "doubled after {seconds} s");
    }

    /// A table of 5 units a second whose capacity is raised, written items of 400 KB.
    #[test]
    fn a_capacity_that_is_raised_is_found_though_items_are_large() {
        let mut law = AutoRate::starting_at(Some(WriteUnits::new(5)));
        let (mut now, mut answered) = (0.0, 0);
        while law.rate() < 10.0 {
            now += 400.0 / law.rate();
            answered += 1;
            let observation = Observation {
                sent: at(now - 0.005),
                units: 400.0,
                written_ops: 1,
                waited: true,
                ..Observation::default()
            };
            law.observe(at(now), &observation);
        }
        assert!(now < 1_800.0, "doubled after {now} s and {answered} items");
    }
}

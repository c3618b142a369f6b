//! How fast the operations of one hot partition key go.

use std::time::Duration;

use tokio::time::Instant;

/// What a key starts at of what was written of it: a little below, so that its partition gets ahead.
const FIRST: f64 = 0.97;

/// When the rate is back at the estimate, in seconds of the law. What a key can have changes with every other key of
/// its partition that begins or ends, and to ask costs a few operations of one key.
const PLATEAU: f64 = 1.0;

/// How fast the rate leaves the plateau: 0.97 of the estimate at the start, 1.03 at twice the plateau, twice the
/// estimate after 4.2 s.
const CURVATURE: f64 = (1.0 - FIRST) / (PLATEAU * PLATEAU * PLATEAU);

/// What a refusal leaves of the rate where nothing better was measured.
const BACK_OFF: f64 = 0.7;

/// The least that a refusal leaves of the rate, whatever was measured: a table that took nothing for a moment says
/// little about the key.
const DEEPEST_FALL: f64 = 0.5;

/// Shortest time in which what was written measures a rate.
const MEASURED_AFTER: Duration = Duration::from_secs(1);

/// The rest after a refusal. The partition saves up what it could have written meanwhile, at least a second of it, so
/// that nothing is lost.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest rest, however often the key is refused again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// One partition takes no more, in units per second: a start above it would be refused at once.
///
/// Source: *Best practices for designing and using partition keys effectively*. A key may get more once its items are
/// spread over partitions by their sort keys, so that it bounds the start alone.
const PARTITION_RATE: f64 = 1000.0;

/// Slowest, in units per second: who waits does not wait for ever.
const LEAST_RATE: f64 = 1.0;

/// What may be made up for of the time in which nothing could be sent: a part of what a partition saves up.
const CATCH_UP: Duration = Duration::from_millis(100);

/// Operations that must be sent for the law to go on by a second: a large item a second shows little.
const SHOWN_BY: f64 = 12.0;

/// The law of the rate of a partition key that is refused: that of CUBIC's window, for a rate.
///
/// A partition that refuses is empty. Between two refusals it gave all that it could, so that what was written between
/// them, by the time between them, is what it can give to this key.
///
/// - **Refusal**: the estimate is what was measured since the last one, at least half of the rate. It takes a second or more to measure; refused
///   earlier, the estimate falls to 0.7 of the rate. The key rests for 100 ms, twice as long each time that it is
///   refused again within a second. A refusal of what was sent before the last one tells nothing new.
/// - **No refusal**: the rate is `estimate × (1 + a (t - 1)³)`: 0.97 of the estimate at the start, the estimate after
///   1 s, twice the estimate after 4.2 s. So a steady capacity is asked every few seconds, for a few operations,
///   and a doubled one is found in five.
/// - The law's time stands still while no operation of the key waits, and goes on by no more than a second for each
///   dozen operations.
///
/// It has no clock: time is what it is told.
///
/// Source: RFC 9438, *CUBIC for Fast and Long-Distance Networks*.
#[derive(Clone, Debug)]
pub(super) struct KeyPace {
    estimate: f64,
    /// Seconds of the law since the last refusal.
    time: f64,
    /// How far the law's time may go on by what was sent, in seconds.
    shown: f64,
    advanced_at: Instant,
    refused_at: Instant,
    pause: Duration,
    paused_until: Instant,
    /// What was written, and since when.
    written: f64,
    measured_from: Instant,
    /// When the next operation may go.
    next_at: Instant,
}

impl KeyPace {
    /// The law after a first refusal at `now`, of a key of which so many units a second were written.
    pub(super) fn new(written_per_second: f64, now: Instant) -> Self {
        let paused_until = now + FIRST_PAUSE;
        Self {
            estimate: written_per_second.clamp(LEAST_RATE, PARTITION_RATE),
            time: 0.0,
            shown: 0.0,
            advanced_at: now,
            refused_at: now,
            pause: FIRST_PAUSE,
            paused_until,
            written: 0.0,
            measured_from: now,
            next_at: paused_until,
        }
    }

    /// Units per second.
    pub(super) fn rate(&self) -> f64 {
        let cubed = (self.time - PLATEAU).powi(3);
        (self.estimate * (1.0 + CURVATURE * cubed)).max(LEAST_RATE)
    }

    /// Lets the law's time go on to `now`, if operations of the key are `waiting`.
    pub(super) fn advance(&mut self, now: Instant, waiting: bool) {
        let elapsed = now
            .saturating_duration_since(self.advanced_at)
            .as_secs_f64();
        self.advanced_at = now;
        if waiting && now >= self.paused_until {
            let step = elapsed.min(self.shown);
            self.time += step;
            self.shown -= step;
        }
    }

    /// When the next operation may go.
    pub(super) fn next_at(&self) -> Instant {
        self.next_at.max(self.paused_until)
    }

    /// The same, as far as it is made up for at `now`.
    pub(super) fn next_from(&self, now: Instant) -> Instant {
        self.next_at().max(now.checked_sub(CATCH_UP).unwrap_or(now))
    }

    /// When another may go, if an operation of so many units goes as of `next_at`.
    pub(super) fn after(&self, next_at: Instant, units: u64) -> Instant {
        next_at + Duration::from_secs_f64(units as f64 / self.rate())
    }

    /// Notes that so many operations went at `now`, of so many units.
    pub(super) fn spend(&mut self, now: Instant, ops: usize, units: u64) {
        self.next_at = self.after(self.next_from(now), units);
        self.shown = (self.shown + ops as f64 / SHOWN_BY).min(1.0);
    }

    /// Notes that so many units were written.
    pub(super) fn written(&mut self, units: u64) {
        self.written += units as f64;
    }

    /// Notes that operations wait again at `now`, after none did. The partition may have saved up in the meantime: what
    /// was written until now measures nothing.
    pub(super) fn resume(&mut self, now: Instant) {
        if now.saturating_duration_since(self.advanced_at) >= MEASURED_AFTER {
            self.written = 0.0;
            self.measured_from = now;
        }
    }

    /// Sends nothing before `until`.
    pub(super) fn pause_until(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(until);
    }

    /// Notes at `now` that operations were refused that were sent at `sent`.
    pub(super) fn refused(&mut self, now: Instant, sent: Instant) {
        if sent < self.refused_at {
            return;
        }
        let measured_in = now.saturating_duration_since(self.measured_from);
        if measured_in >= MEASURED_AFTER {
            let measured = self.written / measured_in.as_secs_f64();
            self.estimate = measured.max(self.rate() * DEEPEST_FALL);
            self.pause = FIRST_PAUSE;
            self.written = 0.0;
            self.measured_from = now;
        } else {
            self.estimate = self.rate() * BACK_OFF;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        self.estimate = self.estimate.max(LEAST_RATE);
        self.time = 0.0;
        self.shown = 0.0;
        self.refused_at = now;
        self.pause_until(now + self.pause);
    }

    /// When the last refusal was that told something.
    pub(super) fn refused_at(&self) -> Instant {
        self.refused_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(5);

    /// A partition that takes `rate` units a second, and saves up one second.
    struct Partition {
        rate: f64,
        level: f64,
    }

    impl Partition {
        fn pass(&mut self) {
            self.level = (self.level + self.rate * TICK.as_secs_f64()).min(self.rate);
        }

        fn take(&mut self, units: u64) -> bool {
            let takes = self.level >= 1.0;
            if takes {
                self.level -= units as f64;
            }
            takes
        }
    }

    /// Sends operations of `units` at the pace to `partition` for so long, the answers after `latency`. Gives the
    /// units that were written and the operations that were refused.
    fn run(
        pace: &mut KeyPace,
        partition: &mut Partition,
        now: &mut Instant,
        seconds: u64,
        units: u64,
        latency: Duration,
    ) -> (u64, u64) {
        let (mut written, mut refused) = (0, 0);
        let mut answers = std::collections::VecDeque::new();
        let end = *now + Duration::from_secs(seconds);
        while *now < end {
            *now += TICK;
            partition.pass();
            while let Some((sent, taken)) =
                answers.pop_front_if(|(sent, _)| *sent + latency <= *now)
            {
                if taken {
                    pace.written(units);
                    written += units;
                } else {
                    pace.refused(*now, sent);
                    refused += 1;
                }
            }
            pace.advance(*now, true);
            while pace.next_at() <= *now {
                pace.spend(*now, 1, units);
                answers.push_back((*now, partition.take(units)));
            }
        }
        (written, refused)
    }

    fn starting_at(rate: f64) -> (KeyPace, Instant) {
        let now = Instant::now();
        (KeyPace::new(rate, now), now)
    }

    #[test]
    fn a_partition_is_used_in_full_and_asked_for_little_more() {
        for (rate, start, units, millis) in [
            (1000.0, 1000.0, 1, 10),
            (1000.0, 600.0, 4, 10),
            (1000.0, 900.0, 10, 150),
            (200.0, 1000.0, 1, 10),
            (50.0, 200.0, 1, 50),
        ] {
            let (mut pace, mut now) = starting_at(start);
            let mut partition = Partition { rate, level: 0.0 };
            let latency = Duration::from_millis(millis);
            let (written, refused) = run(&mut pace, &mut partition, &mut now, 60, units, latency);
            let share = written as f64 / (rate * 60.0);
            let refused = refused as f64 * units as f64 / written as f64;
            assert!(share > 0.93, "{rate} from {start}: {share}");
            assert!(refused < 0.02, "{rate} from {start}: {refused}");
        }
    }

    #[test]
    fn a_capacity_that_doubles_or_halves_is_followed_within_ten_seconds() {
        let latency = Duration::from_millis(10);
        let (mut pace, mut now) = starting_at(500.0);
        let mut partition = Partition {
            rate: 400.0,
            level: 0.0,
        };
        run(&mut pace, &mut partition, &mut now, 30, 1, latency);
        partition.rate = 800.0;
        run(&mut pace, &mut partition, &mut now, 10, 1, latency);
        let (written, _) = run(&mut pace, &mut partition, &mut now, 20, 1, latency);
        assert!(written > 20 * 800 * 95 / 100, "{written} of 16000");
        partition.rate = 200.0;
        run(&mut pace, &mut partition, &mut now, 10, 1, latency);
        let (written, refused) = run(&mut pace, &mut partition, &mut now, 20, 1, latency);
        assert!(written > 20 * 200 * 95 / 100, "{written} of 4000");
        assert!(refused < 80, "{refused}");
    }

    #[test]
    fn the_rate_rises_only_while_operations_wait() {
        let (mut pace, now) = starting_at(100.0);
        let (first, end) = (pace.rate(), now + Duration::from_mins(1));
        pace.spend(now, 1000, 1);
        pace.advance(end, false);
        assert!(pace.rate() <= first);
        pace.advance(end + Duration::from_secs(1), true);
        assert!(pace.rate() > first);
    }

    #[test]
    fn an_echo_tells_nothing_new() {
        let (mut pace, now) = starting_at(100.0);
        let before = pace.rate();
        pace.refused(now + Duration::from_secs(3), now - TICK);
        assert!(pace.rate() >= before);
        pace.refused(now + TICK, now);
        assert!(pace.rate() < before);
    }

    #[test]
    fn refused_again_and_again_it_rests_ever_longer() {
        let (mut pace, _) = starting_at(100.0);
        let mut rests = Vec::new();
        for _ in 0..3 {
            let now = pace.next_at();
            pace.refused(now, now);
            rests.push((pace.next_at() - now).as_millis());
        }
        assert_eq!(rests, [200, 400, 800]);
        assert!(pace.rate() >= LEAST_RATE);
    }
}

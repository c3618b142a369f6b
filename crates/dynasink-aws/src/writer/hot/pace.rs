//! How fast the operations of one hot partition key go.

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::Instant;

/// What a key starts at of what it seems to take: a little below, so that its partition gets ahead.
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

/// The least that refusals leave of what was measured last, while nothing is measured: a partition that takes nothing
/// for long says nothing about what it takes afterwards, and is asked every few seconds at most.
const DEEPEST_UNMEASURED_FALL: f64 = 1.0 / 16.0;

/// How much faster an operation goes than the one before, once a partition that took nothing takes one again, up to what
/// was measured last.
const RETURN: f64 = 2.0;

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

/// The fewest of them. A key of few units a second needs no more than it has in one: what it is refused is little, and it
/// would not be found for minutes that it may have more.
const LEAST_SHOWN_BY: f64 = 3.0;

/// The law of the rate of a partition key that is refused: that of CUBIC's window, for a rate.
///
/// A partition that refuses is empty. Between two refusals it gave all that it could, so that what was written between
/// them, by the time between them, is what it can give to this key.
///
/// - **Refusal**: the estimate is what was measured since the last one, at least half of the rate. It takes a second or
///   more to measure, and something written; refused earlier, the estimate falls to 0.7 of the rate. The key rests for
///   100 ms, twice as long each time that it is refused again without a measurement. A refusal of what was sent before
///   the last one tells nothing new.
/// - **A partition that takes nothing** for a second or more measures nothing. The estimate falls to a sixteenth of
///   what was measured last; with the first operations that are written again, it doubles back to that.
/// - **No refusal**: the rate is `estimate × (1 + a (t - 1)³)`: 0.97 of the estimate at the start, the estimate after
///   1 s, twice the estimate after 4.2 s. So a steady capacity is asked every few seconds, for a few operations,
///   and a doubled one is found in five.
/// - The law's time stands still while no operation of the key waits, and goes on by no more than a second for each
///   dozen operations, or a few if it is slow.
///
/// It has no clock: time is what it is told.
///
/// Source: RFC 9438, *CUBIC for Fast and Long-Distance Networks*.
#[derive(Clone, Debug)]
pub(super) struct KeyPace {
    estimate: f64,
    /// The estimate that was measured last; none before the first.
    measured: Option<f64>,
    /// Whether the partition takes nothing.
    is_gone: bool,
    /// Seconds of the law since the last refusal.
    time: f64,
    /// How far the law's time may go on by what was sent, in seconds.
    shown: f64,
    advanced_at: Instant,
    /// Since when no operation of the key waits.
    idle_since: Option<Instant>,
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
    /// The law after a first refusal at `now`, of a key that seems to take so many units a second. What it does take
    /// is measured from now on.
    pub(super) fn new(taken_per_second: f64, now: Instant) -> Self {
        let paused_until = now + FIRST_PAUSE;
        Self {
            estimate: taken_per_second.clamp(LEAST_RATE, PARTITION_RATE),
            measured: None,
            is_gone: false,
            time: 0.0,
            shown: 0.0,
            advanced_at: now,
            idle_since: None,
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
        if waiting {
            self.idle_since = None;
        } else {
            self.idle_since.get_or_insert(now);
        }
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
        let shown_by = self.rate().clamp(LEAST_SHOWN_BY, SHOWN_BY);
        self.shown = (self.shown + ops as f64 / shown_by).min(1.0);
    }

    /// Notes that an operation of so many units was written.
    pub(super) fn written(&mut self, units: u64) {
        self.written += units as f64;
        if let Some(measured) = self.measured
            && self.is_gone
        {
            self.estimate = (self.estimate * RETURN).min(measured);
            self.is_gone = self.estimate < measured;
        }
    }

    /// Notes that operations wait again at `now`, after none did. The partition may have saved up in the meantime: what
    /// was written until now measures nothing.
    pub(super) fn resume(&mut self, now: Instant) {
        let idle_since = self.idle_since.take().unwrap_or(now);
        if now.saturating_duration_since(idle_since) >= MEASURED_AFTER {
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
        let is_measured = measured_in >= MEASURED_AFTER && self.written > 0.0;
        if is_measured {
            let measured = self.written / measured_in.as_secs_f64();
            self.estimate = measured.max(self.rate() * DEEPEST_FALL);
            self.measured = Some(self.estimate);
            self.is_gone = false;
            self.pause = FIRST_PAUSE;
        } else {
            let least = self.measured.unwrap_or(0.0) * DEEPEST_UNMEASURED_FALL;
            self.estimate = (self.rate() * BACK_OFF).max(least);
            self.is_gone |= measured_in >= MEASURED_AFTER;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        if measured_in >= MEASURED_AFTER {
            self.written = 0.0;
            self.measured_from = now;
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

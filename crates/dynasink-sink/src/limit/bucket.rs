//! Units at a rate, on governor.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter as Governor};

/// A change of the rate by less than this part of it waits until it has become more.
const LEAST_CHANGE: f64 = 0.001;

/// Less than this is what sums of fractions leave.
const NOTHING: f64 = 1e-6;

/// Units that come at a rate, are saved up for a cost, and can be owed.
///
/// - **At rest** it holds a burst, in the governor. No more than half of it is taken at once: while somebody waits for
///   the next portion, what comes later than the timer's millisecond still finds room.
/// - **What comes back** is spent again, up to as much as another burst.
/// - **A cost** beyond the burst is saved up portion by portion, apart from what lesser costs draw. It is kept while another
///   resource makes its owner wait. While it comes together, whoever else draws puts as much aside for it.
/// - **Debt** is paid by the time that passes, whether anybody asks or not, before the next may go.
#[derive(Debug)]
pub(super) struct Bucket<C: Clock<Instant = Duration> + Copy> {
    governor: Governor<NotKeyed, InMemoryState, C, NoOpMiddleware<Duration>>,
    clock: C,
    rate: f64,
    burst: Duration,
    /// Units taken from the governor and not yet spent; what is owed, if negative.
    balance: f64,
    /// Units put aside for a cost beyond the burst.
    saved: f64,
    /// That cost; zero if nobody asks for such.
    saving_for: f64,
    /// Nothing comes back before: a pause is to be a pause.
    paused_until: Duration,
    /// When debt was last paid.
    paid_at: Duration,
}

impl<C: Clock<Instant = Duration> + Copy> Bucket<C> {
    /// A rested bucket.
    pub(super) fn new(rate: f64, burst: Duration, clock: C) -> Self {
        Self {
            governor: governor(rate, burst, clock),
            clock,
            rate,
            burst,
            balance: 0.0,
            saved: 0.0,
            saving_for: 0.0,
            paused_until: Duration::ZERO,
            paid_at: clock.now(),
        }
    }

    /// Units that it holds at rest.
    pub(super) fn burst(&self) -> f64 {
        f64::from(self.cells().get())
    }

    /// Saves up for `cost`, or says how long it takes until there is more. It is spent by [`take`](Self::take).
    pub(super) fn save_up(&mut self, cost: f64) -> Result<(), Duration> {
        self.pay();
        let is_dear = cost > self.burst();
        if is_dear {
            self.saving_for = self.saving_for.max(cost);
        } else if self.saving_for <= self.burst() {
            self.release();
        }
        let most = (self.cells().get() / 2).max(1);
        loop {
            let at_hand = self.balance + if is_dear { self.saved } else { 0.0 };
            let missing = cost - at_hand;
            if missing <= NOTHING {
                return Ok(());
            }
            let portion = whole(missing.ceil()).min(most);
            let aside = if !is_dear && self.saved < self.saving_for {
                portion
            } else {
                0
            };
            match NonZeroU32::new(portion + aside).map(|cells| self.governor.check_n(cells)) {
                Some(Ok(Ok(()))) if is_dear => self.saved += f64::from(portion),
                Some(Ok(Ok(()))) => {
                    self.balance += f64::from(portion);
                    self.saved += f64::from(aside);
                }
                Some(Ok(Err(not_until))) => return Err(not_until.wait_time_from(self.clock.now())),
                // A portion is at least one cell, and two are never above the burst.
                None | Some(Err(_)) => return Err(self.burst),
            }
        }
    }

    /// Spends what was saved up for `cost`. If that is not all of it, the rest is owed.
    pub(super) fn take(&mut self, cost: f64) {
        let mut rest = cost;
        if cost > self.burst() {
            let saved = self.saved.min(cost);
            self.saved -= saved;
            if cost >= self.saving_for {
                self.saving_for = 0.0;
            }
            rest -= saved;
        }
        self.owe(rest);
    }

    /// Takes units that have been drawn already, from what is at hand. What is saved up for a cost stays.
    pub(super) fn owe(&mut self, units: f64) {
        self.pay();
        self.balance -= units;
        self.pay();
    }

    /// Keeps no more than `cost` of what is saved up for one, which has become that.
    pub(super) fn save_no_more_than(&mut self, cost: f64) {
        self.saving_for = self.saving_for.min(cost);
        self.saved = self.saved.min(cost);
        if cost <= self.burst() {
            self.release();
        }
    }

    /// Gives up saving: what is saved up may be spent, within a burst.
    fn release(&mut self) {
        let room = (self.burst() - self.balance).max(0.0);
        self.balance += self.saved.min(room);
        self.saved = 0.0;
        self.saving_for = 0.0;
    }

    /// Takes units back, up to a burst, and says how many it has taken.
    pub(super) fn give_back(&mut self, units: f64) -> f64 {
        self.pay();
        if self.clock.now() < self.paused_until {
            return 0.0;
        }
        let room = self.burst() - self.balance;
        let taken = units.min(room.max(0.0));
        self.balance += taken;
        taken
    }

    /// Lets nothing pass for `length`, a burst included. What is being saved up for a cost above the burst stays.
    pub(super) fn pause(&mut self, length: Duration) {
        self.pay();
        self.drain();
        self.balance = self.balance.min(0.0) - self.rate * length.as_secs_f64();
        self.paused_until = self.clock.now() + length;
    }

    /// Goes on at `rate`. What it holds stays, within a burst: a change of the rate is no reason for one.
    pub(super) fn set_rate(&mut self, rate: f64) {
        if (rate - self.rate).abs() < self.rate * LEAST_CHANGE {
            return;
        }
        self.pay();
        let held = self.balance + self.drain();
        self.rate = rate;
        self.governor = governor(rate, self.burst, self.clock);
        // A new one is full.
        self.drain();
        self.balance = held.min(self.burst());
    }

    /// Pays debt with what has come since the last time.
    ///
    /// The governor, which is empty while something is owed, holds a burst of it at most. The rest is counted here.
    fn pay(&mut self) {
        let now = self.clock.now();
        let elapsed = now.saturating_sub(self.paid_at);
        self.paid_at = now;
        if self.balance > -1.0 {
            return;
        }
        let come = self.rate * elapsed.as_secs_f64();
        let beyond_the_governor = come - self.burst();
        self.balance += beyond_the_governor.clamp(0.0, -self.balance);
        self.balance += f64::from(self.draw(whole(-self.balance)));
    }

    /// Takes up to `most` whole units from the governor, and says how many.
    fn draw(&self, most: u32) -> u32 {
        let mut drawn = 0;
        let mut portion = self.cells().get();
        while portion > 0 {
            // What is left is less than twice that; and more may come while this looks.
            for _ in 0..2 {
                let wanted = portion.min(most - drawn);
                let Some(cells) = NonZeroU32::new(wanted) else {
                    return drawn;
                };
                if !matches!(self.governor.check_n(cells), Ok(Ok(()))) {
                    break;
                }
                drawn += wanted;
            }
            portion /= 2;
        }
        drawn
    }

    /// Empties the governor, and says what was in it, down to the fraction of a unit.
    fn drain(&self) -> f64 {
        let drawn = f64::from(self.draw(u32::MAX));
        match self.governor.check_n(NonZeroU32::MIN) {
            Ok(Ok(())) => drawn + 1.0,
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(self.clock.now());
                drawn + (1.0 - wait.as_secs_f64() * self.rate).clamp(0.0, 1.0)
            }
            Err(_) => drawn,
        }
    }

    fn cells(&self) -> NonZeroU32 {
        cells(self.rate, self.burst)
    }
}

fn governor<C: Clock<Instant = Duration> + Copy>(
    rate: f64,
    burst: Duration,
    clock: C,
) -> Governor<NotKeyed, InMemoryState, C, NoOpMiddleware<Duration>> {
    // Rounded up, so that the rate is never exceeded by the nanosecond.
    let nanos = (1e9 / rate).ceil().max(1.0);
    let period = Duration::from_nanos(dynasink_core::WriteUnits::from_consumed(nanos).get());
    let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN));
    Governor::direct_with_clock(quota.allow_burst(cells(rate, burst)), clock)
}

/// What a bucket holds at rest: at least two units, one of which may be taken while the other comes.
fn cells(rate: f64, burst: Duration) -> NonZeroU32 {
    const LEAST: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
    let cells = whole(rate * burst.as_secs_f64());
    NonZeroU32::new(cells).unwrap_or(LEAST).max(LEAST)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to integer casts saturate, and negative values and NaN become 0"
)]
fn whole(units: f64) -> u32 {
    units as u32
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    #[derive(Clone, Copy, Debug)]
    struct Hand;

    impl Clock for Hand {
        type Instant = Duration;

        fn now(&self) -> Duration {
            NOW.get()
        }
    }

    const BURST: Duration = Duration::from_millis(50);
    const MILLI: Duration = Duration::from_millis(1);

    fn bucket(rate: f64) -> Bucket<Hand> {
        NOW.set(Duration::ZERO);
        Bucket::new(rate, BURST, Hand)
    }

    /// Spends `cost` as often as it can be had, looking every millisecond, and says how often that was.
    fn spend(bucket: &mut Bucket<Hand>, cost: f64, time: Duration) -> u32 {
        let end = NOW.get() + time;
        let mut spent = 0;
        loop {
            while bucket.save_up(cost).is_ok() {
                bucket.take(cost);
                spent += 1;
            }
            if NOW.get() + MILLI > end {
                return spent;
            }
            NOW.set(NOW.get() + MILLI);
        }
    }

    #[test]
    fn nothing_is_lost_when_the_rate_changes_all_the_time() {
        for rate in [5.0, 500.0, 40_000.0] {
            let mut bucket = bucket(rate);
            let mut spent = 0.0;
            for change in 0..1_000_u32 {
                bucket.set_rate(rate * if change % 2 == 0 { 0.9 } else { 1.1 });
                spent += f64::from(spend(&mut bucket, 1.0, MILLI * 13));
            }
            let expected = rate * 13.0;
            assert!(
                (spent - expected).abs() <= expected * 0.01 + 4.0 + rate / 10.0,
                "{spent} of {expected}"
            );
        }
    }

    #[test]
    fn a_pause_is_a_pause_whatever_is_at_hand_and_comes_back() {
        let mut bucket = bucket(1_000.0);
        bucket.give_back(50.0);
        bucket.pause(MILLI * 100);
        bucket.give_back(1_000.0);
        assert_eq!(spend(&mut bucket, 1.0, MILLI * 98), 0);
        let after = spend(&mut bucket, 1.0, MILLI * 100);
        assert!((95..=105).contains(&after), "{after}");
    }

    #[test]
    fn savings_for_a_dear_cost_survive_a_pause() {
        let mut bucket = bucket(10.0);
        assert!(bucket.save_up(400.0).is_err());
        for _ in 0..30_000 {
            NOW.set(NOW.get() + MILLI);
            assert!(bucket.save_up(400.0).is_err());
        }
        bucket.pause(MILLI * 100);
        for _ in 0..9_800 {
            NOW.set(NOW.get() + MILLI);
            assert!(bucket.save_up(400.0).is_err());
        }
        assert_eq!(spend(&mut bucket, 400.0, MILLI * 500), 1);
    }

    #[test]
    fn what_is_saved_for_a_cost_that_has_become_less_is_not_spent_at_once() {
        let mut bucket = bucket(1_000.0);
        assert!(bucket.save_up(400.0).is_err());
        for _ in 0..300 {
            NOW.set(NOW.get() + MILLI);
            assert!(bucket.save_up(400.0).is_err());
        }
        bucket.save_no_more_than(40.0);
        let at_once = spend(&mut bucket, 40.0, Duration::ZERO);
        assert!(at_once <= 2, "{at_once} requests of 40 units");
    }

    #[test]
    fn debt_is_paid_by_time_and_once() {
        for touches in [1_u32, 7, 1_000] {
            let mut bucket = bucket(100.0);
            bucket.take(1_005.0);
            for _ in 0..touches {
                NOW.set(NOW.get() + Duration::from_secs(9) / touches);
                bucket.give_back(0.0);
            }
            let waits = spend(&mut bucket, 1.0, MILLI * 900);
            assert_eq!(waits, 0, "{touches} touches");
            let after = spend(&mut bucket, 1.0, Duration::from_secs(1));
            assert!((90..=105).contains(&after), "{after}, {touches} touches");
        }
    }

    #[test]
    fn a_change_of_the_rate_brings_no_burst() {
        let mut bucket = bucket(10.0);
        assert_eq!(spend(&mut bucket, 1.0, Duration::ZERO), 2);
        for rate in [1_000.0, 100.0, 5_000.0] {
            bucket.set_rate(rate);
        }
        assert_eq!(spend(&mut bucket, 1.0, Duration::ZERO), 0);
    }
}

//! The budget of one resource: the tables' own units, or those of one global index.

use std::time::Duration;

use dynasink_core::WriteUnits;

use super::bucket::Bucket;
use super::clock::TokioClock;
use super::law::{LastSecond, Observation, RateLaw};
use super::price::Price;

/// For so long it is remembered what was charged too much. The price is right on average and not for each request, so
/// what is charged too much and too little must even out; but no later second may be the fuller for it.
const REMEMBERED: Duration = Duration::from_secs(1);

/// A bucket, the law of its rate, and the price of what is predicted.
#[derive(Debug)]
pub(super) struct Resource {
    law: RateLaw,
    bucket: Bucket<TokioClock>,
    price: Price,
    /// What was charged too much and found no room in the bucket: it pays for what is charged too little.
    overpaid: f64,
    overpaid_until: Duration,
    consumed: LastSecond,
    /// Predicted units of the largest request that saves up beyond a burst.
    saves_up_for: u64,
    /// Until then somebody waits for its units.
    waited_until: Duration,
    seen: Duration,
}

/// What became of a request, as far as one resource is concerned. Units are predicted ones, unless said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settlement {
    pub(super) sent: Duration,
    pub(super) written: u64,
    pub(super) unwritten: u64,
    /// What the service says that the written ones drew; none if it says nothing.
    pub(super) consumed: Option<WriteUnits>,
    pub(super) written_ops: usize,
    /// Refused for want of this resource's capacity.
    pub(super) refused_ops: usize,
    /// Whether no answer came: what the request drew is not known.
    pub(super) unanswered: bool,
    /// Requests still in flight.
    pub(super) in_flight: usize,
}

impl Resource {
    pub(super) fn new(law: RateLaw, price: Price, burst: Duration, clock: TokioClock) -> Self {
        Self {
            bucket: Bucket::new(law.rate(), burst, clock),
            law,
            price,
            overpaid: 0.0,
            overpaid_until: Duration::ZERO,
            consumed: LastSecond::default(),
            saves_up_for: 0,
            waited_until: Duration::ZERO,
            seen: Duration::ZERO,
        }
    }

    /// Units per second, in those that the service charges.
    pub(super) fn rate(&self) -> f64 {
        self.law.rate()
    }

    pub(super) fn set_rate(&mut self, rate: WriteUnits) {
        self.law.set_rate(rate);
        self.bucket.set_rate(self.law.rate());
    }

    pub(super) fn set_law(&mut self, law: RateLaw) {
        self.law = law;
        self.bucket.set_rate(self.law.rate());
    }

    pub(super) fn change_law(&mut self, law: RateLaw) {
        self.law.change_to(law);
        self.bucket.set_rate(self.law.rate());
    }

    /// Starts anew with another burst.
    pub(super) fn set_burst(&mut self, burst: Duration, clock: TokioClock) {
        self.bucket = Bucket::new(self.law.rate(), burst, clock);
    }

    /// What a predicted unit is charged.
    pub(super) fn price(&self) -> f64 {
        self.price.of(1.0)
    }

    /// What so many predicted units would be charged.
    pub(super) fn price_of(&self, predicted: u64) -> f64 {
        self.price.of(predicted as f64)
    }

    /// Saves up for so many predicted units, or says how long to wait. While the price is a guess, the first request waits for
    /// no more than debt to be paid: a delete may draw nothing from an index that takes little. The rest is owed.
    pub(super) fn save_up(&mut self, now: Duration, predicted: u64) -> Result<(), Duration> {
        let cost = if self.price.is_to_be_tried() {
            0.0
        } else {
            self.price_of(predicted)
        };
        if cost > self.bucket.burst() {
            self.saves_up_for = self.saves_up_for.max(predicted);
        }
        let saved = self.bucket.save_up(cost);
        saved.inspect_err(|wait| self.waited_until = now + *wait)
    }

    /// Takes what was saved up for so many predicted units.
    pub(super) fn take(&mut self, predicted: u64) {
        let charge = self.price.charge(predicted as f64);
        self.bucket.take(charge);
        if predicted >= self.saves_up_for {
            self.saves_up_for = 0;
        }
    }

    /// Takes back what was taken for so many predicted units.
    pub(super) fn give_back(&mut self, predicted: u64) {
        let charged = self.price.settle(predicted as f64);
        self.bucket.give_back(charged);
    }

    /// Consumption of about the last second over the capacity, if that is known.
    pub(super) fn utilization(&mut self, now: Duration) -> Option<f64> {
        let capacity = self.law.capacity()?;
        Some(self.consumed.rate(now) / capacity)
    }

    /// Takes back what was charged too much for a request, or pays what was charged too little. What finds no room in the
    /// bucket is remembered, up to a burst or the charge of the request, if that is more.
    fn correct(&mut self, now: Duration, charged: f64, consumed: f64) {
        if now >= self.overpaid_until {
            self.overpaid = 0.0;
        }
        if consumed < charged {
            let too_much = charged - consumed;
            let overpaid = self.overpaid + too_much - self.bucket.give_back(too_much);
            self.overpaid = overpaid.min(charged.max(self.bucket.burst()));
            self.overpaid_until = now + REMEMBERED;
        } else {
            let too_little = consumed - charged;
            let paid = self.overpaid.min(too_little);
            self.overpaid -= paid;
            self.bucket.owe(too_little - paid);
        }
    }

    /// Pays or takes back what was charged too little or too much, and lets the law learn.
    pub(super) fn settle(&mut self, now: Duration, settlement: &Settlement) {
        let predicted = settlement.written as f64;
        let charged = self.price.settle(predicted);
        let consumed = settlement
            .consumed
            .map_or(charged, |consumed| consumed.get() as f64);
        let unwritten = self.price.settle(settlement.unwritten as f64);
        if settlement.unanswered {
            self.price.write_off_one_of(settlement.in_flight + 1);
        }
        self.correct(now, charged, consumed);
        self.bucket.give_back(unwritten);
        self.price.learn(predicted, consumed);
        let saves_up_for = self.price_of(self.saves_up_for);
        self.bucket.save_no_more_than(saves_up_for);
        self.consumed.add(now, consumed);

        let observation = Observation {
            sent: settlement.sent,
            units: consumed,
            written_ops: settlement.written_ops,
            refused_ops: settlement.refused_ops,
            waited: self.waited_until > self.seen,
        };
        self.seen = now;
        let pause = self.law.observe(now, &observation);
        self.bucket.set_rate(self.law.rate());
        if let Some(pause) = pause {
            self.bucket.pause(pause);
        }
    }
}

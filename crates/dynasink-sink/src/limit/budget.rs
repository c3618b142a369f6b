//! What may be drawn: from the tables, and from each global index.

use std::sync::Arc;
use std::time::Duration;

use dynasink_core::{CapacityFeedback, TableName, WriteCost, WriteUnits};
use governor::clock::Clock;

use super::attribution::{Suspect, blamed};
use super::clock::TokioClock;
use super::law::{AutoRate, RateLaw};
use super::price::Price;
use super::resource::{Resource, Settlement};

/// Who is held up by a pause asks again after so long.
const LOOK_WHILE_PAUSED: Duration = Duration::from_millis(100);

/// What of the newest admission counts in the average of an index's share.
const SMOOTHING: f64 = 0.1;

/// The buckets of a limiter. Whoever asks needs all that its operations draw on; the scarcest rules.
#[derive(Debug)]
pub(super) struct Budget {
    clock: TokioClock,
    burst: Duration,
    table: Resource,
    indexes: Vec<IndexResource>,
    paused: bool,
}

#[derive(Debug)]
struct IndexResource {
    table: TableName,
    name: Arc<str>,
    resource: Resource,
    /// Units that it is charged for each unit of the tables, on average of late.
    share: Option<f64>,
}

impl Budget {
    pub(super) fn new(law: RateLaw, burst: Duration) -> Self {
        let clock = TokioClock::start();
        Self {
            clock,
            burst,
            table: Resource::new(law, Price::of_table(), burst, clock),
            indexes: Vec::new(),
            paused: false,
        }
    }

    pub(super) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(super) fn change_law(&mut self, law: RateLaw) {
        self.table.change_law(law);
    }

    pub(super) fn change_index_law(&mut self, table: &TableName, index: &str, law: RateLaw) {
        let place = self.place_of(table, &Arc::from(index));
        if let Some(index) = self.indexes.get_mut(place) {
            index.resource.change_law(law);
        }
    }

    pub(super) fn set_burst(&mut self, burst: Duration) {
        self.burst = burst;
        self.table.set_burst(burst, self.clock);
        for index in &mut self.indexes {
            index.resource.set_burst(burst, self.clock);
        }
    }

    pub(super) fn set_rate(&mut self, rate: WriteUnits) {
        self.table.set_rate(rate);
    }

    pub(super) fn set_index_law(&mut self, table: &TableName, index: &str, law: RateLaw) {
        let place = self.place_of(table, &Arc::from(index));
        if let Some(index) = self.indexes.get_mut(place) {
            index.resource.set_law(law);
        }
    }

    /// The rate of the tables' own units, as set or found.
    pub(super) fn table_rate(&self) -> f64 {
        self.table.rate()
    }

    /// The rates of the global indexes that have been drawn on or were given one, by name.
    pub(super) fn index_rates(&self) -> impl Iterator<Item = (Arc<str>, f64)> {
        let indexes = self.indexes.iter();
        indexes.map(|index| (Arc::clone(&index.name), index.resource.rate()))
    }

    /// The rate at which the tables' own units pass: that of the scarcest resource.
    pub(super) fn effective_rate(&self) -> f64 {
        let of_indexes = self.indexes.iter().filter_map(|index| {
            let share = index.share.filter(|share| *share > 0.0)?;
            Some(index.resource.rate() / share)
        });
        of_indexes.fold(self.table.rate(), f64::min)
    }

    pub(super) fn try_take(&mut self, cost: &WriteCost) -> Result<(), Duration> {
        if self.paused {
            return Err(LOOK_WHILE_PAUSED);
        }
        let now = self.clock.now();
        let units = cost.units().get();
        let mut wait = self.table.save_up(now, units).err();
        for of_index in cost.indexes() {
            let place = self.place_of(&of_index.table, &of_index.index);
            if let Some(index) = self.indexes.get_mut(place) {
                wait = wait.max(index.resource.save_up(now, of_index.units.get()).err());
            }
        }
        if let Some(wait) = wait {
            return Err(wait);
        }
        let of_table = self.table.price_of(units);
        self.table.take(units);
        for index in &mut self.indexes {
            let units = units_of(index, cost);
            if of_table > 0.0 {
                let newest = index.resource.price_of(units) / of_table;
                let share = index.share.get_or_insert(newest);
                *share += SMOOTHING * (newest - *share);
            }
            if units > 0 {
                index.resource.take(units);
            }
        }
        Ok(())
    }

    pub(super) fn give_back(&mut self, cost: &WriteCost) {
        self.table.give_back(cost.units().get());
        for index in &mut self.indexes {
            index.resource.give_back(units_of(index, cost));
        }
    }

    pub(super) fn settle(&mut self, feedback: &CapacityFeedback) {
        let now = self.clock.now();
        let sent = now.saturating_sub(feedback.latency);
        let blamed = self.blamed(now, feedback);
        let refused_ops = |place: usize| {
            if blamed.contains(&place) {
                feedback.throttled_ops - feedback.hot_key_ops.min(feedback.throttled_ops)
            } else {
                0
            }
        };
        let written = feedback.written.units().get();
        self.table.settle(
            now,
            &Settlement {
                sent,
                written,
                unwritten: feedback.unwritten.units().get(),
                consumed: (!feedback.consumed.is_empty()).then(|| feedback.table_units()),
                written_ops: feedback.written_ops,
                refused_ops: refused_ops(0),
                unanswered: feedback.is_unanswered(),
                in_flight: feedback.in_flight,
            },
        );
        for (place, index) in (1..).zip(&mut self.indexes) {
            let in_index = units_of(index, &feedback.written);
            let settlement = Settlement {
                sent,
                written: in_index,
                unwritten: units_of(index, &feedback.unwritten),
                consumed: index.consumed(feedback),
                written_ops: share_of(feedback.written_ops, in_index, written),
                refused_ops: refused_ops(place),
                unanswered: feedback.is_unanswered(),
                in_flight: feedback.in_flight,
            };
            index.resource.settle(now, &settlement);
        }
    }

    fn blamed(&mut self, now: Duration, feedback: &CapacityFeedback) -> Vec<usize> {
        if feedback.throttled_ops == 0 {
            return Vec::new();
        }
        let table = Suspect {
            index: None,
            utilization: self.table.utilization(now),
            price: self.table.price(),
        };
        let of_indexes = self.indexes.iter_mut().map(|index| Suspect {
            utilization: index.resource.utilization(now),
            price: index.resource.price(),
            index: Some((index.table.as_str(), &*index.name)),
        });
        let suspects: Vec<_> = std::iter::once(table).chain(of_indexes).collect();
        blamed(feedback, &suspects)
    }

    /// The place of an index among the indexes. One that was not seen before has no limit until it refuses.
    fn place_of(&mut self, table: &TableName, name: &Arc<str>) -> usize {
        let known = self
            .indexes
            .iter()
            .position(|index| index.name == *name && index.table == *table);
        known.unwrap_or_else(|| {
            let law = AutoRate::open().into();
            self.indexes.push(IndexResource {
                table: table.clone(),
                name: Arc::clone(name),
                resource: Resource::new(law, Price::of_index(), self.burst, self.clock),
                share: None,
            });
            self.indexes.len() - 1
        })
    }
}

impl IndexResource {
    /// What the service says that a request drew from this index; none if it says nothing of consumption. It is always
    /// asked for indexes, so one that it does not name was not drawn on.
    fn consumed(&self, feedback: &CapacityFeedback) -> Option<WriteUnits> {
        if feedback.consumed.is_empty() {
            return None;
        }
        let of_table = feedback
            .consumed
            .iter()
            .filter(|consumed| consumed.table == self.table);
        let named = of_table
            .flat_map(|consumed| &consumed.index_units)
            .filter(|(name, _)| **name == *self.name);
        Some(named.map(|(_, units)| *units).sum())
    }
}

fn units_of(index: &IndexResource, cost: &WriteCost) -> u64 {
    let of_index = cost
        .indexes()
        .iter()
        .find(|cost| cost.index == index.name && cost.table == index.table);
    of_index.map_or(0, |cost| cost.units.get())
}

/// Of `ops`, those that `part` of `whole` units stand for; at least one, if there are any units.
fn share_of(ops: usize, part: u64, whole: u64) -> usize {
    let ops = (ops as u64).saturating_mul(part);
    usize::try_from(ops.div_ceil(whole.max(1))).unwrap_or(usize::MAX)
}

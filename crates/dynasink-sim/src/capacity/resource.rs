//! A table or a global index as a taker of units: each has its own capacity and partitions.

use std::time::Duration;

use dynasink_core::{BillingMode, WriteUnits};

use super::bucket::TokenBucket;
use super::cost::Draw;
use super::on_demand::{self, OnDemandRamp};
use super::partitions::Partitions;
use super::refusal::Limit;
use super::settings::CapacityModel;

/// A table without its global indexes, or one of those.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    model: CapacityModel,
    capacity: Capacity,
    partitions: Partitions,
    /// The most units per second that it has ever been ready for.
    warm: WriteUnits,
    /// How much of its capacity it may lag behind by.
    overdraft: Duration,
}

#[derive(Clone, Debug)]
enum Capacity {
    Provisioned(TokenBucket),
    OnDemand {
        ramp: OnDemandRamp,
        max: Option<TokenBucket>,
    },
}

/// How a [`Resource`] starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) billing: BillingMode,
    /// How many partitions; as many as the capacity needs if not given.
    pub(super) partitions: Option<usize>,
    /// For how long it has been unused.
    pub(super) idle: Duration,
    /// How much of its capacity it may lag behind by.
    pub(super) overdraft: Duration,
}

impl Resource {
    pub(super) fn new(model: &CapacityModel, start: Start, now: Duration) -> Self {
        let capacity = Capacity::new(model, start.billing, WriteUnits::ZERO, start.idle, now);
        let warm = capacity.rate();
        let needed = Partitions::needed(model, warm);
        let partitions = match start.billing {
            BillingMode::Provisioned { .. } => start.partitions.unwrap_or(needed),
            BillingMode::OnDemand { .. } => start.partitions.unwrap_or(0).max(needed),
        };
        Self {
            model: model.clone(),
            capacity,
            partitions: Partitions::new(model, partitions, start.idle, start.overdraft, now),
            warm,
            overdraft: start.overdraft,
        }
    }

    pub(super) fn is_on_demand(&self) -> bool {
        matches!(self.capacity, Capacity::OnDemand { .. })
    }

    pub(super) fn partitions(&self) -> usize {
        self.partitions.count()
    }

    /// Whether all the draws are admitted together; nothing is taken.
    pub(super) fn check(
        &mut self,
        now: Duration,
        draws: &(impl Iterator<Item = Draw> + Clone),
    ) -> Result<(), Limit> {
        let units = draws.clone().map(|draw| draw.units).sum();
        let (admit, overdraft) = (self.model.admit, self.overdraft);
        match &mut self.capacity {
            Capacity::Provisioned(bucket) => {
                bucket.refill(now);
                if !bucket.admits(units, admit, overdraft) {
                    return Err(Limit::Provisioned);
                }
            }
            Capacity::OnDemand { ramp, max } => {
                ramp.advance(now);
                self.warm = self.warm.max(ramp.capacity());
                self.partitions
                    .grow(Partitions::needed(&self.model, ramp.capacity()));
                if let Some(max) = max {
                    max.refill(now);
                    if !max.admits(units, admit, overdraft) {
                        return Err(Limit::MaxOnDemand);
                    }
                }
                // What an on-demand table can take is what its partitions can take.
                if !ramp.admits(units, admit, overdraft) {
                    return Err(Limit::KeyRange);
                }
            }
        }
        if self.partitions.admits(now, draws) {
            Ok(())
        } else {
            Err(Limit::KeyRange)
        }
    }

    /// Takes the units, and says from which partition.
    pub(super) fn charge(&mut self, now: Duration, draw: Draw) -> usize {
        match &mut self.capacity {
            Capacity::Provisioned(bucket) => bucket.take(draw.units),
            Capacity::OnDemand { ramp, max } => {
                ramp.take(now, draw.units);
                if let Some(max) = max {
                    max.take(draw.units);
                }
            }
        }
        self.partitions.charge(draw)
    }

    /// Changes how it is billed, or to which capacity. Partitions are added for a capacity that it never had.
    ///
    /// A change of the rate keeps what is saved up, within the new depth; a change of the mode starts without any
    /// savings (\[assumption\]). On demand it starts with the most that it has ever been ready for.
    ///
    /// Source: Developer Guide, *Considerations when switching capacity modes*.
    pub(super) fn set_billing(&mut self, now: Duration, billing: BillingMode) {
        match (&mut self.capacity, billing) {
            (Capacity::Provisioned(bucket), BillingMode::Provisioned { write }) => {
                bucket.set_rate(now, write);
            }
            (Capacity::OnDemand { max, .. }, BillingMode::OnDemand { max_write }) => {
                match (max.as_mut(), max_write) {
                    (Some(bucket), Some(rate)) => bucket.set_rate(now, rate),
                    (_, rate) => *max = rate.map(|rate| max_bucket(rate, Duration::ZERO, now)),
                }
            }
            (capacity, billing) => {
                if let Capacity::OnDemand { ramp, .. } = capacity {
                    ramp.advance(now);
                    self.warm = self.warm.max(ramp.capacity());
                }
                *capacity = Capacity::new(&self.model, billing, self.warm, Duration::ZERO, now);
            }
        }
        self.warm = self.warm.max(self.capacity.rate());
        let needed = Partitions::needed(&self.model, self.capacity.rate());
        self.partitions.grow(needed);
    }
}

impl Capacity {
    fn new(
        model: &CapacityModel,
        billing: BillingMode,
        warm: WriteUnits,
        idle: Duration,
        now: Duration,
    ) -> Self {
        match billing {
            BillingMode::Provisioned { write } => {
                Self::Provisioned(TokenBucket::new(write, model.burst, idle, now))
            }
            BillingMode::OnDemand { max_write } => Self::OnDemand {
                ramp: OnDemandRamp::new(model, warm, idle, now),
                max: max_write.map(|rate| max_bucket(rate, idle, now)),
            },
        }
    }

    /// Units per second that the partitions must be able to take.
    fn rate(&self) -> WriteUnits {
        match self {
            Self::Provisioned(bucket) => bucket.rate(),
            Self::OnDemand { ramp, .. } => ramp.capacity(),
        }
    }
}

/// Source: Developer Guide, *`DynamoDB` maximum throughput for on-demand tables*. \[assumption\] One second of it is
/// saved up.
fn max_bucket(rate: WriteUnits, idle: Duration, now: Duration) -> TokenBucket {
    TokenBucket::new(rate, on_demand::DEPTH, idle, now)
}

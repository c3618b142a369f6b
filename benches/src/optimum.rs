//! The shortest time in which anybody could have written a load.
//!
//! A client that knows all, and is at no time without what it wants to write next, is held up by capacity alone. For each
//! taker of units (the table, each global index, each partition of the table) the load needs so many units; they are what
//! the audit counted, so that predictions play no part. Such a client has them when
//!
//! ```text
//! saved up at the start + rate × time − what other clients take  =  units − what may be owed at the end
//! ```
//!
//! and the optimum T* is the latest of these times. A policy's share of the optimum is T* over the time until its last
//! operation was applied.
//!
//! - **Saved up**: the rate times [`idle`](crate::Table::idle), up to the bucket's depth: five minutes for a provisioned
//!   table or index, one second on demand and for a partition.
//! - **Rate**: the capacity of the table or index, with its changes over time; 1,000 units per second for a partition. On
//!   demand it doubles when a peak is half an hour old: this client has its peak in the first second.
//! - **An index may lag** ten seconds of its capacity behind its table, which comes to so much saved up.
//! - **Owed at the end**: the service writes an item if one unit is left for it. The last item is the largest, and all but
//!   one of its units are owed.
//! - **Other clients** have what they ask for before anything is left; of a partition, an even part of it.
//! - **A rate that was told** (`rate = "500"`) is one more limit: who is to write 500 units per second cannot be blamed
//!   for not writing more.
//!
//! It is the most that any single limit allows. That all of them can be used to the full at one time is not said, so that
//! a share of 100 % may be out of reach.
//!
//! Sources of the rules: the pages of the simulator.

use std::fmt;
use std::time::Duration;

use dynasink_sim::{Audit, Resource};

use crate::scenario::{Capacity, Scenario, Table};
use crate::supply::Supply;

/// The shortest time for a load, and what does not let it be shorter.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimum {
    /// The time.
    pub time: Duration,
    /// What holds it up.
    pub bottleneck: Bottleneck,
}

/// What holds up a client that knows all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bottleneck {
    /// The capacity of a table, an index or a partition.
    Capacity(Resource),
    /// The rate that it was told to keep.
    Rate,
}

/// Source: Developer Guide, *Burst and adaptive capacity*.
const PROVISIONED_DEPTH: f64 = 300.0;

/// As the simulator assumes it for partitions and on demand.
const SHORT_DEPTH: f64 = 1.0;

/// As the simulator assumes it.
const INDEX_BACKLOG: f64 = 10.0;

/// Source: Developer Guide, *Best practices for partition keys*.
const PARTITION_RATE: f64 = 1000.0;

/// Longer than any load, in seconds.
const FOREVER: f64 = 1e7;

impl Optimum {
    /// The shortest time for what a load has written in `scenario`, by the service's audit of it.
    pub fn of(scenario: &Scenario, load: &Audit) -> Self {
        let (time, bottleneck, _) = limits(scenario, load)
            .into_iter()
            .max_by(|(one, ..), (other, ..)| one.total_cmp(other))
            .unwrap_or_else(|| (0.0, Bottleneck::Rate, Supply::new(0.0, 0.0)));
        Self {
            time: Duration::try_from_secs_f64(time).unwrap_or(Duration::MAX),
            bottleneck,
        }
    }

    /// What the bottleneck gives over time.
    pub(crate) fn supply(&self, scenario: &Scenario, load: &Audit) -> Option<Supply> {
        let limits = limits(scenario, load).into_iter();
        limits
            .map(|(_, bottleneck, supply)| (bottleneck, supply))
            .find(|(bottleneck, _)| *bottleneck == self.bottleneck)
            .map(|(_, supply)| supply)
    }
}

/// Each limit with the time that it takes.
fn limits(scenario: &Scenario, load: &Audit) -> Vec<(f64, Bottleneck, Supply)> {
    let units = |resource: &Resource| load.units_per_second(resource).values().sum::<u64>() as f64;
    let owed = scenario.input.size.most_units().saturating_sub(1) as f64;
    let partitions = load
        .resources()
        .filter(|resource| matches!(resource, Resource::Partition(..)))
        .count()
        .max(1);
    let mut limits = Vec::new();
    for resource in load.resources() {
        let (mut supply, others) = match resource {
            Resource::Table(_) => (table_supply(scenario), 1.0),
            Resource::Index(_, index) => (index_supply(scenario, index), 0.0),
            Resource::Partition(..) => {
                let idle = scenario.table.idle.as_secs_f64().min(SHORT_DEPTH);
                let supply = Supply::new(idle * PARTITION_RATE, PARTITION_RATE);
                (supply, 1.0 / partitions as f64)
            }
            _ => continue,
        };
        if let Some(other) = &scenario.other {
            let taken = taken_by(other, others);
            supply = supply.without(&taken);
        }
        let time = supply.time_of(units(resource) - owed);
        limits.push((time, Bottleneck::Capacity(resource.clone()), supply));
    }
    if let Some(rate) = scenario.told_rate() {
        let supply = Supply::new(0.0, rate);
        let table = units(&Resource::Table(Table::NAME.to_owned()));
        limits.push((supply.time_of(table), Bottleneck::Rate, supply));
    }
    limits
}

fn table_supply(scenario: &Scenario) -> Supply {
    let table = &scenario.table;
    let idle = table.idle.as_secs_f64();
    match table.capacity {
        Capacity::Provisioned(rate) => {
            let rate = rate as f64;
            let mut supply = Supply::new(rate * idle.min(PROVISIONED_DEPTH), rate);
            for change in &scenario.changes {
                if let (Some(rate), None) = (change.capacity, &change.index) {
                    supply.step(change.at.as_secs_f64(), rate as f64);
                }
            }
            supply
        }
        Capacity::OnDemand { start, max, .. } => {
            let most = max.map_or(f64::INFINITY, |max| max as f64);
            let mut rate = start as f64;
            let mut supply = Supply::new(rate.min(most) * idle.min(SHORT_DEPTH), rate.min(most));
            // A peak takes a second to show.
            let doubles_every = table.capacity.ramp().as_secs_f64() + 1.0;
            let mut at = doubles_every;
            while rate < most && at < FOREVER && rate < 1e12 {
                rate *= 2.0;
                supply.step(at, rate.min(most));
                at += doubles_every;
            }
            supply
        }
    }
}

fn index_supply(scenario: &Scenario, name: &str) -> Supply {
    let indexes = scenario.table.indexes.iter();
    let capacity = indexes
        .clone()
        .find(|index| index.name == name)
        .and_then(|index| index.capacity);
    let (rate, depth) = match (scenario.table.capacity, capacity) {
        (Capacity::Provisioned(of_table), own) => (own.unwrap_or(of_table), PROVISIONED_DEPTH),
        (Capacity::OnDemand { .. }, Some(max)) => (max, SHORT_DEPTH),
        // It grows as its table does.
        (Capacity::OnDemand { .. }, None) => return table_supply(scenario),
    };
    let saved = scenario.table.idle.as_secs_f64().min(depth) + INDEX_BACKLOG;
    let mut supply = Supply::new(rate as f64 * saved, rate as f64);
    for change in &scenario.changes {
        if let (Some(rate), Some(index)) = (change.capacity, &change.index)
            && index == name
        {
            supply.step(change.at.as_secs_f64(), rate as f64);
        }
    }
    supply
}

/// What `other` takes over time, or that part of it.
fn taken_by(other: &crate::OtherClient, part: f64) -> Vec<(f64, f64)> {
    let mut taken = Vec::new();
    let mut at = Duration::ZERO;
    while at.as_secs_f64() < FOREVER && taken.len() < 10_000 {
        let (units, until) = other.demand(at);
        taken.push((at.as_secs_f64(), units as f64 * part));
        at = until;
    }
    taken
}

impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity(Resource::Table(_)) => f.write_str("table"),
            Self::Capacity(Resource::Index(_, index)) => write!(f, "index {index}"),
            Self::Capacity(Resource::Partition(_, number)) => write!(f, "partition {number}"),
            Self::Capacity(_) => f.write_str("capacity"),
            Self::Rate => f.write_str("rate"),
        }
    }
}

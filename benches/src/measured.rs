//! How a policy fared in a scenario.

use std::time::Duration;

use dynasink_sim::{Audit, Resource};

use crate::optimum::{Bottleneck, Optimum};
use crate::scenario::{Scenario, Table};

/// How a policy fared in a scenario, by the service's audit.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Until the last operation of the load was applied.
    pub time: Duration,
    /// The shortest that it could have been.
    pub optimum: Optimum,
    /// The optimum as a share of the time.
    pub share: f64,
    /// For each part of the load, between changes of the latency: what was drawn from the bottleneck as a share of what
    /// it gave meanwhile.
    pub shares_of_parts: Vec<f64>,
    /// Operations applied.
    pub applied: u64,
    /// Refused operations as a share of those that were sent. One that is refused twice counts twice.
    pub refused: f64,
    /// Requests of the load.
    pub requests: u64,
    /// Operations in a request, on average.
    pub fill: f64,
    /// The most units that the load drew from the table in a second.
    pub largest_second: u64,
    /// The same share of the other client, if there is one.
    pub others_refused: Option<f64>,
    /// From the last change of the table's capacity until nearly all of it was used, if there was one and it was.
    pub back_within: Option<Duration>,
    /// Operations that the policy gave up or lost.
    pub given_up: u64,
}

/// As much of the capacity as is nearly all of it.
const NEARLY_ALL: f64 = 0.95;

impl Measured {
    pub(crate) fn of(
        scenario: &Scenario,
        load: &Audit,
        other: Option<&Audit>,
        given_up: u64,
    ) -> Self {
        let optimum = Optimum::of(scenario, load);
        let time = load.last_applied().unwrap_or_default();
        let totals = load.totals();
        let sent = totals.applied + totals.refused;
        let table = Resource::Table(Table::NAME.to_owned());
        Self {
            share: optimum.time.as_secs_f64() / time.as_secs_f64().max(1e-9),
            shares_of_parts: shares_of_parts(scenario, load, &optimum, time),
            time,
            optimum,
            applied: totals.applied,
            refused: refused_share(load),
            requests: totals.requests,
            fill: sent as f64 / totals.requests.max(1) as f64,
            largest_second: load.most_units_within(&table, 1),
            others_refused: other.map(refused_share),
            back_within: back_within(scenario, load),
            given_up,
        }
    }
}

fn refused_share(audit: &Audit) -> f64 {
    let totals = audit.totals();
    totals.refused as f64 / (totals.applied + totals.refused).max(1) as f64
}

fn shares_of_parts(
    scenario: &Scenario,
    load: &Audit,
    optimum: &Optimum,
    time: Duration,
) -> Vec<f64> {
    let table = Resource::Table(Table::NAME.to_owned());
    let resource = match &optimum.bottleneck {
        Bottleneck::Capacity(resource) => resource,
        Bottleneck::Rate => &table,
    };
    let changes = scenario.changes.iter();
    let mut ends: Vec<Duration> = changes
        .filter(|change| change.latency.is_some() && change.at < time)
        .map(|change| change.at)
        .collect();
    let Some(supply) = optimum.supply(scenario, load).filter(|_| !ends.is_empty()) else {
        return Vec::new();
    };
    ends.push(time);
    let drawn = load.units_per_second(resource);
    let mut start = Duration::ZERO;
    let mut shares = Vec::new();
    for end in ends {
        let seconds = start.as_secs()..end.as_secs() + u64::from(end == time);
        let drawn: u64 = drawn.range(seconds).map(|(_, units)| units).sum();
        let saved = if start.is_zero() {
            0.0
        } else {
            supply.given(start.as_secs_f64())
        };
        let given = supply.given(end.as_secs_f64()) - saved;
        shares.push(drawn as f64 / given.max(1e-9));
        start = end;
    }
    shares
}

fn back_within(scenario: &Scenario, load: &Audit) -> Option<Duration> {
    let changes = scenario.changes.iter().rev();
    let (at, capacity) = changes
        .filter(|change| change.index.is_none())
        .find_map(|change| Some((change.at, change.capacity?)))?;
    let drawn = load.units_per_second(&Resource::Table(Table::NAME.to_owned()));
    let mut seconds = drawn.range(at.as_secs()..);
    let (second, _) = seconds.find(|(_, units)| **units as f64 >= NEARLY_ALL * capacity as f64)?;
    Some(Duration::from_secs(second + 1).saturating_sub(at))
}

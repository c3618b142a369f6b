//! Results as tables, in Markdown.

use std::fmt::Write;
use std::time::Duration;

use dynasink_sim::Resource;

use crate::measured::Measured;
use crate::scenario::Scenario;
use crate::trace::Second;

/// One policy in one scenario.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The policy's name.
    pub policy: &'static str,
    /// How it fared.
    pub measured: Measured,
}

/// How one policy fared in each scenario, beside the ranges.
pub fn against_ranges(rows: &[Row<'_>]) -> String {
    let mut table = String::from(
        "| Scenario | Optimum | Time | Share | Refused | Requests | Ops per request | Largest second | Expected | |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        let Row {
            scenario, measured, ..
        } = row;
        let expect = &scenario.expect;
        let passed = if expect.misses(measured).is_empty() {
            "✓"
        } else {
            "✗"
        };
        let mut also = String::new();
        if !measured.shares_of_parts.is_empty() {
            let parts: Vec<_> = measured
                .shares_of_parts
                .iter()
                .map(|share| percent(*share))
                .collect();
            also = format!(" ({})", parts.join(", "));
        }
        let mut refused = percent(measured.refused);
        if let Some(others) = measured.others_refused {
            let _infallible = write!(refused, " (other client {})", percent(others));
        }
        let back = measured.back_within;
        let back = back.map_or_else(String::new, |back| format!(", back after {back:?}"));
        let _infallible = writeln!(
            table,
            "| {} {} | {} by the {} | {}{back} | {}{also} | {refused} | {} | {:.1} | {} | {} | {passed} |",
            number(scenario),
            scenario.about,
            time(measured.optimum.time),
            measured.optimum.bottleneck,
            time(measured.time),
            percent(measured.share),
            measured.requests,
            measured.fill,
            measured.largest_second,
            expect.in_words(),
        );
    }
    table
}

/// The shares of the optimum and of refused operations, one column for each policy. `rows` has all policies of one
/// scenario after another.
pub fn side_by_side(rows: &[Row<'_>]) -> String {
    let mut policies: Vec<&str> = Vec::new();
    for row in rows {
        if !policies.contains(&row.policy) {
            policies.push(row.policy);
        }
    }
    let mut table = format!("| Scenario | {} |\n", policies.join(" | "));
    let _infallible = writeln!(table, "| ---{} |", " | ---".repeat(policies.len()));
    for of_scenario in rows.chunk_by(|one, other| one.scenario.name == other.scenario.name) {
        let Some(scenario) = of_scenario.first().map(|row| row.scenario) else {
            continue;
        };
        let _infallible = write!(table, "| {} {}", number(scenario), scenario.about);
        for policy in &policies {
            let cell = of_scenario.iter().find(|row| row.policy == *policy);
            let cell = cell.map_or_else(String::new, |row| cell_of(&row.measured));
            let _infallible = write!(table, " | {cell}");
        }
        table.push_str(" |\n");
    }
    table
}

fn cell_of(measured: &Measured) -> String {
    let mut cell = format!(
        "{} / {}",
        percent(measured.share),
        percent(measured.refused)
    );
    if let Some(others) = measured.others_refused {
        let _infallible = write!(cell, ", other client {}", percent(others));
    }
    if measured.given_up > 0 {
        let all = (measured.applied + measured.given_up).max(1);
        let lost = measured.given_up as f64 / all as f64;
        let _infallible = write!(cell, ", {} lost", percent(lost));
    }
    cell
}

/// A load second by second, at most so many lines: seconds are summed up beyond.
pub fn trace(seconds: &[Second], lines: usize) -> String {
    let mut resources: Vec<&Resource> = Vec::new();
    for resource in seconds.iter().flat_map(|second| second.units.keys()) {
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    resources.sort();
    let mut table = format!(
        "{:>6} {:>9} {:>8} {:>9}",
        "second", "rate", "refused", "in flight"
    );
    for resource in &resources {
        let name = match resource {
            Resource::Table(_) => "table".to_owned(),
            Resource::Index(_, index) => index.clone(),
            Resource::Partition(_, number) => format!("part {number}"),
            _ => "other".to_owned(),
        };
        let _infallible = write!(table, " {name:>8}");
    }
    let _infallible = writeln!(table, " {:>8}", "others");
    for chunk in seconds.chunks(seconds.len().div_ceil(lines.max(1)).max(1)) {
        let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else {
            continue;
        };
        let mean = |sum: u64| sum as f64 / chunk.len() as f64;
        let refused = chunk.iter().map(|second| second.refused).sum::<u64>();
        let rate = last
            .rate
            .map_or_else(|| "-".to_owned(), |rate| format!("{rate:.0}"));
        let _infallible = write!(
            table,
            "{:>6} {rate:>9} {refused:>8} {:>9}",
            first.number, last.in_flight
        );
        for resource in &resources {
            let units = chunk
                .iter()
                .filter_map(|second| second.units.get(*resource));
            let _infallible = write!(table, " {:>8.0}", mean(units.sum()));
        }
        let others = chunk.iter().map(|second| second.others_units).sum();
        let _infallible = writeln!(table, " {:>8.0}", mean(others));
    }
    table
}

fn number(scenario: &Scenario) -> &str {
    let number = scenario.name.split('-').next().unwrap_or_default();
    number.trim_start_matches('0')
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1e4 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.0} s", seconds)
    }
}

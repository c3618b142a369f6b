//! Which charts a page has.

use std::collections::BTreeSet;

use dynasink::TimelinePoint;
use dynasink::limits::MAX_BATCH_OPS;

use super::chart::{Chart, Drawing, Series, TimeAxis};

/// The charts of what happened, in the order of the page.
pub(super) fn of(points: &[TimelinePoint]) -> Vec<Chart> {
    let mut charts = vec![units_of_the_table(points)];
    let names: BTreeSet<&String> = points
        .iter()
        .flat_map(|point| point.indexes.keys())
        .collect();
    let indexes = (1..)
        .zip(names)
        .map(|(nth, name)| units_of_an_index(points, nth, name));
    charts.extend(indexes);
    charts.push(refusals(points));
    if points.iter().any(|point| point.failed_requests.total() > 0) {
        charts.push(failures(points));
    }
    charts.extend([
        rows(points),
        batch_size(points),
        in_flight(points),
        latencies(points),
    ]);
    charts
}

/// The spans of `points`.
pub(super) fn time_axis(points: &[TimelinePoint]) -> TimeAxis {
    let spans = points
        .iter()
        .map(|point| (point.start, point.start + point.length));
    TimeAxis {
        spans: spans.collect(),
    }
}

fn series(
    name: &str,
    colour: usize,
    points: &[TimelinePoint],
    value: impl Fn(&TimelinePoint) -> Option<f64>,
) -> Series {
    Series {
        name: name.to_owned(),
        colour,
        dashed: false,
        values: points.iter().map(value).collect(),
    }
}

fn dashed(series: Series) -> Series {
    Series {
        dashed: true,
        ..series
    }
}

fn chart(id: &str, title: &str, unit: &str, drawing: Drawing, series: Vec<Series>) -> Chart {
    Chart {
        id: id.to_owned(),
        title: title.to_owned(),
        unit: unit.to_owned(),
        drawing,
        series,
        reaches: None,
    }
}

fn units_of_the_table(points: &[TimelinePoint]) -> Chart {
    let series = vec![
        series("used", 1, points, |point| {
            point.per_second(point.table_units)
        }),
        dashed(series("limit of this load", 2, points, |point| {
            point.limit.map(|limit| limit as f64)
        })),
    ];
    chart(
        "units-table",
        "Write capacity of the table",
        "Write capacity units per second",
        Drawing::Lines,
        series,
    )
}

fn units_of_an_index(points: &[TimelinePoint], nth: usize, name: &str) -> Chart {
    let mut lines = vec![series("used", 1, points, |point| {
        point.per_second(point.indexes.get(name).map_or(0, |index| index.units))
    })];
    let limit = series("limit of this load", 2, points, |point| {
        point.indexes.get(name)?.limit.map(|limit| limit as f64)
    });
    if limit.values.iter().any(Option::is_some) {
        lines.push(dashed(limit));
    }
    let title = format!("Write capacity of the index {name}");
    chart(
        &format!("units-index-{nth}"),
        &title,
        "Write capacity units per second",
        Drawing::Lines,
        lines,
    )
}

/// A stack of counts per second by cause; causes that never came are left out, unless none did.
fn by_cause<const N: usize>(
    points: &[TimelinePoint],
    causes: impl Fn(&TimelinePoint) -> [(&'static str, u64); N],
) -> Vec<Series> {
    let names = causes(&TimelinePoint::default()).map(|(name, _)| name);
    let count =
        |point: &TimelinePoint, nth: usize| causes(point).get(nth).map_or(0, |(_, count)| *count);
    let came = |nth: usize| points.iter().any(|point| count(point, nth) > 0);
    let none = (0..N).all(|nth| !came(nth));
    let stacked = names
        .into_iter()
        .enumerate()
        .filter(|(nth, _)| none || came(*nth));
    stacked
        .map(|(nth, name)| {
            series(name, nth + 1, points, |point| {
                point.per_second(count(point, nth))
            })
        })
        .collect()
}

fn refusals(points: &[TimelinePoint]) -> Chart {
    let series = by_cause(points, |point| point.refused.by_cause());
    chart(
        "refusals",
        "Refused for want of capacity, by cause",
        "Operations per second",
        Drawing::Stack,
        series,
    )
}

fn failures(points: &[TimelinePoint]) -> Chart {
    let series = by_cause(points, |point| point.failed_requests.by_cause());
    chart(
        "failures",
        "Failed requests, by cause",
        "Requests per second",
        Drawing::Stack,
        series,
    )
}

fn rows(points: &[TimelinePoint]) -> Chart {
    let series = vec![
        dashed(series("read", 3, points, |point| {
            point.per_second(point.rows_read)
        })),
        series("with their outcome", 1, points, |point| {
            point.per_second(point.rows_resolved)
        }),
    ];
    chart("rows", "Rows", "Rows per second", Drawing::Lines, series)
}

fn batch_size(points: &[TimelinePoint]) -> Chart {
    let series = vec![series("mean", 1, points, TimelinePoint::ops_per_request)];
    let unit = format!("Operations per request, of {MAX_BATCH_OPS} at most");
    Chart {
        reaches: Some(MAX_BATCH_OPS as f64),
        ..chart("batch-size", "Batch size", &unit, Drawing::Lines, series)
    }
}

fn in_flight(points: &[TimelinePoint]) -> Chart {
    let series = vec![
        series("mean", 1, points, TimelinePoint::mean_in_flight),
        series("most", 2, points, |point| Some(point.in_flight.most as f64)),
    ];
    chart(
        "in-flight",
        "Requests in flight",
        "Requests",
        Drawing::Lines,
        series,
    )
}

fn latencies(points: &[TimelinePoint]) -> Chart {
    let quantiles: Vec<_> = points
        .iter()
        .map(|point| point.latencies.quantiles())
        .collect();
    let line = |name: &str, colour, value: fn(&dynasink::LatencyQuantiles) -> f64| Series {
        name: name.to_owned(),
        colour,
        dashed: false,
        values: quantiles
            .iter()
            .map(|point| point.as_ref().map(value))
            .collect(),
    };
    let series = vec![
        line("99 in 100", 5, |point| point.p99_ms),
        line("9 in 10", 2, |point| point.p90_ms),
        line("half", 1, |point| point.p50_ms),
    ];
    let unit =
        "Milliseconds that so many of the requests took at most, each line ten times the one below";
    chart("latency", "Latency", unit, Drawing::LinesByDecade, series)
}

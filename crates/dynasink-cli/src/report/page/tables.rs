//! The numbers of a page.

use std::collections::BTreeSet;

use dynasink::TimelinePoint;
use maud::{Markup, html};

use super::chart::rounded;
use super::scale::Clock;
use super::{batch, count, elapsed};
use crate::report::record::{Record, Settings};

/// So many files are named; of more, the rest is counted.
const MOST_FILES: usize = 20;

/// Names and values, one a line.
fn listed(id: &str, lines: &[(String, String)]) -> Markup {
    html! {
        div.card {
            table id=(id) {
                tbody { @for (name, value) in lines { tr { th scope="row" { (name) } td { (value) } } } }
            }
        }
    }
}

pub(super) fn summary(record: &Record<'_>) -> Markup {
    let (summary, counts) = (&record.summary, &record.summary.counts);
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    line("Rows read", count(counts.rows_read));
    line("Items written", count(counts.items_written));
    line("Items deleted", count(counts.items_deleted));
    line(
        "Superseded by another row of the key",
        count(counts.superseded),
    );
    line("Skipped, as the source says", count(counts.skipped));
    line("Dead", count(counts.dead));
    line("Parts of files not read", count(counts.unread));
    line("Rows in these, as far as known", count(counts.unread_rows));
    line("Rows without an outcome", count(summary.unresolved));
    line(
        "Write capacity units consumed",
        count(counts.consumed_write_units),
    );
    line("Requests", count(counts.requests));
    line("Operations per request", batch(counts.ops_per_request()));
    line("Operations sent again", count(counts.retried_ops));
    line(
        "Operations refused for want of capacity",
        count(counts.throttled_ops),
    );
    for (cause, ops) in counts.refused.by_cause() {
        if ops > 0 {
            line(&format!("– {cause}"), count(ops));
        }
    }
    for (index, ops) in &record.refused_by_index {
        line(&format!("– index {index}"), count(*ops));
    }
    line(
        "Requests that failed",
        count(counts.failed_requests.total()),
    );
    for (cause, requests) in counts.failed_requests.by_cause() {
        if requests > 0 {
            line(&format!("– {cause}"), count(requests));
        }
    }
    if let Some(latency) = record.latency {
        let quantiles = [
            latency.p50_ms,
            latency.p90_ms,
            latency.p99_ms,
            latency.max_ms,
        ]
        .map(rounded);
        line(
            "Latency: half, 9 in 10, 99 in 100, all of the requests",
            format!("{} ms", quantiles.join(", ")),
        );
    }
    for collection in &summary.item_collections {
        let [lower, upper] = collection.size_gb;
        line(
            &format!("Item collection {}", collection.partition_key),
            format!("{lower} to {upper} GB"),
        );
    }
    line("Time", elapsed(summary));
    listed("summary", &lines)
}

pub(super) fn settings(settings: &Settings) -> Markup {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    line("Rate, in units per second", settings.rate.clone());
    if let Some(headroom) = settings.headroom_percent {
        line("Headroom", format!("{headroom}%"));
    }
    if let Some(burst) = settings.burst_seconds {
        line("Burst", format!("{burst} s"));
    }
    line("Requests in flight", settings.concurrency.clone());
    line("Rows of one key", settings.dedup.clone());
    line("Rows of all files", count(settings.rows));
    for source in settings.sources.iter().take(MOST_FILES) {
        line(&source.file, format!("{} rows", count(source.rows)));
    }
    let others = settings.sources.len().saturating_sub(MOST_FILES);
    if others > 0 {
        line(
            &format!("and {others} more files"),
            "all are in the data of this page".to_owned(),
        );
    }
    listed("settings", &lines)
}

/// What the charts show, as a table.
pub(super) fn points(points: &[TimelinePoint], clock: Clock) -> Markup {
    let indexes: BTreeSet<&String> = points
        .iter()
        .flat_map(|point| point.indexes.keys())
        .collect();
    let value = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), rounded);
    html! {
        details.card {
            summary { (points.len()) " points, each with its rates per second" }
            table.numbers id="points" {
                thead {
                    tr {
                        th scope="col" { "From (" (clock.name()) ")" }
                        th scope="col" { "Rows read/s" }
                        th scope="col" { "Rows with outcome/s" }
                        th scope="col" { "Table WCU/s" }
                        th scope="col" { "Limit" }
                        @for index in &indexes { th scope="col" { (index) " WCU/s" } }
                        th scope="col" { "Refused/s" }
                        th scope="col" { "Failed requests" }
                        th scope="col" { "Requests" }
                        th scope="col" { "Operations per request" }
                        th scope="col" { "In flight, mean" }
                        th scope="col" { "In flight, most" }
                        th scope="col" { "p50 ms" }
                        th scope="col" { "p90 ms" }
                        th scope="col" { "p99 ms" }
                    }
                }
                tbody {
                    @for point in points {
                        @let latency = point.latencies.quantiles();
                        tr {
                            th scope="row" { (clock.write(point.start.as_secs_f64())) }
                            td { (value(point.per_second(point.rows_read))) }
                            td { (value(point.per_second(point.rows_resolved))) }
                            td { (value(point.per_second(point.table_units))) }
                            td { (value(point.limit.map(|limit| limit as f64))) }
                            @for index in &indexes {
                                td { (value(point.per_second(point.indexes.get(*index).map_or(0, |index| index.units)))) }
                            }
                            td { (value(point.per_second(point.refused.total()))) }
                            td { (count(point.failed_requests.total())) }
                            td { (count(point.requests)) }
                            td { (value(point.ops_per_request())) }
                            td { (value(point.mean_in_flight())) }
                            td { (count(point.in_flight.most)) }
                            td { (value(latency.map(|latency| latency.p50_ms))) }
                            td { (value(latency.map(|latency| latency.p90_ms))) }
                            td { (value(latency.map(|latency| latency.p99_ms))) }
                        }
                    }
                }
            }
        }
    }
}

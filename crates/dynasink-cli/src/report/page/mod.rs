//! A report as one page of HTML that needs neither network nor script.
//!
//! Everything that comes from outside, such as names and messages, passes through the template, which escapes it.

mod chart;
mod charts;
mod scale;
mod tables;

use std::io;
use std::time::Duration;

use dynasink::limits::MAX_BATCH_OPS;
use indicatif::HumanCount;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::record::Record;
use super::{End, Report};

const STYLE: &str = include_str!("style.css");

/// The page of `record`.
///
/// # Errors
///
/// A path in it that is no Unicode: such a path is not JSON.
pub(super) fn of(record: &Record<'_>) -> io::Result<String> {
    let (summary, points) = (&record.summary, record.timeline);
    let (time, charts) = charts::of(points);
    let data = data_of(record)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Whatever else the page may hold one day, a browser loads and runs nothing for it.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="referrer" content="no-referrer";
                title { "dynasink " (record.settings.command) " into " (summary.table) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { "dynasink " (record.settings.command) " into " (summary.table) }
                        p.faint { "Started " (record.started) ", took " (elapsed(summary)) ", dynasink " (record.dynasink) }
                    }
                    (ending(summary))
                    (tiles(summary))
                    h2 { "Over time" }
                    div.charts { @for chart in &charts { (chart.draw(&time)) } }
                    h2 { "In numbers" }
                    div.columns {
                        (tables::summary(record))
                        (tables::settings(record.settings))
                    }
                    h2 { "Point by point" }
                    (tables::points(points, time.clock()))
                }
                script type="application/json" id="report" { (PreEscaped(data)) }
            }
        }
    };
    Ok(page.into_string())
}

/// The record as JSON that cannot end the element that it is in.
fn data_of(record: &Record<'_>) -> io::Result<String> {
    let json = serde_json::to_string(record)?;
    Ok(json.replace('<', "\\u003c").replace('&', "\\u0026"))
}

fn elapsed(summary: &Report<'_>) -> String {
    let seconds = summary.elapsed_seconds;
    let time = Duration::from_secs_f64(seconds.max(0.0));
    if seconds < 60.0 {
        format!("{time:.1?}")
    } else {
        humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
    }
}

/// How it ended, and what to do if that was not well.
fn ending(summary: &Report<'_>) -> Markup {
    let counts = &summary.counts;
    let bad_rows = counts.dead > 0 || counts.unread > 0;
    let (tone, end) = match summary.end {
        End::Complete if bad_rows => ("warn", "Complete, with rows that are not in the table."),
        End::Complete => ("good", "Complete."),
        End::Interrupted => ("warn", "Interrupted: not all rows were read."),
        End::TimeIsUp => ("warn", "The time was up: not all rows were read."),
        End::TooManyErrors => (
            "bad",
            "Stopped: more rows could not be read or written than allowed.",
        ),
        End::Failed => ("bad", "Failed."),
    };
    html! {
        section class={ "end " (tone) } {
            p { strong { (end) } }
            @if let Some(error) = summary.error { pre { (error) } }
            @if summary.unresolved > 0 {
                p { (HumanCount(summary.unresolved).to_string()) " rows were read and have no outcome: they may have been written or not." }
            }
            @if let Some(first) = &summary.first_dead { p { "The first of the rows that could not be read or written: " (first) } }
            @if let Some(file) = summary.dead_letters { p { "All of them: " code { (file.display()) } } }
            @if summary.resumed {
                p { "It went on from a checkpoint: the numbers are of all its runs, the time and the charts of the last." }
            }
            @for notice in summary.notices { p { (notice) } }
            @match summary.end {
                End::Complete => {}
                End::Interrupted | End::TimeIsUp | End::Failed => {
                    p { "What to do: run the same command again, with --resume if it had a --checkpoint. Writing a row twice does no harm." }
                }
                End::TooManyErrors => {
                    p { "What to do: mend what the dead letters tell of and run the same command again, or allow more with --max-errors." }
                }
            }
        }
    }
}

fn tiles(summary: &Report<'_>) -> Markup {
    let counts = &summary.counts;
    let seconds = summary.elapsed_seconds.max(0.001);
    let items = counts.items_written + counts.items_deleted;
    // The time is that of the last run alone.
    let items_of_the_run = items.saturating_sub(summary.written_before);
    let tiles = [
        ("Rows read", count(counts.rows_read)),
        ("Items written", count(items)),
        ("Items/s", count_of(items_of_the_run as f64 / seconds)),
        ("Units consumed", count(counts.consumed_write_units)),
        ("Refused", count(counts.throttled_ops)),
        ("Dead", count(counts.dead)),
        ("Batch size", batch(counts.ops_per_request())),
        ("Time", elapsed(summary)),
    ];
    html! {
        dl.tiles {
            @for (name, value) in tiles { div { dt { (name) } dd { (value) } } }
        }
    }
}

fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is not below zero, and seen by its greatest digits"
)]
fn count_of(number: f64) -> String {
    count(number.round() as u64)
}

fn batch(ops: Option<f64>) -> String {
    ops.map_or_else(
        || "none".to_owned(),
        |ops| format!("{ops:.1} of {MAX_BATCH_OPS}"),
    )
}

#[cfg(test)]
mod tests;

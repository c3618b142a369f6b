//! What a report file holds: what was asked for, what came of it, and what happened in between.

use std::collections::BTreeMap;

use dynasink::{FileSource, LatencyQuantiles, TimelinePoint};
use serde::Serialize;

use super::Report;
use crate::args::{DedupArg, PaceArgs};

/// Everything that is known of a load when it is over. Its JSON form is the report file for machines.
#[derive(Debug, Serialize)]
pub(crate) struct Record<'a> {
    /// The version of the command.
    pub(crate) dynasink: &'static str,
    /// When the load began, in UTC.
    pub(crate) started: String,
    pub(crate) settings: &'a Settings,
    /// What `--json` prints.
    pub(crate) summary: Report<'a>,
    /// Operations that were refused for want of an index's capacity, by the index.
    pub(crate) refused_by_index: BTreeMap<String, u64>,
    /// The latency of all requests, if there were any.
    pub(crate) latency: Option<LatencyQuantiles>,
    pub(crate) timeline: &'a [TimelinePoint],
}

/// What a load was asked to do.
#[derive(Debug, Serialize)]
pub(crate) struct Settings {
    pub(crate) command: &'static str,
    /// `auto`, units per second, or a percentage.
    pub(crate) rate: String,
    pub(crate) headroom_percent: Option<f64>,
    pub(crate) burst_seconds: Option<f64>,
    /// `auto`, or a number of requests.
    pub(crate) concurrency: String,
    /// What happens to rows of one key.
    pub(crate) dedup: String,
    /// Rows of all sources.
    pub(crate) rows: u64,
    pub(crate) sources: Vec<SourceRows>,
}

/// A file that was read.
#[derive(Debug, Serialize)]
pub(crate) struct SourceRows {
    pub(crate) file: String,
    pub(crate) rows: u64,
}

impl SourceRows {
    /// The files of `source`.
    pub(crate) fn of(source: &FileSource) -> Vec<Self> {
        let files = source.files().iter().map(|file| Self {
            file: file.name().to_owned(),
            rows: file.rows(),
        });
        files.collect()
    }
}

impl Settings {
    /// The settings of `command`, which writes the rows of `sources` at `pace`.
    pub(crate) fn of(
        command: &'static str,
        pace: &PaceArgs,
        dedup: DedupArg,
        sources: Vec<SourceRows>,
    ) -> Self {
        Self {
            command,
            rate: pace.rate.to_string(),
            headroom_percent: pace.headroom.map(|headroom| headroom.0),
            burst_seconds: pace.burst.map(|burst| burst.as_secs_f64()),
            concurrency: pace.concurrency.to_string(),
            dedup: dedup.to_string(),
            rows: sources.iter().map(|source| source.rows).sum(),
            sources,
        }
    }
}

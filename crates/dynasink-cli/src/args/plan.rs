//! The command line of `dynasink plan`.

use std::path::PathBuf;

use clap::Args;
use dynasink::WriteUnits;

use super::{DedupArg, KeyArgs, TableShapeArgs, TargetArgs};
use crate::source::SourceArgs;

/// Tell what a load would do, cost and stumble over, and write nothing
///
/// It reads the source as the load will, and once more where keys repeat. Exit status: 0 all rows can be written, 1 some would be dead letters or stop the
/// load, 2 refused, 3 stopped before the end, 130 interrupted.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The table that the rows will go to
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// Do not look the table up: it has the keys, the indexes and the capacity that are given
    #[arg(long, help_heading = "Target", requires = "partition_key")]
    pub(crate) offline: bool,

    /// What becomes of columns, as `dynasink mapping` prints it and you edit it
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,

    /// Which row of a key counts [default: keep-last, or keep-greatest if the mapping has a version]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub(crate) dedup: Option<DedupArg>,

    /// Write capacity units per second to tell the time for [default: what the table has, or some usual ones]
    #[arg(long, value_name = "N", value_parser = parse_rate)]
    pub(crate) rate: Option<WriteUnits>,

    /// Read only about that many rows, spread over the files, and tell of all by them; what keys repeat is not known then
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sample: Option<u64>,

    /// How many of the rows that cannot be written are shown
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) examples: usize,

    /// A TOML file with the prices to reckon with [default: those of us-east-1 that are built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,

    /// Print the plan as one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten, next_help_heading = "New table")]
    pub(crate) keys: KeyArgs,

    #[command(flatten)]
    pub(crate) shape: TableShapeArgs,

    // The headings of these would stand above what follows them.
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

fn parse_rate(text: &str) -> Result<WriteUnits, String> {
    match text.parse() {
        Ok(rate) if rate > 0 => Ok(WriteUnits::new(rate)),
        _ => Err("a rate to plan for is a whole number of units above zero".to_owned()),
    }
}

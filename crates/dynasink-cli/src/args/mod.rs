//! The command line, as it is written. What it means is worked out by the commands.

mod checkpoint;
mod control;
mod creation;
mod export;
mod plan;
mod replay;
mod report;
mod table;
mod verify;
mod writing;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use dynasink_sim::{Faults, Latency};

use crate::source::SourceArgs;
pub(crate) use checkpoint::CheckpointArgs;
pub(crate) use control::ControlArgs;
pub(crate) use creation::{BillingModeArg, CreateArgs, NewTableArgs, TableShapeArgs};
pub(crate) use export::ExportArgs;
pub(crate) use plan::PlanArgs;
pub(crate) use replay::ReplayArgs;
pub(crate) use report::ReportArgs;
pub(crate) use table::{KeyArg, KeyArgs, TargetArgs};
pub(crate) use verify::{ReadRateArg, VerifyArgs};
pub(crate) use writing::{DeadLetterArgs, DedupArg, PaceArgs, RateArg};

/// Stream Parquet and Arrow files into Amazon DynamoDB tables
///
/// Exit status: 0 every row is written, 1 some rows are dead letters or parts of files were not read, 2 refused before
/// any write, 3 stopped before the end, 130 interrupted after a clean drain.
#[derive(Debug, Parser)]
#[command(name = "dynasink", version)]
pub(crate) struct Cli {
    /// Say more on stderr: -v what is done, -vv each failed request
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Load(Box<LoadArgs>),
    Plan(Box<PlanArgs>),
    Export(Box<ExportArgs>),
    Mapping(Box<MappingArgs>),
    Verify(Box<VerifyArgs>),
    Replay(Box<ReplayArgs>),
    Restore(RestoreArgs),
    Serve(ServeArgs),
}

/// Write the rows of Parquet and Arrow files into a table
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// The table to write to
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// What becomes of columns, as `dynasink mapping` prints it and you edit it
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,

    /// What to do with rows of one key: keep-first and error remember every key, about 36 bytes each, keep-greatest
    /// about 112 [default: keep-last, or keep-greatest if the mapping has a version]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub(crate) dedup: Option<DedupArg>,

    #[command(flatten)]
    pub(crate) create: CreateArgs,

    /// Have the table take so many write units per second at once, whether it is new or not; it is paid for once, and cannot
    /// be undone
    #[arg(long, value_name = "N", help_heading = "Table", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) warm_throughput: Option<u64>,

    /// Give the table and its global indexes at least so many write units per second while rows are written
    ///
    /// It raises the provisioned capacity, or the maximum of a table on demand, and puts it back at the end, however the
    /// load ends. What it was is in the checkpoint before: after a crash, `dynasink restore` puts it back, as does --resume.
    #[arg(long, value_name = "N", help_heading = "Table", requires = "checkpoint", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) raise_capacity: Option<u64>,

    #[command(flatten)]
    pub(crate) pace: PaceArgs,

    #[command(flatten)]
    pub(crate) control: ControlArgs,

    #[command(flatten)]
    pub(crate) dead_letters: DeadLetterArgs,

    #[command(flatten)]
    pub(crate) checkpoint: CheckpointArgs,

    #[command(flatten)]
    pub(crate) report: ReportArgs,

    /// Ask for the sizes of item collections, and report the largest: for tables with local indexes
    #[arg(long, help_heading = "Report")]
    pub(crate) item_collection_metrics: bool,

    /// Print the report as one JSON object
    #[arg(long, help_heading = "Report")]
    pub(crate) json: bool,

    // The headings of these would stand above what follows them.
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Print what becomes of columns, as a file to edit and to give to load
///
/// It is TOML in which all but the headings is a comment, so that it changes nothing until it is edited.
#[derive(Debug, Args)]
pub(crate) struct MappingArgs {
    /// The table that the rows will go to: its keys are pointed out
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Put back the capacity that a load had raised, after a crash
///
/// The checkpoint says what it was. It can be run as often as you like. The load need not go on; if it does, --resume puts
/// the capacity back as well.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The checkpoint of the load
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: PathBuf,

    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Serve an embedded store over HTTP, for the AWS CLI, boto3 or NoSQL Workbench
///
/// With any option under "Simulation" it throttles and fails like a DynamoDB in trouble, and says at the end what
/// happened.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The file of the store, which must exist; without it the store is empty and in memory
    #[arg(long, value_name = "FILE")]
    pub(crate) embedded: Option<PathBuf>,

    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 8000)]
    pub(crate) port: u16,

    #[command(flatten)]
    pub(crate) simulation: SimulationArgs,
}

/// How the store is limited, and what goes wrong
#[derive(Debug, Args)]
#[command(next_help_heading = "Simulation")]
pub(crate) struct SimulationArgs {
    /// Write capacity units per second of every table and every global index, whatever they were created with
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) wcu: Option<u64>,

    /// Partitions that every table starts with [default: as many as its capacity needs]
    #[arg(long, value_name = "N")]
    pub(crate) partitions: Option<NonZeroUsize>,

    /// For how long tables had been unused when a load starts, which is what their burst capacity is saved up in
    /// [default: 5m, the most that counts]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) idle: Option<Duration>,

    /// How long requests take: a time such as 5ms, or a median and a 99th percentile such as 5ms..40ms
    #[arg(long, value_name = "TIME[..TIME]")]
    pub(crate) latency: Option<Latency>,

    /// What goes wrong, such as "lost=0.5%, internal@3, hang@30s..40s, capacity:TABLE=500@2m": see the guide
    #[arg(long, value_name = "LIST")]
    pub(crate) faults: Option<Faults>,

    /// What chance goes by: 0 unless given
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// A time that something may take.
pub(crate) fn parse_time_above_zero(text: &str) -> Result<Duration, String> {
    match parse_time(text)? {
        Duration::ZERO => Err("in no time nothing is done: give one such as 8h".to_owned()),
        time => Ok(time),
    }
}

pub(crate) fn parse_time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "a time is one such as 30s, 5m or 0s".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}

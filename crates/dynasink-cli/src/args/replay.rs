//! What `dynasink replay` writes, and where its own dead letters go.

use std::path::PathBuf;

use clap::Args;

use super::{ControlArgs, DeadLetterArgs, PaceArgs, ReportArgs, TargetArgs};
use crate::source::SourceArgs;

/// Write the dead letters of an earlier load, once what was wrong is mended
///
/// A letter with an item is written as it is. A row that never became an item, or a part of a file that could not be read,
/// is read again from its file, with the mapping that is given now. What cannot be written goes to a new dead-letter file.
///
/// Letters may be older than what the table holds now: replay overwrites it, unless --only-absent is given. Of letters of
/// one key the last is what stays: the order is that of their rows in the source, also where some are read again and others
/// are not. Name the sources as they were named to load if their order is not that of their names. This takes about 100
/// bytes of memory for each key of letters with an item.
///
/// Exit status: as load. A dead-letter file with a damaged line is refused before any write.
#[derive(Debug, Args)]
#[command(mut_arg("dead_letters", |arg| arg.help(
    "Where letters go that cannot be written again, as JSON lines [default: TABLE.dead-letters.replayed.jsonl]"
)))]
pub(crate) struct ReplayArgs {
    /// The dead-letter file
    #[arg(value_name = "DEAD-LETTERS")]
    pub(crate) letters: PathBuf,

    /// The table to write to
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// What becomes of columns of rows that are read again
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,

    /// Write only items whose key the table does not have: costs half a read unit or more a letter
    #[arg(long)]
    pub(crate) only_absent: bool,

    #[command(flatten)]
    pub(crate) pace: PaceArgs,

    #[command(flatten)]
    pub(crate) dead_letters: DeadLetterArgs,

    #[command(flatten)]
    pub(crate) control: ControlArgs,

    #[command(flatten)]
    pub(crate) report: ReportArgs,

    /// Print the report as one JSON object
    #[arg(long, help_heading = "Report")]
    pub(crate) json: bool,

    // Rows are read again from the files that the letters name, unless sources are given.
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

impl ReplayArgs {
    /// Where what dies again goes, which is named after the table unless it was given.
    pub(crate) fn dead_letters_path(&self) -> PathBuf {
        self.dead_letters.path_of("replayed", &self.table)
    }
}

//! Whether and where it is written down how far a load has come.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::parse_time;

/// How a load goes on after it was stopped
#[derive(Debug, Args)]
#[command(next_help_heading = "Going on")]
pub(crate) struct CheckpointArgs {
    /// Write down about once a second how far the load has come, so that it can go on after whatever stops it
    ///
    /// The file must not be there yet. It names the rows that have an outcome, the dead letters that belong to them, and by
    /// what the load is told from others: its files, its mapping, its table, its policy for rows of one key.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,

    /// Go on with the load that the checkpoint is of, with the same options
    ///
    /// It is refused if the files, what is read of them, the mapping, the table or the policy for rows of one key are not
    /// what they were. Rows without an outcome are read and written, those that were on their way perhaps a second time;
    /// dead letters of such rows are cut off before, so that none is there twice. The report counts all runs together.
    /// With --dedup keep-first, keep-greatest and error, all rows that were dealt with are read once more first.
    #[arg(long, requires = "checkpoint")]
    pub(crate) resume: bool,

    /// For how long the rows that were read may be written after the load was asked to stop; the others are left to
    /// --resume [default: 30s]
    ///
    /// It holds with --checkpoint. Without one, all rows that were read are written, however long that takes.
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "checkpoint")]
    pub(crate) drain: Option<Duration>,
}

/// Long enough for requests on their way, and short enough for whoever waits.
const DRAIN: Duration = Duration::from_secs(30);

impl CheckpointArgs {
    /// How long what was read may be written after a stop; none if all of it must be.
    pub(crate) fn drain(&self) -> Option<Duration> {
        self.checkpoint.as_ref()?;
        Some(self.drain.unwrap_or(DRAIN))
    }
}

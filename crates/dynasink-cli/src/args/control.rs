//! What may change while rows are written.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::parse_time;

/// What may change while rows are written
#[derive(Clone, Debug, Args)]
pub(crate) struct ControlArgs {
    /// A TOML file that is looked at every second: rate = "auto", 500 or "50%", and paused = true
    ///
    /// It need not be there, and where it is removed all is as in the beginning. SIGUSR1 has it looked at anew. Without it, SIGUSR1 halves the rate, and SIGUSR2 takes one halving
    /// back.
    #[arg(long, value_name = "FILE")]
    pub(crate) control: Option<PathBuf>,

    /// Stop reading after that time, and write what was read: such as 8h
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) max_duration: Option<Duration>,
}

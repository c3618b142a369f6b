//! What may change while rows are written.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::parse_time_above_zero;

/// What may change while rows are written
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "While it runs")]
pub(crate) struct ControlArgs {
    /// A TOML file that is looked at every second: rate = "auto", 500 or "50%", and paused = true
    ///
    /// It need not be there, and where it is removed all is as in the beginning. SIGUSR1 has it looked at anew. Without it, SIGUSR1 halves the rate, and SIGUSR2 takes one halving
    /// back.
    #[arg(long, value_name = "FILE")]
    pub(crate) control: Option<PathBuf>,

    /// Stop reading after that time, such as 8h, and end like an interrupted load: with exit status 130
    #[arg(long, value_name = "TIME", value_parser = parse_time_above_zero)]
    pub(crate) max_duration: Option<Duration>,
}

//! The `dynasink` command: arguments, then a plan, then a run, then a report.

mod args;
mod aws;
mod columns;
mod control;
mod export;
mod failure;
mod kept;
mod lifecycle;
mod load;
mod mapping;
mod output;
mod plan;
mod progress;
mod reading;
mod replay;
mod report;
mod restore;
mod serve;
mod signals;
mod source;
mod subject;
mod target;
mod verify;
mod writing;

use std::io::stderr;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Command};
use crate::failure::Failure;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.verbose);
    log_panics();
    let result = match &cli.command {
        Command::Load(args) => load::run(args, cli.verbose > 0).await,
        Command::Plan(args) => plan::run(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Mapping(args) => mapping::run(args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Replay(args) => replay::run(args, cli.verbose > 0).await,
        Command::Restore(args) => restore::run(args).await,
        Command::Serve(args) => serve::run(args).await,
    };
    result.unwrap_or_else(|failure: Failure| failure.shown().exit_code())
}

/// A panic of a reader on a damaged file is caught and ends in one error message; where it happened is for the log.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::warn!("{panic}")));
}

fn log_to_stderr(verbose: u8) {
    let directives = match verbose {
        0 => "error",
        1 => "warn,dynasink=info,dynasink_aws=info,dynasink_arrow=info",
        2 => "info,dynasink=debug,dynasink_aws=debug,dynasink_arrow=debug",
        _ => "debug",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(stderr)
        .init();
}

//! `cargo bench -p dynasink-benches --bench tuning -- --help`: what to set for a load, and how long it will take.

use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use dynasink_benches::tuning::{self, Args};

/// What was asked for cannot be done.
const REFUSED: u8 = 2;

fn main() -> ExitCode {
    // Cargo runs a benchmark in the folder of its package. Paths are meant from where the command was given.
    if let Some(given_in) = std::env::var_os("PWD") {
        let _stays = std::env::set_current_dir(Path::new(&given_in));
    }
    if std::env::args().skip(1).all(|word| word == "--bench") {
        // All benchmarks are run, and this one has nothing to go by.
        let _shown = write!(stdout(), "{}", Args::command().render_help());
        return ExitCode::SUCCESS;
    }
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where stderr is closed, there is nobody to be told.
            let _shown = writeln!(stderr(), "error: {}", describe(&*error));
            REFUSED.into()
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let report = tuning::tune(args)?;
    let plots = tuning::draw(&report, &args.output)?;
    let mut out = stdout().lock();
    if args.json {
        writeln!(out, "{}", report.json(&plots))?;
    } else {
        write!(out, "{}", report.text(&plots))?;
    }
    Ok(())
}

/// The error, and what it stems from in the lines below.
fn describe(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str("\n  caused by: ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    message
}

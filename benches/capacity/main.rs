//! How much of a table's capacity a load uses, in each scenario and by each policy.
//!
//! ```sh
//! cargo bench -p dynasink-benches --bench capacity
//! cargo bench -p dynasink-benches --bench capacity -- 07 08 --policy Dynasink
//! cargo bench -p dynasink-benches --bench capacity -- --trace 04
//! cargo bench -p dynasink-benches --bench capacity -- --write
//! ```
//!
//! `--help` says what can be asked for, and which scenarios and policies there are.
//!
//! Everything runs on the simulator and in virtual time: two runs give the same numbers on any machine. It ends with an
//! error if a range of a scenario is missed.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod arguments;
mod document;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use dynasink_benches::report::{self, Row};
use dynasink_benches::{Policy, Scenario, policies, run, run_traced};
use tokio::runtime::{Builder, Runtime};

use arguments::Arguments;

/// Lines of a trace: a terminal's few screens.
const TRACE_LINES: usize = 240;

const HELP: &str = "\
How much of a table's capacity a load uses, in each scenario and by each policy

Usage: cargo bench -p dynasink-benches --bench capacity -- [SCENARIO]... [OPTIONS]

Arguments:
  [SCENARIO]...  How the names of scenarios begin; all of them if there is none

Options:
      --policy NAME  Run this policy only
      --trace        Print what happens second by second, by the project's own policy unless one is named
      --write        Write the tables into the book
  -h, --help         Print help
";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let mut scenarios = Scenario::all()?;
    let mut policies = policies::all();
    if arguments.help {
        let names: Vec<_> = scenarios.iter().map(|of| of.name.as_str()).collect();
        println!("{HELP}");
        println!("Scenarios: {}", names.join(", "));
        println!("Policies: {}", names_of(&policies));
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.names.is_empty() {
        scenarios.retain(|scenario| arguments.chooses(&scenario.name));
    }
    if scenarios.is_empty() {
        return Err("no scenario has such a name".into());
    }
    if let Some(name) = &arguments.policy {
        let known = names_of(&policies);
        policies.retain(|policy| policy.name().eq_ignore_ascii_case(name));
        if policies.is_empty() {
            return Err(format!("no policy is called {name}; there are {known}").into());
        }
    }
    let own = policies::all();
    let own = own.first().map_or("", |policy| policy.name());
    if arguments.trace {
        policies.truncate(1);
        for (scenario, policy) in scenarios.iter().zip(policies.iter().cycle()) {
            trace(scenario, policy.as_ref())?;
        }
        return Ok(ExitCode::SUCCESS);
    }

    let mut rows = Vec::new();
    let mut misses = Vec::new();
    for scenario in &scenarios {
        for policy in &policies {
            let measured = paused()?.block_on(run(scenario, policy.as_ref()));
            if policy.name() == own {
                let outside = scenario.expect.misses(&measured);
                misses.extend(
                    outside
                        .into_iter()
                        .map(|miss| format!("{}: {miss}", scenario.name)),
                );
            }
            rows.push(Row {
                scenario,
                policy: policy.name(),
                measured,
            });
        }
    }
    let of_ours: Vec<_> = rows
        .iter()
        .filter(|row| row.policy == own)
        .cloned()
        .collect();
    let mut tables = report::against_ranges(&of_ours);
    if policies.len() > 1 {
        tables.push('\n');
        tables.push_str(&report::side_by_side(&rows));
    }
    println!("{tables}");
    if arguments.write {
        document::write(&tables)?;
    }
    for miss in &misses {
        println!("missed: {miss}");
    }
    Ok(if misses.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn names_of(policies: &[Box<dyn Policy>]) -> String {
    let names: Vec<_> = policies.iter().map(|policy| policy.name()).collect();
    names.join(", ")
}

fn trace(scenario: &Arc<Scenario>, policy: &dyn Policy) -> Result<(), Box<dyn Error>> {
    let (measured, seconds) = paused()?.block_on(run_traced(scenario, policy));
    println!("{} by {}", scenario.name, policy.name());
    println!("{}", report::trace(&seconds, TRACE_LINES));
    let row = Row {
        scenario,
        policy: policy.name(),
        measured,
    };
    println!("{}", report::against_ranges(&[row]));
    Ok(())
}

/// A runtime whose time passes only when nothing else is to be done.
fn paused() -> std::io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
}

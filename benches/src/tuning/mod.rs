//! What should be set, and how long will it take: settings of a load held against each other on the simulated table of a
//! user, with the user's own rows.
//!
//! ```text
//!  Parquet ─▶ Decoder ─▶ Sample ─┐
//!                                ├─▶ sweep of Settings ─▶ Trials ─▶ Ranking ─▶ Report ─▶ text, JSON, plots
//!  Args ─▶ TunedTable ───────────┘
//! ```
//!
//! A trial is the real pipe on the simulator in virtual time. One seed gives one report.

mod args;
mod bounds;
mod error;
mod figures;
mod plots;
mod ranking;
mod report;
mod sample;
mod setting;
mod source;
mod sweep;
mod table;
#[cfg(test)]
mod tests;
mod trial;

pub use args::{Args, IndexArg, KeyArg};
pub use bounds::{Bound, Limit};
pub use error::{Error, Result};
pub use plots::draw;
pub use ranking::{Ranked, Ranking};
pub use report::Report;
pub use sample::Sample;
pub use setting::{Batch, InFlight, Pace, Setting, Window};
pub use table::TunedTable;
pub use trial::Trial;

/// Reads the source, tries the settings and says what came of it.
///
/// # Errors
///
/// [`Error`] if the source cannot be read, the table cannot be, or a trial failed.
pub fn tune(args: &Args) -> Result<Report> {
    let (table, sample) = source::load(args)?;
    let trials = sweep::sweep(sample.readable_at_once(), table.wcu(), |setting| {
        trial::run(&table, &sample, setting, args.seed)
    })?;
    Ok(Report::new(
        args,
        &table,
        &sample,
        Ranking::of(trials, &sample),
    ))
}

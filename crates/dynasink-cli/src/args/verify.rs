//! What `dynasink verify` compares, and how fast it reads.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Arg, Args};

use super::writing::parse_percent;
use super::{DeadLetterArgs, DedupArg, PaceArgs, TargetArgs};
use crate::source::SourceArgs;

/// Compare the rows of Parquet and Arrow files with what a table holds
///
/// The source is read twice: first to find out which row of each key counts, which takes 16 bytes or so of memory a key,
/// and then to compare these rows with their items, by typed value: 1 and 1.0 are one number, and a set has no order.
/// Where the table has a time to live, an item that is missing and has expired is no difference.
///
/// Exit status: 0 source and table are equal, or all that differed is repaired; 1 there are differences, or rows that
/// cannot be items; 2 refused before anything was read; 3 stopped before the end; 130 interrupted.
#[derive(Debug, Args)]
#[command(
    mut_arg("rate", needs_repair),
    mut_arg("headroom", needs_repair),
    mut_arg("burst", needs_repair),
    mut_arg("concurrency", needs_repair),
    mut_arg("dead_letters", |arg| needs_repair(arg).help(
        "Where rows go that cannot be written, as JSON lines [default: TABLE.dead-letters.repair.jsonl]"
    ))
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line, and none depends on another"
)]
pub(crate) struct VerifyArgs {
    /// The table to compare with
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// What becomes of columns, as it was given to load
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,

    /// Compare some keys only, with all their rows: a number of about that many, or a percentage
    ///
    /// They are chosen by a hash of the key, so that a second run compares the same. At least one key is.
    #[arg(long, value_name = "N|N%")]
    pub(crate) sample: Option<SampleArg>,

    /// Which row of a key counts, as it was given to load: with error the first, since the load stops at the second
    /// [default: keep-last, or keep-greatest if the mapping has a version]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub(crate) dedup: Option<DedupArg>,

    /// Scan the table too, for items whose key no row has
    #[arg(long, conflicts_with = "sample")]
    pub(crate) scan: bool,

    /// See all that was written before, at twice the read units
    #[arg(long)]
    pub(crate) consistent_reads: bool,

    /// Read capacity units per second at most: a number, or a percentage of what the table has [default: no limit]
    #[arg(long, value_name = "N|N%")]
    pub(crate) read_rate: Option<ReadRateArg>,

    /// Read requests in flight
    #[arg(long, value_name = "N", default_value = "8")]
    pub(crate) read_concurrency: NonZeroU32,

    /// Where differences go, as JSON lines [default: TABLE.differences.jsonl]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write what is missing or different, as load would: items that no row has are left alone
    #[arg(long)]
    pub(crate) repair: bool,

    #[command(flatten)]
    pub(crate) pace: PaceArgs,

    #[command(flatten)]
    pub(crate) dead_letters: DeadLetterArgs,

    /// Print the report as one JSON object
    #[arg(long, help_heading = None::<&str>)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// What says how to write means nothing where nothing is written.
fn needs_repair(arg: Arg) -> Arg {
    arg.requires("repair")
}

/// `N` or `N%` of the keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SampleArg {
    Keys(u64),
    Percent(f64),
}

impl SampleArg {
    /// The share of `rows`, if no key came twice.
    pub(crate) fn share(self, rows: u64) -> f64 {
        match self {
            Self::Keys(keys) if keys >= rows => 1.0,
            Self::Keys(keys) => keys as f64 / rows as f64,
            Self::Percent(percent) => percent / 100.0,
        }
    }
}

impl FromStr for SampleArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(percent) = text.strip_suffix('%') {
            return parse_percent(percent).map(Self::Percent);
        }
        match text.parse() {
            Ok(keys) if keys > 0 => Ok(Self::Keys(keys)),
            _ => Err(
                "a sample is a whole number of keys above zero, or a percentage such as 1%"
                    .to_owned(),
            ),
        }
    }
}

/// `N` or `N%` of the table's read capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ReadRateArg {
    Units(f64),
    Percent(f64),
}

impl FromStr for ReadRateArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(percent) = text.strip_suffix('%') {
            return parse_percent(percent).map(Self::Percent);
        }
        match text.parse() {
            Ok(units) if f64::is_finite(units) && units > 0.0 => Ok(Self::Units(units)),
            _ => Err(
                "a read rate is a number of units above zero, or a percentage such as 50%"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_and_rates_that_mean_nothing_are_refused() {
        for text in ["", "0", "-1", "1.5", "0%", "101%", "all"] {
            assert!(text.parse::<SampleArg>().is_err(), "{text:?}");
        }
        for text in ["", "0", "-1", "inf", "NaN", "0%", "fast"] {
            assert!(text.parse::<ReadRateArg>().is_err(), "{text:?}");
        }
        let share = |text: &str, rows| text.parse::<SampleArg>().unwrap().share(rows);
        assert!((share("10", 1_000) - 0.01).abs() < 1e-9);
        assert!((share("10", 5) - 1.0).abs() < 1e-9);
        assert!((share("5%", 5) - 0.05).abs() < 1e-9);
    }
}

//! How fast to write, and what becomes of rows that cannot be written.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use dynasink::{Concurrency, Rate, RateOptions, WriteUnits};

use super::parse_time;

/// How fast to write
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Pace")]
pub(crate) struct PaceArgs {
    /// Write capacity units per second: found out, a number, or a percentage of what the table has
    ///
    /// A percentage is one of the provisioned capacity, or of the maximum of an on-demand table; without a maximum there is
    /// nothing to take it of, and it is refused. Each global index that has a capacity is held to the same share of its own.
    /// With auto or a number, indexes are held to what they are found to take. An item is written when the table and all of
    /// its indexes have the units, so that an index with less capacity slows the load.
    #[arg(long, value_name = "auto|N|N%", default_value = "auto")]
    pub(crate) rate: RateArg,

    /// Leave that percentage of the table's capacity to others, and give way when they need more
    ///
    /// It holds for each global index too. The rate is never above the rest of the capacity that is described when the load
    /// begins (where none is described, of what it finds). It halves when the table refuses, and goes back up from half to
    /// the whole in 20 seconds. With --rate N or N%, that is the most as well: the lesser of the two holds.
    #[arg(long, value_name = "N%")]
    pub(crate) headroom: Option<HeadroomArg>,

    /// How much of a second's units may pass at once, and as much again that came back: 5ms to 1s [default: 50ms]
    ///
    /// It is the time whose units may be written at one moment after a pause: at 1000 units per second, 50ms are 50 units. As
    /// many again may be units that the service refused and that are spent a second time. A longer burst makes up for
    /// hiccups of the source or the network; a shorter one keeps each second closer to the rate.
    #[arg(long, value_name = "TIME", value_parser = parse_burst)]
    pub(crate) burst: Option<Duration>,

    /// Requests in flight: found out, or a number
    #[arg(long, value_name = "auto|N", default_value = "auto")]
    pub(crate) concurrency: ConcurrencyArg,
}

impl PaceArgs {
    pub(crate) fn rate(&self) -> RateOptions {
        let mut rate = RateOptions::from(self.rate.0);
        if let Some(headroom) = self.headroom {
            rate = rate.headroom(headroom.0);
        }
        if let Some(burst) = self.burst {
            rate = rate.burst(burst);
        }
        rate
    }

    pub(crate) fn concurrency(&self) -> Concurrency {
        match self.concurrency {
            ConcurrencyArg::Auto => Concurrency::default(),
            ConcurrencyArg::Fixed(requests) => Concurrency::Fixed(requests.get()),
        }
    }
}

/// What becomes of rows that cannot be written
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Rows that cannot be written")]
pub(crate) struct DeadLetterArgs {
    /// Where rows go that cannot be written, as JSON lines [default: TABLE.dead-letters.jsonl]
    #[arg(long, value_name = "FILE")]
    pub(crate) dead_letters: Option<PathBuf>,

    /// Stop once more rows than this are dead letters: a number, or a percentage of all rows
    #[arg(long, value_name = "N|N%")]
    pub(crate) max_errors: Option<MaxErrorsArg>,
}

impl DeadLetterArgs {
    /// The file of a load, which is named after `table` unless it was given.
    pub(crate) fn path(&self, table: &str) -> PathBuf {
        self.path_ending(table, "dead-letters.jsonl")
    }

    /// The file of another command, so that none is in the way of a load's.
    pub(crate) fn path_of(&self, command: &str, table: &str) -> PathBuf {
        self.path_ending(table, &format!("dead-letters.{command}.jsonl"))
    }

    fn path_ending(&self, table: &str, end: &str) -> PathBuf {
        // Of an ARN it is the last part.
        let name = table.rsplit(['/', ':']).next().unwrap_or(table);
        let default = || PathBuf::from(format!("{name}.{end}"));
        self.dead_letters.clone().unwrap_or_else(default)
    }

    /// Most dead rows of `rows`, if they are limited.
    pub(crate) fn max_dead(&self, rows: u64) -> Option<u64> {
        self.max_errors.map(|max_errors| max_errors.of(rows))
    }
}

/// `auto`, `N` or `N%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RateArg(pub(crate) Rate);

impl FromStr for RateArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self(Rate::Auto));
        }
        if let Some(percent) = text.strip_suffix('%') {
            return Ok(Self(Rate::Percent(parse_percent(percent)?)));
        }
        match text.parse() {
            Ok(rate) if rate > 0 => Ok(Self(Rate::Fixed(WriteUnits::new(rate)))),
            _ => Err(
                "a rate is auto, a whole number of units above zero, or a percentage such as 50%"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for RateArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Rate::Auto => f.write_str("auto"),
            Rate::Fixed(rate) => write!(f, "{}", rate.get()),
            Rate::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

fn parse_burst(text: &str) -> Result<Duration, String> {
    match parse_time(text)? {
        burst if burst < Duration::from_millis(5) => {
            Err("a burst is at least 5ms: the timer loses a part of the rate below it".to_owned())
        }
        burst if burst <= Duration::from_secs(1) => Ok(burst),
        _ => Err("a burst is at most a second of the rate".to_owned()),
    }
}

pub(super) fn parse_percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent),
        _ => Err("a percentage is above 0 and at most 100".to_owned()),
    }
}

/// `N%`, of which something is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HeadroomArg(pub(crate) f64);

impl FromStr for HeadroomArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_suffix('%').map(parse_percent) {
            Some(Ok(percent)) if percent < 100.0 => Ok(Self(percent)),
            _ => Err("a headroom is a percentage between 0 and 100, such as 10%".to_owned()),
        }
    }
}

/// `auto` or `N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConcurrencyArg {
    Auto,
    Fixed(NonZeroUsize),
}

impl FromStr for ConcurrencyArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse()
            .map(Self::Fixed)
            .map_err(|_| "a number of requests is auto or a whole number above zero".to_owned())
    }
}

impl fmt::Display for ConcurrencyArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed(requests) => write!(f, "{requests}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DedupArg {
    /// The last row of a key is written
    KeepLast,
    /// The first row of a key is written
    KeepFirst,
    /// The row of a key with the greatest version stays, by the mapping's version column
    KeepGreatest,
    /// A second row of a key stops the load
    Error,
    /// Every row is written, in order
    Off,
}

impl fmt::Display for DedupArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value();
        f.write_str(name.as_ref().map_or("", PossibleValue::get_name))
    }
}

/// `N` or `N%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MaxErrorsArg {
    Rows(u64),
    Percent(f64),
}

impl FromStr for MaxErrorsArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(percent) = text.strip_suffix('%') {
            return parse_percent(percent).map(Self::Percent);
        }
        text.parse().map(Self::Rows).map_err(|_| {
            "a number of rows is a whole number, or a percentage such as 0.1%".to_owned()
        })
    }
}

impl MaxErrorsArg {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the percentage is between 0 and 100, so the result is between 0 and the rows"
    )]
    fn of(self, rows: u64) -> u64 {
        match self {
            Self::Rows(most) => most,
            Self::Percent(percent) => (rows as f64 * percent / 100.0).floor() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_numbers_that_mean_nothing_are_refused() {
        for text in ["", "0", "-1", "1.5", "fast", "0%", "101%", "NaN%", "%"] {
            assert!(text.parse::<RateArg>().is_err(), "{text:?}");
        }
        assert_eq!("12.5%".parse(), Ok(RateArg(Rate::Percent(12.5))));
        assert_eq!(
            "500".parse(),
            Ok(RateArg(Rate::Fixed(WriteUnits::new(500))))
        );
        for text in ["", "10", "0%", "100%", "-1%", "some"] {
            assert!(text.parse::<HeadroomArg>().is_err(), "{text:?}");
        }
        assert_eq!("10%".parse(), Ok(HeadroomArg(10.0)));
        for text in ["auto", "500", "12.5%"] {
            let rate: RateArg = text.parse().unwrap();
            assert_eq!(rate.to_string(), text);
        }
        assert!(parse_burst("2s").is_err());
        assert!(parse_burst("4ms").is_err());
        assert!(parse_burst("0s").is_err());
        assert_eq!(parse_burst("5ms"), Ok(Duration::from_millis(5)));
        assert_eq!(parse_burst("20ms"), Ok(Duration::from_millis(20)));
        for text in ["0", "", "many"] {
            assert!(text.parse::<ConcurrencyArg>().is_err(), "{text:?}");
        }
        assert_eq!("0".parse(), Ok(MaxErrorsArg::Rows(0)));
        assert!("-1".parse::<MaxErrorsArg>().is_err());
    }
}

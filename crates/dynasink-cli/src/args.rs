//! The command line, as it is written. What it means is worked out in [`plan`](crate::plan).

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use dynasink::{KeyType, Rate, WriteUnits};
use dynasink_sim::{Faults, Latency};

use crate::source::SourceArgs;

/// Stream Parquet and Arrow files into Amazon DynamoDB tables
///
/// Exit status: 0 every row is written, 1 some rows are dead letters or parts of files were not read, 2 refused before
/// any write, 3 stopped before the end, 130 interrupted after a clean drain.
#[derive(Debug, Parser)]
#[command(name = "dynasink", version)]
pub(crate) struct Cli {
    /// Say more on stderr: -v what is done, -vv each failed request
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Load(Box<LoadArgs>),
    Mapping(Box<MappingArgs>),
    Serve(ServeArgs),
}

/// Write the rows of Parquet and Arrow files into a table
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// The table to write to
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// What becomes of columns, as `dynasink mapping` prints it and you edit it
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,

    /// Create the table, on demand, if there is none of that name
    #[arg(long, requires = "partition_key")]
    pub(crate) create_table: bool,

    /// The partition key of the table to create; its type is that of what becomes it, unless given
    #[arg(long, value_name = "NAME[:S|N|B]", requires = "create_table")]
    pub(crate) partition_key: Option<KeyArg>,

    /// The sort key of the table to create; its type is that of what becomes it, unless given
    #[arg(long, value_name = "NAME[:S|N|B]", requires = "create_table")]
    pub(crate) sort_key: Option<KeyArg>,

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

    /// What to do with rows of one key: keep-first and error remember every key, about 36 bytes each, keep-greatest
    /// about 112 [default: keep-last, or keep-greatest if the mapping has a version]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub(crate) dedup: Option<DedupArg>,

    /// Where rows go that cannot be written, as JSON lines [default: TABLE.dead-letters.jsonl]
    #[arg(long, value_name = "FILE")]
    pub(crate) dead_letters: Option<PathBuf>,

    /// Stop once more rows than this are dead letters: a number, or a percentage of all rows
    #[arg(long, value_name = "N|N%")]
    pub(crate) max_errors: Option<MaxErrorsArg>,

    /// Ask for the sizes of item collections, and report the largest: for tables with local indexes
    #[arg(long)]
    pub(crate) item_collection_metrics: bool,

    /// Print the report as one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    // The headings of these would stand above what follows them.
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Print what becomes of columns, as a file to edit and to give to load
///
/// It is TOML in which all but the headings is a comment, so that it changes nothing until it is edited.
#[derive(Debug, Args)]
pub(crate) struct MappingArgs {
    /// The table that the rows will go to: its keys are pointed out
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Where the table is
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// The endpoint, if it is not that of AWS
    #[arg(long, value_name = "URL", help_heading = "Target")]
    pub(crate) endpoint_url: Option<String>,

    /// The AWS region [default: from the profile or the environment]
    #[arg(long, value_name = "REGION", help_heading = "Target")]
    pub(crate) region: Option<String>,

    /// The profile of the AWS configuration files
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub(crate) profile: Option<String>,

    /// A DynamoDB-compatible store in this file, in place of AWS
    #[arg(long, value_name = "FILE", help_heading = "Target", conflicts_with_all = ["endpoint_url", "region", "profile"])]
    pub(crate) embedded: Option<PathBuf>,
}

/// Serve an embedded store over HTTP, for the AWS CLI, boto3 or NoSQL Workbench
///
/// With any option under "Simulation" it throttles and fails like a DynamoDB in trouble, and says at the end what
/// happened.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The file of the store, which must exist; without it the store is empty and in memory
    #[arg(long, value_name = "FILE")]
    pub(crate) embedded: Option<PathBuf>,

    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 8000)]
    pub(crate) port: u16,

    #[command(flatten)]
    pub(crate) simulation: SimulationArgs,
}

/// How the store is limited, and what goes wrong
#[derive(Debug, Args)]
#[command(next_help_heading = "Simulation")]
pub(crate) struct SimulationArgs {
    /// Write capacity units per second of every table and every global index, whatever they were created with
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) wcu: Option<u64>,

    /// Partitions that every table starts with [default: as many as its capacity needs]
    #[arg(long, value_name = "N")]
    pub(crate) partitions: Option<NonZeroUsize>,

    /// For how long tables had been unused when a load starts, which is what their burst capacity is saved up in
    /// [default: 5m, the most that counts]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) idle: Option<Duration>,

    /// How long requests take: a time such as 5ms, or a median and a 99th percentile such as 5ms..40ms
    #[arg(long, value_name = "TIME[..TIME]")]
    pub(crate) latency: Option<Latency>,

    /// What goes wrong, such as "lost=0.5%, internal@3, hang@30s..40s, capacity:TABLE=500@2m": see the guide
    #[arg(long, value_name = "LIST")]
    pub(crate) faults: Option<Faults>,

    /// What chance goes by: 0 unless given
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// A key attribute: `NAME`, or `NAME:S`, `NAME:N`, `NAME:B`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyArg {
    pub(crate) name: String,
    pub(crate) key_type: Option<KeyType>,
}

impl FromStr for KeyArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let typed = text.rsplit_once(':').and_then(|(name, descriptor)| {
            let types = [KeyType::S, KeyType::N, KeyType::B];
            Some((
                name,
                types
                    .into_iter()
                    .find(|key_type| key_type.descriptor() == descriptor)?,
            ))
        });
        let (name, key_type) = match typed {
            Some((name, key_type)) => (name, Some(key_type)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("a key has a name".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            key_type,
        })
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

fn parse_time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "a time is one such as 30s, 5m or 0s".to_owned())
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

fn parse_percent(text: &str) -> Result<f64, String> {
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_key_is_a_name_and_perhaps_a_type() {
        let key = |name: &str, key_type| KeyArg {
            name: name.to_owned(),
            key_type,
        };
        assert_eq!("id".parse(), Ok(key("id", None)));
        assert_eq!("id:N".parse(), Ok(key("id", Some(KeyType::N))));
        assert_eq!("a:b".parse(), Ok(key("a:b", None)));
        assert_eq!("a:b:S".parse(), Ok(key("a:b", Some(KeyType::S))));
        assert!(":S".parse::<KeyArg>().is_err());
        assert!("".parse::<KeyArg>().is_err());
    }

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

//! The command line.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use dynasink::KeyType;
use dynasink_sim::Latency;

/// Find the settings of a load on a simulated copy of your table, and how long it will take
///
/// Nothing is written anywhere but to --output, and AWS is not asked for anything. Times are those of the simulation.
#[derive(Clone, Debug, Parser)]
#[command(bin_name = "cargo bench -p dynasink-benches --bench tuning --")]
pub struct Args {
    /// Write capacity units per second that the table has provisioned; with --on-demand its maximum, if it has one
    #[arg(long, value_name = "N", required_unless_present = "on_demand", value_parser = clap::value_parser!(u64).range(1..))]
    pub wcu: Option<u64>,

    /// The table is a new one on demand: 4,000 units per second at first
    #[arg(long)]
    pub on_demand: bool,

    /// Partitions of the table [default: as many as its capacity needs]
    #[arg(long, value_name = "N")]
    pub partitions: Option<NonZeroUsize>,

    /// A global index and its capacity; its partition key is that of the table, or the attribute that is named
    #[arg(long, value_name = "NAME[:ATTRIBUTE]=WCU")]
    pub index: Vec<IndexArg>,

    /// How long requests take: a time, or a median and a 99th percentile
    #[arg(long, value_name = "TIME[..TIME]", default_value = "5ms..25ms")]
    pub latency: Latency,

    /// Files, folders, patterns or URLs whose rows are to be loaded; without them rows are made up
    #[arg(long, value_name = "SOURCE", num_args = 1..)]
    pub source: Vec<OsString>,

    /// The partition key among the columns of the source [default: the first column that can be one]
    #[arg(long, value_name = "NAME[:S|N|B]", requires = "source")]
    pub partition_key: Option<KeyArg>,

    /// The sort key among the columns of the source
    #[arg(long, value_name = "NAME[:S|N|B]", requires = "partition_key")]
    pub sort_key: Option<KeyArg>,

    /// Bytes of a row that is made up; rows of a source have their own sizes [default: 1000]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..=409_600))]
    pub item_size: Option<u64>,

    /// Rows of the load if they are made up [default: 1000000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub rows: Option<u64>,

    /// How much of the load each trial simulates, in minutes at the table's full capacity; at most 60,000 rows
    #[arg(long, value_name = "M", default_value_t = 1.0, value_parser = parse_minutes)]
    pub minutes: f64,

    /// What the recommended command calls the table
    #[arg(long, value_name = "NAME", default_value = "TABLE")]
    pub table: String,

    /// The folder for the plots
    #[arg(long, value_name = "DIR", default_value = "target/tuning")]
    pub output: PathBuf,

    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,

    /// What chance goes by: one seed gives one report
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// What `cargo bench` gives to every benchmark
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Args {
    /// Bytes of a row that is made up.
    pub fn made_up_bytes(&self) -> u64 {
        self.item_size.unwrap_or(1_000)
    }

    /// Rows of the load if they are made up.
    pub fn made_up_rows(&self) -> u64 {
        self.rows.unwrap_or(1_000_000)
    }

    /// The options that were given and say nothing: those of made-up rows, beside a source.
    pub fn unused(&self) -> Vec<&'static str> {
        let of_made_up = [
            ("--item-size", self.item_size.is_some()),
            ("--rows", self.rows.is_some()),
        ];
        let unused = |(option, given)| (given && !self.source.is_empty()).then_some(option);
        of_made_up.into_iter().filter_map(unused).collect()
    }
}

fn parse_minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if minutes > 0.0 && minutes <= 1_440.0 => Ok(minutes),
        _ => Err("minutes are a number above 0 and at most 1440".to_owned()),
    }
}

/// A key attribute: `NAME`, or `NAME:S`, `NAME:N`, `NAME:B`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyArg {
    /// The column.
    pub name: String,
    /// Its type, if it was given.
    pub key_type: Option<KeyType>,
}

impl FromStr for KeyArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [KeyType::S, KeyType::N, KeyType::B];
        let typed = text.rsplit_once(':').and_then(|(name, descriptor)| {
            let key_type = known.into_iter().find(|of| of.descriptor() == descriptor);
            Some((name, key_type?))
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

/// A global index: `NAME=WCU` or `NAME:ATTRIBUTE=WCU`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexArg {
    /// Its name.
    pub name: String,
    /// Its partition key, if it is not that of the table.
    pub attribute: Option<String>,
    /// Its write capacity units per second.
    pub wcu: u64,
}

impl FromStr for IndexArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str =
            "an index is written as by-mail=1000, or as by-mail:mail=1000 with its partition key";
        let (index, wcu) = text.rsplit_once('=').ok_or(FORM)?;
        let (name, attribute) = match index.split_once(':') {
            Some((name, attribute)) => (name, Some(attribute)),
            None => (index, None),
        };
        let wcu = wcu.parse().ok().filter(|wcu| *wcu > 0).ok_or(FORM)?;
        if name.is_empty() || attribute.is_some_and(str::is_empty) {
            return Err(FORM.to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            attribute: attribute.map(str::to_owned),
            wcu,
        })
    }
}

//! A table, a load, and what is expected: one TOML file.

mod input;
pub(crate) mod op_maker;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use dynasink::{Rate, WriteUnits};
use dynasink_sim::{Change as ServiceChange, Faults, Latency, Simulator};
use serde::de::{Deserialize, Deserializer, Error as _};

pub use self::input::{Input, Keys, Order, Size};
pub use self::table::{Capacity, Index, Table};
use crate::error::{Error, Result};
use crate::expected::Expected;
use crate::other_client::OtherClient;

/// What a table can take, what is to be written, and what is expected of it.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The name of its file, without the ending.
    #[serde(skip)]
    pub name: String,
    /// What it is, in a line.
    pub about: String,
    /// What chance goes by.
    #[serde(default = "first_seed")]
    pub seed: u64,
    /// How fast to write: `auto`, units per second, or a percentage of the capacity.
    #[serde(default, deserialize_with = "rate")]
    pub rate: Rate,
    /// The percentage of the capacity that is left to others.
    #[serde(default)]
    pub headroom: Option<f64>,
    /// How long requests take, such as `5ms` or `5ms..25ms`.
    #[serde(default, deserialize_with = "latency")]
    pub latency: Latency,
    /// The table.
    pub table: Table,
    /// What changes while the load runs, in the order of time.
    #[serde(default, rename = "change")]
    pub changes: Vec<Change>,
    /// What is written.
    pub input: Input,
    /// Other traffic on the table.
    #[serde(default)]
    pub other: Option<OtherClient>,
    /// The ranges that the measured values are to be in.
    #[serde(default)]
    pub expect: Expected,
}

/// What changes at the service at a time since the start.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Change {
    /// When.
    #[serde(deserialize_with = "duration")]
    pub at: Duration,
    /// The provisioned capacity of the table from then on, or of the index.
    #[serde(default)]
    pub capacity: Option<u64>,
    /// The index whose capacity it is.
    #[serde(default)]
    pub index: Option<String>,
    /// How long requests take from then on.
    #[serde(default, deserialize_with = "some_latency")]
    pub latency: Option<Latency>,
}

impl Scenario {
    /// The scenario in a file.
    ///
    /// # Errors
    ///
    /// [`Error::Read`], and [`Error::Parse`] with the line.
    pub fn read(path: &Path) -> Result<Arc<Self>> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Arc::new(Self::parse(&text, &name)?))
    }

    /// The scenario of that name, or whose name begins so, among those of the project.
    ///
    /// # Errors
    ///
    /// As [`all`](Self::all).
    pub fn named(name: &str) -> Result<Vec<Arc<Self>>> {
        let mut scenarios = Self::all()?;
        scenarios.retain(|scenario| scenario.name.starts_with(name));
        Ok(scenarios)
    }

    /// The scenarios of the project, in the order of their names.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn all() -> Result<Vec<Arc<Self>>> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let unread = |source| Error::Read {
            path: folder.clone(),
            source,
        };
        let files = fs::read_dir(&folder).map_err(unread)?;
        let mut paths = Vec::new();
        for file in files {
            let path = file.map_err(unread)?.path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn parse(text: &str, name: &str) -> Result<Self> {
        let scenario: Self = toml::from_str(text).map_err(|source| Error::Parse {
            name: name.to_owned(),
            source,
        })?;
        scenario.table.schema()?;
        Ok(Self {
            name: name.to_owned(),
            ..scenario
        })
    }

    /// The service that it describes. Its time starts now, as that of the runtime that this is called in.
    ///
    /// # Errors
    ///
    /// [`Error::Table`]: never for a scenario that was read.
    pub fn service(&self) -> Result<Simulator> {
        Ok(Simulator::builder()
            .seed(self.seed)
            .table(self.table.simulated()?)
            .capacity_model(self.table.model())
            .latency(self.latency)
            .faults(self.faults())
            .totals_only()
            .sizes_only()
            .build())
    }

    fn faults(&self) -> Faults {
        let mut faults = Faults::none();
        for change in &self.changes {
            if let Some(capacity) = change.capacity {
                let name = match &change.index {
                    Some(index) => format!("{}/{index}", Table::NAME),
                    None => Table::NAME.to_owned(),
                };
                let capacity = ServiceChange::Capacity(name, WriteUnits::new(capacity));
                faults = faults.change(change.at, capacity);
            }
            if let Some(latency) = change.latency {
                faults = faults.change(change.at, ServiceChange::Latency(latency));
            }
        }
        faults
    }

    /// The rate that the client was told to keep, in units per second.
    pub(crate) fn told_rate(&self) -> Option<f64> {
        match self.rate {
            Rate::Fixed(rate) => Some(rate.get() as f64),
            Rate::Percent(percent) => {
                let capacity = self.table.capacity.described()?;
                Some(capacity.get() as f64 * percent / 100.0)
            }
            Rate::Auto => None,
        }
    }
}

impl FromStr for Scenario {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text, "unnamed")
    }
}

const fn first_seed() -> u64 {
    1
}

pub(crate) fn duration<'de, D: Deserializer<'de>>(text: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(text)?;
    humantime::parse_duration(&text).map_err(D::Error::custom)
}

pub(crate) fn some_duration<'de, D: Deserializer<'de>>(
    text: D,
) -> Result<Option<Duration>, D::Error> {
    duration(text).map(Some)
}

fn latency<'de, D: Deserializer<'de>>(text: D) -> Result<Latency, D::Error> {
    let text = String::deserialize(text)?;
    text.parse().map_err(D::Error::custom)
}

fn some_latency<'de, D: Deserializer<'de>>(text: D) -> Result<Option<Latency>, D::Error> {
    latency(text).map(Some)
}

fn rate<'de, D: Deserializer<'de>>(text: D) -> Result<Rate, D::Error> {
    let text = String::deserialize(text)?;
    let parsed = match text.strip_suffix('%') {
        _ if text == "auto" => Some(Rate::Auto),
        Some(percent) => percent.parse().ok().map(Rate::Percent),
        None => text
            .parse()
            .ok()
            .map(|units| Rate::Fixed(WriteUnits::new(units))),
    };
    parsed.ok_or_else(|| {
        D::Error::custom("a rate is \"auto\", units per second such as \"500\", or \"50%\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str =
        "about = 'x'\n[table]\ncapacity = { provisioned = 5 }\n[input]\nops = 1\nsize = 100\n";

    #[test]
    fn the_scenarios_of_the_project_are_numbered() {
        let scenarios = Scenario::all().unwrap();
        for (number, scenario) in (1..).zip(&scenarios) {
            assert!(
                scenario.name.starts_with(&format!("{number:02}-")),
                "{}",
                scenario.name
            );
        }
        assert_eq!(scenarios.len(), 13);
    }

    #[test]
    fn what_is_not_said_is_by_default_and_what_is_unknown_is_refused() {
        let scenario: Scenario = LEAST.parse().unwrap();
        assert_eq!(scenario.rate, Rate::Auto);
        assert_eq!(scenario.latency, Latency::default());
        assert_eq!(scenario.table.idle, Duration::from_mins(5));
        assert!(scenario.table.known);
        let wrong = format!("{LEAST}colour = 'red'\n");
        assert!(matches!(
            wrong.parse::<Scenario>(),
            Err(Error::Parse { .. })
        ));
    }

    #[test]
    fn a_rate_is_auto_a_number_or_a_percentage() {
        let told = |rate: &str| {
            let text = format!("rate = '{rate}'\n{LEAST}");
            text.parse::<Scenario>()
                .map(|scenario| scenario.told_rate())
        };
        assert_eq!(told("auto").unwrap(), None);
        assert_eq!(told("3").unwrap(), Some(3.0));
        assert_eq!(told("40%").unwrap(), Some(2.0));
        assert!(told("fast").is_err());
    }
}

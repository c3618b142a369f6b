//! The rate while rows are written: by a file that is looked at, or by signals.

use std::convert::Infallible;
use std::io::{self, Write, stderr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, SystemTime};

use dynasink::{Rate, RateLimiter, RateOptions, TableSchema, WriteUnits};
use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval};

use crate::args::RateArg;
use crate::failure::Failure;
use crate::signals::{RateSignal, RateSignals};

/// Time between two looks at the file.
const LOOK: Duration = Duration::from_secs(1);

/// What a file says about the rate. What it does not name is as the load was started with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlFile {
    rate: Option<RateWord>,
    #[serde(default)]
    paused: bool,
}

/// `"auto"`, `500` or `"50%"`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "toml::Value")]
struct RateWord(Rate);

impl TryFrom<toml::Value> for RateWord {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let text = match value {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        text.parse().map(|RateArg(rate)| Self(rate))
    }
}

/// Which state of the file was read: a later one has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl Version {
    /// That of the file at `path`; none if there is no file.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self {
                modified: metadata.modified().ok(),
                bytes: metadata.len(),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The rate of a limiter, and what it can be turned back to.
#[derive(Debug)]
struct Dial {
    limiter: RateLimiter,
    table: TableSchema,
    /// What the load was started with.
    start: RateOptions,
    /// The rates before each halving.
    halved: Vec<WriteUnits>,
    file: ControlFile,
    /// Whether no more is read, so that only what was read is still to be written.
    is_draining: bool,
}

impl Dial {
    /// Ends a pause, and lets none begin: what was read could not be written in it.
    fn drain(&mut self) {
        self.is_draining = true;
        self.limiter.resume();
    }

    fn halve(&mut self) -> String {
        let rate = self.limiter.rate();
        if rate.get() <= 1 {
            return "the rate is 1 WCU/s, and no rate is lower".to_owned();
        }
        self.halved.push(rate);
        self.limiter.set_rate(WriteUnits::new(rate.get() / 2));
        self.rate_now()
    }

    fn double(&mut self) -> String {
        let Some(before) = self.halved.pop() else {
            return format!("{}, as the load was started", self.rate_now());
        };
        self.limiter.set_rate(before);
        if self.halved.is_empty() {
            // It is what it was in the beginning, so there is a capacity to share if there was one then.
            let _as_before = self.start.change(&self.limiter, &self.table);
        }
        self.rate_now()
    }

    /// Does what `file` says, and tells what has changed.
    fn follow(&mut self, file: ControlFile) -> Result<Vec<String>, String> {
        let mut changes = Vec::new();
        if file.rate != self.file.rate {
            let options = match file.rate {
                Some(RateWord(rate)) => self.start.with_rate(rate),
                None => self.start,
            };
            options
                .change(&self.limiter, &self.table)
                .map_err(|error| error.to_string())?;
            changes.push(self.rate_now());
        }
        if file.paused != self.file.paused {
            if self.is_draining {
                changes.push("no pause: what was read is written first".to_owned());
            } else if file.paused {
                self.limiter.pause();
                changes
                    .push("paused: what is in flight ends, and nothing more is written".to_owned());
            } else {
                self.limiter.resume();
                changes.push("no longer paused".to_owned());
            }
        }
        self.file = file;
        Ok(changes)
    }

    fn rate_now(&self) -> String {
        format!("the rate is {} WCU/s now", self.limiter.rate().get())
    }
}

/// Who may change the rate of a load that runs.
#[derive(Debug)]
pub(crate) struct Control {
    dial: Dial,
    path: Option<PathBuf>,
    seen: Option<Version>,
    signals: RateSignals,
}

impl Control {
    /// Signals count from now on, and the file at `path` is followed, if it is there.
    ///
    /// # Errors
    ///
    /// A file that is wrong: nothing is written yet, so that it can be mended.
    pub(crate) fn of(
        limiter: RateLimiter,
        start: RateOptions,
        table: &TableSchema,
        path: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let mut control = Self {
            dial: Dial {
                limiter,
                table: table.clone(),
                start,
                halved: Vec::new(),
                file: ControlFile::default(),
                is_draining: false,
            },
            path,
            seen: None,
            signals: RateSignals::listen(),
        };
        let told = control.look().map_err(Failure::refused_because)?;
        tell(told);
        Ok(control)
    }

    /// Follows the file or the signals for as long as it is polled, and after `stopped` only what they say of the rate.
    pub(crate) async fn keep(mut self, stopped: impl Future<Output = ()>) -> Infallible {
        let mut stopped = pin!(stopped);
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let signal = tokio::select! {
                biased;
                () = &mut stopped, if !self.dial.is_draining => {
                    self.dial.drain();
                    continue;
                }
                signal = self.signals.next() => Some(signal),
                _ = looks.tick(), if self.path.is_some() => None,
            };
            let told = match signal {
                Some(RateSignal::Halve) if self.path.is_none() => Ok(vec![self.dial.halve()]),
                Some(RateSignal::Double) if self.path.is_none() => Ok(vec![self.dial.double()]),
                Some(_) => {
                    self.seen = None;
                    self.look()
                }
                None => self.look(),
            };
            tell(told.unwrap_or_else(|problem| vec![format!("nothing is changed: {problem}")]));
        }
    }

    /// Reads the file if it is not as it was, and does what it says.
    fn look(&mut self) -> Result<Vec<String>, String> {
        let Some(path) = &self.path else {
            return Ok(Vec::new());
        };
        let Ok(version) = Version::of(path) else {
            // A folder that cannot be looked into for a while says nothing.
            return Ok(Vec::new());
        };
        let name = path.display();
        let file = match version {
            None => {
                self.seen = None;
                ControlFile::default()
            }
            Some(_) if version == self.seen => return Ok(Vec::new()),
            Some(_) => {
                // A file that is wrong is told of once.
                self.seen = version;
                read(path)?
            }
        };
        self.dial
            .follow(file)
            .map_err(|problem| format!("{name}: {problem}"))
    }
}

/// Refuses a file that is wrong for a load at `start` into `table`: nothing is made yet.
pub(crate) fn check(
    path: Option<&Path>,
    start: RateOptions,
    table: &TableSchema,
) -> Result<(), Failure> {
    let Some(path) = path.filter(|path| path.exists()) else {
        return Ok(());
    };
    let file = read(path).map_err(Failure::refused_because)?;
    if let Some(RateWord(rate)) = file.rate {
        let limiter = start.with_rate(rate).limiter(table);
        limiter
            .map_err(|error| Failure::refused_because(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<ControlFile, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    parse(&text).map_err(|problem| format!("{name}:{problem}"))
}

fn parse(text: &str) -> Result<ControlFile, String> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.unwrap_or_default().matches('\n').count() + 1;
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        format!("{line}: {message}")
    })
}

fn tell(changes: Vec<String>) {
    for change in changes {
        // Where stderr is closed, the rate has changed all the same.
        let _shown = writeln!(stderr(), "control: {change}");
    }
}

#[cfg(test)]
mod tests {
    use dynasink::{BillingMode, KeyType};

    use super::*;

    fn dial(start: impl Into<RateOptions>) -> Dial {
        let table = TableSchema::builder("users")
            .partition_key("id", KeyType::S)
            .billing_mode(BillingMode::Provisioned {
                write: WriteUnits::new(1_000),
            })
            .build()
            .unwrap();
        let start = start.into();
        Dial {
            limiter: start.limiter(&table).unwrap(),
            table,
            start,
            halved: Vec::new(),
            file: ControlFile::default(),
            is_draining: false,
        }
    }

    fn rate(dial: &Dial) -> u64 {
        dial.limiter.rate().get()
    }

    #[tokio::test]
    async fn each_halving_is_taken_back_and_no_more() {
        for start in [
            Rate::Auto,
            Rate::Fixed(WriteUnits::new(1_000)),
            Rate::Percent(100.0),
        ] {
            let mut dial = dial(start);
            dial.halve();
            dial.halve();
            assert_eq!(rate(&dial), 250);
            dial.double();
            assert_eq!(rate(&dial), 500);
            dial.double();
            dial.double();
            assert_eq!(rate(&dial), 1_000);
        }
    }

    #[tokio::test]
    async fn no_halving_stops_the_load() {
        let mut dial = dial(Rate::Fixed(WriteUnits::new(3)));
        for _ in 0..5 {
            dial.halve();
        }
        assert_eq!(rate(&dial), 1);
        dial.double();
        assert_eq!(rate(&dial), 3);
    }

    #[tokio::test]
    async fn a_file_says_what_holds_and_what_it_leaves_out_is_as_in_the_beginning() {
        let mut dial = dial(Rate::Percent(90.0));
        for (text, expected, paused) in [
            ("rate = 200", 200, false),
            ("rate = '50%'\npaused = true", 500, true),
            ("paused = true", 900, true),
            ("rate = 'auto'", 900, false),
            ("", 900, false),
        ] {
            dial.follow(parse(text).unwrap()).unwrap();
            if text != "rate = 'auto'" {
                assert_eq!(rate(&dial), expected, "{text}");
            }
            assert_eq!(dial.limiter.is_paused(), paused, "{text}");
        }
    }

    #[tokio::test]
    async fn what_was_read_is_written_whatever_the_file_says() {
        let mut dial = dial(Rate::Auto);
        dial.follow(parse("paused = true").unwrap()).unwrap();
        dial.drain();
        assert!(!dial.limiter.is_paused());
        dial.follow(parse("").unwrap()).unwrap();
        let file = parse("rate = 200\npaused = true").unwrap();
        dial.follow(file).unwrap();
        assert!(!dial.limiter.is_paused());
        assert_eq!(rate(&dial), 200);
    }

    #[tokio::test]
    async fn a_file_that_is_gone_leaves_all_as_in_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.toml");
        std::fs::write(&path, "rate = 200\npaused = true").unwrap();
        let Dial {
            limiter,
            table,
            start,
            ..
        } = dial(Rate::Percent(90.0));
        let mut control = Control::of(limiter, start, &table, Some(path.clone())).unwrap();
        assert!(control.dial.limiter.is_paused());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(control.look().unwrap().len(), 2);
        assert!(!control.dial.limiter.is_paused());
        assert_eq!(rate(&control.dial), 900);
        assert!(control.look().unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_has_not_changed_is_not_told() {
        let mut dial = dial(Rate::Auto);
        let file = parse("rate = 200").unwrap();
        assert_eq!(dial.follow(file).unwrap().len(), 1);
        assert!(dial.follow(file).unwrap().is_empty());
    }

    #[test]
    fn a_file_that_is_wrong_says_where() {
        for (text, part) in [
            ("rate = 0", "1: "),
            ("\nrate = '150%'", "2: "),
            ("rate = 5\nspeed = 7", "2: "),
            ("rate = ", "1: "),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.starts_with(part), "{message}");
        }
    }
}

//! How the files of a source are read, as the command line says it.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use dynasink::{Interleave, Mapping, SourceOptions, StreamOptions, UnreadObserver, Unreadable};

use crate::failure::Failure;

/// How files are read
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct ReadingArgs {
    /// What reading may hold: fetched bytes and decoded rows that wait to be written
    #[arg(long, value_name = "BYTES", default_value = "256MB")]
    pub(crate) memory: Bytes,

    /// Row groups that are read at once: by memory and cores, or a number at most
    #[arg(long, value_name = "auto|N", default_value = "auto")]
    pub(crate) readers: ReadersArg,

    /// Which row groups are mixed: those that have no key in common, so that the rows of a key keep their order; none;
    /// or any, for input that has each key once
    #[arg(long, value_enum, value_name = "auto|off|always", default_value_t)]
    pub(crate) interleave: InterleaveArg,

    /// What becomes of files and row groups that cannot be read: they stop the load, or go to the dead letters
    #[arg(long, value_enum, value_name = "stop|skip", default_value_t)]
    pub(crate) unreadable: UnreadableArg,
}

impl ReadingArgs {
    /// What holds for every stream of the source.
    pub(crate) fn options(&self) -> SourceOptions {
        let options = SourceOptions::new()
            .with_memory(self.memory.0)
            .with_unreadable(match self.unreadable {
                UnreadableArg::Stop => Unreadable::Stop,
                UnreadableArg::Skip => Unreadable::Skip,
            });
        match self.readers {
            ReadersArg::Auto => options,
            ReadersArg::AtMost(readers) => options.with_readers(readers),
        }
    }

    /// Checks that `command`, which reads its source twice, meets the rows of a key in the same order both times.
    ///
    /// # Errors
    ///
    /// Row groups are mixed that have keys in common.
    pub(crate) fn check_for_two_readings(&self, command: &str) -> Result<(), Failure> {
        if self.interleave == InterleaveArg::Always {
            return Err(Failure::refused_because(format!(
                "{command} needs the rows of a key in the same order at both readings: leave out --interleave always"
            )));
        }
        Ok(())
    }

    /// The order of the rows that `mapping` writes, and who is told of what is not read.
    pub(crate) fn stream_options(
        &self,
        mapping: &Mapping,
        observers: impl IntoIterator<Item = Arc<dyn UnreadObserver>>,
    ) -> StreamOptions {
        let interleave = match self.interleave {
            InterleaveArg::Auto => Interleave::by_keys(mapping.key_columns()),
            InterleaveArg::Off => Interleave::Off,
            InterleaveArg::Always => Interleave::Always,
        };
        StreamOptions::new()
            .with_interleave(interleave)
            .with_unread_observers(observers)
    }
}

/// Bytes: `256MB`, `1GiB`, or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

/// The least that can be read within.
const LEAST_BYTES: u64 = 1_000_000;

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let scale: u64 = match unit.trim() {
            "" | "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err("bytes have a unit of kB, MB, GB, KiB, MiB or GiB: 256MB".to_owned()),
        };
        let number: u64 = number
            .parse()
            .map_err(|_| "bytes are a whole number and a unit: 256MB".to_owned())?;
        let bytes = number
            .checked_mul(scale)
            .ok_or("that is more than there can be")?;
        if bytes < LEAST_BYTES {
            return Err("give at least 1MB".to_owned());
        }
        Ok(Self(bytes))
    }
}

/// `auto` or `N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadersArg {
    Auto,
    AtMost(NonZeroUsize),
}

impl FromStr for ReadersArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let readers = text
            .parse()
            .map_err(|_| "readers are auto, or a number of at least 1")?;
        Ok(Self::AtMost(readers))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum InterleaveArg {
    /// Row groups that have no key in common
    #[default]
    Auto,
    /// None
    Off,
    /// Any
    Always,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnreadableArg {
    /// They stop the load
    #[default]
    Stop,
    /// They go to the dead letters
    Skip,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units_of_a_thousand_and_of_1024() {
        assert_eq!("256MB".parse(), Ok(Bytes(256_000_000)));
        assert_eq!("64MiB".parse(), Ok(Bytes(64 << 20)));
        assert_eq!("2 GB".parse(), Ok(Bytes(2_000_000_000)));
        assert_eq!("5000000".parse(), Ok(Bytes(5_000_000)));
        for wrong in ["", "MB", "1.5GB", "-1", "256mb", "99999999999GiB", "10kB"] {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong}");
        }
    }
}

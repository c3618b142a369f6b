//! Why a scenario cannot be used.

use std::path::PathBuf;

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A text is no scenario.
    #[error("{name} is no scenario")]
    Parse {
        /// Which.
        name: String,
        /// Where and why.
        source: toml::de::Error,
    },
    /// The table that a scenario describes cannot be.
    #[error("the table of the scenario cannot be")]
    Table(#[from] dynasink::ItemError),
}

/// What can go wrong with scenarios.
pub type Result<T, E = Error> = std::result::Result<T, E>;

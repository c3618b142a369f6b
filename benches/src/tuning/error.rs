//! Why there is no report.

use std::path::PathBuf;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source cannot be read, or has no place in the table.
    #[error("the source cannot be used")]
    Source(#[from] dynasink::ArrowError),
    /// The table cannot be as it was described.
    #[error("there cannot be such a table: check --partition-key, --sort-key and --index")]
    Table(#[from] dynasink::ItemError),
    /// No column can be a key.
    #[error(
        "no column of the source can be a key by itself: name one with --partition-key; there are {columns}"
    )]
    NoKey {
        /// All columns.
        columns: String,
    },
    /// A column that was named is not there.
    #[error("the source has no column {name}; there are {columns}")]
    NoColumn {
        /// Which.
        name: String,
        /// All columns.
        columns: String,
    },
    /// None of the rows can be written.
    #[error("the source has no row that can be written with this key{}", first.as_deref().map(|first| format!(": {first}")).unwrap_or_default())]
    NoRows {
        /// Why the first of them cannot be.
        first: Option<String>,
    },
    /// Rows could not be decoded.
    #[error("the rows of the source cannot be decoded")]
    Decode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A trial failed.
    #[error("the trial of {setting} failed")]
    Trial {
        /// Which.
        setting: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no runtime to be had.
    #[error("the asynchronous runtime could not be started")]
    Runtime(#[source] std::io::Error),
    /// The folder of the plots cannot be made.
    #[error("{path}: the folder cannot be made: give another with --output")]
    Output {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A plot cannot be drawn or written.
    #[error("{path}: the plot cannot be written")]
    Plot {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What comes of tuning.
pub type Result<T, E = Error> = std::result::Result<T, E>;

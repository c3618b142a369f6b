//! The errors of a load.

use std::path::PathBuf;

use dynasink_core::TableName;

use crate::checkpoint::LoadChange;

/// Why a load could not start, or has stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A percentage of a capacity that the table does not have.
    #[error(
        "{percent}% of the capacity of table {table} is not known, because it is on demand without a maximum: give units per second, or auto"
    )]
    NoCapacityToShare {
        /// The table.
        table: TableName,
        /// The percentage asked for.
        percent: f64,
    },

    /// The dead-letter file could not be made.
    #[error("the dead-letter file {} cannot be written: name another", path.display())]
    DeadLetters {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// The dead-letter file has dead letters of another load in it.
    #[error("the dead-letter file {} is not empty: move it away, or name another", path.display())]
    DeadLettersExist {
        /// The file.
        path: PathBuf,
    },

    /// A dead-letter file could not be read back.
    #[error("the dead-letter file {} cannot be read", path.display())]
    UnreadableLetters {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A line of a dead-letter file is not a dead letter that can be replayed.
    #[error("line {line} of {} is not a dead letter that can be replayed: {reason}; mend the line, or remove it", path.display())]
    DamagedLetter {
        /// The file.
        path: PathBuf,
        /// The line, from one.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },

    /// Rows have to be read again from a file that is not among the sources.
    #[error("{} has rows of {file}, which is not among the sources: name that file as the letters do", path.display())]
    LettersOfOtherFile {
        /// The dead-letter file.
        path: PathBuf,
        /// The file of the rows.
        file: String,
    },

    /// The file of differences could not be made.
    #[error("the file of differences {} cannot be written: name another", path.display())]
    Differences {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// The file of differences has those of another run in it.
    #[error("the file of differences {} is not empty: move it away, or name another", path.display())]
    DifferencesExist {
        /// The file.
        path: PathBuf,
    },

    /// Dead letters that a checkpoint counts on are gone.
    #[error(
        "the dead-letter file {} {}: put it back as it was, or start the load anew with another checkpoint",
        path.display(),
        match found {
            Some(found) => format!("has {found} bytes, and had {bytes} when the checkpoint was written"),
            None => format!("is gone, and had {bytes} bytes when the checkpoint was written"),
        }
    )]
    DeadLettersLost {
        /// The file.
        path: PathBuf,
        /// The bytes that it had.
        bytes: u64,
        /// The bytes that it has; none if it is not there.
        found: Option<u64>,
    },

    /// A dead-letter file is not the one that a checkpoint counts on. Nothing was cut off it.
    #[error(
        "the dead-letter file {} is not as this load left it: {reason}; move it away and put back what was there, or start the load anew with another checkpoint",
        path.display()
    )]
    DeadLettersOfAnotherLoad {
        /// The file.
        path: PathBuf,
        /// What is strange in it.
        reason: String,
    },

    /// A checkpoint is to be made where there is one.
    #[error(
        "there is a checkpoint at {} already: resume from it, or name another file", path.display()
    )]
    CheckpointExists {
        /// The file.
        path: PathBuf,
    },

    /// A checkpoint is to be resumed from, and there is none.
    #[error("there is no checkpoint at {}: start without resuming", path.display())]
    CheckpointMissing {
        /// The file.
        path: PathBuf,
    },

    /// Another load writes to the checkpoint.
    #[error(
        "another load is using the checkpoint {}: wait for its end, or name another file", path.display()
    )]
    CheckpointInUse {
        /// The file.
        path: PathBuf,
    },

    /// A checkpoint cannot be understood.
    #[error(
        "the checkpoint {} cannot be resumed from, because {reason}: put it back as it was, or remove it and start anew", path.display()
    )]
    CheckpointDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A checkpoint cannot be read or written.
    #[error("the checkpoint {} cannot be read or written: look to its folder and its disk", path.display())]
    CheckpointFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A checkpoint is of a load that is not this one.
    #[error("the load cannot go on from the checkpoint {}: {change}", path.display())]
    CheckpointOfAnotherLoad {
        /// The file.
        path: PathBuf,
        /// What has changed.
        change: LoadChange,
    },

    /// A checkpoint cannot tell the rows of two files of one name apart.
    #[error("{file} is read twice, and a checkpoint cannot tell its rows apart: name it once")]
    FileTwice {
        /// The file.
        file: String,
    },

    /// What was read before a load was stopped cannot be taken note of once more.
    #[error("the rows that were dealt with before cannot be recalled")]
    Recall(#[source] dynasink_core::StageError),

    /// A file of prices is not one.
    #[error("{file} has no prices that can be used: {reason}")]
    Prices {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The folder of an export has something in it.
    #[error("{} is not empty: name another folder for the export, or empty it", path.display())]
    ExportFolderNotEmpty {
        /// The folder.
        path: PathBuf,
    },

    /// An earlier export did not come to its end.
    #[error("{} was left by an export that was killed: remove it", path.display())]
    ExportUnfinished {
        /// What it left.
        path: PathBuf,
    },

    /// The files of an export would be too large, or too many.
    #[error(
        "files of {bytes} bytes are too small or too large for an import: give {least} to {most} bytes"
    )]
    ExportFileSize {
        /// The bytes that were asked for.
        bytes: u64,
        /// The least, so that there are no more files than an import takes.
        least: u64,
        /// The most.
        most: u64,
    },

    /// A file of an export cannot be written.
    #[error("{} cannot be written", path.display())]
    ExportFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A task that writes the files of an export has ended before its time.
    #[error("the export has stopped, as a task that writes its files did: see the log")]
    ExportStopped,

    /// A source that is read twice had other rows the second time.
    #[error(
        "the source has changed while it was read twice: it had {expected} keys, and then {found}; start again"
    )]
    SourceChanged {
        /// Keys at the first reading.
        expected: u64,
        /// Keys at the second.
        found: u64,
    },

    /// A stage was used in a way that it cannot be, or an observer has failed.
    #[error(transparent)]
    Stage(#[from] dynasink_core::StageError),

    /// The greatest version of each key is to be kept, and rows have none.
    #[error(
        "the greatest version of each key is to be kept, but the mapping names no column of versions: name one, or keep another row"
    )]
    NoVersions,

    /// The mapping names a column of versions, and nothing was chosen that makes use of it.
    #[error(
        "the mapping names a column of versions, but the pipe keeps the last row of each key: choose Dedup::keep_greatest, or another row to keep"
    )]
    VersionsOverlooked,

    /// The pipe has failed. Operations that it held have no outcome.
    #[error("the load has stopped")]
    Pipe(#[from] dynasink_aws::Error),

    /// The source has failed. Every row that was read before has its outcome.
    #[error("the source cannot be read further")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

//! Parts of a source that could not be read and were passed over.

use std::fmt;
use std::sync::Arc;

use crate::outcome::ObserverError;

/// A file, or what was left of a row group, that could not be read and was passed over. None of its rows were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The file's path or URL.
    pub file: Arc<str>,
    /// The row group, from zero; none if the file could not be read at all.
    pub row_group: Option<u32>,
    /// Near which byte of the file reading failed, if that is known.
    pub offset: Option<u64>,
    /// How many rows were not read, if that is known.
    pub rows: Option<u64>,
    /// Why, for a person.
    pub reason: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(row_group) = self.row_group {
            write!(f, ", row group {row_group}")?;
        }
        match self.rows {
            Some(rows) => write!(f, ", {rows} rows: {}", self.reason),
            None => write!(f, ": {}", self.reason),
        }
    }
}

/// Is told what of a source was passed over: dead letters, counters, users' own code.
///
/// Called while batches are read, so it must be quick and must not block for long.
pub trait UnreadObserver: fmt::Debug + Send + Sync {
    /// Takes note of a part that was not read.
    ///
    /// # Errors
    ///
    /// [`ObserverError`] if it could not, which ends the reading.
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError>;

    /// Whether a part is taken care of once this was told of it. Not so for an observer that only counts.
    fn keeps_unread(&self) -> bool {
        true
    }
}

impl<T: UnreadObserver + ?Sized> UnreadObserver for Arc<T> {
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError> {
        (**self).observe(unread)
    }

    fn keeps_unread(&self) -> bool {
        (**self).keeps_unread()
    }
}

//! Who is told how far a source has been read.

use std::fmt;

/// Is told of each row group that was read to its end: checkpoints, users' own code.
///
/// Called while batches are read, so it must be quick and must not block for long.
pub trait RowGroupObserver: fmt::Debug + Send + Sync {
    /// Takes note that every row of a row group that is asked for, and that a row filter keeps, was handed out.
    ///
    /// An Arrow IPC file is read as one row group with the number 0, however many record batches it has. A row group
    /// that could not be read to its end is told of to an [`UnreadObserver`](dynasink_core::UnreadObserver) instead.
    fn finished(&self, file: &str, row_group: u32);
}

//! Rows that never became operations, read again.

use std::fmt;

use dynasink_arrow::{BatchStream, FileSource, Mapping, SourceFile, StreamOptions};

/// The rows of a source that have to be read again, and the mapping that makes operations of them.
#[must_use]
pub struct RowsAgain {
    pub(crate) batches: BatchStream,
    pub(crate) mapping: Mapping,
    /// The files of the source, in its order.
    pub(crate) files: Vec<String>,
}

impl RowsAgain {
    /// Those rows of `source` that `options` select: see [`DeadLetters::rows_of`](crate::DeadLetters::rows_of).
    pub fn of(source: &FileSource, mapping: Mapping, options: &StreamOptions) -> Self {
        let names = source.files().iter().map(SourceFile::name);
        Self {
            batches: source.stream_with(options),
            mapping,
            files: names.map(str::to_owned).collect(),
        }
    }
}

impl fmt::Debug for RowsAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowsAgain")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

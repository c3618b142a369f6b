//! What is read of a source and how: for all of its streams, and for one of them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use dynasink_core::UnreadObserver;

use super::encryption::DecryptionKeys;
use super::filter::Filter;
use super::row_group_observer::RowGroupObserver;
use super::row_selection::RowSelection;

/// Bytes that reading may hold, unless set.
const DEFAULT_MEMORY: u64 = 256 * 1024 * 1024;
/// Most row groups that are read at once, unless set: more hardly shorten the wait for a store.
const MOST_READERS: usize = 16;
/// Row groups that are read at once for each core, unless set, since a reader waits for its bytes a part of the time.
const READERS_PER_CORE: usize = 2;

/// What is read of files, in which portions, and within which memory.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SourceOptions {
    columns: Option<Vec<String>>,
    filter: Option<Filter>,
    decryption_keys: Option<DecryptionKeys>,
    batch_rows: Option<NonZeroUsize>,
    memory: Option<u64>,
    readers: Option<NonZeroUsize>,
    unreadable: Unreadable,
}

/// What becomes of files and row groups that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// The first of them ends the reading with an error.
    #[default]
    Stop,
    /// They are passed over, and [`StreamOptions::with_unread_observers`] are told of each.
    Skip,
}

impl SourceOptions {
    /// All columns, in batches of a size that fits each row group, within 256 MiB; what cannot be read is an error.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads these top-level columns only.
    pub fn with_columns<N: Into<String>>(mut self, columns: impl IntoIterator<Item = N>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Reads the rows only of which `filter` is true. Columns that only the filter needs are read, and not handed on.
    pub fn with_filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Decrypts encrypted Parquet files with `keys`.
    pub fn with_decryption_keys(mut self, keys: DecryptionKeys) -> Self {
        self.decryption_keys = Some(keys);
        self
    }

    /// Reads batches of this many rows, whatever they weigh.
    ///
    /// Without it, a batch has about 4 MiB as far as the footer tells, or a sixteenth of the memory if that is less,
    /// and at most 8,192 rows.
    pub fn with_batch_rows(mut self, rows: NonZeroUsize) -> Self {
        self.batch_rows = Some(rows);
        self
    }

    /// The bytes that a stream may hold: what was fetched, what is being decoded, and batches that wait.
    ///
    /// It decides how many row groups are read at once. One row group is always read, page by page, even if it needs
    /// more: the least that can be held is a page of each column and a batch of one row. How large a batch will be is
    /// known as far as the footer tells; while batches are larger than that, no other row group is opened.
    pub fn with_memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// The row groups that are read at once at most, each by a thread of its own. Without it, two for each core, at
    /// most 16.
    pub fn with_readers(mut self, readers: NonZeroUsize) -> Self {
        self.readers = Some(readers);
        self
    }

    /// What becomes of files and row groups that cannot be read.
    pub fn with_unreadable(mut self, unreadable: Unreadable) -> Self {
        self.unreadable = unreadable;
        self
    }

    /// The columns that are read, if not all.
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// The rows that are read, if not all.
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// The keys of encrypted files.
    pub fn decryption_keys(&self) -> Option<&DecryptionKeys> {
        self.decryption_keys.as_ref()
    }

    pub(super) fn is_handed_on(&self, column: &str) -> bool {
        self.columns
            .as_ref()
            .is_none_or(|columns| columns.iter().any(|name| name == column))
    }

    /// Whether a column is handed on, or needed to tell which rows are.
    pub(super) fn is_read(&self, column: &str) -> bool {
        let is_needed = |filter: &Filter| filter.columns().any(|name| name == column);
        self.is_handed_on(column) || self.filter.as_ref().is_some_and(is_needed)
    }

    /// The rows of a batch, if set.
    pub fn batch_rows(&self) -> Option<NonZeroUsize> {
        self.batch_rows
    }

    /// The bytes that a stream may hold.
    pub fn memory(&self) -> u64 {
        self.memory.unwrap_or(DEFAULT_MEMORY)
    }

    /// The row groups that are read at once at most.
    pub fn readers(&self) -> usize {
        self.readers.map_or_else(default_readers, NonZeroUsize::get)
    }

    /// What becomes of files and row groups that cannot be read.
    pub fn unreadable(&self) -> Unreadable {
        self.unreadable
    }
}

fn default_readers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    cores
        .saturating_mul(READERS_PER_CORE)
        .clamp(2, MOST_READERS)
}

/// How the rows of one stream are ordered, and who is told of what it passes over.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct StreamOptions {
    pub(super) interleave: Interleave,
    pub(super) unread: Vec<Arc<dyn UnreadObserver>>,
    pub(super) row_groups: Vec<Arc<dyn RowGroupObserver>>,
    pub(super) rows: Option<Arc<RowSelection>>,
}

/// Which row groups may be mixed with each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interleave {
    /// None: files in the order given, rows in the order of the file.
    #[default]
    Off,
    /// Those that have no key in common, by their statistics: rows of one key keep the order of the input.
    ///
    /// These are columns that tell keys apart: if two rows differ in one of them, they differ in their key. All that
    /// make up the key need not be named; without any it is as [`Off`](Self::Off).
    ByKeys(Vec<String>),
    /// Any: rows of one key leave in any order. For input that has each key once.
    Always,
}

impl Interleave {
    /// Mixes row groups that have no key in common, by the columns that a key is made of.
    pub fn by_keys<N: Into<String>>(columns: impl IntoIterator<Item = N>) -> Self {
        Self::ByKeys(columns.into_iter().map(Into::into).collect())
    }
}

impl StreamOptions {
    /// The order of the input; nothing is passed over.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which row groups may be mixed with each other.
    pub fn with_interleave(mut self, interleave: Interleave) -> Self {
        self.interleave = interleave;
        self
    }

    /// Tells `observers` of what could not be read, where [`Unreadable::Skip`] is set. If none of them keeps it, the
    /// first such part is an error all the same.
    pub fn with_unread_observers(
        mut self,
        observers: impl IntoIterator<Item = Arc<dyn UnreadObserver>>,
    ) -> Self {
        self.unread.extend(observers);
        self
    }

    /// Reads these rows only, with the positions that they have in their files. A row filter holds for them too.
    pub fn with_rows(mut self, rows: RowSelection) -> Self {
        self.rows = Some(Arc::new(rows));
        self
    }

    /// Tells `observer` of each row group whose last row was handed out.
    pub fn with_row_group_observer(mut self, observer: Arc<dyn RowGroupObserver>) -> Self {
        self.row_groups.push(observer);
        self
    }

    /// The rows that are read, if not all.
    pub fn rows(&self) -> Option<&RowSelection> {
        self.rows.as_deref()
    }

    /// Which row groups may be mixed with each other.
    pub fn interleave(&self) -> &Interleave {
        &self.interleave
    }
}

//! How much of a row group is in memory while it is read.

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::SourceOptions;

/// Bytes that a batch has, as far as the footer tells.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// The part of the memory that a batch may take: one of so many.
const BATCH_SHARE: u64 = 16;
/// Most rows of a batch, where they are small.
const BATCH_ROWS: u64 = 8_192;
/// Bytes that a value takes in memory besides what a string or binary holds: a view, or a decimal.
const VALUE_BYTES: u64 = 16;
/// Bytes of a page, by the defaults of writers.
const PAGE_BYTES: u64 = 1024 * 1024;
/// Pages of a column that are held at once: the dictionary, and a page as it is stored and as it is decompressed.
const PAGES: u64 = 3;
/// The part of the memory that what is fetched of one row group may take: one of so many.
const FETCHED_SHARE: u64 = 8;
/// What is fetched of a column at once: little enough to come soon, and enough to be worth a request.
const BLOCK_BYTES: std::ops::RangeInclusive<u64> = 64 * 1024..=4 * 1024 * 1024;
/// Blocks of a column that are held at once: one is read, the next is on its way.
const BLOCKS: u64 = 2;
/// Batches of a row group that are held at once: one is decoded, one waits, one is handed out.
pub(super) const BATCHES: u64 = 3;
/// How much longer values may be than their bytes in the file, where they share prefixes and the file does not say.
const SHARED_PREFIXES: u64 = 16;

/// How a row group is cut up, and what that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    pub(super) batch_rows: usize,
    /// Bytes of a batch, as far as the footer tells.
    pub(super) batch_bytes: u64,
    /// Bytes that are fetched of a column at once, from an object store.
    pub(super) block_bytes: u64,
    /// Bytes that are held of the file, as they are fetched and as pages.
    page_bytes: u64,
}

impl Portion {
    /// How to read the columns of `mask`, of a file of this machine or of one that is `fetched`.
    pub(super) fn of(
        row_group: &RowGroupMetaData,
        mask: &ProjectionMask,
        fetched: bool,
        options: &SourceOptions,
    ) -> Self {
        let chunks = || {
            let included = |(leaf, chunk)| mask.leaf_included(leaf).then_some(chunk);
            row_group.columns().iter().enumerate().filter_map(included)
        };
        let bytes = chunks().map(bytes_in_memory).fold(0, u64::saturating_add);
        let columns = u64::try_from(chunks().count()).unwrap_or(u64::MAX).max(1);
        let block_bytes = (options.memory() / FETCHED_SHARE / BLOCKS / columns)
            .clamp(*BLOCK_BYTES.start(), *BLOCK_BYTES.end());
        let page_bytes = chunks()
            .map(|chunk| {
                let pages = unsigned(chunk.uncompressed_size()).min(PAGE_BYTES) * PAGES;
                let blocks = unsigned(chunk.compressed_size()).min(block_bytes * BLOCKS);
                if fetched { pages + blocks } else { pages }
            })
            .fold(0, u64::saturating_add);
        let rows = unsigned(row_group.num_rows());
        let target = BATCH_BYTES.min(options.memory() / BATCH_SHARE);
        let batch_rows = match options.batch_rows() {
            Some(rows) => u64::try_from(rows.get()).unwrap_or(u64::MAX),
            None => part(rows, target, bytes).clamp(1, BATCH_ROWS),
        };
        Self {
            batch_rows: usize::try_from(batch_rows).unwrap_or(usize::MAX),
            batch_bytes: part(bytes, batch_rows.min(rows), rows),
            block_bytes,
            page_bytes,
        }
    }

    /// How to read record batches of Arrow IPC, each of which is decoded as a whole; the largest has `largest` bytes.
    pub(super) fn of_messages(largest: u64, options: &SourceOptions) -> Self {
        Self {
            batch_rows: match options.batch_rows() {
                Some(rows) => rows.get(),
                None => usize::try_from(BATCH_ROWS).unwrap_or(usize::MAX),
            },
            batch_bytes: BATCH_BYTES.min(options.memory() / BATCH_SHARE),
            block_bytes: 0,
            // As it is stored, and as it is decompressed.
            page_bytes: largest.saturating_mul(2),
        }
    }

    /// The rows of `batch` that make a batch of its own.
    pub(super) fn rows_of(&self, batch: &RecordBatch) -> usize {
        let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let bytes = u64::try_from(batch.get_array_memory_size()).unwrap_or(u64::MAX);
        let fitting = part(rows, self.batch_bytes, bytes).max(1);
        usize::try_from(fitting).map_or(self.batch_rows, |fitting| fitting.min(self.batch_rows))
    }

    /// Bytes that are held while the row group is read, if a batch has `batch_bytes`.
    pub(super) fn memory(&self, batch_bytes: u64) -> u64 {
        self.page_bytes
            .saturating_add(batch_bytes.saturating_mul(BATCHES))
    }
}

/// `whole * share / of`.
fn part(whole: u64, share: u64, of: u64) -> u64 {
    let part = u128::from(whole) * u128::from(share) / u128::from(of.max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// A hostile footer may say anything, so nothing is believed to be at least zero.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn bytes_in_memory(chunk: &ColumnChunkMetaData) -> u64 {
    let values = unsigned(chunk.num_values());
    let stored = unsigned(chunk.uncompressed_size());
    let held = match chunk.column_type() {
        PhysicalType::BYTE_ARRAY
            if chunk
                .encodings()
                .any(|encoding| encoding == Encoding::DELTA_BYTE_ARRAY) =>
        {
            chunk
                .unencoded_byte_array_data_bytes()
                .map_or_else(|| stored.saturating_mul(SHARED_PREFIXES), unsigned)
                .max(stored)
        }
        PhysicalType::BYTE_ARRAY => stored,
        PhysicalType::FIXED_LEN_BYTE_ARRAY => {
            let len = chunk.column_descr().type_length();
            values.saturating_mul(u64::try_from(len).unwrap_or(0))
        }
        _ => 0,
    };
    values.saturating_mul(VALUE_BYTES).saturating_add(held)
}

#[cfg(test)]
impl Portion {
    /// One whose pages and batches take so many bytes.
    pub(super) fn of_bytes(page_bytes: u64, batch_bytes: u64) -> Self {
        Self {
            batch_rows: 1,
            batch_bytes,
            block_bytes: 0,
            page_bytes,
        }
    }
}

//! The blocking part: one row group, decoded page by page, each batch handed on as soon as it is whole.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use dynasink_core::SourcePosition;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ParquetRecordBatchReaderBuilder, RowSelection as ParquetSelection,
};

use super::Opened;
use super::bytes::{FileBytes, WindowedBytes};
use super::constants::Constants;
use super::filter::{BoundFilter, row_numbers};
use super::footer::{Footer, caught};
use super::ipc::{IpcBatch, IpcSource};
use super::key_range::KeyBounds;
use super::metadata::FileMetadata;
use super::plan::{Asked, Footers, RowGroup};
use super::row_selection;
use crate::batch::SourceBatch;
use crate::error::{Error, Result};

/// Whether anyone wants more batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    More,
    Enough,
}

/// Hands a batch on and tells whether to go on.
pub(super) type Emit<'a> = &'a mut dyn FnMut(SourceBatch) -> Demand;

/// A row group that could not be read to its end.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) error: Box<Error>,
    /// Rows of it that were not handed on, if that is known.
    pub(super) unread_rows: Option<u64>,
}

/// Reads a row group and hands each batch to `emit`, until it has enough.
pub(super) fn read(
    source: &Opened,
    footers: &Footers,
    asked: &Asked,
    row_group: &RowGroup,
    emit: Emit<'_>,
) -> Result<Demand, Broken> {
    let mut rows = Rows::default();
    let read = caught(source.files[row_group.file].name(), || {
        let footer = footers.get(source, row_group.file)?;
        let mut out = Out::of(source, &footer, &asked.keys, row_group)?;
        let end = match footer.ipc() {
            Some(ipc) => read_ipc(ipc, asked, row_group, &mut out, &mut rows, emit)?,
            None => read_parquet(asked, row_group, &mut out, &mut rows, emit)?,
        };
        match rows.expected {
            Some(expected) if end == Demand::More && rows.decoded != expected => {
                Err(Error::RowsDecoded {
                    file: footer.about().name().to_owned(),
                    row_group: row_group.number,
                    expected,
                    decoded: rows.decoded,
                })
            }
            _ => Ok(end),
        }
    });
    read.and_then(|read| read).map_err(|error| Broken {
        // More rows than the footer says leave it open how many there should be.
        unread_rows: rows.unread(),
        error: Box::new(error),
    })
}

/// The rows of a row group that are decoded, which is not all of them if some only are asked for, or if a filter passes
/// over pages.
#[derive(Debug, Default)]
struct Rows {
    expected: Option<u64>,
    decoded: u64,
}

impl Rows {
    fn unread(&self) -> Option<u64> {
        self.expected?.checked_sub(self.decoded)
    }
}

fn read_parquet(
    asked: &Asked,
    row_group: &RowGroup,
    out: &mut Out<'_>,
    rows: &mut Rows,
    emit: Emit<'_>,
) -> Result<Demand> {
    let (source, footer) = (out.source, out.footer);
    let Some(metadata) = footer.parquet() else {
        return Ok(Demand::More);
    };
    let all = footer.rows_of(row_group.number);
    rows.expected = Some(all);
    let mask = footer.mask(&source.read);
    let bytes = bytes_of(footer, metadata, &mask, row_group)?;
    let failed = |error: ArrowError| {
        let file = footer.about().name();
        let known = bytes.file().take_failure();
        let known = known.or_else(|| metadata.decryption_error(file, &error));
        known.unwrap_or_else(|| Error::Read {
            file: file.to_owned(),
            row_group: row_group.number,
            offset: Some(bytes.file().last_offset()),
            source: error,
        })
    };
    let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(
        bytes.clone(),
        metadata.reader().clone(),
    )
    .with_projection(mask)
    .with_row_groups(vec![row_group.number])
    .with_batch_size(row_group.portion.batch_rows);
    let mut numbers: Box<dyn Iterator<Item = u64>> = Box::new(0..);
    let constants = out.constants.row();
    let by_filter = out.filter.as_ref().and_then(|filter| {
        filter.row_selection(metadata.reader(), row_group.number, constants.as_ref())
    });
    let by_place = asked.rows_of(footer.about().name(), row_group.number, all);
    let by_place = by_place.map(|ranges| parquet_selection(&ranges, all));
    let selection = match (by_filter, by_place) {
        (Some(by_filter), Some(by_place)) => Some(by_filter.intersection(&by_place)),
        (by_filter, by_place) => by_filter.or(by_place),
    };
    if let Some(selection) = selection {
        rows.expected = u64::try_from(selection.row_count()).ok();
        numbers = Box::new(row_numbers(&selection));
        out.has_gaps = true;
        reader = reader.with_row_selection(selection);
    }
    let order = footer.order_in(&source.read);
    let start = position(footer, row_group.number);
    let reader = reader.build().map_err(|error| failed(error.into()))?;
    for batch in reader {
        let batch = batch
            .and_then(|batch| metadata.whole(batch))
            .map_err(failed)?;
        let batch = match &order {
            Some(order) => batch.project(order).map_err(failed)?,
            None => batch,
        };
        out.check(&batch, row_group.number, failed)?;
        let decoded = row_count(&batch);
        let handed_on = out.hand_on(&batch, &start, &mut numbers, failed)?;
        rows.decoded += decoded;
        if let Some(batch) = handed_on
            && emit(batch) == Demand::Enough
        {
            return Ok(Demand::Enough);
        }
    }
    Ok(Demand::More)
}

/// The rows of `ranges`, as Parquet's reader takes them, of a row group of `rows`.
fn parquet_selection(ranges: &[Range<u64>], rows: u64) -> ParquetSelection {
    // A row group that is read has fewer rows than there are addresses, or its footer lies and the count is checked.
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let ranges = ranges
        .iter()
        .map(|range| size(range.start)..size(range.end));
    ParquetSelection::from_consecutive_ranges(ranges, size(rows))
}

/// Record batches stand in the place of row groups, and are cut to the size of batches.
fn read_ipc(
    ipc: &IpcSource,
    asked: &Asked,
    row_group: &RowGroup,
    out: &mut Out<'_>,
    rows: &mut Rows,
    emit: Emit<'_>,
) -> Result<Demand> {
    let (source, footer) = (out.source, out.footer);
    let projection = footer.projection(&source.read);
    let of_batches: Vec<Option<Vec<Range<u64>>>> = ipc
        .rows_by_batch()
        .enumerate()
        .map(|(index, all)| asked.rows_of(footer.about().name(), index, all))
        .collect();
    let expected = ipc.rows_by_batch().zip(&of_batches);
    let expected = expected.map(|(all, ranges)| match ranges {
        Some(ranges) => row_selection::row_count(ranges),
        None => all,
    });
    rows.expected = Some(expected.sum());
    let ranges_of = |index: usize| of_batches.get(index).and_then(Option::as_ref);
    let is_wanted = |index| ranges_of(index).is_none_or(|ranges| !ranges.is_empty());
    for read in ipc.read(Some(projection), source.options.memory(), is_wanted) {
        let IpcBatch { index, batch } = read?;
        let failed = |error: ArrowError| Error::Ipc {
            file: footer.about().name().to_owned(),
            part: format!("record batch {index}"),
            reason: error.to_string(),
        };
        let start = position(footer, index);
        let step = row_group.portion.rows_of(&batch);
        let all = [0..row_count(&batch)];
        let ranges = ranges_of(index).map_or(&all[..], Vec::as_slice);
        for (first, len) in slices(ranges, step) {
            let part = batch.slice(first, len.min(batch.num_rows().saturating_sub(first)));
            let mut numbers = u64::try_from(first).unwrap_or(u64::MAX)..;
            out.check(&part, index, failed)?;
            let decoded = row_count(&part);
            let handed_on = out.hand_on(&part, &start, &mut numbers, failed)?;
            rows.decoded += decoded;
            if let Some(batch) = handed_on
                && emit(batch) == Demand::Enough
            {
                return Ok(Demand::Enough);
            }
        }
    }
    Ok(Demand::More)
}

/// The start and length of slices of at most `step` rows that have the rows of `ranges`.
fn slices(ranges: &[Range<u64>], step: usize) -> impl Iterator<Item = (usize, usize)> {
    ranges.iter().flat_map(move |range| {
        // A batch in memory has fewer rows than there are addresses.
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let (start, end) = (size(range.start), size(range.end));
        let starts = (start..end).step_by(step.max(1));
        starts.map(move |first| (first, step.max(1).min(end - first)))
    })
}

/// What is done to the batches of a row group on their way out.
struct Out<'a> {
    source: &'a Opened,
    footer: &'a Footer,
    /// Whether rows that follow one another in a batch may not do so in the row group.
    has_gaps: bool,
    bounds: KeyBounds,
    constants: Constants,
    filter: Option<BoundFilter>,
}

impl<'a> Out<'a> {
    fn of(
        source: &'a Opened,
        footer: &'a Footer,
        keys: &[String],
        row_group: &RowGroup,
    ) -> Result<Self> {
        let constants = source.constants(row_group.file);
        Ok(Self {
            bounds: KeyBounds::of(footer.reader(), row_group.number, keys, &constants),
            filter: source.filter(footer)?,
            constants,
            source,
            footer,
            has_gaps: false,
        })
    }

    /// Checks that the keys are what the row group was scheduled by.
    fn check(
        &self,
        batch: &RecordBatch,
        row_group: usize,
        failed: impl Fn(ArrowError) -> Error,
    ) -> Result<()> {
        match self.bounds.first_outside(batch).map_err(failed)? {
            Some(column) => Err(Error::OutsideStatistics {
                file: self.footer.about().name().to_owned(),
                row_group,
                column: column.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// The rows of `batch` that are kept, if there are some, with all columns that are handed on. `numbers` has the
    /// number of each row, from `start` on.
    fn hand_on(
        &mut self,
        batch: &RecordBatch,
        start: &SourcePosition,
        numbers: &mut impl Iterator<Item = u64>,
        failed: impl Fn(ArrowError) -> Error,
    ) -> Result<Option<SourceBatch>> {
        let batch = self.constants.append(batch).map_err(&failed)?;
        let Some(filter) = &self.filter else {
            if self.has_gaps {
                let rows: Arc<[u64]> = numbers.take(batch.num_rows()).collect();
                return Ok(Some(SourceBatch::of_rows(batch, start.clone(), rows)));
            }
            let mut numbers = numbers.take(batch.num_rows());
            let first = numbers.next().unwrap_or_default();
            numbers.for_each(drop);
            return Ok(Some(SourceBatch::at(batch, start.offset_by(first))));
        };
        let kept = filter
            .keep(&batch, numbers)
            .map_err(|source| Error::FilterOverflow {
                file: self.footer.about().name().to_owned(),
                row_group: start.row_group(),
                source,
            })?;
        if kept.rows.is_empty() {
            return Ok(None);
        }
        let options = &self.source.options;
        let fields = kept.batch.schema_ref().fields().iter().enumerate();
        let handed_on: Vec<usize> = fields
            .filter(|(_, field)| options.is_handed_on(field.name()))
            .map(|(at, _)| at)
            .collect();
        let batch = kept.batch.project(&handed_on).map_err(failed)?;
        Ok(Some(SourceBatch::of_rows(batch, start.clone(), kept.rows)))
    }
}

/// The bytes of the columns that are read, in blocks.
fn bytes_of(
    footer: &Footer,
    metadata: &FileMetadata,
    mask: &ProjectionMask,
    row_group: &RowGroup,
) -> Result<WindowedBytes> {
    let file = FileBytes::open(&footer.about().located)?;
    let columns = metadata.parquet().row_group(row_group.number).columns();
    let read = columns
        .iter()
        .enumerate()
        .filter(|(leaf, _)| mask.leaf_included(*leaf));
    let ranges = read.map(|(_, chunk)| {
        let (start, len) = chunk.byte_range();
        start..start.saturating_add(len)
    });
    Ok(WindowedBytes::new(
        &file,
        ranges.collect(),
        row_group.portion.block_bytes,
    ))
}

/// The start of a row group.
fn position(footer: &Footer, row_group: usize) -> SourcePosition {
    let row_group = u32::try_from(row_group).unwrap_or(u32::MAX);
    SourcePosition::new(Arc::clone(footer.about().located.name()), row_group, 0)
}

fn row_count(batch: &RecordBatch) -> u64 {
    u64::try_from(batch.num_rows()).unwrap_or(u64::MAX)
}

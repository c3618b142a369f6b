//! The blocking part: row groups decoded page by page, each batch handed on as soon as it is whole.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema};
use dynasink_core::SourcePosition;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::RowGroupMetaData;

use super::footer::{Footer, caught};
use super::{Opened, SourceFile};
use crate::batch::SourceBatch;
use crate::error::{Error, Result};

/// Bytes that a batch has, as far as the footer tells.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// Most rows of a batch, where they are small.
const BATCH_ROWS: u64 = 8_192;
/// Bytes that a value takes in memory besides what a string or binary holds: a view, or a decimal.
const VALUE_BYTES: u64 = 16;

/// Whether anyone wants more batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    More,
    Enough,
}

/// Hands a batch on and tells whether to go on.
pub(super) type Emit<'a> = &'a mut dyn FnMut(SourceBatch) -> Demand;

/// Reads all files and hands each batch to `emit`, until it has enough.
pub(super) fn read_all(source: &Opened, emit: Emit<'_>) -> Result<Demand> {
    for file in &source.files {
        if caught(file.name(), || read_file(source, file, emit))?? == Demand::Enough {
            return Ok(Demand::Enough);
        }
    }
    Ok(Demand::More)
}

fn read_file(source: &Opened, file: &SourceFile, emit: Emit<'_>) -> Result<Demand> {
    // The footer is read again rather than kept, since the footers of many files would fill the memory.
    let footer = Footer::load(file.path())?;
    let own = footer.selected_schema(&source.options)?;
    footer.check_same(&own, &source.schema, source.files[0].name())?;
    if footer.about().rows() != file.rows() {
        return Err(Error::FileChanged {
            file: file.name().to_owned(),
        });
    }
    let order = columns_in_order(&own, &source.schema);
    let all = footer.metadata().schema();
    let selected = own
        .fields()
        .iter()
        .filter_map(|field| all.index_of(field.name()).ok());
    let mask = ProjectionMask::roots(footer.metadata().parquet_schema(), selected);

    for (row_group, about) in footer.metadata().metadata().row_groups().iter().enumerate() {
        let batch_rows = source
            .options
            .batch_rows()
            .map_or_else(|| rows_of_a_batch(about, &mask), usize::from);
        let failed = |source: ArrowError| Error::Read {
            file: file.name().to_owned(),
            row_group,
            source,
        };
        let reader =
            row_group_reader(&footer, row_group, mask.clone(), batch_rows).map_err(failed)?;
        let mut rows = 0;
        for batch in reader {
            let batch = batch.map_err(failed)?;
            let batch = match &order {
                Some(order) => batch.project(order).map_err(failed)?,
                None => batch,
            };
            let position = position(&footer, row_group, rows);
            rows += row_count(&batch);
            if emit(SourceBatch::at(batch, position)) == Demand::Enough {
                return Ok(Demand::Enough);
            }
        }
        // Rows were checked not to be negative when the footer was read.
        let expected = u64::try_from(about.num_rows()).unwrap_or(0);
        if rows != expected {
            return Err(Error::RowsDecoded {
                file: file.name().to_owned(),
                row_group,
                expected,
                decoded: rows,
            });
        }
    }
    Ok(Demand::More)
}

fn row_group_reader(
    footer: &Footer,
    row_group: usize,
    mask: ProjectionMask,
    batch_rows: usize,
) -> Result<ParquetRecordBatchReader, ArrowError> {
    let file = footer.file().try_clone()?;
    let reader =
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer.metadata().clone())
            .with_projection(mask)
            .with_row_groups(vec![row_group])
            .with_batch_size(batch_rows)
            .build()?;
    Ok(reader)
}

fn position(footer: &Footer, row_group: usize, row: u64) -> SourcePosition {
    let row_group = u32::try_from(row_group).unwrap_or(u32::MAX);
    SourcePosition::new(Arc::clone(&footer.about().name), row_group, row)
}

fn row_count(batch: &RecordBatch) -> u64 {
    u64::try_from(batch.num_rows()).unwrap_or(u64::MAX)
}

/// For each column of `schema` its place in `own`; none if it is the same for all.
fn columns_in_order(own: &Schema, schema: &Schema) -> Option<Vec<usize>> {
    let order: Vec<usize> = schema
        .fields()
        .iter()
        .filter_map(|field| own.index_of(field.name()).ok())
        .collect();
    let in_order = order.iter().enumerate().all(|(at, &column)| at == column);
    (!in_order).then_some(order)
}

/// How many rows make a batch of about [`BATCH_BYTES`].
fn rows_of_a_batch(row_group: &RowGroupMetaData, mask: &ProjectionMask) -> usize {
    let bytes: u64 = row_group
        .columns()
        .iter()
        .enumerate()
        .filter(|(leaf, _)| mask.leaf_included(*leaf))
        .map(|(_, chunk)| {
            // A hostile footer may say anything, so nothing here may overflow.
            let values = u64::try_from(chunk.num_values()).unwrap_or(0);
            let stored = match chunk.column_type() {
                PhysicalType::BYTE_ARRAY => u64::try_from(chunk.uncompressed_size()).unwrap_or(0),
                PhysicalType::FIXED_LEN_BYTE_ARRAY => {
                    let len = chunk.column_descr().type_length();
                    values.saturating_mul(u64::try_from(len).unwrap_or(0))
                }
                _ => 0,
            };
            values.saturating_mul(VALUE_BYTES).saturating_add(stored)
        })
        .fold(0, u64::saturating_add);
    let rows = u64::try_from(row_group.num_rows()).unwrap_or(0);
    let fitting = u128::from(rows) * u128::from(BATCH_BYTES) / u128::from(bytes.max(1));
    let fitting = u64::try_from(fitting)
        .unwrap_or(BATCH_ROWS)
        .clamp(1, BATCH_ROWS);
    usize::try_from(fitting).unwrap_or(1)
}

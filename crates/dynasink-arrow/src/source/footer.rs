//! The footer of a file: whether it is one, what it says, and what of it is believed.

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_schema::{Fields, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use super::bytes::FileBytes;
use super::depth::{self, MAX_SCHEMA_DEPTH};
use super::format::{Format, footer_bytes};
use super::hints::{self, Hints};
use super::location::Located;
use super::{SourceFile, SourceOptions};
use crate::error::{Error, Result};

/// The footer of a file.
#[derive(Debug)]
pub(super) struct Footer {
    about: SourceFile,
    metadata: ArrowReaderMetadata,
    /// Top-level columns that hold Parquet's INTERVAL.
    intervals: Vec<String>,
}

impl Footer {
    pub(super) fn load(located: &Located) -> Result<Self> {
        let file = FileBytes::open(located)?;
        let name = located.name();
        match Format::of(&file)? {
            Format::Parquet => {}
        }
        if depth::is_too_deep(&footer_bytes(&file)?) {
            return Err(Error::SchemaTooDeep {
                file: name.to_string(),
                max: MAX_SCHEMA_DEPTH,
            });
        }
        let (metadata, intervals) = caught(name, || load_metadata(&file))?.map_err(|source| {
            file.take_failure().unwrap_or_else(|| Error::Footer {
                file: name.to_string(),
                source,
            })
        })?;
        let rows = consistent_rows(metadata.metadata(), name)?;
        check_names(metadata.schema(), name)?;
        Ok(Self {
            about: SourceFile {
                located: located.clone(),
                rows,
                row_groups: metadata.metadata().num_row_groups(),
            },
            metadata,
            intervals,
        })
    }

    pub(super) fn about(&self) -> &SourceFile {
        &self.about
    }

    pub(super) fn into_file(self) -> SourceFile {
        self.about
    }

    pub(super) fn metadata(&self) -> &ArrowReaderMetadata {
        &self.metadata
    }

    /// The columns that `options` asks for, in the order of this file.
    pub(super) fn selected_schema(&self, options: &SourceOptions) -> Result<Schema> {
        let is_read = |name: &String| {
            options
                .columns()
                .is_none_or(|columns| columns.contains(name))
        };
        let fields = self.metadata.schema().fields().iter();
        let selected: Vec<_> = fields
            .filter(|field| is_read(field.name()))
            .cloned()
            .collect();
        if let Some(field) = selected
            .iter()
            .find(|field| self.intervals.contains(field.name()))
        {
            return Err(Error::IntervalColumn {
                file: self.about.name().to_owned(),
                column: field.name().clone(),
            });
        }
        Ok(Schema::new(selected))
    }

    /// The names of all columns.
    pub(super) fn column_names(&self) -> Vec<String> {
        let fields = self.metadata.schema().fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    /// Checks that no column is in the file and in its folders too.
    pub(super) fn check_partitions(&self, fields: &Fields) -> Result<()> {
        let schema = self.metadata.schema();
        match fields
            .iter()
            .find(|field| schema.column_with_name(field.name()).is_some())
        {
            Some(field) => Err(Error::PartitionColumn {
                file: self.about.name().to_owned(),
                column: field.name().clone(),
            }),
            None => Ok(()),
        }
    }

    /// Its columns that `schema` has.
    pub(super) fn mask(&self, schema: &Schema) -> ProjectionMask {
        let fields = self.metadata.schema().fields().iter().enumerate();
        let read = fields.filter(|(_, field)| schema.column_with_name(field.name()).is_some());
        ProjectionMask::roots(self.metadata.parquet_schema(), read.map(|(at, _)| at))
    }

    /// For each column that is read its place among them, in the order of `schema`; none if that is their order.
    pub(super) fn order_in(&self, schema: &Schema) -> Option<Vec<usize>> {
        let fields = self.metadata.schema().fields().iter();
        let read: Vec<_> = fields
            .filter(|field| schema.column_with_name(field.name()).is_some())
            .collect();
        let place = |name: &String| read.iter().position(|field| field.name() == name);
        let order: Vec<usize> = schema
            .fields()
            .iter()
            .filter_map(|field| place(field.name()))
            .collect();
        let in_order = order.iter().enumerate().all(|(at, &column)| at == column);
        (!in_order).then_some(order)
    }

    /// The rows of a row group.
    pub(super) fn rows_of(&self, row_group: usize) -> u64 {
        let about = self.metadata.metadata().row_groups().get(row_group);
        // They were checked not to be negative when the footer was read.
        about.map_or(0, |about| u64::try_from(about.num_rows()).unwrap_or(0))
    }

    /// Bytes that it takes in memory.
    pub(super) fn memory(&self) -> u64 {
        u64::try_from(self.metadata.metadata().memory_size()).unwrap_or(u64::MAX)
    }
}

/// Runs `read`, and makes a panic of it an error: the reader panics on some malformed files.
pub(super) fn caught<T>(file: &str, read: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|panic| Error::ReaderPanicked {
        file: file.to_owned(),
        message: panic_message(panic.as_ref()),
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let message = message.unwrap_or("it gave no reason");
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The footer with the types that its columns are to be read as.
fn load_metadata(file: &FileBytes) -> Result<(ArrowReaderMetadata, Vec<String>), ParquetError> {
    let metadata = ArrowReaderMetadata::load(file, ArrowReaderOptions::new())?;
    let Hints { schema, intervals } = hints::of(metadata.schema(), metadata.parquet_schema())?;
    if schema.fields() == metadata.schema().fields() {
        return Ok((metadata, intervals));
    }
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)?;
    Ok((metadata, intervals))
}

/// The rows of the file, if the footer says the same in both places that say it.
///
/// The reader cuts its batches to the number of the file, so with a number too small it would lose rows.
fn consistent_rows(metadata: &ParquetMetaData, name: &str) -> Result<u64> {
    let footer = metadata.file_metadata().num_rows();
    let row_groups = metadata
        .row_groups()
        .iter()
        .try_fold(0_i64, |sum, group| {
            let rows = group.num_rows();
            (rows >= 0).then(|| sum.checked_add(rows)).flatten()
        })
        .unwrap_or(-1);
    match u64::try_from(footer) {
        Ok(rows) if footer == row_groups => Ok(rows),
        _ => Err(Error::FooterRows {
            file: name.to_owned(),
            footer,
            row_groups,
        }),
    }
}

fn check_names(schema: &Schema, name: &str) -> Result<()> {
    let mut seen = HashSet::new();
    match schema
        .fields()
        .iter()
        .find(|field| !seen.insert(field.name()))
    {
        Some(twice) => Err(Error::AmbiguousColumn {
            file: name.to_owned(),
            column: twice.name().clone(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_reader_is_an_error_that_names_the_file() {
        let read = || -> u8 { panic!("index 7 is out\nof range") };
        let error = caught("a.parquet", read).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.parquet: the reader failed on this file (index 7 is out of range): the file is most likely damaged"
        );
    }
}

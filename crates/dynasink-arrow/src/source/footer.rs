//! The footer of a file: whether it is one, what it says, and what of it is believed.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_schema::{Fields, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::file::metadata::ParquetMetaData;
use sha2::{Digest, Sha256};

use super::bytes::FileBytes;
use super::encryption::{self, DecryptionKeys};
use super::format::{Format, footer_bytes};
use super::ipc::IpcSource;
use super::location::Located;
use super::metadata::{FileMetadata, Wanted};
use super::survey::{Encryption, MAX_ROW_GROUPS, MAX_SCHEMA_DEPTH, Survey};
use super::{FileFormat, SourceFile, SourceOptions};
use crate::error::{Error, Result};

/// The footer of a file.
#[derive(Debug)]
pub(super) struct Footer {
    about: SourceFile,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Parquet(Box<FileMetadata>),
    Ipc(IpcSource),
}

/// What the footer of a file hashes to by SHA-256; of Arrow IPC, what its messages are and where.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FooterHash([u8; 32]);

impl FooterHash {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for FooterHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FooterHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FooterHash({self})")
    }
}

/// Whether the page index of a file is read with its footer. A row filter and a selection of rows have a use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageIndex {
    Read,
    Unread,
}

impl Footer {
    pub(super) fn load(
        located: &Located,
        options: &SourceOptions,
        page_index: PageIndex,
    ) -> Result<Self> {
        let file = FileBytes::open(located)?;
        let name = located.name();
        let (content, rows, row_groups, hash) = match Format::of(&file)? {
            format @ (Format::Parquet | Format::EncryptedParquet) => {
                let wanted = Wanted {
                    keys: options.decryption_keys(),
                    page_index: page_index == PageIndex::Read,
                };
                let (metadata, hash) = load_parquet(&file, format, wanted)?;
                let rows = consistent_rows(metadata.parquet(), name)?;
                let row_groups = metadata.parquet().num_row_groups();
                let content = Content::Parquet(Box::new(metadata));
                (content, rows, row_groups, hash)
            }
            format @ (Format::IpcFile | Format::IpcStream) => {
                let source = IpcSource::open(file, format)?;
                let (rows, batches) = (source.rows(), source.batches());
                let hash = FooterHash::of(source.outline().as_bytes());
                (Content::Ipc(source), rows, batches, hash)
            }
        };
        let about_format = match &content {
            Content::Parquet(_) => FileFormat::Parquet,
            Content::Ipc(_) => FileFormat::Arrow,
        };
        let footer = Self {
            about: SourceFile {
                format: about_format,
                located: located.clone(),
                rows,
                row_groups,
                footer: hash,
                absent: Vec::new(),
            },
            content,
        };
        check_names(footer.schema(), name)?;
        Ok(footer)
    }

    /// The types of its columns.
    pub(super) fn schema(&self) -> &SchemaRef {
        match &self.content {
            Content::Parquet(metadata) => metadata.schema(),
            Content::Ipc(source) => source.schema(),
        }
    }

    /// What is known of a Parquet file.
    pub(super) fn parquet(&self) -> Option<&FileMetadata> {
        match &self.content {
            Content::Parquet(metadata) => Some(metadata),
            Content::Ipc(_) => None,
        }
    }

    /// What Parquet's reader knows of the file.
    pub(super) fn reader(&self) -> Option<&ArrowReaderMetadata> {
        self.parquet().map(FileMetadata::reader)
    }

    /// A file of Arrow IPC.
    pub(super) fn ipc(&self) -> Option<&IpcSource> {
        match &self.content {
            Content::Ipc(source) => Some(source),
            Content::Parquet(_) => None,
        }
    }

    pub(super) fn about(&self) -> &SourceFile {
        &self.about
    }

    pub(super) fn into_file(self) -> SourceFile {
        self.about
    }

    /// The columns that `options` need, in the order of this file.
    pub(super) fn selected_schema(&self, options: &SourceOptions) -> Schema {
        let fields = self.schema().fields().iter();
        let selected = fields.filter(|field| options.is_read(field.name()));
        Schema::new(selected.cloned().collect::<Fields>())
    }

    /// The names of all columns.
    pub(super) fn column_names(&self) -> Vec<String> {
        let fields = self.schema().fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    /// Checks that no column is in the file and in its folders too.
    pub(super) fn check_partitions(&self, fields: &Fields) -> Result<()> {
        let schema = self.schema();
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
        let fields = self.schema().fields().iter().enumerate();
        let read = fields.filter(|(_, field)| schema.column_with_name(field.name()).is_some());
        match self.reader() {
            Some(reader) => ProjectionMask::roots(reader.parquet_schema(), read.map(|(at, _)| at)),
            None => ProjectionMask::all(),
        }
    }

    /// The places of its columns that `schema` has, in the order of `schema`.
    pub(super) fn projection(&self, schema: &Schema) -> Vec<usize> {
        let place = |name: &String| self.schema().index_of(name).ok();
        let fields = schema.fields().iter();
        fields.filter_map(|field| place(field.name())).collect()
    }

    /// For each column that is read its place among them, in the order of `schema`; none if that is their order.
    pub(super) fn order_in(&self, schema: &Schema) -> Option<Vec<usize>> {
        let fields = self.schema().fields().iter();
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

    /// The rows of a row group of a Parquet file.
    pub(super) fn rows_of(&self, row_group: usize) -> u64 {
        let Some(metadata) = self.parquet() else {
            return 0;
        };
        let about = metadata.parquet().row_groups().get(row_group);
        // They were checked not to be negative when the footer was read.
        about.map_or(0, |about| u64::try_from(about.num_rows()).unwrap_or(0))
    }

    /// Bytes that it takes in memory.
    pub(super) fn memory(&self) -> u64 {
        match &self.content {
            Content::Parquet(metadata) => {
                u64::try_from(metadata.parquet().memory_size()).unwrap_or(u64::MAX)
            }
            Content::Ipc(source) => source.memory(),
        }
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

/// Looks at what the footer says before the reader takes it in.
fn load_parquet(
    file: &FileBytes,
    format: Format,
    wanted: Wanted<'_>,
) -> Result<(FileMetadata, FooterHash)> {
    let name = file.name();
    let footer = footer_bytes(file)?;
    let hash = FooterHash::of(&footer);
    let encryption = if format == Format::EncryptedParquet {
        Some(Survey::of_encrypted(&footer).unwrap_or(Encryption::AesGcm))
    } else {
        let survey = Survey::of(&footer);
        check_survey(name, survey)?;
        survey.encryption
    };
    let keys: Option<&DecryptionKeys> = match encryption {
        Some(encryption) => {
            encryption::check(name, encryption, wanted.keys)?;
            wanted.keys
        }
        None => None,
    };
    let wanted = Wanted { keys, ..wanted };
    let metadata = caught(name, || FileMetadata::load(file, wanted))?.map_err(|source| {
        file.take_failure().unwrap_or_else(|| {
            let file = name.to_string();
            match encryption {
                Some(_) => Error::Decryption { file, source },
                None => Error::Footer { file, source },
            }
        })
    })?;
    Ok((metadata, hash))
}

fn check_survey(file: &str, survey: Survey) -> Result<()> {
    if survey.depth > MAX_SCHEMA_DEPTH {
        return Err(Error::SchemaTooDeep {
            file: file.to_owned(),
            max: MAX_SCHEMA_DEPTH,
        });
    }
    if survey.row_groups > MAX_ROW_GROUPS {
        return Err(Error::FooterTooLarge {
            file: file.to_owned(),
            what: "row groups",
            found: survey.row_groups,
            most: MAX_ROW_GROUPS,
        });
    }
    Ok(())
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

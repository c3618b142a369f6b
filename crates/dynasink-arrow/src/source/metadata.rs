//! The metadata of a Parquet file, made so that the reader loses nothing.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    FileMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataBuilder,
};
use parquet::file::reader::ChunkReader;

use super::encryption::{DecryptionKeys, with_keys};
use super::hints;
use super::interval::{self, Intervals};
use crate::error::Error;

/// What the reader says of a page whose checksum is not that of its bytes.
const WRONG_CHECKSUM: &str = "CRC checksum mismatch";

/// What is loaded of a file besides its footer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted<'a> {
    /// The keys, if the file is encrypted.
    pub(super) keys: Option<&'a DecryptionKeys>,
    /// Whether a row filter has a use for the page index.
    pub(super) page_index: bool,
}

/// The metadata of a file, with the types that its columns are read as.
#[derive(Clone, Debug)]
pub(super) struct FileMetadata {
    reader: ArrowReaderMetadata,
    intervals: Option<Intervals>,
    is_decrypted: bool,
}

impl FileMetadata {
    /// Reads the footer of a file, and the page index if it is wanted, there and no part of what is damaged.
    pub(super) fn load<R: ChunkReader>(file: &R, wanted: Wanted<'_>) -> Result<Self, ParquetError> {
        if wanted.page_index
            && let Ok(with_index) = Self::load_with(file, wanted, PageIndexPolicy::Optional)
        {
            return Ok(with_index);
        }
        Self::load_with(file, wanted, PageIndexPolicy::Skip)
    }

    fn load_with<R: ChunkReader>(
        file: &R,
        wanted: Wanted<'_>,
        page_index: PageIndexPolicy,
    ) -> Result<Self, ParquetError> {
        let options = || {
            let options = ArrowReaderOptions::new().with_page_index_policy(page_index);
            with_keys(options, wanted.keys)
        };
        // The types are worked out below, since an Arrow schema that the writer left may not fit the file.
        let bare = options()?.with_skip_arrow_metadata(true);
        let mut metadata = ArrowReaderMetadata::load(file, bare)?;
        let stored = metadata.metadata().file_metadata().schema_descr_ptr();
        let as_bytes = interval::as_bytes(&stored)?.map(Arc::new);
        if let Some(as_bytes) = &as_bytes {
            let bare = options()?
                .with_skip_arrow_metadata(true)
                .with_parquet_schema(Arc::clone(as_bytes));
            metadata = ArrowReaderMetadata::load(file, bare)?;
        }
        let mut metadata = Arc::clone(metadata.metadata());
        // What decrypts a file cannot be taken over to other metadata.
        if wanted.keys.is_none()
            && let Some(counted) = with_counted_rows(&metadata)
        {
            metadata = Arc::new(counted);
        }

        let parquet = metadata.file_metadata().schema_descr();
        let plain = parquet_to_arrow_schema(parquet, None)?;
        let key_values = metadata.file_metadata().key_value_metadata();
        let inferred = parquet_to_arrow_schema(parquet, key_values)
            .ok()
            .filter(|inferred| inferred.fields().len() == plain.fields().len());
        let read_by = |schema: Schema| {
            let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
            ArrowReaderMetadata::try_new(Arc::clone(&metadata), options)
        };
        let said = inferred.map(|inferred| read_by(hints::of(&inferred, &plain, parquet)?));
        // What the writer says may not fit what is stored.
        let reader = match said {
            Some(Ok(reader)) => reader,
            _ => read_by(hints::of(&plain, &plain, parquet)?)?,
        };
        let intervals = as_bytes
            .is_some()
            .then(|| Intervals::of(reader.schema(), &stored, metadata.file_metadata()));
        Ok(Self {
            reader,
            intervals,
            is_decrypted: wanted.keys.is_some(),
        })
    }

    /// For the reader. Its schema has INTERVAL columns as bytes.
    pub(super) fn reader(&self) -> &ArrowReaderMetadata {
        &self.reader
    }

    pub(super) fn parquet(&self) -> &Arc<ParquetMetaData> {
        self.reader.metadata()
    }

    /// The types of the columns, as [`whole`](Self::whole) gives them.
    pub(super) fn schema(&self) -> &SchemaRef {
        match &self.intervals {
            Some(intervals) => intervals.schema(),
            None => self.reader.schema(),
        }
    }

    /// Why the rows of `file` cannot be read, if that has to do with keys.
    pub(super) fn decryption_error(&self, file: &str, error: &ArrowError) -> Option<Error> {
        let reason = error.to_string();
        let file = file.to_owned();
        self.is_decrypted.then(|| {
            if reason.contains(WRONG_CHECKSUM) {
                Error::EncryptedChecksum { file }
            } else {
                let source = ParquetError::General(reason);
                Error::Decryption { file, source }
            }
        })
    }

    /// What a batch of the reader holds.
    pub(super) fn whole(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        match &self.intervals {
            Some(intervals) => intervals.of_bytes(&batch),
            None => Ok(batch),
        }
    }
}

/// The metadata with the rows that its row groups have, if the footer says that there are none.
///
/// The reader cuts its batches to the number of the footer. Some writers left it at zero.
fn with_counted_rows(metadata: &ParquetMetaData) -> Option<ParquetMetaData> {
    let about = metadata.file_metadata();
    let rows = metadata
        .row_groups()
        .iter()
        .map(|group| Some(group.num_rows()).filter(|rows| *rows >= 0))
        .try_fold(0_i64, |sum, rows| sum.checked_add(rows?))?;
    if about.num_rows() != 0 || rows == 0 {
        return None;
    }
    let counted = FileMetaData::new(
        about.version(),
        rows,
        about.created_by().map(str::to_owned),
        about.key_value_metadata().cloned(),
        about.schema_descr_ptr(),
        about.column_orders().cloned(),
    );
    let counted = ParquetMetaDataBuilder::new(counted)
        .set_row_groups(metadata.row_groups().to_vec())
        .set_column_index(metadata.column_index().cloned())
        .set_offset_index(metadata.offset_index().cloned());
    Some(counted.build())
}

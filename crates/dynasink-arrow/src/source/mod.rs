//! Parquet files as a stream of batches.

mod bytes;
mod depth;
mod footer;
mod hints;
mod location;
mod reader;
mod stream;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};

pub use location::{
    FileSet, FileVersion, HivePartitions, Located, Location, ObjectLocation, Sources, Stores,
};
pub use stream::BatchStream;

use crate::error::{Error, Result};
use footer::Footer;

/// What is read of Parquet files, and in which portions.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SourceOptions {
    columns: Option<Vec<String>>,
    batch_rows: Option<NonZeroUsize>,
}

impl SourceOptions {
    /// All columns, in batches of a size that fits each row group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads these top-level columns only, in the order of the first file.
    pub fn with_columns<N: Into<String>>(mut self, columns: impl IntoIterator<Item = N>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Reads batches of this many rows, whatever they weigh.
    ///
    /// Without it, a batch has about 4 MB as far as the footer tells, and at most 8,192 rows.
    pub fn with_batch_rows(mut self, rows: NonZeroUsize) -> Self {
        self.batch_rows = Some(rows);
        self
    }

    /// The columns that are read, if not all.
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// The rows of a batch, if set.
    pub fn batch_rows(&self) -> Option<NonZeroUsize> {
        self.batch_rows
    }
}

/// A file of a source.
#[derive(Clone, Debug)]
pub struct SourceFile {
    path: PathBuf,
    name: Arc<str>,
    rows: u64,
    row_groups: usize,
}

impl SourceFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What positions and errors call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rows, by its footer.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Its row groups.
    pub fn row_groups(&self) -> usize {
        self.row_groups
    }
}

/// Local Parquet files of one schema, read one after the other. Cheap to clone.
///
/// Strings and binary are read as views, so that a batch holds a value of a dictionary once, however many rows
/// have it. INT96 is read in microseconds, the unit in which every date that Spark writes has a place. ENUM is
/// read as strings, and UUID as `arrow.uuid`.
///
/// ```no_run
/// # async fn load() -> Result<(), Box<dyn std::error::Error>> {
/// use dynasink_arrow::{SourceOptions, FileSource};
/// use futures::TryStreamExt;
///
/// let source = FileSource::open(["flights.parquet"], SourceOptions::new()).await?;
/// println!("{} rows of {}", source.total_rows(), source.schema());
/// let mut batches = source.stream();
/// while let Some(batch) = batches.try_next().await? {
///     println!("{} rows at {:?}", batch.batch().num_rows(), batch.position());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileSource(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    files: Vec<SourceFile>,
    schema: SchemaRef,
    options: SourceOptions,
}

impl FileSource {
    /// Reads the footer of every file, and no row.
    ///
    /// Columns are matched by name: files may have them in another order and may differ in which are nullable.
    /// The first file decides the order.
    ///
    /// # Errors
    ///
    /// Any [`Error`] that a footer can tell: a file that is missing, truncated, encrypted or not Parquet, a schema
    /// unlike that of the first file, a column that is asked for and not there, or one that cannot be read
    /// without loss.
    pub async fn open<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
        options: SourceOptions,
    ) -> Result<Self> {
        let paths: Vec<_> = paths
            .into_iter()
            .map(|path| path.as_ref().to_path_buf())
            .collect();
        tokio::task::spawn_blocking(move || Self::read_footers(&paths, options))
            .await
            .unwrap_or(Err(Error::ReaderStopped))
    }

    /// The same, of files that were found.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub async fn of(files: FileSet, options: SourceOptions) -> Result<Self> {
        let mut paths = Vec::with_capacity(files.files().len());
        for file in files.files() {
            match file.location().local_path() {
                Some(path) => paths.push(path.to_path_buf()),
                None => {
                    return Err(Error::SourceName {
                        source_name: file.name().to_string(),
                        reason: "URLs cannot be read yet: copy the file here".to_owned(),
                    });
                }
            }
        }
        Self::open(paths, options).await
    }

    fn read_footers(paths: &[PathBuf], options: SourceOptions) -> Result<Self> {
        let mut files = Vec::with_capacity(paths.len());
        let mut schema: Option<Schema> = None;
        for path in paths {
            let footer = Footer::load(path)?;
            let own = footer.selected_schema(&options)?;
            schema = Some(match schema {
                None => own,
                Some(schema) => {
                    let first: &SourceFile = &files[0];
                    footer.check_same(&own, &schema, first.name())?;
                    with_nullable_of(&schema, &own)
                }
            });
            files.push(footer.into_file());
        }
        Ok(Self(Arc::new(Opened {
            files,
            schema: Arc::new(schema.ok_or(Error::NoFiles)?),
            options,
        })))
    }

    /// The schema of the batches. A column is nullable if it is so in any file.
    pub fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    /// The rows of all files.
    pub fn total_rows(&self) -> u64 {
        self.0.files.iter().map(SourceFile::rows).sum()
    }

    /// The files in the order in which they are read.
    pub fn files(&self) -> &[SourceFile] {
        &self.0.files
    }

    /// Reads the rows: files in the order given, rows in the order of the file. Each call reads from the start.
    ///
    /// A blocking task reads page by page and is up to two batches ahead of the stream. It ends when the stream
    /// is dropped, and the stream ends with the first error.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn stream(&self) -> BatchStream {
        BatchStream::start(Arc::clone(&self.0))
    }
}

/// `schema` with each column nullable that is nullable in it or in `other`.
fn with_nullable_of(schema: &Schema, other: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| {
        let nullable = field.is_nullable()
            || other
                .column_with_name(field.name())
                .is_some_and(|(_, other)| other.is_nullable());
        if nullable == field.is_nullable() {
            Arc::clone(field)
        } else {
            Arc::new(field.as_ref().clone().with_nullable(nullable))
        }
    });
    Schema::new(fields.collect::<Vec<_>>())
}

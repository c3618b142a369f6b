//! Parquet files as a stream of batches.

mod depth;
pub(crate) mod drift;
mod footer;
mod hints;
mod key_range;
mod memory;
mod options;
mod plan;
mod portion;
mod reader;
mod schedule;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::SchemaRef;
use dynasink_core::Unread;

pub use options::{Interleave, SourceOptions, StreamOptions, Unreadable};
pub use stream::BatchStream;

use crate::error::{Error, Result};
use drift::UnitedSchema;
use footer::Footer;

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

/// Parquet files that are read as one. Cheap to clone.
///
/// Their schemas may differ where one schema has a place for the values of all: see [`open`](Self::open).
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
    /// Files that could not be read and are passed over.
    unread: Vec<Unread>,
}

impl FileSource {
    /// Reads the footer of every file, and no row.
    ///
    /// Columns are matched by name, in whatever order a file has them. A column that a file does not have is null in
    /// its rows. A column may have another type in another file if a type has a place for the values of both: wider
    /// integers, floats and decimals, finer timestamps, structs with more fields. Values are never converted: each is
    /// written by the type that it has in its file.
    ///
    /// # Errors
    ///
    /// Any [`Error`] that a footer can tell: a file that is missing, truncated, encrypted or not Parquet, types of a
    /// column that no type holds both of, a column that is asked for and not there, or one that cannot be read
    /// without loss. With [`Unreadable::Skip`] files that cannot be read are passed over, unless it is all of them.
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

    fn read_footers(paths: &[PathBuf], options: SourceOptions) -> Result<Self> {
        let mut files = Vec::with_capacity(paths.len());
        let mut unread = Vec::new();
        let mut unreadable = None;
        let mut united = UnitedSchema::default();
        for path in paths {
            let footer = match Footer::load(path) {
                Err(error) if options.unreadable() == Unreadable::Skip && error.is_of_a_file() => {
                    unread.push(error.unread(&path.to_string_lossy().into(), None, None));
                    unreadable.get_or_insert(error);
                    continue;
                }
                footer => footer?,
            };
            united.add(&footer.selected_schema(&options)?, &footer.about().name)?;
            files.push(footer.into_file());
        }
        let Some(schema) = united.into_schema() else {
            return Err(unreadable.unwrap_or(Error::NoFiles));
        };
        Ok(Self(Arc::new(Opened {
            files,
            schema: Arc::new(schema),
            options,
            unread,
        })))
    }

    /// The schema of all files together. A column is nullable if it is so, or missing, in any file. The columns of the
    /// first file come first. A batch has those of them that are in its file, by their types there.
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
    /// It is [`stream_with`](Self::stream_with) the default options.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn stream(&self) -> BatchStream {
        self.stream_with(&StreamOptions::new())
    }

    /// Reads the rows in an order by `options`. Each call reads from the start.
    ///
    /// Blocking tasks read several row groups at once, page by page, within [`SourceOptions::memory`]. They end when the
    /// stream is dropped, and the stream ends with the first error.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn stream_with(&self, options: &StreamOptions) -> BatchStream {
        BatchStream::start(Arc::clone(&self.0), options)
    }
}

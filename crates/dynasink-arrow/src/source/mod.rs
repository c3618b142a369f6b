//! Files as a stream of batches.

mod bytes;
mod constants;
pub(crate) mod drift;
mod encryption;
mod filter;
mod footer;
mod format;
mod hints;
mod identity;
mod interval;
mod ipc;
mod key_range;
mod location;
mod memory;
mod metadata;
mod options;
mod plan;
mod portion;
mod reader;
mod row_group_observer;
mod row_selection;
mod schedule;
mod stream;
mod survey;
mod unread;

use std::ffi::OsStr;
use std::pin::pin;
use std::sync::Arc;

use arrow_schema::{Fields, Schema, SchemaRef};
use dynasink_core::Unread;
use futures::{FutureExt, Stream, StreamExt};

pub use encryption::DecryptionKeys;
pub use filter::{Filter, FilterPlace};
pub use identity::{FileFormat, FileIdentity, SourceIdentity};
pub use location::{
    FileSet, FileVersion, HivePartitions, Located, Location, ObjectLocation, Sources, Stores,
};
pub use options::{Interleave, SourceOptions, StreamOptions, Unreadable};
pub use row_group_observer::RowGroupObserver;
pub use row_selection::RowSelection;
pub use stream::BatchStream;

use crate::error::{ColumnList, Error, Result};
use constants::Constants;
use drift::UnitedSchema;
use filter::BoundFilter;
use footer::{Footer, FooterHash, PageIndex};

/// How many footers are asked for at once: enough to fill the latency of an object store.
const FOOTERS_AT_ONCE: usize = 16;

/// A file of a source.
#[derive(Clone, Debug)]
pub struct SourceFile {
    located: Located,
    rows: u64,
    row_groups: usize,
    format: FileFormat,
    /// What its footer hashes to.
    footer: FooterHash,
    /// Columns of other files that it does not have.
    absent: Vec<String>,
}

impl SourceFile {
    /// Where it is.
    pub fn location(&self) -> &Location {
        self.located.location()
    }

    /// What positions and errors call it.
    pub fn name(&self) -> &str {
        self.located.name()
    }

    /// Its rows, by its footer.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Its row groups.
    pub fn row_groups(&self) -> usize {
        self.row_groups
    }

    /// Columns that other files of the source have and this one has not: they are null in its rows.
    pub fn absent_columns(&self) -> &[String] {
        &self.absent
    }
}

/// Files that are read as one. Cheap to clone.
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
    /// The columns that are handed on.
    schema: SchemaRef,
    /// The columns that are read: those, and what the row filter needs besides.
    read: SchemaRef,
    /// The columns that come from folders, those included that are not read.
    folder_fields: Fields,
    options: SourceOptions,
    /// Files that could not be read and are passed over.
    unread: Vec<Unread>,
}

impl Opened {
    /// The columns that the folders of a file give it.
    fn constants(&self, file: usize) -> Constants {
        Constants::of_folders(&self.files[file].located, &self.folder_fields, &self.read)
    }

    /// The row filter for the rows of a file.
    fn filter(&self, footer: &Footer) -> Result<Option<BoundFilter>> {
        let Some(filter) = self.options.filter() else {
            return Ok(None);
        };
        let own = footer.schema().fields().iter().chain(&self.folder_fields);
        let own = Schema::new(own.cloned().collect::<Fields>());
        filter.bind(&own, &self.read).map(Some)
    }

    /// Checks that the row filter fits the columns, of which each file has some.
    fn check_filter(&self) -> Result<()> {
        match self.options.filter() {
            Some(filter) => filter.bind(&self.read, &self.read).map(drop),
            None => Ok(()),
        }
    }

    /// Checks that every column that is asked for is in one of the files; the first of them has `names`.
    fn check_columns(&self, names: &[String]) -> Result<()> {
        let known = |name: &String| self.schema.column_with_name(name).is_some();
        let Some(unknown) = self
            .options
            .columns()
            .into_iter()
            .flatten()
            .find(|name| !known(name))
        else {
            return Ok(());
        };
        Err(Error::UnknownColumn {
            file: self
                .files
                .first()
                .map_or_else(String::new, |file| file.name().to_owned()),
            column: unknown.clone(),
            available: ColumnList::for_name(unknown, names.iter().map(String::as_str)),
        })
    }
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
    pub async fn open<P: AsRef<OsStr>>(
        sources: impl IntoIterator<Item = P>,
        options: SourceOptions,
    ) -> Result<Self> {
        let sources: Sources = sources.into_iter().collect();
        Self::of(sources.locate().await?, options).await
    }

    /// The same, of files that were found.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub async fn of(files: FileSet, options: SourceOptions) -> Result<Self> {
        let mut footers = pin!(footers(&files, &options));
        let mut opened = Vec::with_capacity(files.files().len());
        let mut unread = Vec::new();
        let mut unreadable = None;
        let mut united = UnitedSchema::default();
        let mut names = Vec::new();
        let mut schemas = Vec::new();
        while let Some((located, footer)) = footers.next().await {
            let footer = match footer {
                Err(error) if options.unreadable() == Unreadable::Skip && error.is_of_a_file() => {
                    unread.push(error.unread(located.name(), None, None));
                    unreadable.get_or_insert(error);
                    continue;
                }
                footer => footer?,
            };
            footer.check_partitions(files.partition_fields())?;
            let own = footer.selected_schema(&options);
            united.add(&own, located.name())?;
            schemas.push(own);
            if opened.is_empty() {
                names = footer.column_names();
            }
            opened.push(footer.into_file());
        }
        let Some(schema) = united.into_schema() else {
            return Err(unreadable.unwrap_or(Error::NoFiles));
        };
        for (file, own) in opened.iter_mut().zip(&schemas) {
            let fields = schema.fields().iter();
            let absent = fields.filter(|field| own.column_with_name(field.name()).is_none());
            file.absent = absent.map(|field| field.name().clone()).collect();
        }
        let folders = files
            .partition_fields()
            .iter()
            .filter(|field| options.is_read(field.name()));
        let read: Fields = schema.fields().iter().chain(folders).cloned().collect();
        let handed_on = read
            .iter()
            .filter(|field| options.is_handed_on(field.name()));
        let source = Opened {
            schema: Arc::new(Schema::new(handed_on.cloned().collect::<Fields>())),
            read: Arc::new(Schema::new(read)),
            files: opened,
            folder_fields: files.partition_fields().clone(),
            options: options.clone(),
            unread,
        };
        source.check_columns(&names)?;
        source.check_filter()?;
        Ok(Self(Arc::new(source)))
    }

    /// The schema of all files together. A column is nullable if it is so, or missing, in any file. The columns of the
    /// first file come first. A batch has those of them that are in its file, by their types there.
    pub fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    /// The rows of all files, before a row filter.
    pub fn total_rows(&self) -> u64 {
        self.0.files.iter().map(SourceFile::rows).sum()
    }

    /// The files in the order in which they are read.
    pub fn files(&self) -> &[SourceFile] {
        &self.0.files
    }

    /// Checks that every file has these columns, such as those that a table's keys are made of: a file without one would
    /// have no row that can be written.
    ///
    /// # Errors
    ///
    /// [`Error::ColumnAbsent`] for the first file that lacks one.
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` arguments cannot elide it yet"
    )]
    pub fn check_has<'c>(&self, columns: impl IntoIterator<Item = &'c str>) -> Result<()> {
        for column in columns {
            let lacks = |file: &&SourceFile| file.absent.iter().any(|absent| absent == column);
            if let Some(file) = self.files().iter().find(lacks) {
                return Err(Error::ColumnAbsent {
                    file: file.name().to_owned(),
                    column: column.to_owned(),
                });
            }
        }
        Ok(())
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

/// The footers of `files` in their order, some of which are asked for at once: an object store takes its time for each.
fn footers<'f>(
    files: &'f FileSet,
    options: &'f SourceOptions,
) -> impl Stream<Item = (&'f Located, Result<Footer>)> {
    futures::stream::iter(files.files())
        .map(move |located| {
            let (file, options) = (located.clone(), options.clone());
            let load = move || Footer::load(&file, &options, PageIndex::Unread);
            tokio::task::spawn_blocking(load)
                .map(move |loaded| (located, loaded.unwrap_or(Err(Error::ReaderStopped))))
        })
        .buffered(FOOTERS_AT_ONCE)
}

//! Items as files of DynamoDB JSON, for the imports that AWS does itself.

mod compression;
mod folder;
mod import_command;
mod lane;
mod manifest;
mod options;
mod progress;
mod shuffle;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use dynasink_core::{Fuse, StageError, TableSchema, WriteAction, WriteOp};
use dynasink_sink::KeyChoice;
use futures::future::{BoxFuture, try_join_all};
use futures::{FutureExt, Sink};
use serde::Serialize;
use tokio::task::spawn_blocking;

pub use compression::Compression;
use folder::UnfinishedFolder;
pub use import_command::S3Uri;
pub use lane::ExportedFile;
use lane::Lane;
pub use manifest::ExportOrigin;
pub use options::ExportOptions;
use options::MOST_LANES;
pub use progress::ExportProgress;
use progress::Owner;
use shuffle::{HeldItem, Shuffle};

use crate::error::{Error, Result};
use crate::second_reading;
use crate::survey::IMPORT_LINE_BYTES;

/// Where the files are in the folder of an export: an import reads all that is there.
const DATA: &str = "data";

/// What an export has written so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExportCounts {
    /// Items that were taken to be written.
    pub items: u64,
    /// Bytes of their lines, uncompressed.
    pub bytes: u64,
    /// Rows of which another one of their key takes the place.
    pub superseded: u64,
    /// Deletes, which leave nothing to be exported.
    pub deletes: u64,
}

/// An export that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The folder.
    pub folder: PathBuf,
    /// What is in it.
    #[serde(flatten)]
    pub counts: ExportCounts,
    /// The files with the items.
    pub files: Vec<ExportedFile>,
}

/// Writes items as lines of DynamoDB JSON into files of a folder: a `Sink<WriteOp>`.
///
/// - In: [`WriteOp`] of one table. Of each key the one that its [`KeyChoice`] keeps is written, since an import applies
///   items of one key in any order; a key that ends deleted is left out.
/// - Held: items up to the bytes of [`ExportOptions::shuffle_bytes`]. They leave in the order of a hash of their keys,
///   spread over up to 16 files at once, so that neighbours in the input are none in the files: an import of sorted items
///   would wait for one partition after the other.
/// - Flush: writes all that is held. Close: also ends the files; then [`finish`](Self::finish) gives the folder its name.
///   Dropped before that, it leaves nothing, once the tasks that write have noticed: within some items.
///
/// Compression and writing are done by blocking tasks, one for each open file.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use dynasink::{Export, ExportOptions, KeptRow, KeyCensus, KeyType, TableSchema, drive};
/// use futures::{StreamExt, stream};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let place = std::env::temp_dir().join(format!("dynasink-export-{}", std::process::id()));
/// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
/// let rows = || stream::iter(0..100).map(|n| table.put_serde(&serde_json::json!({ "id": n % 50, "n": n })));
///
/// let mut census = KeyCensus::new(KeptRow::Last, NonZeroUsize::MAX);
/// let mut first_reading = rows();
/// while let Some(op) = first_reading.next().await {
///     census.note(&op?)?;
/// }
///
/// let mut export = Export::create(&place, &table, census.into_choice(), 10_000, ExportOptions::new())?;
/// drive(rows(), &mut export).await?;
/// let exported = export.finish(None)?;
/// assert_eq!(exported.counts.items, 50);
/// # std::fs::remove_dir_all(&place)?;
/// # Ok(())
/// # }
/// ```
#[must_use = "sinks do nothing unless polled"]
pub struct Export {
    table: TableSchema,
    options: ExportOptions,
    choice: KeyChoice,
    counts: ExportCounts,
    shuffle: Shuffle,
    lanes: Lanes,
    files: Vec<ExportedFile>,
    folder: Arc<UnfinishedFolder>,
    place: PathBuf,
    owner: Owner,
    fuse: Fuse,
}

/// The files that are being written.
enum Lanes {
    Idle(Vec<Lane>),
    Writing(BoxFuture<'static, Result<Vec<Lane>>>),
    Ending(BoxFuture<'static, Result<Vec<ExportedFile>>>),
    Ended,
}

impl Export {
    /// An export of `table` into `folder`, which must be empty or not there. Of each key the operation is written that
    /// `choice` keeps. The lines of all items have `expected_bytes` at most ([`Measured::import_bytes`]).
    ///
    /// It is written beside the folder, as `FOLDER.partial`.
    ///
    /// # Errors
    ///
    /// [`Error::ExportFolderNotEmpty`], [`Error::ExportUnfinished`], [`Error::ExportFileSize`] and
    /// [`Error::ExportFile`].
    ///
    /// [`Measured::import_bytes`]: crate::Measured::import_bytes
    pub fn create(
        folder: impl Into<PathBuf>,
        table: &TableSchema,
        choice: KeyChoice,
        expected_bytes: u64,
        options: ExportOptions,
    ) -> Result<Self> {
        let place = folder.into();
        let file_bytes = options.file_bytes_for(expected_bytes)?;
        let lanes = expected_bytes.div_ceil(file_bytes).clamp(1, MOST_LANES);
        let folder = Arc::new(UnfinishedFolder::create(place.clone(), DATA)?);
        let progress = ExportProgress::default();
        let lanes: Vec<_> = (0..usize::try_from(lanes).unwrap_or(1))
            .map(|number| {
                let (folder, progress) = (Arc::clone(&folder), progress.clone());
                Lane::new(
                    number,
                    folder,
                    DATA,
                    options.compression,
                    file_bytes,
                    progress,
                )
            })
            .collect();
        Ok(Self {
            table: table.clone(),
            choice,
            counts: ExportCounts::default(),
            shuffle: Shuffle::new(options.shuffle_bytes / 2, lanes.len()),
            options,
            lanes: Lanes::Idle(lanes),
            files: Vec::new(),
            folder,
            place,
            owner: Owner(progress),
            fuse: Fuse::new("export"),
        })
    }

    /// What was taken so far.
    pub fn counts(&self) -> ExportCounts {
        self.counts
    }

    /// How far it has come with its files, which can be asked for while it is driven.
    pub fn progress(&self) -> ExportProgress {
        self.owner.0.clone()
    }

    /// Writes the manifest and the command that imports the files, and gives the folder its name. To be called after the
    /// sink was closed.
    ///
    /// # Errors
    ///
    /// [`Error::SourceChanged`] if other keys came than the first reading saw, [`Error::ExportFile`], and
    /// [`Error::Stage`] if the sink was not closed.
    pub fn finish(self, origin: Option<&ExportOrigin>) -> Result<Exported> {
        if !self.fuse.is_closed() {
            return Err(Error::Stage(StageError::Input {
                stage: "export",
                reason: "it is finished before it is closed".to_owned(),
            }));
        }
        second_reading::check_keys(&self.choice)?;
        let compression = self.options.compression;
        let manifest =
            manifest::manifest(&self.table, compression, self.counts, &self.files, origin);
        self.folder
            .write("manifest.json", format!("{manifest:#}\n").as_bytes())?;
        let script = import_command::import_script(&self.table, &self.options, DATA);
        self.folder.write("import-table.sh", script.as_bytes())?;
        self.folder.finish()?;
        Ok(Exported {
            folder: self.place,
            counts: self.counts,
            files: self.files,
        })
    }

    fn take(&mut self, op: &WriteOp) {
        if !self.choice.keeps(op) {
            self.counts.superseded += 1;
            return;
        }
        match op.action() {
            WriteAction::Delete => self.counts.deletes += 1,
            WriteAction::Put => {
                self.counts.items += 1;
                self.counts.bytes += op.item().json().len() as u64 + IMPORT_LINE_BYTES;
                self.shuffle.push(op);
            }
        }
    }

    /// Until nothing is being written.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if let Lanes::Writing(writing) = &mut self.lanes {
            let written = ready!(writing.poll_unpin(cx));
            self.lanes = Lanes::Ended;
            self.lanes = Lanes::Idle(written?);
        }
        Poll::Ready(Ok(()))
    }

    /// Begins to write what is held.
    fn release(&mut self) {
        match std::mem::replace(&mut self.lanes, Lanes::Ended) {
            Lanes::Idle(lanes) => {
                self.lanes = Lanes::Writing(write(lanes, self.shuffle.take()));
            }
            other => self.lanes = other,
        }
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.shuffle.is_full() {
            ready!(self.poll_idle(cx))?;
            self.release();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_idle(cx))?;
        if !self.shuffle.is_empty() {
            self.release();
            ready!(self.poll_idle(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_written(cx))?;
        if let Lanes::Idle(lanes) = &mut self.lanes {
            self.lanes = Lanes::Ending(end(std::mem::take(lanes)).boxed());
        }
        if let Lanes::Ending(ending) = &mut self.lanes {
            let files = ready!(ending.poll_unpin(cx));
            self.lanes = Lanes::Ended;
            self.files = files?;
        }
        Poll::Ready(Ok(()))
    }
}

/// Begins at once to write its items to each lane.
fn write(lanes: Vec<Lane>, items: Vec<Vec<HeldItem>>) -> BoxFuture<'static, Result<Vec<Lane>>> {
    let written = lanes.into_iter().zip(items).map(|(lane, items)| {
        spawn_blocking(move || lane.write(items))
            .map(|written| written.unwrap_or(Err(Error::ExportStopped)))
    });
    try_join_all(written).boxed()
}

/// Ends the files of each lane.
async fn end(lanes: Vec<Lane>) -> Result<Vec<ExportedFile>> {
    let ended = lanes.into_iter().map(|lane| {
        spawn_blocking(move || lane.finish())
            .map(|ended| ended.unwrap_or(Err(Error::ExportStopped)))
    });
    Ok(try_join_all(ended).await?.concat())
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("place", &self.place)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl Sink<WriteOp> for Export {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.fuse.check::<Error>()?;
        let room = self.poll_room(cx);
        self.fuse.guard_poll(room)
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<()> {
        self.fuse.check::<Error>()?;
        self.take(&op);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.fuse.check::<Error>()?;
        let written = self.poll_written(cx);
        self.fuse.guard_poll(written)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.fuse.is_closed() {
            return Poll::Ready(Ok(()));
        }
        self.fuse.check::<Error>()?;
        let ended = self.poll_ended(cx);
        self.fuse.guard_close(ended)
    }
}

//! How far a load has come, kept in a file, so that another process can go on where this one ended.

mod document;
mod file;
mod identity;
mod observers;
mod progress;
mod recall;
mod rows;
mod table;

use std::convert::Infallible;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynasink_arrow::{Interleave, SourceBatch, StreamOptions};
use dynasink_aws::TableChanges;

pub use identity::{LoadChange, LoadIdentity, TableIdentity};

use crate::dead_letters::DeadLetterFile;
use crate::error::{Error, Result};
use crate::tally::{Counts, Tally};
use document::{Document, KeptLetters};
use file::HeldFile;
use progress::Progress;

/// The time between two checkpoints.
const INTERVAL: Duration = Duration::from_secs(1);

/// A file that says how far a load has come. Clones are the same.
///
/// It names the rows that have an outcome and the dead letters that belong to them, as of one moment. It is replaced as a
/// whole about once a second ([`set_interval`](Self::set_interval)), and once more when the load ends, however it does. Whatever ends the process, a load that
/// goes on from it ([`resume`](Self::resume)) reads the rows that had no outcome then: none is lost, and written twice
/// are at most those that were on their way at that moment or came after it. What they leave in the table is the same,
/// since rows of one key are written in their order.
///
/// While it is there the file is locked, so that two loads do not share it.
///
/// ```no_run
/// use dynasink::{
///     Checkpoint, DeadLetterFile, Dedup, DedupWindow, DynamoDb, FileSource, LoadIdentity, Mapping, Pipeline, SourceOptions,
///     StreamOptions, Transport, describe_state,
/// };
///
/// # async fn load(client: aws_sdk_dynamodb::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let state = describe_state(&client, "planes").await?;
/// let dynamodb = DynamoDb::new(client);
/// let table = dynamodb.describe_table("planes").await?;
/// let source = FileSource::open(["planes.parquet"], SourceOptions::default()).await?;
/// let mapping = Mapping::infer(source.schema(), &table)?;
/// let dedup = Dedup::keep_last(DedupWindow::default());
///
/// let identity = LoadIdentity::new(&source, &mapping, (&state).into(), Some(&dedup));
/// let checkpoint = if std::fs::exists("planes.checkpoint")? {
///     Checkpoint::resume("planes.checkpoint", &identity)?
/// } else {
///     let letters = DeadLetterFile::create("planes.dead-letters.jsonl")?;
///     Checkpoint::create("planes.checkpoint", identity, Some(letters))?
/// };
/// let dedup = checkpoint.recall(&source, &mapping, dedup).await?;
/// let batches = source.stream_with(&checkpoint.reading(StreamOptions::new()));
/// let pipeline = Pipeline::builder(dynamodb, &table).dedup(dedup).checkpoint(&checkpoint).build()?;
/// pipeline.load(batches, mapping, std::future::pending()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoint(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    /// Taken before the state, so that files follow one another as the states do that they are of.
    file: Mutex<HeldFile>,
    state: Mutex<State>,
}

/// What changes while a load runs. Under one lock, so that rows, counts and dead letters are of one moment.
#[derive(Debug)]
struct State {
    identity: LoadIdentity,
    progress: Progress,
    /// Of rows with an outcome, and of parts that were not read.
    counts: Counts,
    letters: Letters,
    table_changes: Option<TableChanges>,
    /// Whether rows of one key were ever handed out in another order than that of the source.
    in_any_order: bool,
    is_complete: bool,
    /// The time between two files.
    interval: Duration,
    /// What counts the requests.
    tally: Option<Tally>,
    /// Whether there is something that the file does not have yet.
    has_changed: bool,
}

impl State {
    fn document(&self) -> Document {
        let dead_letters = match &self.letters {
            Letters::None => None,
            Letters::Kept(kept) => Some(kept.clone()),
            Letters::Open(letters) => {
                let path = letters.path();
                Some(KeptLetters {
                    // Another process may start in another folder.
                    path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
                    letters: letters.whole_lines(),
                })
            }
        };
        Document {
            complete: self.is_complete,
            counts: self.counts(),
            dead_letters,
            table_changes: self.table_changes.clone(),
            in_any_order: self.in_any_order,
            progress: self.progress.documents(),
            ..Document::of(self.identity.clone())
        }
    }
}

#[derive(Clone, Debug)]
enum Letters {
    None,
    /// As the file says, which nobody writes to.
    Kept(KeptLetters),
    Open(DeadLetterFile),
}

impl Checkpoint {
    /// A checkpoint of a load that begins, in a file that must not be there yet. Dead rows go to `dead_letters`.
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointExists`], [`Error::CheckpointFile`] if it cannot be written, and [`Error::FileTwice`].
    pub fn create(
        path: impl Into<PathBuf>,
        identity: LoadIdentity,
        dead_letters: Option<DeadLetterFile>,
    ) -> Result<Self> {
        if let Some(file) = identity.file_twice() {
            let file = file.to_owned();
            return Err(Error::FileTwice { file });
        }
        let file = HeldFile::create(path.into())?;
        let state = State {
            progress: Progress::of(&identity.source),
            identity,
            counts: Counts::default(),
            letters: dead_letters.map_or(Letters::None, Letters::Open),
            table_changes: None,
            in_any_order: false,
            is_complete: false,
            interval: INTERVAL,
            tally: None,
            has_changed: false,
        };
        let checkpoint = Self::of(file, state);
        match checkpoint.write() {
            Ok(()) => Ok(checkpoint),
            Err(error) => {
                // A file with nothing in it would only be in the way of the next try.
                checkpoint.remove()?;
                Err(error)
            }
        }
    }

    /// The checkpoint of a load that was begun, to look at it. Nothing is compared yet.
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointMissing`], [`Error::CheckpointInUse`], [`Error::CheckpointDamaged`], and
    /// [`Error::CheckpointFile`] if it cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let (file, content) = HeldFile::open(path.into())?;
        let damaged = |reason| Error::CheckpointDamaged {
            path: file.path().to_owned(),
            reason,
        };
        let document = Document::parse(&content).map_err(damaged)?;
        let source = &document.load.source;
        let progress = Progress::read_back(source, &document.progress).map_err(damaged)?;
        let state = State {
            identity: document.load,
            progress,
            counts: document.counts,
            letters: document.dead_letters.map_or(Letters::None, Letters::Kept),
            table_changes: document.table_changes,
            in_any_order: document.in_any_order,
            is_complete: document.complete,
            interval: INTERVAL,
            tally: None,
            has_changed: false,
        };
        Ok(Self::of(file, state))
    }

    /// The checkpoint of a load that goes on as `identity`.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) and of [`go_on`](Self::go_on).
    pub fn resume(path: impl Into<PathBuf>, identity: &LoadIdentity) -> Result<Self> {
        let checkpoint = Self::open(path)?;
        checkpoint.go_on(identity)?;
        Ok(checkpoint)
    }

    /// Goes on with a load as `identity`: its dead letters are cut to those that belong to rows with an outcome, since
    /// the other rows come again.
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointOfAnotherLoad`] if the load is not the one that was begun, [`Error::DeadLettersLost`] and
    /// [`Error::DeadLettersOfAnotherLoad`], and [`Error::DeadLetters`] if these cannot be opened.
    pub fn go_on(&self, identity: &LoadIdentity) -> Result<()> {
        let mut state = self.state();
        if let Some(change) = state.identity.change_to(identity) {
            return Err(self.of_another_load(change));
        }
        if let Letters::Kept(kept) = &state.letters {
            let progress = &state.progress;
            let letters = DeadLetterFile::resume(&kept.path, &kept.letters, |letter| {
                progress.has_left(letter)
            })?;
            state.letters = Letters::Open(letters);
        }
        Ok(())
    }

    fn of(file: HeldFile, state: State) -> Self {
        Self(Arc::new(Kept {
            path: file.path().to_owned(),
            file: Mutex::new(file),
            state: Mutex::new(state),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The load that it is of.
    pub fn identity(&self) -> LoadIdentity {
        self.state().identity.clone()
    }

    /// Removes the file of a load that was refused before anything was done.
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointFile`].
    pub fn remove(&self) -> Result<()> {
        let file = self.0.file.lock();
        file.unwrap_or_else(PoisonError::into_inner).remove()
    }

    /// What all runs have done together. [`Counts::rows_read`] are the rows with an outcome.
    pub fn counts(&self) -> Counts {
        self.state().counts()
    }

    /// Whether every row of the source has its outcome, so that nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.state().is_complete
    }

    /// Where the dead letters are, if dead rows are kept.
    pub fn dead_letters_path(&self) -> Option<PathBuf> {
        match &self.state().letters {
            Letters::None => None,
            Letters::Kept(kept) => Some(kept.path.clone()),
            Letters::Open(letters) => Some(letters.path().to_owned()),
        }
    }

    /// The file that dead rows go to, once the load has begun or goes on.
    pub fn dead_letters(&self) -> Option<DeadLetterFile> {
        match &self.state().letters {
            Letters::Open(letters) => Some(letters.clone()),
            Letters::None | Letters::Kept(_) => None,
        }
    }

    /// The options of a stream that reads what is left, and tells how far it has come.
    pub fn reading(&self, options: StreamOptions) -> StreamOptions {
        let options = options.with_row_group_observer(Arc::new(self.clone()));
        let mut state = self.state();
        state.in_any_order |= *options.interleave() == Interleave::Always;
        if state.progress.is_begun() {
            options.with_rows(state.progress.left())
        } else {
            options
        }
    }

    /// Writes the file at this interval while there is something new, in place of once a second. What is written twice
    /// after a kill are at most the rows of one interval, and those on their way.
    pub fn set_interval(&self, interval: Duration) {
        self.state().interval = interval;
    }

    /// Counts requests by `tally` from now on.
    pub(crate) fn count_requests(&self, tally: &Tally) {
        self.state().tally = Some(tally.clone());
    }

    /// Takes note of rows that go into the pipe. Call it before the pipe gets them.
    pub(crate) fn read(&self, batch: &SourceBatch) {
        let mut state = self.state();
        // The outcome of a row whose place is not known tells of it.
        state.progress.read(batch);
        state.has_changed = true;
    }

    /// Runs `load` and writes checkpoints beside it. Ends with the first that cannot be written.
    pub(crate) async fn beside<T>(&self, load: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            done = load => Ok(done),
            failed = self.keep_writing() => match failed {
                Err(error) => Err(error),
                Ok(never) => match never {},
            },
        }
    }

    async fn keep_writing(&self) -> Result<Infallible> {
        loop {
            let interval = self.state().interval;
            tokio::time::sleep(interval).await;
            if self.state().has_changed {
                self.save().await?;
            }
        }
    }

    /// Writes the last checkpoint of a run, after which no row is left if it was `complete`.
    pub(crate) async fn end(&self, complete: bool) -> Result<()> {
        self.state().is_complete = complete;
        self.save().await
    }

    /// Writes down how far the load has come.
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointFile`], and [`Error::DeadLetters`] if these cannot be put on the disk before.
    pub async fn save(&self) -> Result<()> {
        let checkpoint = self.clone();
        let written = tokio::task::spawn_blocking(move || checkpoint.write()).await;
        written.unwrap_or_else(|stopped| Err(self.failed(std::io::Error::other(stopped))))
    }

    fn write(&self) -> Result<()> {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (document, letters) = {
            let mut state = self.state();
            state.has_changed = false;
            (state.document(), state.letters.clone())
        };
        // A checkpoint that counts on dead letters must not be on the disk before them.
        if let Letters::Open(letters) = letters {
            letters.sync()?;
        }
        let content = document
            .content()
            .map_err(|error| self.failed(error.into()))?;
        file.replace(&content)
    }

    fn of_another_load(&self, change: LoadChange) -> Error {
        let path = self.0.path.clone();
        Error::CheckpointOfAnotherLoad { path, change }
    }

    fn failed(&self, source: std::io::Error) -> Error {
        let path = self.0.path.clone();
        Error::CheckpointFile { path, source }
    }
}

#[cfg(test)]
mod tests;

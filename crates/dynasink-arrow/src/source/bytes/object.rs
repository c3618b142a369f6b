//! An object of a store, read by position from blocking code.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::fetch::{FetchError, Pinned};
use crate::source::location::{Located, ObjectLocation};

/// How much of the end is fetched at once, since a footer is there and is mostly shorter.
///
/// Source: 64 KiB is what the readers of Arrow's implementations take as well.
pub(super) const TAIL: u64 = 64 * 1024;
/// How much of the end is kept for being asked for again, as long footers are. What is longer is no footer.
const MOST_OF_TAIL: u64 = 8 * 1024 * 1024;
/// Most blocks of one file that are on their way at once.
const BLOCKS_AT_ONCE: usize = 8;

#[derive(Debug)]
pub(super) struct ObjectFile {
    pinned: Arc<Pinned>,
    /// The end of the file, as far as it has been fetched.
    tail: Mutex<Bytes>,
    runtime: Handle,
    blocks_at_once: Arc<Semaphore>,
}

impl ObjectFile {
    pub(super) fn new(file: &Located, object: &ObjectLocation) -> Self {
        Self {
            pinned: Arc::new(Pinned::new(
                object.clone(),
                file.size(),
                file.version().clone(),
            )),
            tail: Mutex::default(),
            runtime: Handle::current(),
            blocks_at_once: Arc::new(Semaphore::new(BLOCKS_AT_ONCE)),
        }
    }

    /// The bytes of `range`, which lies within the object.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.read_or_fetch(range).map_err(io::Error::other)
    }

    fn read_or_fetch(&self, range: Range<u64>) -> Result<Bytes, FetchError> {
        let size = self.pinned.size();
        if range.end <= size.saturating_sub(TAIL) {
            return self.fetch(range);
        }
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.is_empty() {
            *tail = self.fetch(size.saturating_sub(TAIL)..size)?;
        }
        let start = start_of(&tail, size);
        if range.start < start {
            // A longer footer is asked for more than once as well.
            let before = self.fetch(range.start..start)?;
            let longer = Bytes::from([before, tail.clone()].concat());
            if size - range.start > MOST_OF_TAIL {
                return Ok(part_of(&longer, size, range));
            }
            *tail = longer;
        }
        Ok(part_of(&tail, size, range))
    }

    /// Sends for the bytes of `range`.
    pub(super) fn send_for(&self, range: Range<u64>) -> Ahead {
        let pinned = Arc::clone(&self.pinned);
        let blocks_at_once = Arc::clone(&self.blocks_at_once);
        let asked = range.clone();
        let task = self.runtime.spawn(async move {
            // It is never closed.
            let _permit = blocks_at_once.acquire().await;
            pinned.fetch(asked).await
        });
        Ahead { range, task }
    }

    /// Waits for what was sent for.
    pub(super) fn wait_for(&self, mut ahead: Ahead) -> io::Result<Bytes> {
        self.runtime
            .block_on(&mut ahead.task)
            .unwrap_or(Err(FetchError::Abandoned))
            .map_err(io::Error::other)
    }

    fn fetch(&self, range: Range<u64>) -> Result<Bytes, FetchError> {
        self.runtime.block_on(self.pinned.fetch(range))
    }
}

/// What `tail`, the end of a file of `size` bytes, has of `range` of the file.
fn part_of(tail: &Bytes, size: u64, range: Range<u64>) -> Bytes {
    let start = start_of(tail, size);
    let index = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX);
    tail.slice(index(range.start)..index(range.end))
}

/// Where the end of a file of `size` bytes starts.
fn start_of(tail: &Bytes, size: u64) -> u64 {
    size.saturating_sub(u64::try_from(tail.len()).unwrap_or(u64::MAX))
}

/// Bytes on their way. Dropping it calls them off.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) range: Range<u64>,
    task: JoinHandle<Result<Bytes, FetchError>>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! An object of a store, read by position from blocking code.

use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::fetch::{FetchError, Pinned};
use crate::source::location::{Located, ObjectLocation};

/// How much of the end is fetched at once, since a footer is there and is mostly shorter.
///
/// Source: 64 KiB is what the readers of Arrow's implementations take as well.
const TAIL: u64 = 64 * 1024;
/// Most blocks of one file that are on their way at once.
const BLOCKS_AT_ONCE: usize = 8;

#[derive(Debug)]
pub(super) struct ObjectFile {
    pinned: Arc<Pinned>,
    tail: OnceLock<Bytes>,
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
            tail: OnceLock::new(),
            runtime: Handle::current(),
            blocks_at_once: Arc::new(Semaphore::new(BLOCKS_AT_ONCE)),
        }
    }

    /// The bytes of `range`, which lies within the object.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let tail = self.pinned.size().saturating_sub(TAIL);
        let read = if range.end <= tail {
            self.fetch(range)
        } else if range.start >= tail {
            self.tail().map(|bytes| part_of(&bytes, tail, range))
        } else {
            // What is before the tail, and then the tail, which is most likely there.
            self.tail().and_then(|bytes| {
                let before = self.fetch(range.start..tail)?;
                let after = part_of(&bytes, tail, tail..range.end);
                Ok([before, after].concat().into())
            })
        };
        read.map_err(io::Error::other)
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

    fn tail(&self) -> Result<Bytes, FetchError> {
        if let Some(tail) = self.tail.get() {
            return Ok(tail.clone());
        }
        let size = self.pinned.size();
        let tail = self.fetch(size.saturating_sub(TAIL)..size)?;
        Ok(self.tail.get_or_init(|| tail).clone())
    }
}

/// The part of `bytes`, which start at `start` of the file, that is `range` of the file.
fn part_of(bytes: &Bytes, start: u64, range: Range<u64>) -> Bytes {
    let index = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX);
    bytes.slice(index(range.start)..index(range.end))
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

//! Ranges of a file that are read forwards, in blocks, with the next block on its way.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

use super::object::{Ahead, ObjectFile, TAIL};
use super::{FileBytes, Kept};

/// Ranges this near to one another are fetched together: the bytes between them cost less than a request.
const GAP: u64 = 64 * 1024;
/// How much is fetched where a reader looks at what no range announced.
pub(super) const STRAY: u64 = 16 * 1024;

/// The ranges of a file that a reader will go through, each from its start to its end: the column chunks of a row
/// group, or those pages of them that a filter left. Cheap to clone.
///
/// Of an object store it has up to two blocks of each range at once, one that is read and one on its way. Of a file of
/// this machine it has none: the system reads ahead.
#[derive(Clone, Debug)]
pub(in crate::source) struct WindowedBytes(Arc<Windows>);

#[derive(Debug)]
struct Windows {
    file: FileBytes,
    by_start: Vec<Window>,
    /// Whether the first blocks have been sent for.
    started: AtomicBool,
}

#[derive(Debug)]
struct Window {
    range: Range<u64>,
    block: u64,
    blocks: Mutex<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    current: Option<Block>,
    ahead: Option<Ahead>,
}

/// Consecutive bytes of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    start: u64,
    bytes: Bytes,
}

impl Block {
    fn end(&self) -> u64 {
        self.start + u64::try_from(self.bytes.len()).unwrap_or(0)
    }

    /// Its bytes from `at` on; none if it has not that one.
    pub(super) fn from(&self, at: u64) -> &[u8] {
        let start = at
            .checked_sub(self.start)
            .and_then(|start| usize::try_from(start).ok());
        start
            .and_then(|start| self.bytes.get(start..))
            .unwrap_or_default()
    }
}

impl WindowedBytes {
    /// Will read `ranges` of `file` in blocks of `block` bytes. Nothing is fetched yet.
    pub(in crate::source) fn new(file: &FileBytes, ranges: Vec<Range<u64>>, block: u64) -> Self {
        let block = block.max(1);
        let windows = match &file.kept {
            Kept::Object(_) if file.len > TAIL => coalesced(ranges, file.len, block),
            // Of a small file the tail is all.
            _ => Vec::new(),
        };
        let window = |range| Window {
            range,
            block,
            blocks: Mutex::default(),
        };
        Self(Arc::new(Windows {
            file: file.apart(),
            by_start: windows.into_iter().map(window).collect(),
            started: AtomicBool::new(false),
        }))
    }

    /// The file, whose trail is that of this reader alone.
    pub(in crate::source) fn file(&self) -> &FileBytes {
        &self.0.file
    }

    pub(super) fn read_from(&self, start: u64) -> BlockRead {
        BlockRead {
            source: self.clone(),
            block: Block::default(),
            at: start,
        }
    }

    /// A block with the byte at `at`, or an empty one at the end of the file.
    pub(super) fn block_at(&self, at: u64) -> io::Result<Block> {
        let file = &self.0.file;
        file.trail.at(at);
        if at >= file.len {
            return Ok(Block::default());
        }
        let block = if let (Kept::Object(object), Some(window)) = (&file.kept, self.window_of(at)) {
            self.start(object);
            window.block_at(at, object)
        } else {
            let end = file.len.min(at.saturating_add(STRAY));
            file.read_all(at..end)
                .map(|bytes| Block { start: at, bytes })
        };
        block.map_err(|error| file.trail.failed(at, error))
    }

    /// The bytes of `range`, all of them, with no more of the file kept by them.
    fn bytes_of(&self, range: Range<u64>) -> io::Result<Bytes> {
        let file = &self.0.file;
        file.trail.at(range.start);
        if range.end > file.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if self.window_of(range.start).is_none() {
            return file.read_range(range);
        }
        let len =
            usize::try_from(range.end - range.start).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = BytesMut::with_capacity(len);
        let mut at = range.start;
        while bytes.len() < len {
            let block = self.block_at(at)?;
            let part = block.from(at);
            let part = &part[..part.len().min(len - bytes.len())];
            if part.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.extend_from_slice(part);
            at += u64::try_from(part.len()).unwrap_or(0);
        }
        file.trail.at(range.start);
        Ok(bytes.freeze())
    }

    fn window_of(&self, at: u64) -> Option<&Window> {
        let windows = &self.0.by_start;
        let after = windows.partition_point(|window| window.range.start <= at);
        let window = windows.get(after.checked_sub(1)?)?;
        window.range.contains(&at).then_some(window)
    }

    /// Sends for the first block of every range, so that the columns of the first rows do not come one by one.
    fn start(&self, object: &ObjectFile) {
        if !self.0.started.swap(true, Ordering::Relaxed) {
            for window in &self.0.by_start {
                let mut blocks = window.lock();
                blocks.ahead = window.send_for(window.range.start, object);
            }
        }
    }
}

impl Window {
    fn lock(&self) -> std::sync::MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send_for(&self, start: u64, object: &ObjectFile) -> Option<Ahead> {
        let end = self.range.end.min(start.saturating_add(self.block));
        (start < end).then(|| object.send_for(start..end))
    }

    fn block_at(&self, at: u64, object: &ObjectFile) -> io::Result<Block> {
        let mut blocks = self.lock();
        if let Some(current) = &blocks.current
            && !current.from(at).is_empty()
        {
            return Ok(current.clone());
        }
        // Whatever was sent for and does not have it is called off: the reader went elsewhere.
        let ahead = blocks
            .ahead
            .take()
            .filter(|ahead| ahead.range.contains(&at));
        let Some(ahead) = ahead.or_else(|| self.send_for(at, object)) else {
            return Ok(Block::default());
        };
        let current = Block {
            start: ahead.range.start,
            bytes: object.wait_for(ahead)?,
        };
        blocks.ahead = self.send_for(current.end(), object);
        blocks.current = Some(current.clone());
        Ok(current)
    }
}

/// Ranges in the order of the file, where those go together that one block can have.
fn coalesced(mut ranges: Vec<Range<u64>>, len: u64, block: u64) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut all: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        let range = range.start..range.end.min(len);
        if range.is_empty() {
            continue;
        }
        match all.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            Some(last) if range.start - last.end <= GAP && range.end - last.start <= block => {
                last.end = range.end;
            }
            _ => all.push(range),
        }
    }
    all
}

impl Length for WindowedBytes {
    fn len(&self) -> u64 {
        self.0.file.len
    }
}

impl ChunkReader for WindowedBytes {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(match &self.0.file.kept {
            Kept::Local(_) => self.0.file.read_from(start),
            Kept::Object(_) => Box::new(self.read_from(start)),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let end = start.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        self.bytes_of(start..end).map_err(ParquetError::from)
    }
}

/// Reads on and on, from block to block.
#[derive(Debug)]
pub(super) struct BlockRead {
    source: WindowedBytes,
    block: Block,
    at: u64,
}

impl Read for BlockRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.block.from(self.at).is_empty() {
            // The old block is let go before the new one comes.
            self.block = Block::default();
            self.block = self.source.block_at(self.at)?;
        }
        let part = self.block.from(self.at);
        let read = part.len().min(buffer.len());
        buffer[..read].copy_from_slice(&part[..read]);
        self.at += u64::try_from(read).unwrap_or(0);
        Ok(read)
    }
}

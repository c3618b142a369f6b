//! The bytes of one file, read by position from blocking code.

#[cfg(test)]
mod faulty_store;
mod fetch;
mod object;
#[cfg(test)]
mod tests;
mod trail;
mod windows;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

pub(super) use fetch::version_of;
pub(super) use windows::WindowedBytes;

use super::location::{Located, Location};
use crate::error::{Error, Result};
use object::ObjectFile;
use trail::Trail;

/// An open file, wherever it is kept. Cheap to clone.
///
/// Everything here blocks its thread, and a file of an object store needs a thread that may, such as those of
/// [`spawn_blocking`](tokio::task::spawn_blocking).
#[derive(Clone, Debug)]
pub(super) struct FileBytes {
    name: Arc<str>,
    len: u64,
    kept: Kept,
    trail: Arc<Trail>,
}

#[derive(Clone, Debug)]
enum Kept {
    Local(Arc<File>),
    Object(Arc<ObjectFile>),
}

impl FileBytes {
    /// Opens the file, which must still be what it was when it was found.
    ///
    /// Of an object store nothing is asked yet: that it has changed shows with the first bytes.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, if the file is in an object store.
    pub(super) fn open(file: &Located) -> Result<Self> {
        let name = Arc::clone(file.name());
        let kept = match file.location() {
            Location::Local(path) => {
                let opened = File::open(path).map_err(|source| unreadable(&name, source))?;
                let about = opened
                    .metadata()
                    .map_err(|source| unreadable(&name, source))?;
                if about.is_dir() {
                    return Err(unreadable(&name, io::ErrorKind::IsADirectory.into()));
                }
                let modified = about.modified().ok().map(Into::into);
                let same_time =
                    modified == file.version().modified || file.version().modified.is_none();
                if about.len() != file.size() || !same_time {
                    return Err(Error::FileChanged {
                        file: name.to_string(),
                    });
                }
                Kept::Local(Arc::new(opened))
            }
            Location::Object(object) => Kept::Object(Arc::new(ObjectFile::new(file, object))),
        };
        Ok(Self {
            trail: Arc::new(Trail::new(Arc::clone(&name))),
            name,
            len: file.size(),
            kept,
        })
    }

    /// What errors call it.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its length when it was found.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The same file with a trail of its own, for a reader beside others.
    pub(super) fn apart(&self) -> Self {
        Self {
            trail: Arc::new(Trail::new(Arc::clone(&self.name))),
            ..self.clone()
        }
    }

    /// Where the last bytes were asked for, for the message about what was in them.
    pub(super) fn last_offset(&self) -> u64 {
        self.trail.last_offset()
    }

    /// Why bytes could not be had, if that is what a reader has failed of. Told once.
    pub(super) fn take_failure(&self) -> Option<Error> {
        self.trail.take_failure()
    }

    /// The bytes of `range`, all of them.
    pub(super) fn read_range(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.trail.at(range.start);
        self.read_all(range.clone())
            .map_err(|error| self.trail.failed(range.start, error))
    }

    fn read_all(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        if range.end > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match &self.kept {
            Kept::Local(file) => {
                let len = usize::try_from(range.end - range.start)
                    .map_err(|_| io::ErrorKind::OutOfMemory)?;
                let mut bytes = vec![0; len];
                PositionedRead::new(Arc::clone(file), range.start).read_exact(&mut bytes)?;
                Ok(bytes.into())
            }
            Kept::Object(object) => object.read(range),
        }
    }

    /// Its bytes from `start` on.
    fn read_from(&self, start: u64) -> Box<dyn Read> {
        self.trail.at(start);
        match &self.kept {
            Kept::Local(file) => {
                Box::new(BufReader::new(PositionedRead::new(Arc::clone(file), start)))
            }
            Kept::Object(_) => {
                Box::new(WindowedBytes::new(self, Vec::new(), windows::STRAY).read_from(start))
            }
        }
    }
}

/// Why a file of this machine cannot be had.
pub(super) fn unreadable(name: &str, source: io::Error) -> Error {
    let file = name.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => Error::FileNotFound { file },
        _ => Error::OpenFile { file, source },
    }
}

impl Length for FileBytes {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for FileBytes {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(self.read_from(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let end = start.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        self.read_range(start..end).map_err(ParquetError::from)
    }
}

/// Reads a file from a position of its own, since clones of a file share one.
struct PositionedRead {
    file: Arc<File>,
    at: u64,
}

impl PositionedRead {
    fn new(file: Arc<File>, at: u64) -> Self {
        Self { file, at }
    }
}

impl Read for PositionedRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.at)?;
        self.at = self
            .at
            .saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

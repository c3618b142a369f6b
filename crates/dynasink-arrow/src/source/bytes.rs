//! The bytes of one file, read by position from blocking code.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

/// An open file, wherever it is kept. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct FileBytes {
    name: Arc<str>,
    len: u64,
    kept: Kept,
}

#[derive(Clone, Debug)]
enum Kept {
    Local(Arc<File>),
}

impl FileBytes {
    /// A file of this machine.
    pub(super) fn local(name: Arc<str>, file: File) -> io::Result<Self> {
        Ok(Self {
            name,
            len: file.metadata()?.len(),
            kept: Kept::Local(Arc::new(file)),
        })
    }

    /// What errors call it.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its length when it was opened.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The bytes of `range`, all of them.
    pub(super) fn read_range(&self, range: Range<u64>) -> io::Result<Bytes> {
        let mut bytes = Vec::new();
        let len = range.end.saturating_sub(range.start);
        match &self.kept {
            Kept::Local(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(range.start))?;
                file.take(len).read_to_end(&mut bytes)?;
            }
        }
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes.into())
    }

    /// Its bytes from `start` on.
    fn read_from(&self, start: u64) -> io::Result<Box<dyn Read>> {
        match &self.kept {
            Kept::Local(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                Ok(Box::new(BufReader::new(file)))
            }
        }
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
        self.read_from(start).map_err(ParquetError::from)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let end = start.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        self.read_range(start..end).map_err(ParquetError::from)
    }
}

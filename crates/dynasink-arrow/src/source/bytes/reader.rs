//! A file as a reader with a position, for formats that are read so.

use std::io::{self, Read, Seek, SeekFrom};

use super::FileBytes;
use super::windows::{BlockRead, WindowedBytes};

/// Reads a file forwards in blocks, and may be set elsewhere.
#[derive(Debug)]
pub(in crate::source) struct FileReader(BlockRead);

impl FileReader {
    /// Will read `file` from its start, in blocks of `block` bytes where it is in an object store.
    pub(in crate::source) fn new(file: &FileBytes, block: u64) -> Self {
        let all = vec![0..file.len()];
        Self(WindowedBytes::new(file, all, block).read_from(0))
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.0.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.0.position().checked_add_signed(by),
        };
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        self.0.set_position(at);
        Ok(at)
    }
}

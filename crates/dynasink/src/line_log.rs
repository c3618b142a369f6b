//! A file of JSON that grows by whole lines, and knows them again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::sha256;

/// Lines that stand in a file one after another from its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WholeLines {
    pub(crate) bytes: u64,
    /// The SHA-256 of these bytes, which tells them from those of another run.
    pub(crate) sha256: String,
}

/// What lines are written to.
pub(crate) trait LineDisk: Write {
    /// Takes off what comes after that many bytes.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
}

impl LineDisk for File {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}

/// Lines as they are written.
#[derive(Debug)]
pub(crate) struct LineLog<D> {
    disk: D,
    /// Of whole lines.
    bytes: u64,
    sha256: Sha256,
    /// Whether it ends in the part of a line.
    is_torn: bool,
}

impl<D: LineDisk> LineLog<D> {
    /// Lines in a file that is empty.
    fn new(disk: D) -> Self {
        Self::after(disk, 0, Sha256::new())
    }

    /// Lines that come after others of that many bytes.
    pub(crate) fn after(disk: D, bytes: u64, sha256: Sha256) -> Self {
        Self {
            disk,
            bytes,
            sha256,
            is_torn: false,
        }
    }

    /// Writes a line, of which nothing stays if it cannot be written as a whole.
    pub(crate) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_torn {
            return Err(io::Error::other(
                "it ends in the part of a line, which could not be taken off",
            ));
        }
        // One write for the whole line: what a killed process has written are whole lines, mostly.
        if let Err(error) = self.disk.write_all(line) {
            // A full disk takes a part.
            self.is_torn = self.disk.cut(self.bytes).is_err();
            return Err(error);
        }
        self.bytes += line.len() as u64;
        self.sha256.update(line);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(crate) fn whole_lines(&self) -> WholeLines {
        WholeLines {
            bytes: self.bytes,
            sha256: sha256::hex(self.sha256.clone()),
        }
    }
}

impl<D: LineDisk> LineLog<D> {
    /// Writes a line of JSON.
    pub(crate) fn append_json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.append(&line)
    }
}

impl LineLog<File> {
    /// Opens `path` for a new run; none if it has lines of another.
    pub(crate) fn create(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let is_empty = file.metadata()?.len() == 0;
        Ok(is_empty.then(|| Self::new(file)))
    }

    /// Makes sure that what was written stays.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.disk.sync_data()
    }

    /// The same, and removes the file, which is at `path`, if there is nothing in it. Says whether there is.
    pub(crate) fn finish(&self, path: &Path) -> io::Result<bool> {
        self.disk.sync_all()?;
        match self.disk.metadata()?.len() {
            0 => fs::remove_file(path).map(|()| false),
            _ => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes and no more.
    struct SmallDisk {
        content: Vec<u8>,
        room: usize,
        can_be_cut: bool,
    }

    impl Write for SmallDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room - self.content.len());
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.content.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LineDisk for SmallDisk {
        fn cut(&mut self, bytes: u64) -> io::Result<()> {
            if !self.can_be_cut {
                return Err(io::ErrorKind::Other.into());
            }
            self.content.truncate(usize::try_from(bytes).unwrap());
            Ok(())
        }
    }

    fn log(room: usize, can_be_cut: bool) -> LineLog<SmallDisk> {
        LineLog::new(SmallDisk {
            content: Vec::new(),
            room,
            can_be_cut,
        })
    }

    #[test]
    fn nothing_stays_of_a_line_that_does_not_fit() {
        let mut log = log(10, true);
        log.append(b"first\n").unwrap();
        let whole = log.whole_lines();
        let full = log.append(b"second\n").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(log.disk.content, b"first\n");
        assert_eq!(log.whole_lines(), whole);
        log.append(b"2nd\n").unwrap();
        assert_eq!(log.disk.content, b"first\n2nd\n");
        assert_eq!(
            log.whole_lines().sha256,
            sha256::hex(Sha256::new_with_prefix(b"first\n2nd\n"))
        );
    }

    #[test]
    fn no_line_comes_after_the_part_of_another() {
        let mut log = log(10, false);
        log.append(b"first\n").unwrap();
        assert!(log.append(b"second\n").is_err());
        assert!(log.append(b"2nd\n").is_err());
        assert_eq!(log.disk.content, b"first\nseco");
        assert_eq!(log.whole_lines().bytes, 6);
    }
}

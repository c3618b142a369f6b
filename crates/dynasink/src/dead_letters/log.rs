//! A file that grows by whole letters, and knows them again.

use std::fs::File;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::sha256;

/// Letters that stand in a file one after another from its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WholeLetters {
    pub(crate) bytes: u64,
    /// The SHA-256 of these bytes, which tells them from another load's.
    pub(crate) sha256: String,
}

/// What letters are written to.
pub(super) trait LetterDisk: Write {
    /// Takes off what comes after that many bytes.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
}

impl LetterDisk for File {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}

/// Letters as they are written.
pub(super) struct LetterLog<D> {
    disk: D,
    /// Of whole letters.
    bytes: u64,
    sha256: Sha256,
    /// Whether it ends in the part of a letter.
    is_torn: bool,
}

impl<D: LetterDisk> LetterLog<D> {
    /// Letters in a file that is empty.
    pub(super) fn new(disk: D) -> Self {
        Self::after(disk, 0, Sha256::new())
    }

    /// Letters that come after others of that many bytes.
    pub(super) fn after(disk: D, bytes: u64, sha256: Sha256) -> Self {
        Self {
            disk,
            bytes,
            sha256,
            is_torn: false,
        }
    }

    /// Writes a letter, of which nothing stays if it cannot be written as a whole.
    pub(super) fn append(&mut self, letter: &[u8]) -> io::Result<()> {
        if self.is_torn {
            return Err(io::Error::other(
                "it ends in the part of a letter, which could not be taken off",
            ));
        }
        // One write for the whole letter: what a killed process has written are whole letters, mostly.
        if let Err(error) = self.disk.write_all(letter) {
            // A full disk takes a part.
            self.is_torn = self.disk.cut(self.bytes).is_err();
            return Err(error);
        }
        self.bytes += letter.len() as u64;
        self.sha256.update(letter);
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(super) fn whole_letters(&self) -> WholeLetters {
        WholeLetters {
            bytes: self.bytes,
            sha256: sha256::hex(self.sha256.clone()),
        }
    }
}

impl LetterLog<File> {
    pub(super) fn file(&self) -> &File {
        &self.disk
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

    impl LetterDisk for SmallDisk {
        fn cut(&mut self, bytes: u64) -> io::Result<()> {
            if !self.can_be_cut {
                return Err(io::ErrorKind::Other.into());
            }
            self.content.truncate(usize::try_from(bytes).unwrap());
            Ok(())
        }
    }

    fn log(room: usize, can_be_cut: bool) -> LetterLog<SmallDisk> {
        LetterLog::new(SmallDisk {
            content: Vec::new(),
            room,
            can_be_cut,
        })
    }

    #[test]
    fn nothing_stays_of_a_letter_that_does_not_fit() {
        let mut log = log(10, true);
        log.append(b"first\n").unwrap();
        let whole = log.whole_letters();
        let full = log.append(b"second\n").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(log.disk.content, b"first\n");
        assert_eq!(log.whole_letters(), whole);
        log.append(b"2nd\n").unwrap();
        assert_eq!(log.disk.content, b"first\n2nd\n");
        assert_eq!(
            log.whole_letters().sha256,
            sha256::hex(Sha256::new_with_prefix(b"first\n2nd\n"))
        );
    }

    #[test]
    fn no_letter_comes_after_the_part_of_another() {
        let mut log = log(10, false);
        log.append(b"first\n").unwrap();
        assert!(log.append(b"second\n").is_err());
        assert!(log.append(b"2nd\n").is_err());
        assert_eq!(log.disk.content, b"first\nseco");
        assert_eq!(log.whole_letters().bytes, 6);
    }
}

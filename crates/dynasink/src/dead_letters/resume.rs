//! The dead letters of a load that goes on.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::{DeadLetterFile, DeadLetters, today};
use crate::error::{Error, Result};
use crate::line_log::{LineLog, WholeLines};
use crate::replay::Letter;
use crate::sha256;

impl DeadLetterFile {
    /// Opens the file of a load that goes on, of which the `kept` letters count. What was written after them belongs to
    /// rows that come again, and is cut off. `comes_again` says whether a letter is of such a row.
    ///
    /// # Errors
    ///
    /// [`Error::DeadLettersLost`] if letters that count are gone, [`Error::DeadLettersOfAnotherLoad`] if they are others
    /// or if a letter would be cut that does not come again, [`Error::DeadLetters`] if the file cannot be opened or cut.
    pub(crate) fn resume(
        path: &Path,
        kept: &WholeLines,
        comes_again: impl Fn(&Letter) -> bool,
    ) -> Result<Self> {
        let failed = |source| Error::DeadLetters {
            path: path.to_owned(),
            source,
        };
        let lost = |found| {
            let (path, bytes) = (path.to_owned(), kept.bytes);
            Err(Error::DeadLettersLost { path, bytes, found })
        };
        if kept.bytes > 0 && !path.exists() {
            return lost(None);
        }
        let opened = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path);
        let file = opened.map_err(failed)?;
        let found = file.metadata().map_err(failed)?.len();
        if found < kept.bytes {
            return lost(Some(found));
        }
        let mut reader = BufReader::new(&file);
        let hashed = hash(&mut (&mut reader).take(kept.bytes)).map_err(failed)?;
        let strange = if sha256::hex(hashed.clone()) == kept.sha256 {
            strange_letter(&mut reader, comes_again).map_err(failed)?
        } else {
            Some("its letters are others than when the checkpoint was written".to_owned())
        };
        if let Some(reason) = strange {
            let path = path.to_owned();
            return Err(Error::DeadLettersOfAnotherLoad { path, reason });
        }
        if found > kept.bytes {
            file.set_len(kept.bytes).map_err(failed)?;
        }
        Ok(Self(Arc::new(DeadLetters {
            path: path.to_owned(),
            log: Mutex::new(LineLog::<File>::after(file, kept.bytes, hashed)),
            calendar: Box::new(today),
        })))
    }
}

fn hash(reader: &mut impl BufRead) -> io::Result<Sha256> {
    let mut hashed = Sha256::new();
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(hashed);
        }
        hashed.update(bytes);
        let read = bytes.len();
        reader.consume(read);
    }
}

/// What is wrong with the first line that must not be cut, if there is one.
fn strange_letter(
    lines: &mut impl BufRead,
    comes_again: impl Fn(&Letter) -> bool,
) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            // Its row comes again, since it had no outcome yet.
            return Ok((!begins_a_letter(&line))
                .then(|| "it ends in something that is no dead letter".to_owned()));
        }
        match Letter::parse(&String::from_utf8_lossy(&line)) {
            Ok(letter) if comes_again(&letter) => {}
            Ok(_) => {
                return Ok(Some(
                    "it has a letter of a row that does not come again".to_owned(),
                ));
            }
            Err(reason) => {
                return Ok(Some(format!(
                    "it has a line that is no dead letter ({reason})"
                )));
            }
        }
    }
}

/// Whether it is what is left of a letter that was written in part.
fn begins_a_letter(part: &[u8]) -> bool {
    [&br#"{"position":"#[..], &br#"{"unread":"#[..]]
        .iter()
        .any(|beginning| {
            part.iter()
                .zip(*beginning)
                .all(|(byte, expected)| byte == expected)
        })
}

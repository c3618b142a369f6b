//! Rows that cannot be written, kept in a file with the reason and the place that each came from.

mod resume;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use dynasink_core::{
    ObserverError, Outcome, OutcomeEvent, OutcomeObserver, SourcePosition, Unread, UnreadObserver,
    WriteAction,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::line_log::{LineLog, WholeLines};

/// A file of dead letters, one JSON object a line. Clones write to one file.
///
/// ```json
/// {"position":{"file":"a.parquet","row_group":0,"row":7},"code":"empty_key","reason":"…","attempts":0,"first_attempt":null,"last_attempt":null}
/// {"position":null,"code":"invalid","reason":"…","attempts":3,"first_attempt":"2026-03-01T22:15:07.120Z","last_attempt":"2026-03-01T22:15:09.004Z","table":"t","action":"put","item":{"id":{"S":"a"}}}
/// ```
///
/// `first_attempt` and `last_attempt` are when the first request that carried the row was sent and when the last one had
/// failed, in UTC; both are null for a row that was never sent.
///
/// `item` is DynamoDB JSON, the key alone for a delete; it is missing for a row that could not become an item.
/// A part of a source that could not be read is one line too: a file, or what was left of a row group, with near which
/// byte reading failed and how many rows were not read, as far as these are known.
///
/// ```json
/// {"unread":{"file":"a.parquet","row_group":3,"offset":77210,"rows":1200},"code":"unreadable","reason":"…"}
/// ```
///
/// Each line is written before its row counts as dead, and a line that cannot be written stops the load.
#[derive(Clone, Debug)]
pub struct DeadLetterFile(Arc<DeadLetters>);

struct DeadLetters {
    path: PathBuf,
    log: Mutex<LineLog<File>>,
    calendar: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct DeadLetter<'a> {
    position: Option<&'a SourcePosition>,
    code: &'a str,
    reason: &'a str,
    attempts: u32,
    first_attempt: Option<String>,
    last_attempt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct UnreadLetter<'a> {
    unread: UnreadPart<'a>,
    code: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct UnreadPart<'a> {
    file: &'a str,
    row_group: Option<u32>,
    offset: Option<u64>,
    rows: Option<u64>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "letters tell people when rows died, by the calendar"
)]
fn today() -> SystemTime {
    SystemTime::now()
}

impl DeadLetterFile {
    /// Opens `path` for a new load, so that a file that cannot be written is known before the first row.
    ///
    /// # Errors
    ///
    /// [`Error::DeadLettersExist`] if it has dead letters of another load, [`Error::DeadLetters`] if it cannot be
    /// opened.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        Self::create_with_calendar(path, today)
    }

    /// The same with another calendar, so that the times in letters do not depend on the day.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_with_calendar(
        path: impl Into<PathBuf>,
        calendar: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self> {
        let path = path.into();
        match LineLog::create(&path) {
            Ok(Some(log)) => Ok(Self(Arc::new(DeadLetters {
                path,
                log: Mutex::new(log),
                calendar: Box::new(calendar),
            }))),
            Ok(None) => Err(Error::DeadLettersExist { path }),
            Err(source) => Err(Error::DeadLetters { path, source }),
        }
    }

    fn log(&self) -> MutexGuard<'_, LineLog<File>> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The letters that were written so far.
    pub(crate) fn whole_lines(&self) -> WholeLines {
        self.log().whole_lines()
    }

    /// Makes sure that what was written stays.
    pub(crate) fn sync(&self) -> Result<()> {
        let synced = self.log().sync();
        synced.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> Error {
        let path = self.0.path.clone();
        Error::DeadLetters { path, source }
    }

    /// Whether there is no letter in it.
    pub fn is_empty(&self) -> bool {
        self.log().is_empty()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Makes sure that what was written stays, and removes the file if there is nothing in it. Says whether there is.
    ///
    /// # Errors
    ///
    /// [`Error::DeadLetters`].
    pub fn finish(&self) -> Result<bool> {
        let finished = self.log().finish(&self.0.path);
        finished.map_err(|source| self.failed(source))
    }

    fn record(&self, letter: &impl Serialize) -> Result<(), ObserverError> {
        let written = self.log().append_json(letter);
        written.map_err(|source| ObserverError {
            observer: format!("the dead-letter file {}", self.0.path.display()),
            source: Box::new(source),
        })
    }
}

/// A time of the calendar, in UTC to the millisecond.
fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

impl OutcomeObserver for DeadLetterFile {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let Outcome::Dead(reason) = event.outcome else {
            return Ok(());
        };
        // A row is buried when its last attempt has failed.
        let last_attempt = (reason.attempts > 0).then(|| (self.0.calendar)());
        let first_attempt = last_attempt.and_then(|last| last.checked_sub(reason.tried_for));
        let letter = DeadLetter {
            position: event.position,
            code: &reason.code,
            reason: &reason.message,
            attempts: reason.attempts,
            first_attempt: first_attempt.map(rfc3339),
            last_attempt: last_attempt.map(rfc3339),
            column: reason.value.as_ref().map(|value| value.column.as_str()),
            kind: reason.value.as_ref().map(|value| value.kind.as_str()),
            table: event.op.map(|op| op.table().as_str()),
            action: event.op.map(|op| match op.action() {
                WriteAction::Put => "put",
                WriteAction::Delete => "delete",
            }),
            item: event
                .op
                .and_then(|op| serde_json::from_slice(op.item().json()).ok()),
        };
        self.record(&letter)
    }
}

impl UnreadObserver for DeadLetterFile {
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError> {
        self.record(&UnreadLetter {
            unread: UnreadPart {
                file: &unread.file,
                row_group: unread.row_group,
                offset: unread.offset,
                rows: unread.rows,
            },
            code: "unreadable",
            reason: &unread.reason,
        })
    }
}

#[cfg(test)]
mod tests;

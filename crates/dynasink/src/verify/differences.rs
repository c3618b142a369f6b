//! What differs, one line each.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynasink_aws::StoredItem;
use dynasink_core::{ObserverError, SourcePosition, WriteAction, WriteOp};
use serde::Serialize;
use serde_json::value::RawValue;

use super::verdict::Verdict;
use crate::error::{Error, Result};
use crate::line_log::LineLog;

/// A file of differences between a source and a table, one JSON object a line. Clones write to one file.
///
/// ```json
/// {"kind":"missing","position":{"file":"a.parquet","row_group":0,"row":7},"key":{"id":{"N":"1"}},"differs":[],"source":{"id":{"N":"1"},"n":{"N":"2"}},"table":null}
/// {"kind":"different","position":{…},"key":{"id":{"N":"2"}},"differs":["lines[3].price"],"source":{…},"table":{…}}
/// {"kind":"extra","position":null,"key":{"id":{"N":"3"}},"differs":[],"source":null,"table":{…}}
/// ```
///
/// Items are DynamoDB JSON; `differs` has the paths of the first ten values that differ. Where the source deletes an item
/// that the table still holds, the kind is `different` and `source` is null.
#[derive(Clone, Debug)]
pub struct DifferenceFile(Arc<Differences>);

#[derive(Debug)]
struct Differences {
    path: PathBuf,
    log: Mutex<LineLog<File>>,
}

#[derive(Serialize)]
struct Difference<'a> {
    kind: &'static str,
    position: Option<&'a SourcePosition>,
    key: Option<&'a RawValue>,
    differs: &'a [String],
    source: Option<&'a RawValue>,
    table: Option<&'a RawValue>,
}

impl DifferenceFile {
    /// Opens `path` for a new run, so that a file that cannot be written is known before the first read.
    ///
    /// # Errors
    ///
    /// [`Error::DifferencesExist`] if it has differences of another run, [`Error::Differences`] if it cannot be opened.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        match LineLog::create(&path) {
            Ok(Some(log)) => Ok(Self(Arc::new(Differences {
                path,
                log: Mutex::new(log),
            }))),
            Ok(None) => Err(Error::DifferencesExist { path }),
            Err(source) => Err(Error::Differences { path, source }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Makes sure that what was written stays, and removes the file if there is nothing in it. Says whether there is.
    ///
    /// # Errors
    ///
    /// [`Error::Differences`].
    pub fn finish(&self) -> Result<bool> {
        let finished = self.log().finish(&self.0.path);
        finished.map_err(|source| Error::Differences {
            path: self.0.path.clone(),
            source,
        })
    }

    /// Notes what the table holds in place of what `op` says, if that is a difference.
    pub(super) fn note(&self, op: &WriteOp, verdict: &Verdict) -> Result<(), ObserverError> {
        let (kind, differs, table) = match verdict {
            Verdict::Equal | Verdict::Expired => return Ok(()),
            Verdict::Missing => ("missing", [].as_slice(), None),
            Verdict::Different { paths, stored } => {
                ("different", paths.as_slice(), Some(stored.as_ref()))
            }
        };
        let key = op.schema().key_item(op.item()).ok();
        let is_put = op.action() == WriteAction::Put;
        self.record(&Difference {
            kind,
            position: op.position(),
            key: key.as_ref().and_then(|key| raw(key.json())),
            differs,
            source: raw(op.item().json()).filter(|_| is_put),
            table: table.and_then(raw),
        })
    }

    /// Notes an item that no row of the source has the key of.
    pub(super) fn note_extra(&self, item: &StoredItem) -> Result<(), ObserverError> {
        self.record(&Difference {
            kind: "extra",
            position: None,
            key: raw(item.key_item.json()),
            differs: &[],
            source: None,
            table: raw(&item.json),
        })
    }

    fn record(&self, difference: &Difference<'_>) -> Result<(), ObserverError> {
        let written = self.log().append_json(difference);
        written.map_err(|source| ObserverError {
            observer: format!("the file of differences {}", self.0.path.display()),
            source: Box::new(source),
        })
    }

    fn log(&self) -> MutexGuard<'_, LineLog<File>> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn raw(json: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(json).ok()
}

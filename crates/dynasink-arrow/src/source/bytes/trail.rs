//! Where a reader has been, for the message about what it found there.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use object_store::Error as StoreError;

use super::fetch::FetchError;
use crate::error::Error;

/// The last offset that bytes were asked for at, and why they could not be had.
///
/// Readers of formats keep neither, and turn the errors of their input into text.
#[derive(Debug)]
pub(super) struct Trail {
    file: Arc<str>,
    offset: AtomicU64,
    failure: Mutex<Option<Error>>,
}

impl Trail {
    pub(super) fn new(file: Arc<str>) -> Self {
        Self {
            file,
            offset: AtomicU64::new(0),
            failure: Mutex::new(None),
        }
    }

    pub(super) fn at(&self, offset: u64) {
        self.offset.store(offset, Ordering::Relaxed);
    }

    pub(super) fn last_offset(&self) -> u64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Keeps why the bytes at `offset` could not be had, and gives it on as text for the reader.
    pub(super) fn failed(&self, offset: u64, error: io::Error) -> io::Error {
        // A reader that wants more than there is has misread the file, or the file is damaged: it is the one to tell.
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return error;
        }
        let text = io::Error::new(error.kind(), error.to_string());
        let file = self.file.to_string();
        let failure = match error.downcast::<FetchError>() {
            Ok(FetchError::Changed) => Error::FileChanged { file },
            Ok(FetchError::Store(
                source @ (StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }),
            )) => Error::ObjectStore {
                url: file,
                action: "read the object",
                source,
            },
            Ok(other) => Error::Fetch {
                file,
                offset,
                source: io::Error::other(other),
            },
            Err(source) => Error::Fetch {
                file,
                offset,
                source,
            },
        };
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        text
    }

    pub(super) fn take_failure(&self) -> Option<Error> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

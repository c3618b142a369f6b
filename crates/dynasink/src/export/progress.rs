//! How far an export has come, and whether it is still wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How far an [`Export`](super::Export) has come with its files. Clones tell of the same one.
#[derive(Clone, Debug, Default)]
pub struct ExportProgress(Arc<Written>);

#[derive(Debug, Default)]
struct Written {
    items: AtomicU64,
    files: AtomicU64,
    is_abandoned: AtomicBool,
}

impl ExportProgress {
    /// Items that are in files.
    pub fn items(&self) -> u64 {
        self.0.items.load(Ordering::Relaxed)
    }

    /// Files that were begun.
    pub fn files(&self) -> u64 {
        self.0.files.load(Ordering::Relaxed)
    }

    pub(super) fn note_item(&self) {
        self.0.items.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_file(&self) {
        self.0.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.0.is_abandoned.load(Ordering::Relaxed)
    }
}

/// Whoever has an export. Without it nothing more is written: a blocking task cannot be stopped from outside.
#[derive(Debug)]
pub(super) struct Owner(pub(super) ExportProgress);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.0.is_abandoned.store(true, Ordering::Relaxed);
    }
}

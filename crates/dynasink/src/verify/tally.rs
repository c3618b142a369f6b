//! What a verification has found so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynasink_core::{
    ObserverError, Outcome, OutcomeEvent, OutcomeObserver, Unread, UnreadObserver,
};
use serde::Serialize;

/// Counts what a verification finds. Clones count together.
///
/// As an observer of the decoder it takes care of rows that cannot be items: they are counted, and not compared.
#[derive(Clone, Debug, Default)]
pub struct VerifyTally(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    counts: VerifyCounts,
    first_dead: Option<String>,
}

/// A [`VerifyTally`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyCounts {
    /// Rows whose keys were compared.
    pub compared: u64,
    /// Of these, rows whose item the table holds, or holds no more where the row deletes it.
    pub equal: u64,
    /// Of these, rows whose item the table does not hold.
    pub missing: u64,
    /// Of these, rows for which the table holds another item, or one that the row deletes.
    pub different: u64,
    /// Of these, rows whose item the table does not hold, and whose time to live has ended: no difference.
    pub expired: u64,
    /// Items of the table whose key no row has. Counted by a scan only, without which it would be told as none.
    #[serde(skip)]
    pub extra: u64,
    /// Items that a scan went through.
    #[serde(skip)]
    pub scanned: u64,
    /// Rows whose place another row of the same key takes.
    pub superseded: u64,
    /// Rows whose keys are not in the sample.
    pub not_sampled: u64,
    /// Rows of which the source says that they change no item.
    pub skipped: u64,
    /// Rows that cannot be items.
    pub dead: u64,
    /// Files and parts of row groups that could not be read and were passed over.
    pub unread: u64,
}

impl VerifyCounts {
    /// Rows that came out of the source.
    pub fn rows(&self) -> u64 {
        self.compared + self.superseded + self.not_sampled + self.skipped + self.dead
    }

    /// Items in which table and source differ.
    pub fn differences(&self) -> u64 {
        self.missing + self.different + self.extra
    }
}

impl VerifyTally {
    /// A tally that starts at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The counts now.
    pub fn counts(&self) -> VerifyCounts {
        self.state().counts
    }

    /// Why the first row cannot be an item, or the first part was not read, and where that was.
    pub fn first_dead(&self) -> Option<String> {
        self.state().first_dead.clone()
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut VerifyCounts)) {
        count(&mut self.state().counts);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutcomeObserver for VerifyTally {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let mut state = self.state();
        match event.outcome {
            Outcome::Skipped => state.counts.skipped += 1,
            Outcome::Dead(reason) => {
                state.counts.dead += 1;
                state
                    .first_dead
                    .get_or_insert_with(|| match event.position {
                        Some(position) => format!("{position}: {}", reason.message),
                        None => reason.message.clone(),
                    });
            }
            _ => {}
        }
        Ok(())
    }
}

impl UnreadObserver for VerifyTally {
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError> {
        let mut state = self.state();
        state.counts.unread += 1;
        state.first_dead.get_or_insert_with(|| unread.to_string());
        Ok(())
    }
}

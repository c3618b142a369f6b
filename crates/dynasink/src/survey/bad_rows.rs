//! Rows that would be dead letters, counted by their reasons.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynasink_core::{
    ObserverError, Outcome, OutcomeEvent, OutcomeObserver, SourcePosition, Unread, UnreadObserver,
};
use serde::Serialize;

/// Counts rows that cannot be written, and keeps the first of them as examples. Clones count together.
#[derive(Clone, Debug)]
pub struct BadRows(Arc<Mutex<Noted>>);

#[derive(Debug)]
struct Noted {
    most_examples: usize,
    counts: BadRowCounts,
}

/// What [`BadRows`] has counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BadRowCounts {
    /// Rows that would be dead letters.
    pub dead: u64,
    /// The same by the code of the reason, as dead letters have it.
    pub by_code: BTreeMap<String, u64>,
    /// Rows of which the source says that they change no item.
    pub skipped: u64,
    /// Files and parts of row groups that cannot be read.
    pub unread: u64,
    /// The rows of these, where their number is known.
    pub unread_rows: u64,
    /// The first dead rows, in the order in which they were read.
    pub examples: Vec<BadRow>,
}

/// A row that would be a dead letter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BadRow {
    /// Where it is.
    pub position: Option<SourcePosition>,
    /// The code of the reason.
    pub code: String,
    /// The reason.
    pub reason: String,
    /// The column that is to blame, if one is, with the way into it.
    pub column: Option<String>,
}

impl BadRows {
    /// Keeps so many examples.
    pub fn new(most_examples: usize) -> Self {
        Self(Arc::new(Mutex::new(Noted {
            most_examples,
            counts: BadRowCounts::default(),
        })))
    }

    /// The counts now.
    pub fn counts(&self) -> BadRowCounts {
        self.noted().counts.clone()
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutcomeObserver for BadRows {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let mut noted = self.noted();
        match event.outcome {
            Outcome::Skipped => noted.counts.skipped += 1,
            Outcome::Dead(reason) => {
                noted.counts.dead += 1;
                match noted.counts.by_code.get_mut(&reason.code) {
                    Some(rows) => *rows += 1,
                    None => {
                        noted.counts.by_code.insert(reason.code.clone(), 1);
                    }
                }
                if noted.counts.examples.len() < noted.most_examples {
                    noted.counts.examples.push(BadRow {
                        position: event.position.cloned(),
                        code: reason.code.clone(),
                        reason: reason.message.clone(),
                        column: reason.value.as_ref().map(|value| value.column.clone()),
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl UnreadObserver for BadRows {
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError> {
        let mut noted = self.noted();
        noted.counts.unread += 1;
        noted.counts.unread_rows += unread.rows.unwrap_or(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::DeadReason;

    use super::*;

    #[test]
    fn all_rows_are_counted_and_the_first_are_kept() {
        let rows = BadRows::new(2);
        for (row, code) in ["number", "missing_key", "number"].into_iter().enumerate() {
            let outcome = Outcome::Dead(DeadReason {
                code: code.to_owned(),
                message: "no".to_owned(),
                attempts: 0,
                tried_for: std::time::Duration::ZERO,
                value: None,
            });
            let position = SourcePosition::new("a.parquet".into(), 0, row as u64);
            let event = OutcomeEvent {
                position: Some(&position),
                op: None,
                outcome: &outcome,
            };
            OutcomeObserver::observe(&rows, &event).unwrap();
        }
        let counts = rows.counts();
        assert_eq!(counts.dead, 3);
        assert_eq!(
            counts.by_code.into_iter().collect::<Vec<_>>(),
            [("missing_key".to_owned(), 1), ("number".to_owned(), 2)]
        );
        assert_eq!(counts.examples.len(), 2);
    }
}

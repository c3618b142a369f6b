//! The outcomes of a load by the place of the row.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dynasink::{ObserverError, Outcome, OutcomeEvent, OutcomeObserver, SourcePosition};

/// Notes the outcome of every row, and that none has two. Clones share one log.
#[derive(Clone, Debug, Default)]
pub struct OutcomeLog(Arc<Mutex<BTreeMap<SourcePosition, Outcome>>>);

impl OutcomeLog {
    /// The rows that ended as `outcome` says, in the order of the source.
    pub fn rows_that(&self, outcome: impl Fn(&Outcome) -> bool) -> Vec<SourcePosition> {
        let log = self.0.lock().unwrap();
        let rows = log.iter().filter(|(_, ended)| outcome(ended));
        rows.map(|(position, _)| position.clone()).collect()
    }

    /// How many rows have an outcome.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Whether no row has one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl OutcomeObserver for OutcomeLog {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let position = event.position.unwrap().clone();
        let earlier = self
            .0
            .lock()
            .unwrap()
            .insert(position, event.outcome.clone());
        match earlier {
            None => Ok(()),
            Some(earlier) => Err(ObserverError {
                observer: "the log of outcomes".to_owned(),
                source: format!("{earlier:?}, then {:?}", event.outcome).into(),
            }),
        }
    }
}

//! What a checkpoint is told while a load runs: rows, counts and dead letters change together.

use dynasink_arrow::RowGroupObserver;
use dynasink_core::{
    ObserverError, Outcome, OutcomeEvent, OutcomeObserver, Unread, UnreadObserver, WriteAction,
};

use super::{Checkpoint, Letters, State};
use crate::tally::Counts;

impl State {
    pub(super) fn counts(&self) -> Counts {
        let Some(tally) = &self.tally else {
            return self.counts;
        };
        Counts {
            rows_read: self.counts.rows_read,
            items_written: self.counts.items_written,
            items_deleted: self.counts.items_deleted,
            superseded: self.counts.superseded,
            skipped: self.counts.skipped,
            dead: self.counts.dead,
            unread: self.counts.unread,
            unread_rows: self.counts.unread_rows,
            ..tally.counts()
        }
    }

    fn count(&mut self, event: &OutcomeEvent<'_>) {
        let counts = &mut self.counts;
        let action = event.op.map(dynasink_core::WriteOp::action);
        counts.rows_read += 1;
        *match (event.outcome, action) {
            (Outcome::Superseded { .. }, _) => &mut counts.superseded,
            (Outcome::Skipped, _) => &mut counts.skipped,
            (Outcome::Dead(_), _) => &mut counts.dead,
            (_, Some(WriteAction::Delete)) => &mut counts.items_deleted,
            _ => &mut counts.items_written,
        } += 1;
    }
}

impl Checkpoint {
    fn observer_error(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ObserverError {
        ObserverError {
            observer: format!("the checkpoint {}", self.0.path.display()),
            source: source.into(),
        }
    }
}

impl OutcomeObserver for Checkpoint {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let mut state = self.state();
        let Some(position) = event.position else {
            return Err(
                self.observer_error("a row has no position, and could not be told from others")
            );
        };
        // A letter of a row that does not come again after a kill could not be told from another load's.
        if let (Letters::Open(letters), Outcome::Dead(_)) = (&state.letters, event.outcome)
            && state.progress.has_left_row(position)
        {
            OutcomeObserver::observe(letters, event)?;
        }
        if !state.progress.resolve(position) {
            return Err(self.observer_error(format!("{position} was not on its way")));
        }
        state.count(event);
        state.has_changed = true;
        Ok(())
    }

    fn keeps_dead_rows(&self) -> bool {
        matches!(self.state().letters, Letters::Open(_))
    }
}

impl UnreadObserver for Checkpoint {
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError> {
        let mut state = self.state();
        if let Letters::Open(letters) = &state.letters {
            UnreadObserver::observe(letters, unread)?;
        }
        state.progress.pass_over(unread);
        state.counts.unread += 1;
        state.counts.unread_rows += unread.rows.unwrap_or(0);
        state.has_changed = true;
        Ok(())
    }

    fn keeps_unread(&self) -> bool {
        matches!(self.state().letters, Letters::Open(_))
    }
}

impl RowGroupObserver for Checkpoint {
    fn finished(&self, file: &str, row_group: u32) {
        let mut state = self.state();
        state.progress.finish(file, row_group);
        state.has_changed = true;
    }
}

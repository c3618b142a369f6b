//! How each row ends: written, superseded, skipped or dead. Exactly once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::op::WriteOp;
use crate::position::SourcePosition;
use crate::stage::StageError;

/// The end of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The service has acknowledged it, at the `attempts`th request that carried it.
    Written {
        /// Requests that carried the operation, at least one.
        attempts: u32,
    },
    /// Another row of the same key took its place before it was sent: a later one, or an earlier one where the
    /// first or the greatest version is kept.
    Superseded {
        /// The row that took its place, if its source gave positions.
        by: Option<SourcePosition>,
    },
    /// The source says that it changes no item, such as how an item was before an update.
    Skipped,
    /// It cannot be written, and the reason says why.
    Dead(DeadReason),
}

/// Why a row cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadReason {
    /// A short name of the reason that never changes: `missing_key`, `throttled`, `validation`, …
    pub code: String,
    /// The same for a person, without the row's values.
    pub message: String,
    /// Requests that carried the operation; none for a row that never became one.
    pub attempts: u32,
    /// From when the first of these requests was sent to the end of the last; zero if there was none.
    pub tried_for: Duration,
    /// The value that is to blame, for a row that could not become an operation.
    pub value: Option<Box<ValueLocation>>,
}

impl DeadReason {
    /// A row that never became an operation, because of `error`.
    pub fn of(error: &Error) -> Self {
        Self {
            code: error.code().to_owned(),
            message: one_line(error),
            attempts: 0,
            tried_for: Duration::ZERO,
            value: None,
        }
    }
}

/// An error with its sources.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line
}

/// A value of a row, by where it stands and what it is. What it holds is not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueLocation {
    /// The column and the way into it, such as `lines[3].price`.
    pub column: String,
    /// What the source calls its type, such as `Float64`.
    pub kind: String,
}

/// One row and how it ended, as observers see it.
#[derive(Clone, Copy, Debug)]
pub struct OutcomeEvent<'a> {
    /// Where the row came from, if its source said so.
    pub position: Option<&'a SourcePosition>,
    /// The operation, or none if the row could not become one.
    pub op: Option<&'a WriteOp>,
    /// How it ended.
    pub outcome: &'a Outcome,
}

impl<'a> OutcomeEvent<'a> {
    /// The end of an operation.
    pub fn of(op: &'a WriteOp, outcome: &'a Outcome) -> Self {
        Self {
            position: op.position(),
            op: Some(op),
            outcome,
        }
    }
}

/// An observer could not take note of an outcome, such as a dead-letter file on a full disk.
///
/// Stages treat it as fatal: a load that cannot keep its dead letters would lose rows.
#[derive(Debug, thiserror::Error)]
#[error("an outcome could not be recorded by {observer}")]
pub struct ObserverError {
    /// Which observer.
    pub observer: String,
    /// What went wrong.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Is told the outcome of each row: dead letters, checkpoints, progress, users' own code.
///
/// Called from whichever stage decides the outcome, so it must be quick and must not block for long.
pub trait OutcomeObserver: fmt::Debug + Send + Sync {
    /// Takes note of one outcome.
    ///
    /// # Errors
    ///
    /// [`ObserverError`] if it could not, which stops the pipe.
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError>;

    /// Whether a dead row is taken care of once this was told of it. Not so for an observer that only counts.
    fn keeps_dead_rows(&self) -> bool {
        true
    }
}

impl<T: OutcomeObserver + ?Sized> OutcomeObserver for Arc<T> {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        (**self).observe(event)
    }

    fn keeps_dead_rows(&self) -> bool {
        (**self).keeps_dead_rows()
    }
}

/// The observers of a pipe, shared by its stages. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Outcomes(Arc<[Arc<dyn OutcomeObserver>]>);

impl Outcomes {
    /// No observer: stages then return a dead row as an error instead of passing over it.
    pub fn unobserved() -> Self {
        Self::default()
    }

    /// One observer.
    pub fn of(observer: impl OutcomeObserver + 'static) -> Self {
        Self::to([Arc::new(observer) as _])
    }

    /// These observers, told in this order.
    pub fn to(observers: impl IntoIterator<Item = Arc<dyn OutcomeObserver>>) -> Self {
        Self(observers.into_iter().collect())
    }

    /// Whether anyone takes care of dead rows. If not, stages return them as errors.
    pub fn keep_dead_rows(&self) -> bool {
        self.0.iter().any(OutcomeObserver::keeps_dead_rows)
    }

    /// Reports a row that cannot be written, or gives it back as an error if nobody would take care of it.
    ///
    /// # Errors
    ///
    /// [`StageError::Dead`] if nobody keeps dead rows, [`StageError::Observer`] if somebody could not.
    pub fn bury(
        &self,
        position: Option<&SourcePosition>,
        op: Option<&WriteOp>,
        reason: DeadReason,
    ) -> Result<(), StageError> {
        if !self.keep_dead_rows() {
            return Err(StageError::Dead {
                position: position.cloned(),
                reason: Box::new(reason),
            });
        }
        let outcome = &Outcome::Dead(reason);
        Ok(self.observe(&OutcomeEvent {
            position,
            op,
            outcome,
        })?)
    }

    /// Tells every observer.
    ///
    /// # Errors
    ///
    /// The first observer's error; the others have been told all the same.
    pub fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let mut result = Ok(());
        for observer in self.0.iter() {
            let observed = observer.observe(event);
            result = result.and(observed);
        }
        result
    }
}

//! How many dead rows a load may have before it stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dynasink_core::{
    ObserverError, Outcome, OutcomeEvent, OutcomeObserver, Unread, UnreadObserver,
};
use tokio::sync::watch;

/// Counts dead rows and rows that could not be read, and tells when there are more than a load may have. Clones count together.
///
/// ```
/// use std::time::Duration;
///
/// use dynasink::{DeadReason, ErrorBudget, Outcome, OutcomeEvent, OutcomeObserver};
///
/// let budget = ErrorBudget::new(1);
/// let reason = DeadReason { code: "empty_key".into(), message: "…".into(), attempts: 0, tried_for: Duration::ZERO, value: None };
/// let dead = Outcome::Dead(reason);
/// let event = OutcomeEvent { position: None, op: None, outcome: &dead };
/// budget.observe(&event)?;
/// assert!(!budget.is_exceeded());
/// budget.observe(&event)?;
/// assert!(budget.is_exceeded());
/// # Ok::<(), dynasink::ObserverError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ErrorBudget(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    max_dead: u64,
    dead: AtomicU64,
    exceeded: watch::Sender<bool>,
}

impl ErrorBudget {
    /// Up to `max_dead` dead rows are tolerated.
    pub fn new(max_dead: u64) -> Self {
        Self(Arc::new(Budget {
            max_dead,
            dead: AtomicU64::new(0),
            exceeded: watch::Sender::new(false),
        }))
    }

    /// The same, of which `dead` rows are used up: those of a load that goes on.
    #[must_use]
    pub fn starting_at(self, dead: u64) -> Self {
        self.0.count(dead);
        self
    }

    /// Whether there are more dead rows than tolerated.
    pub fn is_exceeded(&self) -> bool {
        *self.0.exceeded.borrow()
    }

    /// Ready once there are more dead rows than tolerated: what stops a [`drive`](crate::drive).
    pub async fn exceeded(&self) {
        let mut exceeded = self.0.exceeded.subscribe();
        // The sender lives as long as `self`, so this ends only with the value.
        let _ended = exceeded.wait_for(|exceeded| *exceeded).await;
    }
}

impl Budget {
    fn count(&self, rows: u64) {
        let dead = self.dead.fetch_add(rows, Ordering::Relaxed) + rows;
        if dead > self.max_dead {
            self.exceeded.send_replace(true);
        }
    }
}

impl OutcomeObserver for ErrorBudget {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        if matches!(event.outcome, Outcome::Dead(_)) {
            self.0.count(1);
        }
        Ok(())
    }

    fn keeps_dead_rows(&self) -> bool {
        false
    }
}

impl UnreadObserver for ErrorBudget {
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError> {
        // A part of which nobody knows how many rows it has counts as one.
        self.0.count(unread.rows.unwrap_or(1));
        Ok(())
    }

    fn keeps_unread(&self) -> bool {
        false
    }
}

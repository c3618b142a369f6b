//! Why an engine ends, and that the sink learns of it whatever happens.

use std::sync::Arc;

use dynasink_core::{DeadReason, ObserverError, SourcePosition, StageError};

use super::shared::Shared;
use crate::error::Error;
use crate::transport::RequestError;

/// The engine cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// An outcome could not be recorded, or there is nobody to record it.
    Stage(StageError),
    /// Every further request would fail like this one.
    Systemic(RequestError),
    /// A panic, or the end of the runtime.
    Aborted,
}

impl Stop {
    /// An operation is dead, and nobody is told of outcomes.
    pub(super) fn unobserved(position: Option<SourcePosition>, reason: DeadReason) -> Self {
        let reason = Box::new(reason);
        Self::Stage(StageError::Dead { position, reason })
    }

    pub(super) fn into_error(self, unresolved: usize) -> Error {
        match self {
            Self::Stage(error) => Error::Stage(error),
            Self::Systemic(RequestError { cause, source, .. }) => Error::Stopped {
                cause: Box::new(cause),
                unresolved,
                source,
            },
            Self::Aborted => Error::Aborted { unresolved },
        }
    }
}

impl From<ObserverError> for Stop {
    fn from(error: ObserverError) -> Self {
        Self::Stage(error.into())
    }
}

/// What the engine shares with its sink. However the engine ends, even if its task never ran, the sink learns
/// of it and does not wait for ever.
#[derive(Debug)]
pub(super) struct EndGuard(pub(super) Arc<Shared>);

impl std::ops::Deref for EndGuard {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.stop(Stop::Aborted);
    }
}

//! What the stages of a pipe share: their errors, and that an error is the end.

use std::task::Poll;

use crate::outcome::{DeadReason, ObserverError};
use crate::position::SourcePosition;

/// An error of a stage itself, as opposed to one of the sink below it.
///
/// A combinator's error type is that of its inner sink, which takes these in by `From`: a pipe has one error
/// type, that of its leaf. A leaf that has no errors of its own can use `StageError` as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// An observer could not record an outcome.
    #[error("the outcome of a row could not be recorded")]
    Observer(#[from] ObserverError),

    /// A row cannot be written, and nobody observes outcomes, so that it would be lost in silence.
    #[error("{}cannot be written: {}", RowAt(position.as_ref()), reason.message)]
    Dead {
        /// Where the row came from.
        position: Option<SourcePosition>,
        /// Why.
        reason: Box<DeadReason>,
    },

    /// Two rows have one key, and the policy is that this is an error.
    #[error("{}has the key of an earlier row: remove one of them, or choose which to keep", RowAt(position.as_ref()))]
    DuplicateKey {
        /// Where the later row came from.
        position: Option<SourcePosition>,
    },

    /// The row with the greatest version is to be kept, and one has none.
    #[error("{}has no version, and the one with the greatest of each key is to be kept: give each operation its version, or choose another row to keep", RowAt(position.as_ref()))]
    NoVersion {
        /// Where the row came from.
        position: Option<SourcePosition>,
    },

    /// The versions of two rows of one key have no order, since one is a number and the other a text.
    #[error("{}has a version that cannot be compared with that of an earlier row of its key, since one is a number and the other a text: give all versions one type", RowAt(position.as_ref()))]
    VersionKind {
        /// Where the later row came from.
        position: Option<SourcePosition>,
    },

    /// The stage must remember every key, and there are more than it may hold.
    #[error(
        "there are more than {max_keys} distinct keys to remember: raise the limit, or keep the last row of each key, which needs no memory of keys"
    )]
    TooManyKeys {
        /// Most keys that it may hold.
        max_keys: usize,
    },

    /// Every key of an input is counted, and there are more than may be held.
    #[error(
        "there are more than {max_keys} distinct keys to count: raise the limit, or read the source in parts"
    )]
    TooManyKeysToCount {
        /// Most keys that may be held.
        max_keys: usize,
    },

    /// An input is not what the stage was made for, or came when it could take none.
    #[error("the {stage} stage cannot take this input: {reason}")]
    Input {
        /// The stage.
        stage: &'static str,
        /// What is wrong with it, and what to do.
        reason: String,
    },

    /// The sink was used after it had returned an error, or was closed.
    #[error("the {stage} stage was used after an error or a close")]
    Poisoned {
        /// The stage.
        stage: &'static str,
    },
}

struct RowAt<'a>(Option<&'a SourcePosition>);

impl std::fmt::Display for RowAt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(position) => write!(f, "the row at {position} "),
            None => f.write_str("a row "),
        }
    }
}

/// Keeps a stage from being used after its end, as the `Sink` contract has it. The first error blows it, and every
/// later call gets [`StageError::Poisoned`]; so does every call but `poll_close` after a close.
#[derive(Debug)]
pub struct Fuse {
    stage: &'static str,
    state: FuseState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FuseState {
    Whole,
    Blown,
    Closed,
}

impl Fuse {
    /// A whole fuse for a stage of that name.
    pub const fn new(stage: &'static str) -> Self {
        Self {
            stage,
            state: FuseState::Whole,
        }
    }

    /// To be called first by every method of the sink.
    ///
    /// # Errors
    ///
    /// [`StageError::Poisoned`] after an error or a close.
    pub fn check<E: From<StageError>>(&self) -> Result<(), E> {
        match self.state {
            FuseState::Whole => Ok(()),
            FuseState::Blown | FuseState::Closed => {
                Err(StageError::Poisoned { stage: self.stage }.into())
            }
        }
    }

    /// Whether the stage was closed, so that another `poll_close` has nothing to do.
    pub fn is_closed(&self) -> bool {
        self.state == FuseState::Closed
    }

    /// Passes a method's result on, and blows on an error.
    ///
    /// # Errors
    ///
    /// The error that it was given.
    pub fn guard<T, E>(&mut self, result: Result<T, E>) -> Result<T, E> {
        if result.is_err() {
            self.state = FuseState::Blown;
        }
        result
    }

    /// Passes a poll's result on, and blows on an error.
    pub fn guard_poll<T, E>(&mut self, poll: Poll<Result<T, E>>) -> Poll<Result<T, E>> {
        poll.map(|result| self.guard(result))
    }

    /// Passes the result of closing the inner sink on, and notes that the stage is closed.
    pub fn guard_close<E>(&mut self, poll: Poll<Result<(), E>>) -> Poll<Result<(), E>> {
        if matches!(poll, Poll::Ready(Ok(()))) {
            self.state = FuseState::Closed;
        }
        self.guard_poll(poll)
    }
}

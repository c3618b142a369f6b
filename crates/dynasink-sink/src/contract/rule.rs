//! The rules by name, and what is reported when one is broken.

use std::fmt;

use super::trace::Event;

/// How many of the last events a [`Violation`] prints.
const PRINTED_EVENTS: usize = 60;

/// A rule of the contract. The order is that of the list in the [module documentation](super).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// `start_send` on the inner sink uses a reservation that an inner `poll_ready` gave.
    Reservation,
    /// `Ready` from `poll_ready` stays granted until `start_send` uses it.
    GrantHeld,
    /// `start_send` polls nothing.
    StartSend,
    /// A flush or close reserves no inner slot that it has no item for.
    IdleFlush,
    /// What arrives is what was sent: in order, once, nothing made up.
    Delivery,
    /// No more is held than the stated bound.
    Bound,
    /// `Ready` from `poll_flush` means delivered and flushed.
    Flush,
    /// `Ready` from `poll_close` means delivered and the inner sink closed, and nothing follows.
    Close,
    /// A second `poll_close` after `Ready` does not reach the inner sink.
    SecondClose,
    /// `Pending` means that the waker of this call will be woken.
    Wake,
    /// A sink does not wake its own task without progress.
    Spin,
    /// Once nothing blocks, a flush or close ends after a bounded number of polls.
    Termination,
    /// An inner error is returned at once, and every later call is an error.
    Error,
    /// No call and no drop panics.
    Panic,
}

impl Rule {
    /// The number of the rule in the [module documentation](super).
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Reservation => "reservation",
            Self::GrantHeld => "grant held",
            Self::StartSend => "start_send",
            Self::IdleFlush => "idle flush",
            Self::Delivery => "delivery",
            Self::Bound => "bound",
            Self::Flush => "flush",
            Self::Close => "close",
            Self::SecondClose => "second close",
            Self::Wake => "wake",
            Self::Spin => "spin",
            Self::Termination => "termination",
            Self::Error => "error",
            Self::Panic => "panic",
        };
        write!(f, "rule {} ({name})", self.number())
    }
}

/// A broken rule, with the case to replay and the calls that led to it.
#[derive(Debug, Clone)]
pub struct Violation {
    pub(super) rule: Rule,
    pub(super) case: String,
    pub(super) message: String,
    pub(super) trace: Vec<Event>,
}

impl Violation {
    /// The rule that was broken.
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// The name of the case, for [`REPLAY`](super::REPLAY).
    pub fn case(&self) -> &str {
        &self.case
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            case,
            message,
            trace,
        } = self;
        writeln!(f, "{rule} is broken in case {case}: {message}")?;
        let skipped = trace.len().saturating_sub(PRINTED_EVENTS);
        if skipped > 0 {
            writeln!(f, "  ... {skipped} earlier events")?;
        }
        for event in trace.iter().skip(skipped) {
            writeln!(f, "  {event}")?;
        }
        write!(f, "replay it alone with {}={case}", super::REPLAY)
    }
}

impl std::error::Error for Violation {}

//! How a command ends when it does not end well.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{Write as _, stderr};
use std::process::ExitCode;

/// Every row is written, superseded or deleted.
pub(crate) const ALL_WRITTEN: u8 = 0;
/// Some rows are dead letters, or parts of files were not read.
pub(crate) const SOME_DEAD: u8 = 1;
/// Refused before any write.
const REFUSED: u8 = 2;
/// Stopped before the end.
pub(crate) const STOPPED: u8 = 3;
/// Interrupted after a clean drain.
pub(crate) const INTERRUPTED: u8 = 130;

/// An error and the exit status that it means.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
    is_shown: bool,
}

impl Failure {
    /// Something is wrong with what was asked for, and nothing was written.
    pub(crate) fn refused(error: &(dyn Error + 'static)) -> Self {
        Self::refused_because(describe(error))
    }

    /// The same, where there is no error value.
    pub(crate) fn refused_because(reason: impl Into<String>) -> Self {
        Self::new(REFUSED, reason.into())
    }

    /// The command could not go on.
    pub(crate) fn stopped(error: &(dyn Error + 'static)) -> Self {
        Self::stopped_because(describe(error))
    }

    /// The same, where the error was described before.
    pub(crate) fn stopped_because(reason: impl Into<String>) -> Self {
        Self::new(STOPPED, reason.into())
    }

    /// Somebody has interrupted the command, and nothing is left half done.
    pub(crate) fn interrupted(what: &str) -> Self {
        Self::new(INTERRUPTED, what.to_owned())
    }

    fn new(status: u8, message: String) -> Self {
        Self {
            status,
            message,
            is_shown: false,
        }
    }

    /// Whether nothing was done but to say no.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status == REFUSED
    }

    /// The same of a command that had done something before, such as `done`.
    pub(crate) fn after(self, done: &str) -> Self {
        Self::stopped_because(format!("{}\n  {done}", self.message))
    }

    /// Shows it on stderr, where it was not yet.
    #[must_use]
    pub(crate) fn shown(mut self) -> Self {
        if !self.is_shown {
            // Where stderr is closed, the exit status still tells.
            let _shown = writeln!(stderr(), "error: {}", self.message);
            self.is_shown = true;
        }
        self
    }

    /// Both failures of one command: `other` was shown before.
    #[must_use]
    pub(crate) fn besides(self, other: &Self) -> Self {
        let statuses = [self.status, other.status];
        let gravest = [STOPPED, INTERRUPTED].into_iter();
        let mut gravest = gravest.filter(|status| statuses.contains(status));
        Self {
            status: gravest.next().unwrap_or(self.status),
            ..self
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        self.status.into()
    }
}

/// The error in its first line, and what it stems from in the lines below.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut last = message.clone();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Wrappers often repeat what they wrap.
        if !last.contains(&text) {
            // Writing to a string cannot fail.
            let _infallible = write!(message, "\n  caused by: {text}");
            last = text;
        }
        source = cause.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_failures_the_graver_decides_the_status() {
        let refused = || Failure::refused_because("the report");
        let interrupted = || Failure::interrupted("the index");
        let stopped = || Failure::stopped_because("the capacity");
        for (one, other, status) in [
            (refused(), stopped(), STOPPED),
            (stopped(), interrupted(), STOPPED),
            (refused(), interrupted(), INTERRUPTED),
            (interrupted(), refused(), INTERRUPTED),
        ] {
            assert_eq!(one.besides(&other).status, status);
        }
    }
}

//! How a command ends when it does not end well.

use std::error::Error;
use std::fmt::Write;
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
}

impl Failure {
    /// Something is wrong with what was asked for, and nothing was written.
    pub(crate) fn refused(error: &(dyn Error + 'static)) -> Self {
        Self {
            status: REFUSED,
            message: describe(error),
        }
    }

    /// The same, where there is no error value.
    pub(crate) fn refused_because(reason: impl Into<String>) -> Self {
        Self {
            status: REFUSED,
            message: reason.into(),
        }
    }

    /// The command could not go on.
    pub(crate) fn stopped(error: &(dyn Error + 'static)) -> Self {
        Self {
            status: STOPPED,
            message: describe(error),
        }
    }

    /// The same, where the error was described before.
    pub(crate) fn stopped_because(reason: impl Into<String>) -> Self {
        Self {
            status: STOPPED,
            message: reason.into(),
        }
    }

    /// Somebody has interrupted the command, and nothing is left half done.
    pub(crate) fn interrupted(what: &str) -> Self {
        Self {
            status: INTERRUPTED,
            message: what.to_owned(),
        }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
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

//! What happened in a run, kept cheap: it is formatted only when a rule is broken.

use std::{fmt, task::Poll, time::Duration};

/// A method of `futures::Sink`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `Sink::poll_ready`
    PollReady,
    /// `Sink::start_send`
    StartSend,
    /// `Sink::poll_flush`
    PollFlush,
    /// `Sink::poll_close`
    PollClose,
}

impl Method {
    /// All four methods.
    pub const ALL: [Self; 4] = [
        Self::PollReady,
        Self::StartSend,
        Self::PollFlush,
        Self::PollClose,
    ];
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PollReady => "poll_ready",
            Self::StartSend => "start_send",
            Self::PollFlush => "poll_flush",
            Self::PollClose => "poll_close",
        })
    }
}

/// What a call answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Ready,
    Pending,
    Failed,
}

impl Answer {
    pub(super) const fn of<E>(poll: &Poll<Result<(), E>>) -> Self {
        match poll {
            Poll::Ready(Ok(())) => Self::Ready,
            Poll::Ready(Err(_)) => Self::Failed,
            Poll::Pending => Self::Pending,
        }
    }
}

/// One line of the trace of a [`Violation`](super::Violation).
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Called(Method),
    /// `start_send` of the n-th input.
    Sending(usize),
    Returned(Method, Answer),
    Inner(Method, Answer),
    Granted(usize),
    Gates {
        flush: bool,
        close: bool,
    },
    Unblocked,
    Restored,
    Advanced(Duration),
    Dropped,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Called(method) => write!(f, "{method} {{"),
            Self::Sending(index) => write!(f, "start_send of input {index} {{"),
            Self::Returned(method, answer) => write!(f, "}} {method} = {answer:?}"),
            Self::Inner(method, answer) => write!(f, "  inner {method} = {answer:?}"),
            Self::Granted(slots) => write!(f, "environment: {slots} more inner slots"),
            Self::Gates { flush, close } => {
                write!(
                    f,
                    "environment: flush {}, close {}",
                    gate(*flush),
                    gate(*close)
                )
            }
            Self::Unblocked => f.write_str("environment: nothing blocks"),
            Self::Restored => f.write_str("environment: blocks as before"),
            Self::Advanced(time) => write!(f, "environment: {time:?} pass"),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}

const fn gate(open: bool) -> &'static str {
    if open { "open" } else { "shut" }
}

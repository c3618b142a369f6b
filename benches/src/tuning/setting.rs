//! What can be set in a load.

use std::fmt;
use std::num::NonZeroUsize;

use dynasink::{AdaptiveSizer, Dedup, DedupWindow};
use dynasink::{
    BatchLimit, BatchSizer, CapacityFeedback, CapacityObserver, Concurrency, Rate, WriteUnits,
};
use serde::Serialize;

/// One way to set a load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// How fast to write.
    pub rate: Pace,
    /// Requests in flight.
    pub concurrency: InFlight,
    /// Operations of a request.
    pub batch: Batch,
    /// Where rows of one key are merged.
    pub window: Window,
    /// Row groups that are read at once; it matters where they are mixed.
    pub readers: usize,
}

/// A rate: found out, or fixed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// `--rate auto`.
    Auto,
    /// So many units per second: that percentage of the capacity.
    Fixed {
        /// Units per second.
        wcu: u64,
        /// Of what the table has.
        percent: u32,
    },
}

/// Requests in flight: found out, or fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InFlight {
    /// `--concurrency auto`.
    Auto,
    /// So many at most.
    Fixed(usize),
}

/// Operations of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Batch {
    /// As the sizer finds.
    Auto,
    /// The same, and at most so many.
    AtMost(usize),
}

/// Where rows of one key are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Nowhere: `--dedup off`.
    Off,
    /// Among so many operations that wait.
    Ops(NonZeroUsize),
}

impl Setting {
    /// What a load does that is told nothing, where row groups are read by so many readers.
    pub fn standard(readers: usize) -> Self {
        Self {
            rate: Pace::Auto,
            concurrency: InFlight::Auto,
            batch: Batch::Auto,
            window: Window::Ops(DedupWindow::DEFAULT_OPS),
            readers,
        }
    }

    /// In how many ways it differs from `other`.
    pub fn differences(&self, other: &Self) -> usize {
        usize::from(self.rate != other.rate)
            + usize::from(self.concurrency != other.concurrency)
            + usize::from(self.batch != other.batch)
            + usize::from(self.window != other.window)
            + usize::from(self.readers != other.readers)
    }

    /// What is other in it than in `other`, in words; the whole of it if that is nothing.
    pub fn beside(&self, other: &Self) -> String {
        let all = self.differences(other) == 0;
        let mut words = Vec::new();
        if all || self.rate != other.rate {
            words.push(format!("rate {}", self.rate));
        }
        if all || self.concurrency != other.concurrency {
            words.push(format!("concurrency {}", self.concurrency));
        }
        if all || self.batch != other.batch {
            words.push(format!("batch {}", self.batch));
        }
        if all || self.window != other.window {
            words.push(format!("window {}", self.window));
        }
        if all || self.readers != other.readers {
            words.push(format!("readers {}", self.readers));
        }
        words.join(", ")
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed { wcu, percent } => write!(f, "{wcu} ({percent} %)"),
        }
    }
}

impl fmt::Display for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed(requests) => write!(f, "{requests}"),
        }
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::AtMost(ops) => write!(f, "{ops}"),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Ops(ops) => write!(f, "{ops}"),
        }
    }
}

impl From<Pace> for Rate {
    fn from(pace: Pace) -> Self {
        match pace {
            Pace::Auto => Self::Auto,
            Pace::Fixed { wcu, .. } => Self::Fixed(WriteUnits::new(wcu)),
        }
    }
}

impl From<InFlight> for Concurrency {
    fn from(in_flight: InFlight) -> Self {
        match in_flight {
            InFlight::Auto => Self::default(),
            InFlight::Fixed(requests) => Self::Fixed(requests),
        }
    }
}

impl Window {
    /// The stage that does it.
    pub(super) fn dedup(self) -> Option<Dedup> {
        let window = |ops| DedupWindow::new(ops, DedupWindow::DEFAULT_BYTES);
        match self {
            Self::Off => None,
            Self::Ops(ops) => Some(Dedup::keep_last(window(ops))),
        }
    }
}

/// The sizer that a load has, with a bound on the operations of a request.
#[derive(Clone, Debug)]
pub(super) struct BoundedSizer {
    pub(super) sizer: AdaptiveSizer,
    pub(super) batch: Batch,
}

impl CapacityObserver for BoundedSizer {
    fn observe(&self, feedback: &CapacityFeedback) {
        self.sizer.observe(feedback);
    }
}

impl BatchSizer for BoundedSizer {
    fn limit(&self) -> BatchLimit {
        let limit = self.sizer.limit();
        match self.batch {
            Batch::Auto => limit,
            Batch::AtMost(ops) => BatchLimit {
                ops: limit.ops.min(ops),
                ..limit
            },
        }
    }
}

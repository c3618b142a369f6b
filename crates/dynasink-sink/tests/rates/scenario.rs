//! What a scenario says, and what is expected of it.

use std::fmt;

use dynasink_core::WriteUnits;
use dynasink_sink::{AutoRate, RateLaw, YieldingRate};
use serde::Deserialize;

/// A law, a service and a load.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What happens, for the reader.
    #[expect(dead_code, reason = "it is there to be read")]
    pub(crate) about: String,
    pub(crate) law: Law,
    pub(crate) service: Service,
    #[serde(default)]
    pub(crate) load: Load,
    /// Seconds in all.
    pub(crate) seconds: f64,
    /// From this second on it counts.
    #[serde(default)]
    pub(crate) from: f64,
    pub(crate) expect: Expect,
}

/// Which law, and what it is told at the start.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Law {
    /// The capacity that a description names.
    described: Option<u64>,
    /// The law of a good neighbour, with this part of the capacity left to others.
    headroom: Option<f64>,
}

impl Law {
    pub(crate) fn build(&self) -> RateLaw {
        let described = self.described.map(WriteUnits::new);
        match (self.headroom, described) {
            (Some(headroom), _) => YieldingRate::new(described, headroom).into(),
            (None, Some(_)) => AutoRate::starting_at(described).into(),
            (None, None) => AutoRate::unknown().into(),
        }
    }
}

/// A token bucket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    /// From a second on, so many units per second.
    pub(crate) capacity: Vec<(f64, f64)>,
    /// Seconds of the capacity that can be saved up.
    pub(crate) depth: f64,
    /// Seconds of the capacity that are saved up at the start.
    #[serde(default)]
    pub(crate) saved: f64,
    /// Milliseconds from a request's departure to its answer.
    pub(crate) latency: u64,
    pub(crate) neighbour: Option<Neighbour>,
}

/// Another client, who writes items of one unit and does not look at refusals.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Neighbour {
    pub(crate) units: f64,
    /// Seconds for which it writes, and then rests.
    pub(crate) on: f64,
    pub(crate) off: f64,
}

/// What is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Load {
    /// Units of items, drawn in turn by chance.
    pub(crate) items: Vec<u32>,
    /// Operations in a request.
    pub(crate) batch: usize,
    /// Most units in a request of several operations.
    pub(crate) batch_units: f64,
    /// Operations per second that come in; as many as can be written, unless set.
    pub(crate) ops: Option<f64>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            items: vec![1],
            batch: 25,
            batch_units: f64::INFINITY,
            ops: None,
        }
    }
}

/// Ranges, both ends included.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// Written units over what the bucket could give.
    share: Option<[f64; 2]>,
    /// Refused operations over all that were sent.
    refused: Option<[f64; 2]>,
    /// The same for the neighbour.
    neighbour_refused: Option<[f64; 2]>,
    /// Seconds from the last change of the capacity until that much is written in a second.
    found_within: Option<[f64; 2]>,
    /// The highest rate, in units per second.
    greatest_rate: Option<[f64; 2]>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) share: f64,
    pub(crate) refused: f64,
    pub(crate) neighbour_refused: f64,
    pub(crate) found_within: f64,
    pub(crate) greatest_rate: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "share {:.4}, refused {:.4}, neighbour refused {:.4}, found within {:.1} s, greatest rate {:.0}",
            self.share, self.refused, self.neighbour_refused, self.found_within, self.greatest_rate
        )
    }
}

impl Expect {
    pub(crate) fn failures(&self, report: &Report) -> Vec<String> {
        let ranges = [
            ("share", self.share, report.share),
            ("refused", self.refused, report.refused),
            (
                "neighbour_refused",
                self.neighbour_refused,
                report.neighbour_refused,
            ),
            ("found_within", self.found_within, report.found_within),
            ("greatest_rate", self.greatest_rate, report.greatest_rate),
        ];
        let broken = ranges.into_iter().filter_map(|(name, range, value)| {
            let [least, most] = range?;
            let kept = (least..=most).contains(&value);
            (!kept).then(|| format!("{name} is {value:.4}, not within {least} to {most}"))
        });
        broken.collect()
    }
}

//! The ranges of a scenario.

use std::time::Duration;

use serde::Deserialize;

use crate::measured::Measured;
use crate::scenario::some_duration;

/// The ranges that the measured values are to be in. What is not said is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expected {
    /// Least share of the optimum, over the whole load.
    #[serde(default)]
    pub share: Option<f64>,
    /// Most of it: more than all would be a rate that is not kept.
    #[serde(default)]
    pub share_max: Option<f64>,
    /// Least share of the optimum in each part of the load: parts end where the latency changes.
    #[serde(default)]
    pub share_of_parts: Option<f64>,
    /// Most refused operations, as a share of those that were sent.
    #[serde(default)]
    pub refused: Option<f64>,
    /// Most units that the load may draw from the table in a second.
    #[serde(default)]
    pub largest_second: Option<u64>,
    /// Most refused operations of the other client, as a share of what it sent.
    #[serde(default)]
    pub others_refused: Option<f64>,
    /// Most time from the last change of the capacity until nearly all of it is used.
    #[serde(default, deserialize_with = "some_duration")]
    pub back_within: Option<Duration>,
}

impl Expected {
    /// What is outside of its range, each in a line.
    pub fn misses(&self, measured: &Measured) -> Vec<String> {
        let mut misses = Vec::new();
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let mut miss = |what: &str, is: String, least_or_most: &str, bound: String| {
            misses.push(format!("{what} {is}, {least_or_most} {bound}"));
        };
        let is = measured.share;
        if let Some(least) = self.share.filter(|least| is < *least) {
            miss(
                "share of the optimum",
                percent(is),
                "at least",
                percent(least),
            );
        }
        if let Some(most) = self.share_max.filter(|most| is > *most) {
            miss(
                "share of the optimum",
                percent(is),
                "at most",
                percent(most),
            );
        }
        if self.share_of_parts.is_some() && measured.shares_of_parts.len() < 2 {
            miss(
                "parts",
                measured.shares_of_parts.len().to_string(),
                "at least",
                "2".to_owned(),
            );
        }
        for (nth, is) in (1..).zip(&measured.shares_of_parts) {
            if let Some(least) = self.share_of_parts.filter(|least| is < least) {
                let what = format!("share of the optimum in part {nth}");
                miss(&what, percent(*is), "at least", percent(least));
            }
        }
        let is = measured.refused;
        if let Some(most) = self.refused.filter(|most| is > *most) {
            miss("refused operations", percent(is), "at most", percent(most));
        }
        let is = measured.largest_second;
        if let Some(most) = self.largest_second.filter(|most| is > *most) {
            miss(
                "units in a second",
                is.to_string(),
                "at most",
                most.to_string(),
            );
        }
        if let Some(most) = self.others_refused {
            let is = measured.others_refused.unwrap_or(1.0);
            if is > most {
                miss(
                    "the other client's refused",
                    percent(is),
                    "at most",
                    percent(most),
                );
            }
        }
        if let Some(most) = self.back_within {
            let is = measured.back_within;
            if is.is_none_or(|is| is > most) {
                let is = is.map_or_else(|| "never".to_owned(), |is| format!("{is:?}"));
                miss("back after", is, "at most", format!("{most:?}"));
            }
        }
        if measured.given_up > 0 {
            miss(
                "given up",
                measured.given_up.to_string(),
                "at most",
                "0".to_owned(),
            );
        }
        misses
    }

    /// The ranges, in a few words.
    pub fn in_words(&self) -> String {
        let mut words = Vec::new();
        let percent = |share: f64| format!("{} %", (1e4 * share).round() / 100.0);
        match (self.share, self.share_max) {
            (Some(least), Some(most)) => {
                words.push(format!("share {} to {}", percent(least), percent(most)));
            }
            (Some(least), None) => words.push(format!("share ≥ {}", percent(least))),
            _ => {}
        }
        if let Some(least) = self.share_of_parts {
            words.push(format!("≥ {} in each part", percent(least)));
        }
        if let Some(most) = self.refused {
            words.push(format!("refused ≤ {}", percent(most)));
        }
        if let Some(most) = self.largest_second {
            words.push(format!("≤ {most} units in a second"));
        }
        if let Some(most) = self.others_refused {
            words.push(format!("other client refused ≤ {}", percent(most)));
        }
        if let Some(most) = self.back_within {
            words.push(format!("back within {most:?}"));
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimum::{Bottleneck, Optimum};

    fn measured() -> Measured {
        Measured {
            time: Duration::from_secs(10),
            optimum: Optimum {
                time: Duration::from_secs(9),
                bottleneck: Bottleneck::Rate,
            },
            share: 0.9,
            shares_of_parts: vec![0.95, 0.85],
            applied: 100,
            refused: 0.02,
            requests: 4,
            fill: 25.0,
            largest_second: 11,
            others_refused: Some(0.03),
            back_within: Some(Duration::from_secs(12)),
            given_up: 0,
        }
    }

    #[test]
    fn each_range_is_missed_alone_and_its_bound_is_inside() {
        for (inside, outside) in [
            ("share = 0.9", "share = 0.91"),
            ("share-max = 0.9", "share-max = 0.89"),
            ("share-of-parts = 0.85", "share-of-parts = 0.9"),
            ("refused = 0.02", "refused = 0.01"),
            ("largest-second = 11", "largest-second = 10"),
            ("others-refused = 0.03", "others-refused = 0.02"),
            ("back-within = '12s'", "back-within = '11s'"),
        ] {
            let expected: Expected = toml::from_str(inside).unwrap();
            assert_eq!(expected.misses(&measured()), [""; 0], "{inside}");
            let expected: Expected = toml::from_str(outside).unwrap();
            assert_eq!(expected.misses(&measured()).len(), 1, "{outside}");
        }
    }

    #[test]
    fn what_was_given_up_is_always_a_miss() {
        let lossy = Measured {
            given_up: 1,
            ..measured()
        };
        assert_eq!(Expected::default().misses(&lossy).len(), 1);
    }
}

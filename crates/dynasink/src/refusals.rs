//! Refused operations by what there was too little of, and failed requests by what failed.

use dynasink_core::{CapacityFeedback, RequestFailure, Throttle, ThrottleScope};
use serde::{Deserialize, Serialize};

/// Operations that the service refused for want of capacity, each counted once for each refusal, by the cause.
///
/// Of several reasons that the service gives for one refusal the first counts.
///
/// Source: *Diagnosing throttling*, "Understanding DynamoDB throttling reasons".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Refusals {
    /// The provisioned capacity of the table.
    pub table: u64,
    /// The provisioned capacity of an index; of which, [`Tally::refused_by_index`](crate::Tally::refused_by_index) says.
    pub index: u64,
    /// One partition: more is written to a key, or to neighbouring keys, than a partition takes.
    pub hot_key: u64,
    /// The quota of the account in the region.
    pub account: u64,
    /// The maximum that was set for the table or an index on demand.
    pub on_demand_maximum: u64,
    /// Not said: the service gives no reason for operations that it leaves unprocessed.
    pub unsaid: u64,
}

impl Refusals {
    /// The refusals that an answer tells of.
    pub fn of(feedback: &CapacityFeedback) -> Self {
        let mut refusals = Self::default();
        let hot = feedback.hot_key_ops.min(feedback.throttled_ops);
        let others = (feedback.throttled_ops - hot) as u64;
        match feedback.throttles.first().map(|throttle| throttle.scope) {
            Some(ThrottleScope::Table) => refusals.table = others,
            Some(ThrottleScope::Index) => refusals.index = others,
            Some(ThrottleScope::KeyRange) => refusals.hot_key = others,
            Some(ThrottleScope::Account) => refusals.account = others,
            Some(ThrottleScope::OnDemandMaximum) => refusals.on_demand_maximum = others,
            _ => refusals.unsaid = others,
        }
        refusals.hot_key += hot as u64;
        refusals
    }

    /// The index whose capacity was short, if it was an index's, and the service names it.
    pub(crate) fn index_of(feedback: &CapacityFeedback) -> Option<&str> {
        match feedback.throttles.first()? {
            Throttle {
                scope: ThrottleScope::Index,
                index: Some(index),
            } => Some(index),
            _ => None,
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_cause().into_iter().map(|(_, ops)| ops).sum()
    }

    /// The causes in a person's words, always in this order, with their operations.
    pub fn by_cause(&self) -> [(&'static str, u64); 6] {
        [
            ("table", self.table),
            ("index", self.index),
            ("hot partition key", self.hot_key),
            ("account", self.account),
            ("on-demand maximum", self.on_demand_maximum),
            ("no reason given", self.unsaid),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.table += other.table;
        self.index += other.index;
        self.hot_key += other.hot_key;
        self.account += other.account;
        self.on_demand_maximum += other.on_demand_maximum;
        self.unsaid += other.unsaid;
    }
}

/// Requests that failed, other than for want of capacity, by what failed. Most are sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct FailedRequests {
    /// The service failed, or gave an answer that cannot be read.
    pub service: u64,
    /// No answer came: the connection broke, or it took too long.
    pub unanswered: u64,
    /// Something else, such as an operation that is not valid.
    pub other: u64,
}

impl FailedRequests {
    /// The failure that an answer tells of, if it is one.
    pub fn of(feedback: &CapacityFeedback) -> Self {
        let mut failed = Self::default();
        match feedback.failure {
            None => {}
            Some(RequestFailure::Service) => failed.service = 1,
            Some(RequestFailure::Unanswered) => failed.unanswered = 1,
            Some(_) => failed.other = 1,
        }
        failed
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_cause()
            .into_iter()
            .map(|(_, requests)| requests)
            .sum()
    }

    /// The causes in a person's words, always in this order, with their requests.
    pub fn by_cause(&self) -> [(&'static str, u64); 3] {
        [
            ("service failed", self.service),
            ("no answer", self.unanswered),
            ("other", self.other),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.service += other.service;
        self.unanswered += other.unanswered;
        self.other += other.other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(
        ops: usize,
        hot: usize,
        throttles: &[(ThrottleScope, Option<&str>)],
    ) -> CapacityFeedback {
        let throttles = throttles.iter().map(|(scope, index)| Throttle {
            scope: *scope,
            index: index.map(str::to_owned),
        });
        CapacityFeedback {
            throttled_ops: ops,
            hot_key_ops: hot,
            throttles: throttles.collect(),
            ..CapacityFeedback::default()
        }
    }

    #[test]
    fn every_refused_operation_has_one_cause() {
        use ThrottleScope::{Account, Index, KeyRange, OnDemandMaximum, Table};
        let none = Refusals::default();
        for (feedback, expected) in [
            (refused(0, 0, &[]), none),
            (
                refused(5, 2, &[]),
                Refusals {
                    unsaid: 3,
                    hot_key: 2,
                    ..none
                },
            ),
            (
                refused(5, 0, &[(Table, None)]),
                Refusals { table: 5, ..none },
            ),
            (
                refused(5, 1, &[(Index, Some("by-mail"))]),
                Refusals {
                    index: 4,
                    hot_key: 1,
                    ..none
                },
            ),
            (
                refused(5, 5, &[(KeyRange, None)]),
                Refusals { hot_key: 5, ..none },
            ),
            (
                refused(5, 0, &[(KeyRange, Some("by-mail"))]),
                Refusals { hot_key: 5, ..none },
            ),
            (
                refused(5, 0, &[(Account, None)]),
                Refusals { account: 5, ..none },
            ),
            (
                refused(5, 0, &[(OnDemandMaximum, None)]),
                Refusals {
                    on_demand_maximum: 5,
                    ..none
                },
            ),
            (
                refused(5, 0, &[(Table, None), (Account, None)]),
                Refusals { table: 5, ..none },
            ),
        ] {
            let found = Refusals::of(&feedback);
            assert_eq!(found, expected, "{feedback:?}");
            assert_eq!(found.total(), feedback.throttled_ops as u64);
        }
    }

    #[test]
    fn an_index_is_named_where_the_service_names_it() {
        let of_index = refused(5, 0, &[(ThrottleScope::Index, Some("by-mail"))]);
        assert_eq!(Refusals::index_of(&of_index), Some("by-mail"));
        assert_eq!(
            Refusals::index_of(&refused(5, 0, &[(ThrottleScope::Index, None)])),
            None
        );
        assert_eq!(
            Refusals::index_of(&refused(5, 0, &[(ThrottleScope::Table, None)])),
            None
        );
    }

    #[test]
    fn a_failed_request_has_one_cause_and_an_answered_one_has_none() {
        let of = |failure| {
            FailedRequests::of(&CapacityFeedback {
                failure,
                ..CapacityFeedback::default()
            })
        };
        assert_eq!(of(None).total(), 0);
        for failure in [
            RequestFailure::Service,
            RequestFailure::Unanswered,
            RequestFailure::Other,
        ] {
            assert_eq!(of(Some(failure)).total(), 1);
        }
        assert_eq!(of(Some(RequestFailure::Unanswered)).unanswered, 1);
    }
}

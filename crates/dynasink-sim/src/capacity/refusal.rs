//! Why a write was refused for want of capacity, in the service's words.

/// Why a write was refused for want of capacity.
///
/// Source: API reference, `ThrottlingReason`; Developer Guide, *Troubleshooting throttling in Amazon `DynamoDB`*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Refusal {
    /// The limit that was reached.
    pub limit: Limit,
    /// The global index whose limit it is, by its number in the table's schema; none for the table's own.
    pub index: Option<usize>,
    on_demand: bool,
}

/// A limit on the rate of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// The provisioned capacity of the table or the index, its burst capacity included.
    Provisioned,
    /// What one partition can take, or what an on-demand table or index has grown to so far.
    KeyRange,
    /// The maximum that was set for an on-demand table or index.
    MaxOnDemand,
    /// The quota of the account.
    Account,
}

/// The error that answers a request of which everything was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exception {
    /// `ProvisionedThroughputExceededException`.
    ProvisionedThroughputExceeded,
    /// `ThrottlingException`.
    Throttling,
    /// `RequestLimitExceeded`.
    RequestLimitExceeded,
}

impl Refusal {
    /// A refusal by a table or index that is billed on demand or not.
    pub(super) fn new(limit: Limit, index: Option<usize>, on_demand: bool) -> Self {
        Self {
            limit,
            index,
            on_demand,
        }
    }

    /// The reason as it goes over the wire: resource, operation and limit in one word.
    ///
    /// Source: API reference, `ThrottlingReason`, `reason`.
    pub fn reason(&self) -> &'static str {
        match (self.index, self.limit) {
            (None, Limit::Provisioned) => "TableWriteProvisionedThroughputExceeded",
            (None, Limit::KeyRange) => "TableWriteKeyRangeThroughputExceeded",
            (None, Limit::MaxOnDemand) => "TableWriteMaxOnDemandThroughputExceeded",
            (None, Limit::Account) => "TableWriteAccountLimitExceeded",
            (Some(_), Limit::Provisioned) => "IndexWriteProvisionedThroughputExceeded",
            (Some(_), Limit::KeyRange) => "IndexWriteKeyRangeThroughputExceeded",
            (Some(_), Limit::MaxOnDemand) => "IndexWriteMaxOnDemandThroughputExceeded",
            (Some(_), Limit::Account) => "IndexWriteAccountLimitExceeded",
        }
    }

    /// The error for a request of which every write was refused, this one first.
    ///
    /// Sources: Developer Guide, *Troubleshooting throttling in Amazon `DynamoDB`*, for provisioned capacity and
    /// for the maximum on demand; API reference, `RequestLimitExceeded`, "exceeds the current throughput quota for
    /// your account". \[assumption\] A key range follows the billing mode.
    pub(crate) fn exception(&self) -> Exception {
        match self.limit {
            Limit::Account => Exception::RequestLimitExceeded,
            _ if self.on_demand => Exception::Throttling,
            _ => Exception::ProvisionedThroughputExceeded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_resource_operation_and_limit_in_one_word() {
        for (limit, word) in [
            (Limit::Provisioned, "ProvisionedThroughputExceeded"),
            (Limit::KeyRange, "KeyRangeThroughputExceeded"),
            (Limit::MaxOnDemand, "MaxOnDemandThroughputExceeded"),
            (Limit::Account, "AccountLimitExceeded"),
        ] {
            for (index, resource) in [(None, "Table"), (Some(0), "Index")] {
                assert_eq!(
                    Refusal::new(limit, index, false).reason(),
                    format!("{resource}Write{word}")
                );
            }
        }
    }

    #[test]
    fn the_exception_follows_the_billing_mode_except_for_the_account() {
        use Exception::{ProvisionedThroughputExceeded, RequestLimitExceeded, Throttling};
        for (limit, on_demand, exception) in [
            (Limit::Provisioned, false, ProvisionedThroughputExceeded),
            (Limit::KeyRange, false, ProvisionedThroughputExceeded),
            (Limit::KeyRange, true, Throttling),
            (Limit::MaxOnDemand, true, Throttling),
            (Limit::Account, false, RequestLimitExceeded),
            (Limit::Account, true, RequestLimitExceeded),
        ] {
            for index in [None, Some(1)] {
                let refusal = Refusal::new(limit, index, on_demand);
                assert_eq!(refusal.exception(), exception, "{refusal:?}");
            }
        }
    }
}

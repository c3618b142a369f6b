//! Of what there is too little when the service refuses.

/// What a throttle is about: what else is slowed down by it, and what would help.
///
/// Source: *Diagnosing throttling*, "Understanding DynamoDB throttling reasons".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThrottleScope {
    /// The provisioned capacity of the table.
    Table,
    /// The provisioned capacity of an index.
    Index,
    /// One partition of the table or of an index: too much is written to neighbouring keys.
    KeyRange,
    /// The quota of the account in the region: other tables are slowed down too.
    Account,
    /// The maximum that has been set for the table or index on demand.
    OnDemandMaximum,
}

/// A reason that the service gives for a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Throttle {
    /// What there is too little of.
    pub scope: ThrottleScope,
    /// The index whose it is; none if it is the table's or the account's.
    pub index: Option<String>,
}

//! How a simulated `DynamoDB` hands out capacity: what AWS documents, and what it leaves open.

use std::time::Duration;

use dynasink_core::WriteUnits;

/// Source: Developer Guide, *`DynamoDB` burst and adaptive capacity*: up to five minutes of unused capacity.
const BURST: Duration = Duration::from_mins(5);

/// Source: Developer Guide, *Best practices for designing and using partition keys effectively in `DynamoDB`*: a
/// partition delivers at most 1,000 write units per second.
const PARTITION_RATE: WriteUnits = WriteUnits::new(1000);

/// \[assumption\] Source of the rule, which names no time: AWS Database Blog, *Scaling `DynamoDB`: How partitions,
/// hot keys, and split for heat impact performance*: partitions with traffic near their limit are split.
const SPLIT_AFTER: Duration = Duration::from_mins(10);

/// Source: Developer Guide, *`DynamoDB` on-demand capacity mode*: a new table sustains up to 4,000 writes per second.
const ON_DEMAND_START: WriteUnits = WriteUnits::new(4000);

/// Source: Developer Guide, *`DynamoDB` on-demand capacity mode*: more than double the previous peak within 30
/// minutes may be throttled.
const ON_DEMAND_RAMP: Duration = Duration::from_mins(30);

/// \[assumption\] Source of the rule, which names no amount: Developer Guide, *Using Global Secondary Indexes in
/// `DynamoDB`*: the writes of a table are throttled if an index cannot keep up.
const INDEX_BACKLOG: Duration = Duration::from_secs(10);

/// How a simulated `DynamoDB` hands out capacity. The default is the service as AWS documents it; what AWS leaves
/// open has a default marked as an assumption.
///
/// ```
/// use std::time::Duration;
///
/// use dynasink_core::WriteUnits;
/// use dynasink_sim::{Admit, CapacityModel};
///
/// // Strict about large items, quick to split, and with a quota for the account.
/// let model = CapacityModel::default()
///     .admit(Admit::Strict)
///     .split_after(Duration::from_secs(60))
///     .account_limit(Some(WriteUnits::new(80_000)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CapacityModel {
    pub(super) burst: Duration,
    pub(super) partition_rate: WriteUnits,
    pub(super) admit: Admit,
    pub(super) account_limit: Option<WriteUnits>,
    pub(super) split_after: Duration,
    pub(super) on_demand_start: WriteUnits,
    pub(super) on_demand_ramp: Duration,
    pub(super) index_backlog: Duration,
}

/// What happens to an item that costs more units than there are.
///
/// AWS does not say. Its error page hints at [`Strict`](Self::Strict), "the problem might be the request size
/// exceeding your provisioned throughput".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Admit {
    /// It is written if one unit is left, and the rest is owed: nothing is written until the debt is paid back.
    #[default]
    Debt,
    /// It is refused until the whole cost has been saved up. One that costs more than can be saved up, five minutes
    /// of a table's capacity or one second of a partition's, is never written.
    Strict,
}

impl Default for CapacityModel {
    fn default() -> Self {
        Self {
            burst: BURST,
            partition_rate: PARTITION_RATE,
            admit: Admit::default(),
            account_limit: None,
            split_after: SPLIT_AFTER,
            on_demand_start: ON_DEMAND_START,
            on_demand_ramp: ON_DEMAND_RAMP,
            index_backlog: INDEX_BACKLOG,
        }
    }
}

impl CapacityModel {
    /// For how long provisioned capacity that is not used is saved up. 300 seconds, unless set; at least one second.
    pub fn burst(mut self, burst: Duration) -> Self {
        self.burst = burst;
        self
    }

    /// What one partition can take, in units per second; burst capacity does not lift it. 1,000, unless set; at
    /// least one.
    pub fn partition_rate(mut self, rate: WriteUnits) -> Self {
        self.partition_rate = rate.max(WriteUnits::new(1));
        self
    }

    /// What happens to an item that costs more units than there are. [`Admit::Debt`], unless set: an assumption.
    pub fn admit(mut self, admit: Admit) -> Self {
        self.admit = admit;
        self
    }

    /// What all tables and their global indexes can take together, in units per second. No limit, unless set: the
    /// quotas of an account are a matter between its owner and AWS.
    pub fn account_limit(mut self, limit: Option<WriteUnits>) -> Self {
        self.account_limit = limit;
        self
    }

    /// For how long a partition must be near its limit, and refuse writes, until it is split in two. Ten minutes,
    /// unless set: an assumption. A partition that is hot for a single partition key is never split.
    pub fn split_after(mut self, heat: Duration) -> Self {
        self.split_after = heat;
        self
    }

    /// What a new on-demand table or index can take, in units per second. 4,000, unless set.
    pub fn on_demand_start(mut self, capacity: WriteUnits) -> Self {
        self.on_demand_start = capacity;
        self
    }

    /// How long after a peak an on-demand table or index can take twice as much. 30 minutes, unless set.
    pub fn on_demand_ramp(mut self, ramp: Duration) -> Self {
        self.on_demand_ramp = ramp;
        self
    }

    /// How many seconds of its capacity a global index may lag behind its table, until writes to the table that
    /// touch it are refused. Ten seconds, unless set: an assumption.
    pub fn index_backlog(mut self, backlog: Duration) -> Self {
        self.index_backlog = backlog;
        self
    }
}

//! What a load cannot be faster than, and which of it holds this one back.

use dynasink_sim::Resource;
use serde::Serialize;

use super::figures::{percent, rounded, time};
use super::ranking::Ranked;
use super::sample::Sample;
use super::setting::{InFlight, Pace};
use super::table::{PARTITION_WCU, TunedTable};
use super::trial::Trial;

/// A load this much slower than its limits is held back by something that is not one of them.
const UNEXPLAINED: f64 = 1.1;
/// A partition that gives that share of its limit in a second is busy.
const BUSY: f64 = 0.9;

/// Something of which there is only so much.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The table's capacity.
    Table {
        /// Units per second.
        wcu: u64,
    },
    /// The capacity of a global index.
    Index {
        /// Which.
        name: String,
        /// Units per second.
        wcu: u64,
    },
    /// What a partition takes, of which one partition key alone has the greatest part.
    PartitionKey {
        /// The share of all units that are written to this key.
        share: f64,
    },
    /// What a partition takes.
    Partition {
        /// The share of all units that are written to this partition.
        share: f64,
    },
    /// Requests in flight.
    Concurrency {
        /// How many.
        requests: usize,
    },
    /// Rows that stand beside each other are written to one partition.
    Order,
    /// The rate that is set.
    Rate {
        /// Units per second.
        wcu: u64,
    },
    /// What the table can take is found out on the way.
    Search,
}

/// A limit, and how long the load takes at least because of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// The limit.
    pub limit: Limit,
    /// The least time, in seconds.
    pub seconds: f64,
}

/// The bounds of a load, the one that holds it back first.
pub(super) fn bounds(ranked: &Ranked, table: &TunedTable, sample: &Sample) -> Vec<Bound> {
    let trial = &ranked.trial;
    let scale = sample.scale();
    let all = trial.table_units() as f64 * scale;
    let mut bounds = vec![Bound {
        limit: Limit::Table { wcu: table.wcu() },
        seconds: all / table.wcu() as f64,
    }];
    let mut partition: u64 = 0;
    for (resource, units) in &trial.units {
        match resource {
            Resource::Index(_, name) => {
                let index = table.indexes().iter().find(|(index, _)| index == name);
                if let Some((name, wcu)) = index {
                    bounds.push(Bound {
                        limit: Limit::Index {
                            name: name.clone(),
                            wcu: *wcu,
                        },
                        seconds: *units as f64 * scale / *wcu as f64,
                    });
                }
            }
            Resource::Partition(..) => partition = partition.max(*units),
            _ => {}
        }
    }
    bounds.push(busiest(partition as f64 * scale, all, sample));
    if let InFlight::Fixed(requests) = trial.setting.concurrency {
        let seconds = trial.requests as f64 * trial.latency.as_secs_f64() * scale;
        bounds.push(Bound {
            limit: Limit::Concurrency { requests },
            seconds: seconds / requests as f64,
        });
    }
    if let Pace::Fixed { wcu, .. } = trial.setting.rate {
        bounds.push(Bound {
            limit: Limit::Rate { wcu },
            seconds: all / wcu as f64,
        });
    }
    bounds.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let least = bounds.first().map_or(0.0, |bound| bound.seconds);
    if ranked.seconds > least * UNEXPLAINED {
        bounds.insert(
            0,
            Bound {
                limit: unexplained(trial),
                seconds: ranked.seconds,
            },
        );
    }
    bounds
}

/// The busiest partition, or the partition key that makes it so.
fn busiest(partition: f64, all: f64, sample: &Sample) -> Bound {
    let key = sample.hottest_key_share();
    let share = partition / all.max(1.0);
    Bound {
        limit: if key >= 0.9 * share {
            Limit::PartitionKey { share: key }
        } else {
            Limit::Partition { share }
        },
        seconds: partition / PARTITION_WCU as f64,
    }
}

/// What slows a load that no limit explains.
fn unexplained(trial: &Trial) -> Limit {
    let busy = trial
        .busiest_partition
        .iter()
        .filter(|units| **units as f64 >= BUSY * PARTITION_WCU as f64)
        .count();
    if 2 * busy > trial.busiest_partition.len() {
        Limit::Order
    } else {
        Limit::Search
    }
}

impl Limit {
    /// What it is, in words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Table { wcu } => format!("the table: {} WCU/s", rounded(*wcu as f64)),
            Self::Index { name, wcu } => format!("index {name}: {} WCU/s", rounded(*wcu as f64)),
            Self::PartitionKey { share } => format!(
                "the hottest partition key: {} of the units, and its partition gives {} WCU/s",
                percent(*share),
                rounded(PARTITION_WCU as f64)
            ),
            Self::Partition { share } => format!(
                "the busiest partition: {} of the units at {} WCU/s",
                percent(*share),
                rounded(PARTITION_WCU as f64)
            ),
            Self::Concurrency { requests } => format!("latency: {requests} requests in flight"),
            Self::Order => {
                "the order of the rows: neighbours go to one partition, which gives 1,000 WCU/s"
                    .to_owned()
            }
            Self::Rate { wcu } => format!("the rate that is set: {} WCU/s", rounded(*wcu as f64)),
            Self::Search => "finding out what the table can take".to_owned(),
        }
    }

    /// What would help against it, until `next` holds the load back.
    pub(super) fn remedy(&self, next: Option<&Bound>) -> String {
        let until = next.map_or(String::new(), |next| {
            format!(
                "; the next limit is {}, which allows {}",
                next.limit.describe(),
                time(next.seconds)
            )
        });
        match self {
            Self::Table { .. } => format!("more write capacity of the table{until}"),
            Self::Index { name, .. } => {
                format!("more write capacity of index {name}, or creating it after the load{until}")
            }
            Self::PartitionKey { .. } => {
                format!("a partition key with more values, such as one with a suffix; capacity does not{until}")
            }
            Self::Partition { .. } => {
                format!("partition keys with more values, or more partitions: warm throughput set before the load splits them{until}")
            }
            Self::Concurrency { .. } => format!("more requests in flight, or a shorter way to the service{until}"),
            Self::Order => {
                "files that are shuffled, or that are sorted each for itself so that --interleave mixes them".to_owned()
            }
            Self::Rate { .. } => format!("a higher --rate{until}"),
            Self::Search => "--rate with the number, if you know it".to_owned(),
        }
    }
}

//! What really happened: every request, what was applied when, what was refused and why.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;
use dynasink_core::{PrimaryKey, WriteAction};
use siphasher::sip::SipHasher13;

use crate::fault::Fault;

/// The truth about a simulation, as the service knows it and no client does. Times are those since its start.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    requests: Vec<RequestRecord>,
    units: BTreeMap<Resource, BTreeMap<u64, u64>>,
    totals: Totals,
}

/// One request that writes.
#[derive(Clone, Debug, Hash)]
pub struct RequestRecord {
    /// When it came in.
    pub arrived: Duration,
    /// When its operations were applied, if any were.
    pub applied: Option<Duration>,
    /// When its client had an answer, a broken connection, or enough of waiting. None while it is under way.
    pub ended: Option<Duration>,
    /// What went wrong with it by seed or by script.
    pub fault: Option<Fault>,
    /// What the service made of it.
    pub verdict: Verdict,
    /// Its operations, in the order of the request. Empty if they cannot be read.
    pub writes: Vec<WriteRecord>,
}

/// What the service made of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It has not come to that yet, or never did.
    Pending,
    /// Some or all of its operations were applied.
    Taken,
    /// Every operation was refused for want of capacity.
    Throttled,
    /// It broke a rule of the service, which says so in these words. Nothing was applied.
    Illegal(String),
    /// An item collection had no room. Nothing was applied.
    CollectionFull,
    /// It named a table that is not there. Nothing was applied.
    TableMissing(String),
    /// The service failed, or the client's credentials had expired. Nothing was applied.
    Failed,
}

/// One operation of a request.
#[derive(Clone, Debug, Hash)]
pub struct WriteRecord {
    /// The item.
    pub key: PrimaryKey,
    /// Put or delete.
    pub action: WriteAction,
    /// The item of a put or the key of a delete, as DynamoDB JSON.
    pub json: Bytes,
    /// What became of it.
    pub decision: Decision,
}

/// What became of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It was not looked at.
    NotReached,
    /// It was applied, and drew that many units from the table and its indexes.
    Applied(u64),
    /// It was refused for want of capacity, for that reason: a word of `ThrottlingReason`.
    Refused(&'static str),
    /// It failed inside the service.
    Failed,
}

/// What draws units.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// A table, its local indexes included.
    Table(String),
    /// A global index: the table's name and its own.
    Index(String, String),
    /// One partition of a table, by its number.
    Partition(String, usize),
}

/// What was counted over the whole simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests that write.
    pub requests: u64,
    /// Operations applied.
    pub applied: u64,
    /// Operations refused for want of capacity.
    pub refused: u64,
    /// Requests that broke a rule of the service.
    pub illegal: u64,
    /// Units drawn from tables and indexes.
    pub units: u64,
}

impl Audit {
    /// Every request that writes, in the order in which they came. Empty if the simulator keeps
    /// [totals only](crate::SimulatorBuilder::totals_only).
    pub fn requests(&self) -> &[RequestRecord] {
        &self.requests
    }

    /// What was counted.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The requests that broke a rule of the service, each with the service's words.
    pub fn illegal(&self) -> impl Iterator<Item = (&RequestRecord, &str)> {
        self.requests
            .iter()
            .filter_map(|request| match &request.verdict {
                Verdict::Illegal(why) => Some((request, why.as_str())),
                _ => None,
            })
    }

    /// Units drawn from `resource` in each second since the start: only seconds with any are listed.
    pub fn units_per_second(&self, resource: &Resource) -> BTreeMap<u64, u64> {
        self.units.get(resource).cloned().unwrap_or_default()
    }

    /// Everything that drew units.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.units.keys()
    }

    /// The most units that were drawn from `resource` within any `seconds` whole seconds on end.
    pub fn most_units_within(&self, resource: &Resource, seconds: u64) -> u64 {
        let Some(drawn) = self.units.get(resource) else {
            return 0;
        };
        let from = |start: u64| drawn.range(start..start.saturating_add(seconds));
        drawn
            .keys()
            .map(|start| from(*start).map(|(_, units)| units).sum())
            .max()
            .unwrap_or(0)
    }

    /// What was applied to each key, in the order in which it was applied, and when.
    pub fn history(&self) -> HashMap<&PrimaryKey, Vec<(Duration, &WriteRecord)>> {
        let mut histories: HashMap<_, Vec<_>> = HashMap::new();
        for request in &self.requests {
            for write in &request.writes {
                if let (Decision::Applied(_), Some(at)) = (write.decision, request.applied) {
                    histories.entry(&write.key).or_default().push((at, write));
                }
            }
        }
        for history in histories.values_mut() {
            history.sort_by_key(|(at, _)| *at);
        }
        histories
    }

    /// A key that two requests carried at one time, if there is any: nobody knows which of them is applied last.
    pub fn key_twice_in_flight(&self) -> Option<&PrimaryKey> {
        let mut busy_until: HashMap<&PrimaryKey, Duration> = HashMap::new();
        // In the order of arrival, so the last end seen is what the next one must not overlap.
        for request in &self.requests {
            let ended = request.ended.unwrap_or(Duration::MAX);
            for write in &request.writes {
                if let Some(until) = busy_until.get(&write.key)
                    && request.arrived < *until
                {
                    return Some(&write.key);
                }
                busy_until.insert(&write.key, ended);
            }
        }
        None
    }

    /// A digest of all that happened: two runs of one seed have the same.
    pub fn trace(&self) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(0, 0);
        self.requests.hash(&mut hasher);
        hasher.finish()
    }

    pub(crate) fn arrive(&mut self, request: RequestRecord, keep: bool) {
        self.totals.requests += 1;
        if keep {
            self.requests.push(request);
        }
    }

    /// The request of that number, if requests are kept. The first has number 1.
    pub(crate) fn request(&mut self, number: u64) -> Option<&mut RequestRecord> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.requests.get_mut(index)
    }

    pub(crate) fn count(&mut self, decision: Decision) {
        match decision {
            Decision::Applied(units) => {
                self.totals.applied += 1;
                self.totals.units += units;
            }
            Decision::Refused(_) => self.totals.refused += 1,
            Decision::NotReached | Decision::Failed => {}
        }
    }

    pub(crate) fn count_illegal(&mut self) {
        self.totals.illegal += 1;
    }

    pub(crate) fn draw(&mut self, resource: Resource, at: Duration, units: u64) {
        if units > 0 {
            let seconds = self.units.entry(resource).or_default();
            *seconds.entry(at.as_secs()).or_default() += units;
        }
    }
}

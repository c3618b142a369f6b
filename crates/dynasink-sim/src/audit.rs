//! What really happened: every request, what was applied when, what was refused and why.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;
use dynasink_core::{PrimaryKey, WriteAction};
use siphasher::sip::SipHasher13;

use crate::capacity::Refusal;
use crate::fault::Fault;

/// The truth about a simulation, as the service knows it and no client does. Times are those since its start.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    requests: Vec<RequestRecord>,
    units: BTreeMap<Resource, BTreeMap<u64, u64>>,
    totals: Totals,
    in_flight: u64,
    last_applied: Option<Duration>,
    /// How many things have happened: several may at one instant.
    events: u64,
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
    /// The numbers of its events, of which those with a greater number happened later.
    pub(crate) events: Events,
}

#[derive(Clone, Copy, Debug, Default, Hash)]
pub(crate) struct Events {
    arrived: u64,
    applied: u64,
    ended: Option<u64>,
}

/// What the service made of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// The service failed, or the client's credentials had expired or do not permit it. Nothing was applied.
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
#[non_exhaustive]
pub enum Decision {
    /// It was not looked at.
    NotReached,
    /// It was applied, and drew that many units from the table and its indexes.
    Applied(u64),
    /// It was refused for want of that capacity.
    Refused(Refusal),
    /// It failed inside the service.
    Failed,
}

/// What draws units.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
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

    /// Requests that are under way.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// When an operation was applied for the last time.
    pub fn last_applied(&self) -> Option<Duration> {
        self.last_applied
    }

    /// The requests that broke a rule of the service, each with the service's words. Empty if requests are not kept:
    /// [`totals`](Self::totals) counts them all the same.
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
        let mut applied: Vec<_> = self
            .requests
            .iter()
            .filter_map(|request| Some((request.events.applied, request.applied?, request)))
            .collect();
        applied.sort_by_key(|(event, ..)| *event);
        let mut histories: HashMap<_, Vec<_>> = HashMap::new();
        for (_, at, request) in applied {
            for write in &request.writes {
                if matches!(write.decision, Decision::Applied(_)) {
                    histories.entry(&write.key).or_default().push((at, write));
                }
            }
        }
        histories
    }

    /// A key that two requests carried at one time, if there is any: nobody knows which of them is applied last.
    pub fn key_twice_in_flight(&self) -> Option<&PrimaryKey> {
        let mut busy_until: HashMap<&PrimaryKey, u64> = HashMap::new();
        // In the order of arrival, so the last end seen is what the next one must not overlap.
        for request in &self.requests {
            let Events { arrived, ended, .. } = request.events;
            for write in &request.writes {
                let until = busy_until.entry(&write.key).or_default();
                if arrived < *until {
                    return Some(&write.key);
                }
                *until = ended.unwrap_or(u64::MAX);
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

    pub(crate) fn arrive(&mut self, mut request: RequestRecord, keep: bool) {
        self.totals.requests += 1;
        self.in_flight += 1;
        if keep {
            request.events.arrived = self.next_event();
            self.requests.push(request);
        }
    }

    /// Notes that a request was decided about; its operations were applied at that time, if any were.
    pub(crate) fn decide(
        &mut self,
        number: u64,
        verdict: Verdict,
        applied: Option<Duration>,
        decisions: &[Decision],
    ) {
        self.last_applied = applied.or(self.last_applied);
        let event = self.next_event();
        if let Some(request) = self.request(number) {
            request.events.applied = event;
            request.applied = applied;
            request.verdict = verdict;
            for (write, decision) in request.writes.iter_mut().zip(decisions) {
                write.decision = *decision;
            }
        }
    }

    /// Notes that the client of a request no longer waits.
    pub(crate) fn end(&mut self, number: u64, now: Duration) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let event = self.next_event();
        if let Some(request) = self.request(number) {
            request.events.ended = Some(event);
            request.ended = Some(now);
        }
    }

    /// Notes that a request was refused before its operations were looked at, whatever fault it was to have.
    pub(crate) fn refuse(&mut self, number: u64, verdict: Verdict) {
        if matches!(verdict, Verdict::Illegal(_)) {
            self.totals.illegal += 1;
        }
        if let Some(request) = self.request(number) {
            if verdict != Verdict::Failed {
                request.fault = None;
            }
            request.verdict = verdict;
        }
    }

    /// The request of that number, if requests are kept. The first has number 1.
    fn request(&mut self, number: u64) -> Option<&mut RequestRecord> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.requests.get_mut(index)
    }

    fn next_event(&mut self) -> u64 {
        self.events += 1;
        self.events
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

    pub(crate) fn draw(&mut self, resource: &Resource, at: Duration, units: u64) {
        if units == 0 {
            return;
        }
        if !self.units.contains_key(resource) {
            self.units.insert(resource.clone(), BTreeMap::new());
        }
        if let Some(seconds) = self.units.get_mut(resource) {
            *seconds.entry(at.as_secs()).or_default() += units;
        }
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{KeyType, TableSchema};
    use serde_json::json;

    use super::*;

    fn put(id: u32, value: u32) -> WriteRecord {
        let users = TableSchema::builder("users").partition_key("id", KeyType::N);
        let op = users
            .build()
            .unwrap()
            .put_serde(&json!({ "id": id, "value": value }));
        let op = op.unwrap();
        WriteRecord {
            key: op.key().clone(),
            action: op.action(),
            json: op.item().json().clone(),
            decision: Decision::NotReached,
        }
    }

    fn request(writes: Vec<WriteRecord>) -> RequestRecord {
        RequestRecord {
            arrived: Duration::ZERO,
            applied: None,
            ended: None,
            fault: None,
            verdict: Verdict::Pending,
            writes,
            events: Events::default(),
        }
    }

    /// What happens to the request of a number.
    enum Event {
        Arrives(u32),
        Applied(u64),
        Ends(u64),
    }
    use Event::{Applied, Arrives, Ends};

    /// Everything happens at one instant, in that order; each request puts one item.
    fn audit(events: impl IntoIterator<Item = Event>) -> Audit {
        let mut audit = Audit::default();
        for event in events {
            match event {
                Arrives(id) => {
                    let value = u32::try_from(audit.requests.len()).unwrap();
                    audit.arrive(request(vec![put(id, value)]), true);
                }
                Applied(number) => audit.decide(
                    number,
                    Verdict::Taken,
                    Some(Duration::ZERO),
                    &[Decision::Applied(1)],
                ),
                Ends(number) => audit.end(number, Duration::ZERO),
            }
        }
        audit
    }

    #[test]
    fn a_key_in_two_requests_at_one_time_is_found() {
        let one_after_the_other = audit([Arrives(7), Ends(1), Arrives(7), Ends(2), Arrives(8)]);
        assert_eq!(one_after_the_other.key_twice_in_flight(), None);
        let other_keys = audit([Arrives(7), Arrives(8), Ends(2), Ends(1)]);
        assert_eq!(other_keys.key_twice_in_flight(), None);
        let key = put(7, 0).key;
        let overlapping = audit([
            Arrives(7),
            Arrives(8),
            Arrives(7),
            Ends(1),
            Ends(2),
            Ends(3),
        ]);
        assert_eq!(overlapping.key_twice_in_flight(), Some(&key));
        let never_answered = audit([Arrives(7), Applied(1), Arrives(7)]);
        assert_eq!(never_answered.key_twice_in_flight(), Some(&key));
    }

    #[test]
    fn history_is_in_the_order_of_application_even_at_one_instant() {
        let audit = audit([Arrives(7), Arrives(7), Arrives(7), Applied(2), Applied(1)]);
        let history = &audit.history()[&put(7, 0).key];
        let values: Vec<_> = history
            .iter()
            .map(|(_, write)| serde_json::from_slice::<serde_json::Value>(&write.json).unwrap())
            .map(|item| item["value"]["N"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(values, ["1", "0"], "the third was not applied");
    }

    #[test]
    fn a_refused_request_had_no_fault_and_an_illegal_one_is_counted() {
        let mut audit = Audit::default();
        for verdict in [Verdict::Illegal("twice".to_owned()), Verdict::Failed] {
            let mut request = request(Vec::new());
            request.fault = Some(Fault::Internal);
            audit.arrive(request, true);
            audit.refuse(audit.totals().requests, verdict);
        }
        assert_eq!(audit.totals().illegal, 1);
        let illegal: Vec<_> = audit
            .illegal()
            .map(|(request, why)| (request.fault, why))
            .collect();
        assert_eq!(illegal, [(None, "twice")]);
        assert_eq!(audit.requests()[1].fault, Some(Fault::Internal));
    }

    #[test]
    fn units_are_summed_over_seconds_on_end() {
        let mut audit = Audit::default();
        let table = || Resource::Table("users".to_owned());
        for (second, units) in [(0, 10), (1, 30), (1, 5), (4, 20), (5, 20), (9, 39)] {
            audit.draw(&table(), Duration::from_secs(second), units);
        }
        assert_eq!(audit.units_per_second(&table())[&1], 35);
        for (seconds, most) in [(1, 39), (2, 45), (3, 45), (5, 75), (100, 124)] {
            assert_eq!(
                audit.most_units_within(&table(), seconds),
                most,
                "{seconds}"
            );
        }
        assert_eq!(
            audit.most_units_within(&Resource::Table("other".to_owned()), 9),
            0
        );
    }

    #[test]
    fn the_trace_tells_any_difference() {
        let trace = |events: Vec<Event>| audit(events).trace();
        let same = || vec![Arrives(7), Applied(1), Ends(1)];
        assert_eq!(trace(same()), trace(same()));
        assert_ne!(trace(same()), trace(vec![Arrives(8), Applied(1), Ends(1)]));
        assert_ne!(trace(same()), trace(vec![Arrives(7), Ends(1)]));
    }
}

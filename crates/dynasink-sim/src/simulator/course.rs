//! The course of one request: it arrives, is decided about, and is answered, unless something goes wrong.

use std::sync::Arc;
use std::time::Duration;

use super::Simulator;
use super::state::{Answer, Chance};
use crate::audit::{Audit, Decision, Events, RequestRecord, Verdict, WriteRecord};
use crate::fault::{Fault, Stream};
use crate::store::PlannedWrite;

/// How a request ends, as its client sees it.
#[derive(Debug)]
pub(super) enum End {
    /// The service's answer arrives.
    Answered(Answer),
    /// The service's answer, of which only the head arrives at once.
    Slow(Answer, Duration),
    /// The service's answer breaks off.
    Truncated(Answer),
    /// An answer in place of the service's own, which says nothing of what was applied.
    Unreadable(&'static str),
    /// The service fails, or refuses the credentials.
    Failed(Fault),
    /// There is no connection.
    Refused,
    /// The connection breaks.
    Reset,
    /// Nothing ever arrives.
    Never,
}

/// Notes when a client has its answer or goes away.
#[derive(Debug)]
pub(super) struct UnderWay {
    simulator: Simulator,
    number: u64,
    fault: Option<Fault>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let now = self.simulator.now();
        let (number, client) = (self.number, self.simulator.client.as_deref());
        let mut state = self.simulator.state();
        state
            .audits(client)
            .for_each(|audit| audit.end(number, now));
    }
}

impl Simulator {
    /// Notes a request that writes; it is under way until what is returned is dropped.
    pub(super) fn arrive(&self, writes: &[PlannedWrite]) -> UnderWay {
        let now = self.now();
        let mut state = self.state();
        state.make_changes_due(&self.service.settings, now);
        let number = state.audit.totals().requests + 1;
        let fault = self
            .service
            .settings
            .faults
            .draw(self.service.dice, number, now);
        let record = RequestRecord {
            arrived: now,
            applied: None,
            ended: None,
            fault,
            verdict: Verdict::Pending,
            writes: writes.iter().map(record).collect(),
            events: Events::default(),
        };
        if let Some(client) = &self.client {
            let of_client = state.clients.entry(Arc::clone(client)).or_default();
            of_client.arrive(record.clone(), false);
        }
        state
            .audit
            .arrive(record, self.service.settings.keeps_requests);
        UnderWay {
            simulator: self.clone(),
            number,
            fault,
        }
    }

    /// Notes that a request was refused before any of its operations was looked at.
    pub(super) fn note_refused(&self, under_way: &UnderWay, verdict: Verdict) {
        let mut state = self.state();
        for audit in state.audits(self.client.as_deref()) {
            audit.refuse(under_way.number, verdict.clone());
        }
    }

    /// Half of what the request takes: so long to the service, and so long back.
    pub(super) fn half_way(&self, under_way: &UnderWay) -> Duration {
        let chance = self.service.dice.roll(Stream::Latency, under_way.number);
        self.state().latency.draw(chance) / 2
    }

    /// Takes a legal request through its course.
    pub(super) async fn take(&self, under_way: &UnderWay, writes: Vec<PlannedWrite>) -> End {
        let number = under_way.number;
        let half_way = self.half_way(under_way);
        tokio::time::sleep(half_way).await;
        let fault = under_way.fault;
        let end = match fault {
            None | Some(Fault::Partial) => {
                End::Answered(self.apply(number, &writes, fault.is_some()))
            }
            Some(Fault::Refused) => End::Refused,
            Some(Fault::Reset) => End::Reset,
            Some(Fault::Hang) => End::Never,
            Some(
                fault @ (Fault::Internal
                | Fault::Unavailable
                | Fault::Gateway
                | Fault::Expired
                | Fault::Denied),
            ) => {
                self.note_refused(under_way, Verdict::Failed);
                End::Failed(fault)
            }
            Some(Fault::Zombie(later)) => {
                let simulator = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(later).await;
                    simulator.apply(number, &writes, false);
                });
                End::Never
            }
            Some(Fault::Lost) => {
                self.apply(number, &writes, false);
                End::Reset
            }
            Some(Fault::Silent) => {
                self.apply(number, &writes, false);
                End::Never
            }
            Some(Fault::Empty) => {
                self.apply(number, &writes, false);
                End::Unreadable("{}")
            }
            Some(Fault::Garbage) => {
                self.apply(number, &writes, false);
                End::Unreadable("<html>")
            }
            Some(Fault::Slow(later)) => End::Slow(self.apply(number, &writes, false), later),
            Some(Fault::Truncated) => End::Truncated(self.apply(number, &writes, false)),
        };
        tokio::time::sleep(half_way).await;
        end
    }

    /// Decides about the operations, applies them, and notes what became of each.
    fn apply(&self, number: u64, writes: &[PlannedWrite], partial: bool) -> Answer {
        let now = self.now();
        let dice = self.service.dice;
        let chance = Chance {
            order: dice.roll(Stream::Order, number),
            failing: partial.then(|| dice.roll(Stream::Partial, number)),
        };
        let mut state = self.state();
        let client = self.client.as_deref();
        let outcome = state.decide(&self.service.settings, now, client, writes, chance);
        let (verdict, decisions): (_, &[Decision]) = match &outcome {
            Answer::Taken(taken) => (Verdict::Taken, &taken.decisions),
            Answer::Throttled(throttled) => (Verdict::Throttled, &throttled.decisions),
            Answer::CollectionFull => (Verdict::CollectionFull, &[]),
            Answer::StoreFailed(_) => (Verdict::Failed, &[]),
            Answer::TableMissing(table) => (Verdict::TableMissing(table.clone()), &[]),
            Answer::Disagreement(disagreement) => {
                state.audits(client).for_each(Audit::count_illegal);
                (Verdict::Illegal(disagreement.0.body.clone()), &[])
            }
        };
        let any_applied = decisions
            .iter()
            .any(|decision| matches!(decision, Decision::Applied(_)));
        for audit in state.audits(client) {
            decisions.iter().for_each(|decision| audit.count(*decision));
            audit.decide(
                number,
                verdict.clone(),
                any_applied.then_some(now),
                decisions,
            );
        }
        outcome
    }
}

fn record(write: &PlannedWrite) -> WriteRecord {
    WriteRecord {
        key: write.key.clone(),
        action: write.action,
        json: write.json.clone(),
        decision: Decision::NotReached,
    }
}

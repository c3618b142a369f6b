//! Partition keys to which more is written than their partitions take: their operations wait, and others pass.

mod heat;
mod pace;
mod runs;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dynasink_core::limits::MAX_BATCH_OPS;
use dynasink_core::{PartitionKey, PrimaryKey, WriteOp};
use tokio::time::Instant;

use self::heat::{KeyHeat, Try};
use self::pace::KeyPace;
use self::runs::Runs;
use super::pending::PendingOp;

/// Operations that nothing else goes with wait so long for company of their own key.
const COMPANY: Duration = Duration::from_millis(50);

/// A key is no longer hot if it was not refused for so long and nothing of it waits. Its law asks for more every few
/// seconds, so that this is a few answers in which it had enough.
const COOLS_AFTER: Duration = Duration::from_secs(15);

/// So long after a refusal of a hot key, its neighbours may find their partition empty.
const NEIGHBOURS_FOR: Duration = Duration::from_secs(1);

/// Where more of the others is refused lately, they are not the neighbours of a hot key: the table is used up.
const MOST_NEIGHBOURS: f64 = 0.25;

/// While operations of a hot key wait, its partition is nearly empty, and its neighbours may be refused at any time. Where
/// no more than this is refused of the others, it is taken for that.
const FEW_NEIGHBOURS: f64 = 0.01;

/// Most partition keys in a request that is thought to be made of runs.
const MOST_RUNS: usize = 3;

/// Fewest operations of each of them.
const OPS_OF_A_RUN: usize = 4;

/// Most hot keys at a time. Were there more, none would stand out.
const MOST_KEYS: usize = 256;

/// The hot partition keys, each with its operations in the order in which they go, and the law of its rate.
#[derive(Debug, Default)]
pub(super) struct HotKeys {
    heat: KeyHeat,
    runs: Runs,
    /// In an order, so that a run can be repeated.
    keys: BTreeMap<PartitionKey, HotKey>,
    /// When the first operation may go, as of the last time that time went on.
    next_at: Option<Instant>,
}

#[derive(Debug)]
struct HotKey {
    pace: KeyPace,
    parked: VecDeque<Parked>,
    /// Operations that stand in line for their primary key.
    in_lines: usize,
}

/// Bytes of a queue for each operation in it, beside those of the operation: queues grow by doubling.
pub(super) const BYTES_TO_QUEUE: usize = 2 * size_of::<Parked>() - size_of::<WriteOp>();

#[derive(Debug)]
struct Parked {
    pending: PendingOp,
    since: Instant,
}

/// What became of the operations of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered<'a> {
    pub(super) written: &'a [PendingOp],
    pub(super) refused: &'a [PendingOp],
    pub(super) sent: Instant,
    /// Whether the service names a key range as the reason.
    pub(super) key_range: bool,
}

/// What an answer says of hot keys.
#[derive(Debug, Default)]
pub(super) struct Heated {
    /// Keys that are hot from now on.
    pub(super) keys: Vec<PartitionKey>,
    /// Operations that were refused for their keys' sake, or for that of a neighbour.
    pub(super) ops: usize,
}

impl HotKey {
    fn new(pace: KeyPace) -> Self {
        Self {
            pace,
            parked: VecDeque::new(),
            in_lines: 0,
        }
    }
}

/// The partition keys of a request that holds only a few, each with whether it was refused; none if there are more.
fn runs_in(written: &[PendingOp], refused: &[PendingOp]) -> Vec<(PartitionKey, bool)> {
    let ops = written.len() + refused.len();
    let mut runs: Vec<(PartitionKey, bool)> = Vec::new();
    let written = written.iter().map(|pending| (pending, false));
    for (pending, is_refused) in written.chain(refused.iter().map(|pending| (pending, true))) {
        let key = pending.op.key().partition_key();
        if let Some((_, refused)) = runs.iter_mut().find(|(known, _)| *known == key) {
            *refused |= is_refused;
        } else if runs.len() < MOST_RUNS {
            runs.push((key, is_refused));
        } else {
            return Vec::new();
        }
    }
    if ops < runs.len() * OPS_OF_A_RUN {
        return Vec::new();
    }
    runs
}

impl HotKeys {
    /// Operations that wait, in line for their primary keys or ready.
    pub(super) fn parked_ops(&self) -> usize {
        let keys = self.keys.values();
        keys.map(|key| key.parked.len() + key.in_lines).sum()
    }

    /// The partition key of `key`, if it is hot.
    pub(super) fn hot(&self, key: &PrimaryKey) -> Option<PartitionKey> {
        if self.keys.is_empty() {
            return None;
        }
        let key = key.partition_key();
        self.keys.contains_key(&key).then_some(key)
    }

    /// Learns from an answer at `now`.
    pub(super) fn observe(&mut self, now: Instant, answered: Answered<'_>) -> Heated {
        let Answered {
            written,
            refused,
            sent,
            key_range,
        } = answered;
        let (mut cold, mut cold_ops, mut cold_refused) = (Vec::new(), 0, 0);
        let all = written.iter().map(|pending| (pending, false));
        for (pending, was_refused) in all.chain(refused.iter().map(|pending| (pending, true))) {
            let (key, units) = (pending.op.key().partition_key(), pending.op.units().get());
            match self.keys.get_mut(&key) {
                Some(hot) if !was_refused => hot.pace.written(units),
                Some(_) => {}
                None => {
                    cold_ops += 1;
                    cold_refused += usize::from(was_refused);
                    cold.push(Try {
                        key,
                        units,
                        first: pending.attempts <= 1,
                        refused: was_refused,
                    });
                }
            }
        }
        let runs = runs_in(written, refused);
        let used_up = runs.iter().fold(false, |used_up, (key, is_refused)| {
            self.runs.table_is_used_up(now, key, *is_refused) || used_up
        });
        let room = if used_up {
            0
        } else {
            MOST_KEYS.saturating_sub(self.keys.len())
        };
        let heated = self.heat.observe(now, &cold, key_range, room);
        if refused.is_empty() || used_up {
            return Heated::default();
        }
        if !runs.is_empty() {
            let refused_keys = runs.into_iter().filter(|(_, is_refused)| *is_refused);
            let keys = refused_keys.filter_map(|(key, _)| self.heat_run(now, key, sent));
            return Heated {
                keys: keys.collect(),
                ops: refused.len(),
            };
        }
        let others_refused = self.heat.share_refused();
        let neighbours =
            others_refused <= MOST_NEIGHBOURS && (cold_ops < 4 || cold_refused * 2 <= cold_ops);
        let hot_refused: Vec<PartitionKey> = refused
            .iter()
            .filter_map(|pending| self.hot(pending.op.key()))
            .collect();
        let mut keys = Vec::new();
        for (key, taken_per_second) in heated {
            self.heat_up(key.clone(), KeyPace::new(taken_per_second, now));
            keys.push(key);
        }
        // Where the table is used up, a hot key is refused with all the others.
        if !neighbours && keys.is_empty() {
            return Heated { keys, ops: 0 };
        }
        for key in &hot_refused {
            if let Some(hot) = self.keys.get_mut(key) {
                hot.pace.refused(now, sent);
            }
        }
        let near = |hot: &HotKey| {
            now.saturating_duration_since(hot.pace.refused_at()) <= NEIGHBOURS_FOR
                || (!hot.parked.is_empty() && others_refused <= FEW_NEIGHBOURS)
        };
        let ops = if neighbours && self.keys.values().any(near) {
            refused.len()
        } else {
            let hot = refused.iter();
            hot.filter(|pending| self.hot(pending.op.key()).is_some())
                .count()
        };
        Heated { keys, ops }
    }

    /// Notes that a run of `key` was refused for its sake, and gives the key if it is hot from now on.
    fn heat_run(&mut self, now: Instant, key: PartitionKey, sent: Instant) -> Option<PartitionKey> {
        let is_room = self.keys.len() < MOST_KEYS;
        match self.keys.get_mut(&key) {
            Some(hot) => hot.pace.refused(now, sent),
            None if is_room => {
                // A run comes as fast as a partition takes it, and faster.
                self.heat_up(key.clone(), KeyPace::new(f64::INFINITY, now));
                return Some(key);
            }
            None => {}
        }
        None
    }

    /// Makes `key` a hot one, which goes at `pace`.
    fn heat_up(&mut self, key: PartitionKey, pace: KeyPace) {
        tracing::debug!(
            table = key.table().as_str(),
            units_per_second = pace.rate(),
            "a partition key is hot: its operations wait, and others pass"
        );
        self.keys.insert(key, HotKey::new(pace));
    }

    /// Parks an operation of the hot `key` behind the others.
    pub(super) fn park(&mut self, key: &PartitionKey, pending: PendingOp, now: Instant) {
        if let Some(hot) = self.keys.get_mut(key) {
            if hot.parked.is_empty() {
                hot.pace.resume(now);
            }
            let since = now;
            hot.parked.push_back(Parked { pending, since });
        }
    }

    /// Parks an operation of the hot `key` before the others: it came before them, and was refused.
    pub(super) fn park_first(&mut self, key: &PartitionKey, pending: PendingOp, now: Instant) {
        if let Some(hot) = self.keys.get_mut(key) {
            let since = now;
            hot.parked.push_front(Parked { pending, since });
        }
    }

    /// Sends nothing of the hot `key` before `until`.
    pub(super) fn pause_until(&mut self, key: &PartitionKey, until: Instant) {
        if let Some(hot) = self.keys.get_mut(key) {
            hot.pace.pause_until(until);
        }
    }

    /// Notes that so many more operations of the hot `key` stand in line for their primary keys.
    pub(super) fn enter_lines(&mut self, key: &PartitionKey, ops: usize) {
        if let Some(hot) = self.keys.get_mut(key) {
            hot.in_lines += ops;
        }
    }

    /// Notes that an operation of the hot `key` stands in line no more.
    pub(super) fn leave_line(&mut self, key: &PartitionKey) {
        if let Some(hot) = self.keys.get_mut(key) {
            hot.in_lines = hot.in_lines.saturating_sub(1);
        }
    }

    /// Lets time go on to `now`: laws grow, and keys cool down.
    pub(super) fn advance(&mut self, now: Instant) {
        let mut next_at: Option<Instant> = None;
        self.keys.retain(|key, hot| {
            if !hot.parked.is_empty() {
                let own = hot.pace.next_at();
                next_at = Some(next_at.map_or(own, |next_at| next_at.min(own)));
            }
            hot.pace.advance(now, !hot.parked.is_empty());
            let refused_for = now.saturating_duration_since(hot.pace.refused_at());
            let cool = refused_for >= COOLS_AFTER && hot.parked.is_empty() && hot.in_lines == 0;
            if cool {
                tracing::debug!(
                    table = key.table().as_str(),
                    "a partition key is hot no more"
                );
            }
            !cool
        });
        self.next_at = next_at;
    }

    /// Whether operations may go at `now`, to which time went on.
    pub(super) fn is_any_due(&self, now: Instant) -> bool {
        self.next_at.is_some_and(|next_at| next_at <= now)
    }

    /// As many operations as may go at `now`, at most a request full of them: those that have waited longest for their
    /// turn first.
    pub(super) fn due(&self, now: Instant) -> Vec<(&PartitionKey, &PendingOp)> {
        let mut keys: Vec<_> = self
            .keys
            .iter()
            .filter(|(_, hot)| !hot.parked.is_empty() && hot.pace.next_at() <= now)
            .collect();
        keys.sort_by_key(|(_, hot)| hot.pace.next_at());
        let mut due = Vec::new();
        for (key, hot) in keys {
            let mut next_at = hot.pace.next_from(now);
            for parked in &hot.parked {
                if next_at > now || due.len() >= MAX_BATCH_OPS {
                    break;
                }
                due.push((key, &parked.pending));
                next_at = hot.pace.after(next_at, parked.pending.op.units().get());
            }
        }
        due
    }

    /// When operations go though nothing goes with them, as of the time to which time went on.
    pub(super) fn due_alone_at(&self) -> Option<Instant> {
        self.next_at.map(|next_at| next_at + COMPANY)
    }

    /// Takes the first `count` of those that are due at `now` out. The time for which they were parked is no time for
    /// which they were refused.
    pub(super) fn take(&mut self, now: Instant, count: usize) -> Vec<PendingOp> {
        let due = self.due(now).into_iter().take(count);
        let keys: Vec<PartitionKey> = due.map(|(key, _)| key.clone()).collect();
        let mut taken = Vec::with_capacity(count);
        for key in keys {
            let Some(hot) = self.keys.get_mut(&key) else {
                continue;
            };
            if let Some(Parked { mut pending, since }) = hot.parked.pop_front() {
                hot.pace.spend(now, 1, pending.op.units().get());
                pending
                    .failures
                    .excuse(now.saturating_duration_since(since));
                taken.push(pending);
            }
        }
        taken
    }
}

//! Which partition keys are refused for their own sake.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::{AddAssign, Sub};
use std::time::Duration;

use dynasink_core::PartitionKey;
use tokio::time::Instant;

/// What was seen counts half after this long.
const HALF_LIFE: Duration = Duration::from_secs(1);

/// Counts are halved in steps no shorter than this.
const STEP: Duration = Duration::from_millis(100);

/// The first answers of a load come in no shorter time. What is asked of a key may seem more than it is then, and it is
/// the lesser evil to start too fast: that is mended after the next refusal, and what starts too slow grows for seconds.
const GRAIN: Duration = Duration::from_millis(40);

/// Most keys that are suspected at a time.
const MOST_SUSPECTS: usize = 4096;

/// A suspect of which less than this is left, of operations refused, is none any more.
const FORGOTTEN: f64 = 0.2;

/// Operations of a hot key that were refused lately, beyond what was refused of the others.
const EVIDENCE: f64 = 3.0;

/// The same where the service says that a key range is the reason.
const EVIDENCE_WITH_REASON: f64 = 1.0;

/// Beyond that, so many standard deviations of what would be refused by chance: among thousands of keys, some have bad
/// luck.
const DEVIATIONS: f64 = 3.0;

/// A hot key's share of refused operations is so many times that of the others.
const TIMES_THE_OTHERS: f64 = 3.0;

/// Where more than this is refused of the others, it is the table that is used up.
const MOSTLY_CLEAN: f64 = 0.25;

/// A key without others is refused at least so often, if it is hot.
const ALONE: f64 = 0.5;

/// A key of which so many operations of others come on one of its own, or fewer, is alone. One that has just begun to be
/// refused has seen few others, and is not.
const FEW_OTHERS: f64 = 0.125;

/// Fewer operations say nothing about a key, or about the table.
const ENOUGH_OPS: f64 = 8.0;

/// So many units a second asked of one key are near what a partition takes, which is 1,000: refused without others to
/// compare with, it is hot.
///
/// Source: *Best practices for designing and using partition keys effectively*.
const NEAR_THE_LIMIT: f64 = 700.0;

/// Learns from answers which partition keys are hot: refused while others are written.
///
/// Of refusals only the first of each operation counts: a retry says again what the first refusal said. Counts halve each
/// second. A key is suspected from its first refusal on, and compared with the others from then on, so that both were
/// there whenever the table was used up. It is hot if
///
/// - at least three operations more were refused than would have been with the others' share of refusals and bad luck,
///   or one if the service names a key range as the reason, and
/// - its share of refusals is three times that of the others, of which at most a quarter is refused.
///
/// If refusals are spread evenly over keys, none is hot: the table is used up, and its rate has to fall. A key without
/// others to compare with is hot if a key range is the reason, or if as much is asked of it as a partition takes.
///
/// Memory: a few thousand suspects. While nothing is refused there are none.
#[derive(Debug, Default)]
pub(super) struct KeyHeat {
    /// Of all keys that are not known to be hot.
    all: Tally,
    suspects: HashMap<PartitionKey, Suspect>,
    since: Option<Instant>,
    halved_at: Option<Instant>,
}

/// An operation that was tried.
#[derive(Clone, Debug)]
pub(super) struct Try {
    pub(super) key: PartitionKey,
    pub(super) units: u64,
    pub(super) first: bool,
    pub(super) refused: bool,
}

/// What was seen lately. Half of it is gone after a second.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Operations that were tried for the first time, those of them that were refused, their units, and those written.
    ops: f64,
    refused: f64,
    units: f64,
    written_units: f64,
    /// Units of all tries.
    asked_units: f64,
}

#[derive(Clone, Copy, Debug)]
struct Suspect {
    own: Tally,
    /// What had been seen of all before it was suspected.
    before: Tally,
    /// Whether a key range was the reason of a refusal.
    key_range: bool,
}

impl KeyHeat {
    /// Takes note of an answer at `now`, and says which keys are hot by it, at most `room`: each with about how many
    /// units a second it takes.
    pub(super) fn observe(
        &mut self,
        now: Instant,
        tries: &[Try],
        key_range: bool,
        room: usize,
    ) -> Vec<(PartitionKey, f64)> {
        self.forget(now);
        let before = self.all;
        for seen in tries {
            let tally = Tally::of(seen);
            self.all += tally;
            if let Some(suspect) = self.suspects.get_mut(&seen.key) {
                suspect.own += tally;
                suspect.key_range |= seen.first && seen.refused && key_range;
            } else if seen.first && seen.refused && self.suspects.len() < MOST_SUSPECTS {
                let mut own = tally;
                // Of the same answer, what was written of the key before the refusal.
                for earlier in tries
                    .iter()
                    .take_while(|earlier| !std::ptr::eq(*earlier, seen))
                {
                    if earlier.key == seen.key {
                        own += Tally::of(earlier);
                    }
                }
                self.suspects.insert(
                    seen.key.clone(),
                    Suspect {
                        own,
                        before,
                        key_range,
                    },
                );
            }
        }
        let mut hot: Vec<(PartitionKey, f64)> = Vec::new();
        for seen in tries.iter().filter(|seen| seen.first && seen.refused) {
            if hot.len() < room
                && let Some(suspect) = self.suspects.get(&seen.key)
                && self.is_hot(now, suspect)
            {
                let takes = self.takes_per_second(now, suspect);
                self.all = self.all - suspect.own;
                self.suspects.remove(&seen.key);
                hot.push((seen.key.clone(), takes));
            }
        }
        hot
    }

    /// The share of operations that was refused lately of keys that are not hot: none, where too few were tried to say.
    pub(super) fn share_refused(&self) -> f64 {
        if self.all.ops < ENOUGH_OPS {
            return 0.0;
        }
        self.all.share_refused()
    }

    fn is_hot(&self, now: Instant, suspect: &Suspect) -> bool {
        let own = &suspect.own;
        let others = self.others(suspect);
        let evidence = if suspect.key_range {
            EVIDENCE_WITH_REASON
        } else {
            EVIDENCE
        };
        let is_telling = others.ops >= ENOUGH_OPS
            || suspect.key_range
            || self.asked_per_second(now, suspect, STEP) >= NEAR_THE_LIMIT;
        if self.is_alone(suspect) {
            return own.refused >= evidence && own.share_refused() >= ALONE && is_telling;
        }
        let share = others.share_refused();
        let by_chance = own.ops * share;
        own.refused - by_chance >= evidence + DEVIATIONS * by_chance.sqrt()
            && own.share_refused() >= TIMES_THE_OTHERS * share
            && share <= MOSTLY_CLEAN
            && is_telling
    }

    /// Units a second that the suspect seems to take: what was written of it at the first try, at least half of those.
    /// Alone, it is first tried as often as its retries leave room for, and seems to take half of what is asked of it.
    fn takes_per_second(&self, now: Instant, suspect: &Suspect) -> f64 {
        if self.is_alone(suspect) {
            return self.asked_per_second(now, suspect, GRAIN) / 2.0;
        }
        let Suspect { own, before, .. } = suspect;
        let written = own.written_units.max(own.units / 2.0);
        let all_per_second = self.all.units / self.window(now).max(STEP).as_secs_f64();
        all_per_second * written / (self.all - *before).units.max(1.0)
    }

    /// Units that are asked of the suspect in a second, retries included: its part of all since it was suspected, by all
    /// in a second. What was seen was seen in `at_least` so long.
    fn asked_per_second(&self, now: Instant, suspect: &Suspect, at_least: Duration) -> f64 {
        let all_per_second = self.all.asked_units / self.window(now).max(at_least).as_secs_f64();
        let since_suspected = (self.all - suspect.before).asked_units.max(1.0);
        all_per_second * suspect.own.asked_units / since_suspected
    }

    /// Whether enough was seen of the suspect, and next to nothing of others.
    fn is_alone(&self, suspect: &Suspect) -> bool {
        let (own, others) = (suspect.own.ops, self.others(suspect).ops);
        own >= ENOUGH_OPS && others < ENOUGH_OPS && others <= own * FEW_OTHERS
    }

    /// What was seen of the others since the suspect is one.
    fn others(&self, suspect: &Suspect) -> Tally {
        self.all - suspect.before - suspect.own
    }

    /// As much time of a steady flow as counts in a tally.
    fn window(&self, now: Instant) -> Duration {
        let since = self.since.unwrap_or(now);
        let seen_for = now.saturating_duration_since(since).as_secs_f64();
        let mean_life = HALF_LIFE.as_secs_f64() / std::f64::consts::LN_2;
        Duration::from_secs_f64(mean_life * (1.0 - (-seen_for / mean_life).exp()))
    }

    /// Lets what was seen count less and less.
    fn forget(&mut self, now: Instant) {
        self.since.get_or_insert(now);
        let halved_at = *self.halved_at.get_or_insert(now);
        let elapsed = now.saturating_duration_since(halved_at);
        if elapsed < STEP {
            return;
        }
        self.halved_at = Some(now);
        let left = 0.5_f64.powf(elapsed.as_secs_f64() / HALF_LIFE.as_secs_f64());
        self.all.keep(left);
        self.suspects.retain(|_, suspect| {
            suspect.own.keep(left);
            suspect.before.keep(left);
            suspect.own.refused >= FORGOTTEN
        });
    }
}

impl Tally {
    fn of(seen: &Try) -> Self {
        let asked_units = seen.units as f64;
        if !seen.first {
            return Self {
                asked_units,
                ..Self::default()
            };
        }
        Self {
            ops: 1.0,
            refused: f64::from(u8::from(seen.refused)),
            units: asked_units,
            written_units: if seen.refused { 0.0 } else { asked_units },
            asked_units,
        }
    }

    /// Half a refusal of two operations is taken for granted: few operations say little.
    fn share_refused(&self) -> f64 {
        (self.refused + 0.5) / (self.ops + 2.0)
    }

    fn keep(&mut self, left: f64) {
        self.ops *= left;
        self.refused *= left;
        self.units *= left;
        self.written_units *= left;
        self.asked_units *= left;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.ops += other.ops;
        self.refused += other.refused;
        self.units += other.units;
        self.written_units += other.written_units;
        self.asked_units += other.asked_units;
    }
}

impl Sub for Tally {
    type Output = Self;

    /// What is left, at least nothing.
    fn sub(self, other: Self) -> Self {
        Self {
            ops: (self.ops - other.ops).max(0.0),
            refused: (self.refused - other.refused).max(0.0),
            units: (self.units - other.units).max(0.0),
            written_units: (self.written_units - other.written_units).max(0.0),
            asked_units: (self.asked_units - other.asked_units).max(0.0),
        }
    }
}

//! Which partition keys are refused for their own sake.

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

#[cfg(test)]
mod tests {
    use dynasink_core::{KeyType, TableSchema};

    use super::*;

    const MOST_KEYS: usize = 256;
    const MILLISECOND: Duration = Duration::from_millis(1);

    fn keys(count: u64) -> Vec<PartitionKey> {
        let table = TableSchema::builder("users").partition_key("id", KeyType::N);
        let table = table.build().unwrap();
        let key = |id| {
            let item = table.item(|item| item.attribute("id")?.integer(id));
            table.put(item.unwrap()).unwrap().key().partition_key()
        };
        (0..count).map(key).collect()
    }

    fn tried(key: &PartitionKey, refused: bool) -> Try {
        Try {
            key: key.clone(),
            units: 1,
            first: true,
            refused,
        }
    }

    /// Answers of 25 operations every 10 ms for `seconds`, of which `share` are of the first key of `count`. Gives the
    /// hot keys, where `refuse` says by key whether an operation is refused.
    fn hot(
        seconds: u32,
        share: f64,
        count: u64,
        mut refuse: impl FnMut(&mut fastrand::Rng, u64) -> bool,
    ) -> Vec<(PartitionKey, f64)> {
        let (keys, mut rng) = (keys(count), fastrand::Rng::with_seed(1));
        let (mut heat, start, mut hot) = (KeyHeat::default(), Instant::now(), Vec::new());
        for answer in 0..seconds * 100 {
            let tries: Vec<Try> = (0..25)
                .map(|_| {
                    let other = rng.u64(..count);
                    let id = if rng.f64() < share { 0 } else { other };
                    let refused = refuse(&mut rng, id);
                    tried(&keys[usize::try_from(id).unwrap()], refused)
                })
                .collect();
            let now = start + answer * 10 * MILLISECOND;
            hot.extend(heat.observe(now, &tries, false, MOST_KEYS));
        }
        hot
    }

    #[test]
    fn a_key_that_is_refused_while_others_are_written_is_hot() {
        let mut tried = 0;
        let hot = hot(3, 0.2, 500, |rng, id| {
            tried += 1;
            tried > 2_500 && id == 0 && rng.bool()
        });
        assert_eq!(hot[0].0, keys(1)[0]);
        // 2,500 a second, of which a fifth is of the key.
        assert!((300.0..800.0).contains(&hot[0].1), "{}", hot[0].1);
    }

    #[test]
    fn refusals_that_are_spread_evenly_make_no_key_hot() {
        for one_in in [2, 5, 30] {
            let hot = hot(20, 0.2, 500, |rng, _| rng.u8(..one_in) == 0);
            assert!(hot.is_empty(), "one in {one_in}: {hot:?}");
        }
    }

    #[test]
    fn a_key_alone_is_hot_only_near_the_limit_of_a_partition_or_for_that_reason() {
        let key = &keys(1)[0];
        let refused: Vec<Try> = (0..25).map(|_| tried(key, true)).collect();
        let now = Instant::now();
        for (key_range, expected) in [(false, 0), (true, 1)] {
            let (mut heat, mut hot) = (KeyHeat::default(), Vec::new());
            for answer in 0..100 {
                // 200 a second were written before, and then all is refused.
                let tries = [tried(key, false), tried(key, false)];
                hot.extend(heat.observe(now + answer * 10 * MILLISECOND, &tries, false, MOST_KEYS));
            }
            hot.extend(heat.observe(now + 1_000 * MILLISECOND, &refused, key_range, MOST_KEYS));
            assert_eq!(hot.len(), expected, "{hot:?}");
        }
        let mut heat = KeyHeat::default();
        let written: Vec<Try> = (0..25).map(|_| tried(key, false)).collect();
        for answer in 0..100 {
            heat.observe(now + answer * 25 * MILLISECOND, &written, false, MOST_KEYS);
        }
        let hot = heat.observe(now + 2_500 * MILLISECOND, &refused, false, MOST_KEYS);
        assert_eq!(hot.len(), 1, "1,000 a second are what a partition takes");
    }

    #[test]
    fn a_key_alone_is_hot_though_its_retries_leave_room_for_few_first_tries() {
        let mut heat = KeyHeat::default();
        let (now, key) = (Instant::now(), &keys(1)[0]);
        let (mut hot, mut retries) = (Vec::new(), 0);
        // 2,000 a second are asked for, of which the partition takes half.
        for answer in 0..80 {
            let tries: Vec<Try> = (0..25)
                .map(|nth| Try {
                    first: nth >= retries,
                    ..tried(key, answer > 40 && nth % 2 == 0)
                })
                .collect();
            retries = tries.iter().filter(|seen| seen.refused).count();
            hot.extend(heat.observe(
                now + answer * 12_500 * MILLISECOND / 1000,
                &tries,
                false,
                MOST_KEYS,
            ));
        }
        assert_eq!(hot[0].0, *key);
        assert!((800.0..1_200.0).contains(&hot[0].1), "{}", hot[0].1);
    }

    #[test]
    fn a_key_with_a_few_others_is_no_key_alone() {
        let (mut heat, now, keys) = (KeyHeat::default(), Instant::now(), keys(100));
        // 1,000 a second, of which half is of the key, in answers that come in a burst.
        let tries = |refused| -> Vec<Try> {
            let hot = (0..14).map(|_| tried(&keys[0], refused));
            hot.chain(keys[1..7].iter().map(|key| tried(key, false)))
                .collect()
        };
        for answer in 0..10 {
            let hot = heat.observe(
                now + answer * 4 * MILLISECOND,
                &tries(false),
                false,
                MOST_KEYS,
            );
            assert!(hot.is_empty(), "{hot:?}");
        }
        let hot = heat.observe(now + 40 * MILLISECOND, &tries(true), false, MOST_KEYS);
        assert!(hot[0].1 < 1_000.0, "{hot:?}");
    }

    #[test]
    fn a_key_that_there_is_no_room_for_stays_among_the_others() {
        let (mut heat, now, keys) = (KeyHeat::default(), Instant::now(), keys(21));
        let tries: Vec<Try> = (0..25)
            .map(|nth| tried(&keys[nth % 20 + 1], false))
            .collect();
        heat.observe(now, &tries, false, 0);
        let refused: Vec<Try> = (0..25)
            .map(|nth| tried(&keys[nth % 2 * (nth % 20 + 1)], nth % 2 == 0))
            .collect();
        let share = |heat: &KeyHeat| (heat.share_refused() * 100.0).round();
        assert!(heat.observe(now, &refused, false, 0).is_empty());
        assert!(share(&heat) > 25.0, "its refusals count: {}", share(&heat));
        let hot = heat.observe(now, &refused, false, 1);
        assert_eq!(hot.len(), 1);
        assert!(share(&heat) < 2.0, "they are its own: {}", share(&heat));
    }

    #[test]
    fn suspects_are_bounded_and_forgotten() {
        let (mut heat, now) = (KeyHeat::default(), Instant::now());
        let all: Vec<Try> = keys(5_000).iter().map(|key| tried(key, true)).collect();
        for tries in all.chunks(25) {
            assert!(heat.observe(now, tries, false, MOST_KEYS).is_empty());
        }
        assert_eq!(heat.suspects.len(), MOST_SUSPECTS);
        heat.observe(now + Duration::from_secs(5), &[], false, MOST_KEYS);
        assert!(heat.suspects.is_empty());
    }
}

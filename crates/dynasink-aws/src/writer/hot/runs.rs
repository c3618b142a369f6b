//! Requests of one partition key, or of a few: sorted input makes such.

use std::collections::VecDeque;
use std::time::Duration;

use dynasink_core::PartitionKey;
use tokio::time::Instant;

/// What came before tells nothing: a partition may have saved up since.
const REMEMBERED_FOR: Duration = Duration::from_secs(1);

/// Most keys that are remembered.
const MOST_KEYS: usize = 64;

/// With fewer other keys, nothing is known of the table.
const ENOUGH_OTHERS: usize = 4;

/// Learns whether a request that holds few partition keys is refused for their sake or for the table's.
///
/// Its operations are refused together, whichever is used up. So it is the requests of the last second
/// for other keys that tell: where three quarters of these keys were refused too, it is the table.
#[derive(Debug, Default)]
pub(super) struct Runs {
    keys: VecDeque<Run>,
}

#[derive(Debug)]
struct Run {
    key: PartitionKey,
    seen: Instant,
    refused: bool,
}

impl Runs {
    /// Takes note of a run of `key` in a request that was answered at `now`, and says whether the table is used up, if
    /// something of it was refused.
    pub(super) fn table_is_used_up(
        &mut self,
        now: Instant,
        key: &PartitionKey,
        refused: bool,
    ) -> bool {
        self.keys
            .retain(|run| now.saturating_duration_since(run.seen) <= REMEMBERED_FOR);
        let others = self.keys.iter().filter(|run| run.key != *key);
        let (others, others_refused) = others.fold((0, 0), |(count, refused), run| {
            (count + 1, refused + usize::from(run.refused))
        });
        if let Some(run) = self.keys.iter_mut().find(|run| run.key == *key) {
            run.seen = now;
            run.refused |= refused;
        } else {
            if self.keys.len() == MOST_KEYS {
                self.keys.pop_front();
            }
            self.keys.push_back(Run {
                key: key.clone(),
                seen: now,
                refused,
            });
        }
        refused && others >= ENOUGH_OTHERS && others_refused * 4 >= others * 3
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{KeyType, TableSchema};

    use super::*;

    fn key(id: u64) -> PartitionKey {
        let table = TableSchema::builder("users").partition_key("id", KeyType::N);
        let table = table.build().unwrap();
        let item = table.item(|item| item.attribute("id")?.integer(id));
        table.put(item.unwrap()).unwrap().key().partition_key()
    }

    /// Whether the table is used up by a refusal of the next key, after a request for each of ten keys of which
    /// `refused` were refused.
    fn used_up_after(refused: u64, ago: Duration) -> bool {
        let (mut runs, now) = (Runs::default(), Instant::now());
        for id in 0..10 {
            assert!(!runs.table_is_used_up(now, &key(id), false));
        }
        for id in 0..refused {
            runs.table_is_used_up(now, &key(id), true);
        }
        runs.table_is_used_up(now + ago, &key(10), true)
    }

    #[test]
    fn a_run_is_refused_for_the_table_where_most_others_were_too() {
        let soon = Duration::from_millis(100);
        assert!(!used_up_after(0, soon));
        assert!(!used_up_after(7, soon));
        assert!(used_up_after(8, soon));
        assert!(!used_up_after(10, Duration::from_secs(2)), "long ago");
    }

    #[test]
    fn the_first_runs_of_a_load_say_nothing_of_the_table() {
        let (mut runs, now) = (Runs::default(), Instant::now());
        let used_up: Vec<bool> = (0..6)
            .map(|id| runs.table_is_used_up(now, &key(id), true))
            .collect();
        assert_eq!(used_up, [false, false, false, false, true, true]);
    }

    #[test]
    fn a_few_keys_are_remembered() {
        let (mut runs, now) = (Runs::default(), Instant::now());
        for id in 0..1_000 {
            runs.table_is_used_up(now, &key(id), false);
        }
        assert_eq!(runs.keys.len(), MOST_KEYS);
    }
}

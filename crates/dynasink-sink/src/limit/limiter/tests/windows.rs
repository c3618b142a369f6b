//! No second sees more than the rate and the burst, whatever happens.

use dynasink_core::{IndexKind, KeyType, TableSchema};
use fastrand::Rng;
use serde_json::json;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// What passed, and how fast it might have.
#[derive(Default)]
struct Trace {
    passed: Vec<(Duration, u64)>,
    rates: Vec<(Duration, u64)>,
}

impl Trace {
    /// The highest rate in the second up to `end` and the one before, whose units may have been saved.
    fn highest_rate(&self, end: Duration) -> u64 {
        let begin = end.saturating_sub(2 * SECOND);
        let changed = self.rates.partition_point(|(at, _)| *at < begin);
        let from = changed.saturating_sub(1);
        let rates = self.rates[from..].iter().take_while(|(at, _)| *at <= end);
        rates.map(|(_, rate)| *rate).max().unwrap()
    }

    fn assert_kept(&self, seed: u64, request: u64) {
        for (first, (begin, _)) in self.passed.iter().enumerate() {
            let within = self.passed[first..].iter();
            let within = within.take_while(|(at, _)| *at < *begin + SECOND);
            let (mut units, mut end) = (0, *begin);
            for (at, passed) in within {
                units += passed;
                end = *at;
            }
            let rate = self.highest_rate(end);
            let allowed = rate + rate / 10 + 4 + request;
            assert!(
                units <= allowed,
                "seed {seed}: {units} of {allowed} units in the second from {begin:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_second_sees_more_than_the_rate_and_the_burst() {
    let table = TableSchema::builder("users")
        .partition_key("id", KeyType::N)
        .index(
            "by-mail",
            IndexKind::Global,
            [("mail", KeyType::S)],
            [],
            None,
        )
        .build()
        .unwrap();
    for seed in 0..50 {
        let mut rng = Rng::with_seed(seed);
        let (rate, index_rate) = (rng.u64(3..3_000), rng.u64(3..3_000));
        let law = RateLaw::Fixed(units(index_rate));
        let limiter = RateLimiter::fixed(units(rate)).with_index(table.name(), "by-mail", law);
        let start = Instant::now();
        let (mut of_table, mut of_index) = (Trace::default(), Trace::default());
        of_table.rates.push((Duration::ZERO, rate));
        of_index.rates.push((Duration::ZERO, index_rate));
        let mut under_way = Vec::new();
        while start.elapsed() < 20 * SECOND {
            let ops: Vec<_> = (0..rng.u32(1..=25))
                .map(|id| {
                    let item = if rng.bool() {
                        json!({"id": id, "mail": "a"})
                    } else {
                        json!({ "id": id })
                    };
                    table.put_serde(&item).unwrap()
                })
                .collect();
            let cost = WriteCost::of(&ops);
            while let Err(wait) = limiter.try_admit(&cost) {
                tokio::time::sleep(wait).await;
            }
            let now = start.elapsed();
            let index_units = cost.indexes().first().map_or(0, |index| index.units.get());
            of_table.passed.push((now, cost.units().get()));
            of_index.passed.push((now, index_units));
            under_way.push((of_table.passed.len() - 1, cost));
            match rng.u32(..20) {
                0 => {
                    let rate = rng.u64(3..3_000);
                    limiter.set_rate(units(rate));
                    of_table.rates.push((now, rate));
                }
                1 => tokio::time::sleep(Duration::from_millis(rng.u64(..400))).await,
                // What comes back has drawn nothing.
                2 if !under_way.is_empty() => {
                    let (at, cost) = under_way.swap_remove(0);
                    of_table.passed[at].1 = 0;
                    of_index.passed[at].1 = 0;
                    limiter.give_back(&cost);
                }
                3 if !under_way.is_empty() => {
                    let (at, refused) = under_way.swap_remove(rng.usize(..under_way.len()));
                    of_table.passed[at].1 = 0;
                    of_index.passed[at].1 = 0;
                    limiter.observe(&CapacityFeedback {
                        throttled_ops: 1,
                        unwritten: refused,
                        ..CapacityFeedback::default()
                    });
                }
                4..15 if !under_way.is_empty() => {
                    let (_, written) = under_way.swap_remove(rng.usize(..under_way.len()));
                    limiter.observe(&CapacityFeedback {
                        written_ops: 1,
                        written,
                        ..CapacityFeedback::default()
                    });
                }
                _ => {}
            }
        }
        of_table.assert_kept(seed, 25);
        of_index.assert_kept(seed, 25);
    }
}

/// From one to sixteen times what is predicted, by chance. Some is lost: what was charged too much for one request pays
/// only for those of the next second, and no more than a request's worth.
#[tokio::test(start_paused = true)]
async fn overwrites_are_charged_what_they_come_to() {
    let limiter = RateLimiter::fixed(units(500));
    let end = Instant::now() + 60 * SECOND;
    let (mut consumed, mut rng) = (0, Rng::with_seed(1));
    while Instant::now() < end {
        let cost = of_table(25);
        while let Err(wait) = limiter.try_admit(&cost) {
            tokio::time::sleep(wait).await;
        }
        let charged = rng.u64(25..400);
        consumed += charged;
        limiter.observe(&CapacityFeedback {
            written_ops: 25,
            written: cost,
            consumed: vec![ConsumedCapacity {
                table: TableName::new("users").unwrap(),
                table_units: units(charged),
                index_units: Vec::new(),
            }],
            ..CapacityFeedback::default()
        });
    }
    assert!((27_500..=30_800).contains(&consumed), "{consumed} of 30000");
}

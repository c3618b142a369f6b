//! Global indexes, whose units are scarce as well.

use dynasink_core::{IndexKind, KeyType, TableSchema, Throttle, ThrottleScope};
use serde_json::json;

use super::*;

const BY_MAIL: &str = "by-mail";

fn users() -> TableSchema {
    TableSchema::builder("users")
        .partition_key("id", KeyType::N)
        .index(BY_MAIL, IndexKind::Global, [("mail", KeyType::S)], [], None)
        .build()
        .unwrap()
}

/// So many items of one unit, of which every `nth` is in the index.
fn cost(items: u32, nth: u32) -> WriteCost {
    let table = users();
    let ops = (0..items).map(|id| {
        let item = if id % nth == 0 {
            json!({"id": id, "mail": "a"})
        } else {
            json!({ "id": id })
        };
        table.put_serde(&item).unwrap()
    });
    WriteCost::of(&ops.collect::<Vec<_>>())
}

/// A limiter with these rates of the table and the index.
fn limiter(table: u64, index: u64) -> RateLimiter {
    let law = RateLaw::Fixed(units(index));
    RateLimiter::fixed(units(table)).with_index(users().name(), BY_MAIL, law)
}

fn written(cost: &WriteCost, of_table: u64, of_index: u64) -> CapacityFeedback {
    CapacityFeedback {
        written_ops: 1,
        written: cost.clone(),
        consumed: vec![ConsumedCapacity {
            table: users().name().clone(),
            table_units: units(of_table),
            index_units: vec![(BY_MAIL.to_owned(), units(of_index))],
        }],
        ..CapacityFeedback::default()
    }
}

/// Writes `cost` as often as it passes in `seconds`, with what the service charges for it, and says how often.
async fn write(limiter: &RateLimiter, seconds: u64, feedback: &CapacityFeedback) -> u64 {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut passed = 0;
    loop {
        match limiter.try_admit(&feedback.written) {
            Ok(()) => {
                passed += 1;
                limiter.observe(feedback);
            }
            Err(wait) if Instant::now() + wait >= end => return passed,
            Err(wait) => tokio::time::sleep(wait).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_scarcest_rules() {
    for (table, index, nth, expected) in [
        (1_000, 250, 1, 250),
        (1_000, 250, 5, 1_000),
        (1_000, 100, 5, 500),
        (100, 250, 1, 100),
    ] {
        let limiter = limiter(table, index);
        let cost = cost(25, nth);
        let of_index = cost.indexes()[0].units.get();
        let passed = 25 * write(&limiter, 60, &written(&cost, 25, of_index)).await;
        let ideal = expected * 60;
        assert!(
            (ideal * 99 / 100..=ideal * 101 / 100 + expected / 10).contains(&passed),
            "{passed} of {ideal}"
        );
        let rate = Admission::rate(&limiter).unwrap().get();
        assert!(rate.abs_diff(expected) <= 1, "{rate} for {expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_index_is_charged_what_it_was_found_to_hold() {
    let limiter = limiter(1_000, 100);
    let cost = cost(10, 1);
    write(&limiter, 30, &written(&cost, 10, 2)).await;
    let passed = write(&limiter, 60, &written(&cost, 10, 2)).await * 2;
    assert!((5_900..=6_050).contains(&passed), "{passed} units of 6000");
}

#[tokio::test(start_paused = true)]
async fn an_index_without_a_law_has_no_limit_until_it_refuses() {
    let limiter = RateLimiter::fixed(units(1_000));
    let cost = cost(10, 1);
    let clean = written(&cost, 10, 10);
    let passed = 10 * write(&limiter, 10, &clean).await;
    assert!((9_900..=10_110).contains(&passed), "{passed}");
    let refused = CapacityFeedback {
        throttled_ops: 10,
        unwritten: cost.clone(),
        throttles: vec![Throttle {
            scope: ThrottleScope::Index,
            index: Some(BY_MAIL.to_owned()),
        }],
        ..CapacityFeedback::default()
    };
    limiter.observe(&refused);
    assert_eq!(limiter.rate(), units(1_000), "the table is not to blame");
    assert!(limiter.try_admit(&cost).is_err(), "the index pauses");
    let outside = WriteCost::of_table(units(1));
    assert!(
        limiter.try_admit(&outside).is_ok(),
        "what is in no index passes"
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_an_index_keeps_what_it_has_saved_of_the_table() {
    let limiter = limiter(10, 1);
    let first = written(&cost(1, 1), 1, 1);
    limiter.try_admit(&first.written).unwrap();
    limiter.observe(&first);
    let cost = cost(20, 1);
    let start = Instant::now();
    while let Err(wait) = limiter.try_admit(&cost) {
        tokio::time::sleep(wait).await;
    }
    let waited = start.elapsed().as_secs();
    assert!((17..=20).contains(&waited), "{waited} s");
    assert!(limiter.try_admit(&WriteCost::of_table(units(3))).is_err());
}

#[tokio::test(start_paused = true)]
async fn the_first_to_draw_on_an_index_passes_on_credit() {
    let limiter = limiter(1_000, 5);
    let cost = cost(25, 1);
    assert!(limiter.try_admit(&cost).is_ok());
    assert!(limiter.try_admit(&cost).is_err(), "the next one waits");
    limiter.observe(&written(&cost, 25, 25));
    let start = Instant::now();
    while let Err(wait) = limiter.try_admit(&cost) {
        tokio::time::sleep(wait).await;
    }
    let waited = start.elapsed().as_secs();
    assert!((9..=10).contains(&waited), "{waited} s for twice 25 units");
}

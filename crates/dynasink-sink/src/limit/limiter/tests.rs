//! What the limiter lets through.

use dynasink_core::{ConsumedCapacity, TableName};
use tokio::time::Instant;

use super::*;

fn units(units: u64) -> WriteUnits {
    WriteUnits::new(units)
}

fn of_table(units: u64) -> WriteCost {
    WriteCost::of_table(WriteUnits::new(units))
}

/// Takes `cost` as often as it is to be had in `seconds`, and says how often.
async fn admissions(limiter: &RateLimiter, cost: u64, seconds: u64) -> u64 {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut admitted = 0;
    loop {
        match limiter.try_admit(&of_table(cost)) {
            Ok(()) => admitted += 1,
            Err(wait) => {
                if Instant::now() + wait >= end {
                    return admitted;
                }
                tokio::time::sleep(wait).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_kept_and_used() {
    for (rate, cost) in [(100, 1), (100, 25), (1000, 25), (7, 3), (40_000, 25)] {
        let limiter = RateLimiter::fixed(units(rate));
        let used = admissions(&limiter, cost, 60).await * cost;
        let (least, most) = (rate * 60 * 98 / 100 - cost, rate * 60 + rate / 10 + 1);
        assert!(
            (least..=most).contains(&used),
            "rate {rate}, cost {cost}: used {used} of {least}..={most}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_cost_above_the_burst_waits_for_the_whole_of_it() {
    let limiter = RateLimiter::fixed(units(5));
    let start = Instant::now();
    while let Err(wait) = limiter.try_admit(&of_table(400)) {
        assert!(wait > Duration::ZERO);
        tokio::time::sleep(wait).await;
    }
    let waited = start.elapsed().as_secs();
    assert!(
        (79..=81).contains(&waited),
        "{waited} s for 400 units at 5 a second"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_comes_back_up_to_a_burst() {
    let limiter = RateLimiter::fixed(units(100));
    limiter.try_admit(&of_table(5)).unwrap();
    assert!(limiter.try_admit(&of_table(5)).is_err());
    let refused = CapacityFeedback {
        throttled_ops: 1,
        unwritten: WriteCost::of_table(units(1000)),
        ..CapacityFeedback::default()
    };
    limiter.observe(&refused);
    assert!(limiter.try_admit(&of_table(5)).is_ok());
    assert!(
        limiter.try_admit(&of_table(5)).is_err(),
        "of a thousand units, five came back"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cost_more_than_predicted_is_paid_later() {
    let limiter = RateLimiter::fixed(units(100));
    limiter.try_admit(&of_table(5)).unwrap();
    let dearer = CapacityFeedback {
        written_ops: 1,
        written: WriteCost::of_table(units(5)),
        consumed: vec![ConsumedCapacity {
            table: TableName::new("users").unwrap(),
            table_units: units(105),
            index_units: Vec::new(),
        }],
        ..CapacityFeedback::default()
    };
    limiter.observe(&dearer);
    let start = Instant::now();
    while let Err(wait) = limiter.try_admit(&of_table(1)) {
        tokio::time::sleep(wait).await;
    }
    let waited = start.elapsed().as_millis();
    assert!(
        (900..=1100).contains(&waited),
        "{waited} ms for a debt of 100 units at 100 a second"
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_of_rate_takes_effect_without_a_burst() {
    let limiter = RateLimiter::fixed(units(10));
    admissions(&limiter, 1, 5).await;
    limiter.set_rate(units(1000));
    assert!(limiter.try_admit(&of_table(20)).is_err());
    let used = admissions(&limiter, 10, 10).await * 10;
    assert!((9_800..=10_100).contains(&used), "{used}");
}

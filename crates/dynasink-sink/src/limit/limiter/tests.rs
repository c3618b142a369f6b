//! What the limiter lets through.

mod credit;
mod indexes;
mod windows;

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

#[tokio::test(start_paused = true)]
async fn the_rate_is_used_to_the_hundredth_whatever_requests_cost() {
    for rate in [5_u64, 7, 500, 1_000, 40_000] {
        for cost in [1, 25, rate.div_ceil(20), 100] {
            let limiter = RateLimiter::fixed(units(rate));
            let seconds = 60 + 100 * cost / rate;
            let used = admissions(&limiter, cost, seconds).await * cost;
            let ideal = rate * seconds;
            // The last one may be on the way, and a burst may have been there.
            let (least, most) = (
                ideal * 99 / 100 - cost,
                ideal * 101 / 100 + (rate / 20).max(2),
            );
            assert!(
                (least..=most).contains(&used),
                "rate {rate}, cost {cost}: used {used} of {least}..={most}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_as_long_as_it_is_set() {
    for (millis, expected) in [(5, 5), (50, 50), (1_000, 1_000), (60_000, 1_000)] {
        let limiter = RateLimiter::fixed(units(1_000)).with_burst(Duration::from_millis(millis));
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut at_once = 0;
        while limiter.try_admit(&of_table(1)).is_ok() {
            at_once += 1;
        }
        assert_eq!(at_once, expected, "{millis} ms");
    }
}

fn refused(latency: Duration) -> CapacityFeedback {
    CapacityFeedback {
        throttled_ops: 1,
        unwritten: of_table(1),
        latency,
        ..CapacityFeedback::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_pauses_an_automatic_rate_and_not_a_fixed_one() {
    let at_once = Duration::ZERO;
    let fixed = RateLimiter::fixed(units(1_000));
    fixed.observe(&refused(at_once));
    assert!(fixed.try_admit(&of_table(1)).is_ok());

    let auto = RateLimiter::auto(AutoRate::starting_at(Some(units(1_000))));
    auto.observe(&refused(at_once));
    assert_eq!(auto.rate(), units(970));
    let start = Instant::now();
    while let Err(wait) = auto.try_admit(&of_table(1)) {
        tokio::time::sleep(wait).await;
    }
    let paused = start.elapsed().as_millis();
    assert!((100..=105).contains(&paused), "{paused} ms");
    // It had left before the pause: an echo.
    auto.observe(&refused(Duration::from_secs(1)));
    assert_eq!(auto.rate(), units(970));
    assert!(auto.try_admit(&of_table(0)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn refusals_for_the_sake_of_hot_keys_are_nothing_to_the_rate_of_all() {
    let limiter = RateLimiter::auto(AutoRate::starting_at(Some(units(1_000))));
    let mut feedback = refused(Duration::ZERO);
    feedback.hot_key_ops = feedback.throttled_ops;
    limiter.observe(&feedback);
    assert_eq!(limiter.rate(), units(1_000));
    assert!(limiter.try_admit(&of_table(1)).is_ok(), "no pause either");
}

#[tokio::test(start_paused = true)]
async fn an_automatic_rate_grows_only_while_somebody_waits_for_it() {
    for (asked, grows) in [(500, false), (5_000, true)] {
        let limiter = RateLimiter::auto(AutoRate::starting_at(Some(units(1_000))));
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            let mut written = 0;
            for _ in 0..asked / 100 {
                if limiter.try_admit(&of_table(1)).is_ok() {
                    written += 1;
                }
            }
            limiter.observe(&CapacityFeedback {
                written_ops: written,
                written: of_table(written as u64),
                ..CapacityFeedback::default()
            });
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let rate = limiter.rate();
        assert_eq!(rate > units(1_100), grows, "{rate} with {asked} asked for");
    }
}

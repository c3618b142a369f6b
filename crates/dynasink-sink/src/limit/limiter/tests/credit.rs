//! What is owed, what is saved up, and what comes back.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn answer(cost: &WriteCost, consumed: u64) -> CapacityFeedback {
    CapacityFeedback {
        written_ops: 25,
        written: cost.clone(),
        consumed: vec![ConsumedCapacity {
            table: TableName::new("users").unwrap(),
            table_units: units(consumed),
            index_units: Vec::new(),
        }],
        ..CapacityFeedback::default()
    }
}

/// Rows that overwrite larger ones, new rows, and overwrites again: each answered before the next goes.
#[tokio::test(start_paused = true)]
async fn what_was_charged_too_much_does_not_make_a_later_second_fuller() {
    let (rate, request) = (500, 100);
    let limiter = RateLimiter::fixed(units(rate));
    let start = Instant::now();
    let mut consumed: Vec<(Duration, u64)> = Vec::new();
    for phase in 0..6 {
        let charged = if phase % 2 == 0 { 25 } else { request };
        for _ in 0..200 {
            let cost = of_table(25);
            while let Err(wait) = limiter.try_admit(&cost) {
                tokio::time::sleep(wait).await;
            }
            consumed.push((start.elapsed(), charged));
            limiter.observe(&answer(&cost, charged));
        }
    }
    let mut worst = 0;
    for (first, (begin, _)) in consumed.iter().enumerate() {
        let within = consumed[first..].iter();
        let within = within.take_while(|(at, _)| *at < *begin + SECOND);
        worst = worst.max(within.map(|(_, units)| *units).sum::<u64>());
    }
    let allowed = rate + rate / 10 + 4 + request;
    assert!(worst <= allowed, "{worst} of {allowed} units in a second");
}

/// A refusal that is followed by a minute in which nobody asks.
#[tokio::test(start_paused = true)]
async fn a_debt_is_paid_while_nobody_asks() {
    let limiter = RateLimiter::fixed(units(100));
    limiter.try_admit(&of_table(1)).unwrap();
    limiter.observe(&answer(&of_table(1), 1_001));
    tokio::time::sleep(SECOND * 60).await;
    let asked = Instant::now();
    while let Err(wait) = limiter.try_admit(&of_table(1)) {
        tokio::time::sleep(wait).await;
    }
    let waited = asked.elapsed();
    assert!(waited < SECOND, "{waited:?} after a minute of rest");
}

/// Two who draw on clones of one limiter: rows of 400 KB, and small ones all the time.
#[tokio::test(start_paused = true)]
async fn a_dear_cost_comes_together_beside_a_clone_that_spends() {
    let limiter = RateLimiter::fixed(units(50));
    let spends = limiter.clone();
    let small = tokio::spawn(async move {
        loop {
            match spends.try_admit(&of_table(1)) {
                Ok(()) => {}
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    });
    let dear = async {
        while let Err(wait) = limiter.try_admit(&of_table(400)) {
            tokio::time::sleep(wait).await;
        }
    };
    let passed = tokio::time::timeout(SECOND * 600, dear).await;
    small.abort();
    assert!(
        passed.is_ok(),
        "30,000 units later 400 have not come together"
    );
}

fn sparse_table() -> dynasink_core::TableSchema {
    use dynasink_core::{IndexKind, KeyType, TableSchema};
    let table = TableSchema::builder("users").partition_key("id", KeyType::N);
    let table = table.index("open", IndexKind::Global, [("open", KeyType::S)], [], None);
    table.build().unwrap()
}

/// Deletes of items that are in no index, from a table with a small index: the service names none in what it says that
/// it consumed.
#[tokio::test(start_paused = true)]
async fn deletes_that_touch_no_index_are_not_held_to_what_it_takes() {
    let table = sparse_table();
    let law = RateLaw::Fixed(units(5));
    let limiter = RateLimiter::fixed(units(1_000)).with_index(table.name(), "open", law);
    let start = Instant::now();
    for batch in 0..200 {
        let ops: Vec<_> = (0..25)
            .map(|id| {
                let key = serde_json::json!({ "id": batch * 25 + id });
                table.delete_serde(&key).unwrap()
            })
            .collect();
        let cost = WriteCost::of(&ops);
        while let Err(wait) = limiter.try_admit(&cost) {
            tokio::time::sleep(wait).await;
        }
        limiter.observe(&answer(&cost, 25));
    }
    let took = start.elapsed();
    assert!(
        took < SECOND * 60,
        "{took:?} for 5,000 deletes at 1,000 a second"
    );
}

/// Rows without the index's key overwrite items that are in the index: it is drawn on, within what it takes, though
/// nothing was predicted. Then a row comes that has the key.
#[tokio::test(start_paused = true)]
async fn what_an_index_has_filled_up_since_is_no_debt() {
    let table = sparse_table();
    let law = RateLaw::Fixed(units(500));
    let limiter = RateLimiter::fixed(units(400)).with_index(table.name(), "open", law);
    let row = |item| WriteCost::of([&table.put_serde(&item).unwrap()]);
    let end = Instant::now() + SECOND * 120;
    while Instant::now() < end {
        let cost = of_table(25);
        while let Err(wait) = limiter.try_admit(&cost) {
            tokio::time::sleep(wait).await;
        }
        let mut answer = answer(&cost, 25);
        for consumed in &mut answer.consumed {
            consumed.index_units.push(("open".to_owned(), units(25)));
        }
        limiter.observe(&answer);
    }
    let asked = Instant::now();
    let cost = row(serde_json::json!({"id": 1, "open": "a"}));
    while let Err(wait) = limiter.try_admit(&cost) {
        tokio::time::sleep(wait).await;
    }
    let waited = asked.elapsed();
    assert!(
        waited < SECOND,
        "{waited:?} for one row, at 500 units a second of which 400 were used"
    );
}

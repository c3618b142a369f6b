use dynasink_core::{KeyType, TableSchema};

use super::*;

/// So many operations of one partition key, each tried once.
fn run_of(partition: u32, ops: u32) -> Vec<PendingOp> {
    let table = TableSchema::builder("events")
        .partition_key("device", KeyType::N)
        .sort_key("seq", KeyType::N)
        .build()
        .unwrap();
    let op = |seq: u32| {
        let item = serde_json::json!({ "device": partition, "seq": seq });
        let mut pending = PendingOp::new(table.put_serde(&item).unwrap());
        pending.attempts = 1;
        pending
    };
    (0..ops).map(op).collect()
}

/// What a request for the key 0 says of which 5 of 25 operations are refused, after ten requests for a key each, of
/// which `used_up` were refused in the same way.
fn heated_after(used_up: u32) -> Heated {
    let (mut hot, now) = (HotKeys::default(), Instant::now());
    let mut answer = |partition: u32, refused: usize| {
        let ops = run_of(partition, 25);
        let (refused, written) = ops.split_at(refused);
        hot.observe(
            now,
            Answered {
                written,
                refused,
                sent: now,
                key_range: false,
            },
        )
    };
    for partition in 1..=10 {
        answer(partition, if partition <= used_up { 5 } else { 0 });
    }
    answer(0, 5)
}

#[test]
fn a_run_that_is_refused_while_others_are_written_makes_its_key_hot_at_once() {
    let heated = heated_after(0);
    let key = run_of(0, 1)[0].op.key().partition_key();
    assert_eq!((heated.keys, heated.ops), (vec![key], 5));
}

#[test]
fn a_run_that_is_refused_like_most_others_is_the_table_s() {
    let heated = heated_after(10);
    assert_eq!((heated.keys, heated.ops), (vec![], 0));
}

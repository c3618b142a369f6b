//! What passes at a rate, one trouble at a time: each second of the service's own count.

use dynasink::{BillingMode, Concurrency, WriteUnits};
use dynasink_sim::{Audit, Fault, Faults, Resource, SimulatedTable};
use tokio::time::Duration;

use crate::load::{Load, op, table};

const RATE: u64 = 200;

/// A table that has more capacity than the rate ever uses.
fn ample() -> SimulatedTable {
    let write = WriteUnits::new(100_000);
    table(0, BillingMode::Provisioned { write }).partitions(100)
}

/// A load of so many keys at the rate, each written as often as there are sizes.
fn load_at_the_rate(keys: u64, sizes: &[usize]) -> Load {
    let table = ample();
    let schema = table.schema().clone();
    let rows = (0..keys * sizes.len() as u64).zip(sizes.iter().flat_map(|size| {
        let keys = 0..keys;
        keys.map(|key| (key, *size))
    }));
    let ops = rows.map(|(row, (key, size))| op(&schema, key, row, Some(size)));
    let ops = ops.collect();
    Load {
        rate: Some(RATE),
        ..Load::plain(table, ops)
    }
}

/// Runs the load to its end, and says what the service saw.
async fn run(load: &Load) -> Audit {
    let simulator = load.service().build();
    let evidence = load.run(simulator.clone()).await;
    assert_eq!(evidence.result.unwrap().items, load.ops.len() as u64);
    simulator.audit()
}

fn most_units_within(audit: &Audit, seconds: u64) -> u64 {
    audit.most_units_within(&Resource::Table("strings".to_owned()), seconds)
}

/// A tenth of a second's units may come at once, and a request more.
const BURST: u64 = RATE / 10 + 25;

#[tokio::test(start_paused = true)]
async fn the_rate_is_used() {
    let load = load_at_the_rate(3_000, &[100]);
    let simulator = load.service().build();
    load.run(simulator.clone()).await.result.unwrap();
    let seconds = simulator.now().as_secs_f64();
    assert!((14.0..15.5).contains(&seconds), "{seconds} s for 15 s");
}

#[tokio::test(start_paused = true)]
async fn retries_of_what_was_refused_are_within_the_rate() {
    let mut load = load_at_the_rate(4_000, &[100]);
    load.faults = Faults::none().share(Fault::Partial, 0.5);
    let most = most_units_within(&run(&load).await, 5);
    assert!(most <= 5 * RATE + BURST, "{most} units in 5 s");
}

#[tokio::test(start_paused = true)]
async fn requests_whose_answers_are_lost_count_and_so_do_their_retries() {
    let mut load = load_at_the_rate(4_000, &[100]);
    load.faults = Faults::none()
        .share(Fault::Lost, 0.2)
        .share(Fault::Truncated, 0.2);
    let most = most_units_within(&run(&load).await, 5);
    assert!(most <= 5 * RATE + BURST, "{most} units in 5 s");
}

#[tokio::test(start_paused = true)]
async fn what_was_admitted_during_a_stall_does_not_leave_all_at_once() {
    let mut load = load_at_the_rate(4_000, &[100]);
    load.concurrency = Concurrency::Fixed(16);
    let stall = Duration::from_secs(2)..Duration::from_secs(5);
    load.faults = Faults::none().between(stall, Fault::Hang);
    let most = most_units_within(&run(&load).await, 1);
    assert!(most <= RATE + BURST, "{most} units in a second");
}

/// A small item over a large one costs as much as the large one, which no client can predict.
#[tokio::test(start_paused = true)]
async fn what_costs_more_than_predicted_is_paid_by_the_next() {
    let mut load = load_at_the_rate(500, &[10_000, 100]);
    load.concurrency = Concurrency::Fixed(1);
    let most = most_units_within(&run(&load).await, 5);
    let request = 25 * 10;
    assert!(
        most <= 5 * RATE + BURST + 2 * request,
        "{most} units in 5 s"
    );
}

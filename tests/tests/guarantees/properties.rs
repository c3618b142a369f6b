//! Random loads through random pipes to services that fail at random.

use std::collections::BTreeMap;
use std::env;
use std::future::Future;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use dynasink::{BillingMode, Concurrency, DynamoDb, Outcome, Transport, WriteUnits};
use dynasink_sim::{Audit, Faults, Latency, Resource, Simulator};
use fastrand::Rng;
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::time::Duration;

use crate::load::{Evidence, Load, Policy, op};

/// Runs `claim` for so many seeds, or for so many as `DYNASINK_SEEDS` says, after those that once failed. Each seed
/// has a runtime of its own, whose time is paused.
fn for_seeds<F: Future<Output = ()>>(seeds: u64, claim: impl Fn(u64) -> F) {
    let seeds = env::var("DYNASINK_SEEDS").map_or(seeds, |seeds| seeds.parse().unwrap());
    let regressions = include_str!("regressions.txt").lines();
    let regressions = regressions.filter(|line| !line.starts_with('#'));
    let regressions = regressions.filter_map(|line| line.split_whitespace().next()?.parse().ok());
    for seed in regressions.chain(0..seeds) {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        // Names the seed when the claim panics.
        let named = Named(seed);
        runtime.block_on(claim(seed));
        drop(named);
    }
}

/// Says on which seed a test failed.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            use std::io::Write;
            let _told = writeln!(std::io::stderr(), "the seed is {}", self.0);
        }
    }
}

/// Everything that a load promises if nothing stops it.
fn assert_kept(load: &Load, evidence: &Evidence, simulator: &Simulator) {
    let report = evidence
        .result
        .as_ref()
        .unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(report.items, load.ops.len() as u64);
    assert_one_outcome_each(load, &evidence.outcomes);
    let audit = simulator.audit();
    assert_lawful(&audit);
    for table in &load.tables {
        let name = table.schema().name().as_str();
        let stored: BTreeMap<_, _> = simulator.items(name).into_iter().collect();
        assert_eq!(stored, load.expected(name), "{name}");
    }
    assert_written_as_told(load, &evidence.outcomes, &audit);
    assert!(
        evidence.most_held <= load.memory_bound(),
        "{} bytes were held, and {} may be",
        evidence.most_held,
        load.memory_bound()
    );
}

fn assert_one_outcome_each(load: &Load, outcomes: &BTreeMap<u64, Outcome>) {
    // The ledger refuses a second outcome of a row.
    assert_eq!(outcomes.len(), load.ops.len());
    for (row, outcome) in outcomes {
        assert!(
            !matches!(outcome, Outcome::Dead(_)),
            "row {row}: {outcome:?}"
        );
    }
}

/// No request broke a rule of the service, and none carried a key that another one carried.
fn assert_lawful(audit: &Audit) {
    let illegal: Vec<_> = audit.illegal().collect();
    assert!(illegal.is_empty(), "{illegal:?}");
    assert_eq!(audit.key_twice_in_flight(), None);
}

/// What is told as written was applied, in the order of the input; what is told as superseded was not sent.
fn assert_written_as_told(load: &Load, outcomes: &BTreeMap<u64, Outcome>, audit: &Audit) {
    let history = audit.history();
    let parsed = |json: &[u8]| -> Value { serde_json::from_slice(json).unwrap() };
    let mut written: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    for (op, outcome) in load.ops.iter().zip(outcomes.values()) {
        if matches!(outcome, Outcome::Written { .. }) {
            let told = parsed(op.item().json());
            written.entry(op.key()).or_default().push(told);
        }
    }
    assert_eq!(written.len(), history.len());
    for (key, mut told) in written {
        let applied = history[key].iter();
        let mut applied: Vec<Value> = applied.map(|(_, write)| parsed(&write.json)).collect();
        // An operation whose answer was lost is applied again, before the next one of its key.
        applied.dedup();
        told.dedup();
        assert_eq!(applied, told, "{key:?}");
    }
}

async fn random_load_is_kept<T: Transport>(load: Load, through: impl Fn(&Simulator) -> T) {
    let simulator = load.service().build();
    let evidence = load.run(through(&simulator)).await;
    assert_kept(&load, &evidence, &simulator);
}

#[test]
fn whatever_fails_each_row_has_one_outcome_and_the_last_write_wins() {
    for_seeds(2_000, |seed| {
        random_load_is_kept(Load::random(seed), Simulator::clone)
    });
}

/// The SDK's client, which waits as long as a client at the other door.
fn through_the_sdk(simulator: &Simulator) -> DynamoDb {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(5))
        .build();
    let config = simulator.sdk_config().timeout_config(timeouts);
    DynamoDb::new(Client::from_conf(config.build()))
}

#[test]
fn the_same_holds_through_the_sdk() {
    for_seeds(120, |seed| {
        let mut load = Load::random(seed);
        load.ops.truncate(120);
        random_load_is_kept(load, through_the_sdk)
    });
}

#[test]
fn one_seed_gives_one_trace() {
    for seed in 0..20 {
        let trace = |by_the_sdk: bool| {
            let runtime = Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(async {
                let load = Load::random(seed);
                let simulator = load.service().build();
                if by_the_sdk {
                    load.run(through_the_sdk(&simulator)).await;
                } else {
                    load.run(simulator.clone()).await;
                }
                (simulator.audit().trace(), simulator.now())
            })
        };
        assert_eq!(trace(false), trace(false), "{seed}");
        if seed < 5 {
            assert_eq!(trace(true), trace(true), "{seed}");
        }
    }
}

/// A load of small items with keys of their own, so that each costs one unit, at a rate.
fn load_at_a_rate(seed: u64) -> Load {
    let mut rng = Rng::with_seed(seed);
    let mut load = Load::random(seed);
    let write = WriteUnits::new(100_000);
    let table = crate::load::table(0, BillingMode::Provisioned { write }).partitions(100);
    let schema = table.schema().clone();
    load.tables = vec![table];
    let rows = rng.u64(200..3_000);
    load.ops = (0..rows)
        .map(|row| op(&schema, row, row, Some(rng.usize(..400))))
        .collect();
    load.rate = Some(rng.u64(50..600));
    load.latency = Latency::fixed(Duration::from_millis(rng.u64(1..50)));
    load.policy = Policy::Off;
    load.concurrency = Concurrency::Fixed(16);
    load
}

#[test]
fn the_rate_is_never_exceeded_in_any_second() {
    for_seeds(200, |seed| async move {
        let load = load_at_a_rate(seed);
        let simulator = load.service().build();
        let evidence = load.run(simulator.clone()).await;
        assert_kept(&load, &evidence, &simulator);
        let audit = simulator.audit();
        let rate = load.rate.unwrap();
        let table = Resource::Table(load.tables[0].schema().name().as_str().to_owned());
        // A tenth of a second's units may come at once, and what was admitted before may arrive late.
        let burst = rate / 10 + 25;
        for seconds in [1, 2, 5, 10] {
            let most = audit.most_units_within(&table, seconds);
            let allowed = rate * seconds + burst;
            assert!(
                most <= allowed,
                "{most} units in {seconds} s at {rate} a second"
            );
        }
        if load.faults == Faults::none() && !load.trickles {
            let drawn = audit.units_per_second(&table);
            // Requests of 25 make seconds uneven, and the last second is not whole.
            let whole = drawn.len() as u64 - 1;
            let units: u64 = drawn.values().take(drawn.len() - 1).sum();
            assert!(
                (units + 25) * 100 >= rate * whole * 95,
                "{drawn:?} at {rate} a second"
            );
        }
    });
}

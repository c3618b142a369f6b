//! One trouble at a time, and exactly what becomes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use dynasink::{
    BatchLimit, BatchSinkExt, BillingMode, Cause, Concurrency, DriveError, DynamoDb, Outcome,
    OutcomeEvent, OutcomeObserver, Outcomes, RateLimiter, TableSchema, WriteBatch, WriteOp,
    WriteUnits, Writer, WriterError, drive,
};
use dynasink_sim::{Change, Fault, Faults, Resource, SimulatedTable, Simulator, Verdict};
use futures::{SinkExt, StreamExt, stream};
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use crate::load::{Ledger, Load, Policy, op, position, small_rows, table};

fn provisioned(write: u64) -> BillingMode {
    BillingMode::Provisioned {
        write: WriteUnits::new(write),
    }
}

/// A load of `rows` small items of their own keys into the table of string keys.
fn plain_load(rows: u64, write: u64) -> Load {
    let table = table(0, provisioned(write)).idle(Duration::ZERO);
    let ops = small_rows(&table, rows);
    Load::plain(table, ops)
}

fn rows_of(load: &Load) -> BTreeSet<u64> {
    (0..load.ops.len() as u64).collect()
}

/// What is told as written is what the table holds: the load can be run again from its start.
fn assert_told_is_stored(load: &Load, ledger: &Ledger, simulator: &Simulator) {
    let name = load.tables[0].schema().name().as_str();
    let stored: BTreeSet<_> = simulator
        .items(name)
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    for (row, outcome) in ledger.outcomes() {
        let op = &load.ops[usize::try_from(row).unwrap()];
        assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}");
        assert!(stored.contains(op.key()), "row {row} is told as written");
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_stop_the_load_and_it_can_be_run_again() {
    for (fault, cause) in [
        (Fault::Expired, Cause::Credentials),
        (Fault::Denied, Cause::AccessDenied),
    ] {
        let mut load = plain_load(1_000, 10_000);
        load.tables[0] = load.tables[0].clone().idle(Duration::from_secs(10));
        let trouble = Duration::from_millis(25)..Duration::from_mins(5);
        load.faults = Faults::none().between(trouble, fault);
        let simulator = load.service().build();
        let stopped = load.run(simulator.clone()).await;
        let Err(DriveError::Sink { source, .. }) = &stopped.result else {
            panic!("{stopped:?}");
        };
        assert_eq!(source.cause(), Some(&cause));
        let WriterError::Stopped { unresolved, .. } = source else {
            panic!("{source:?}");
        };
        assert!(*unresolved > 0);
        let told = stopped.outcomes.len();
        assert!(told > 0 && told < 1_000, "{told}");
        for (row, outcome) in &stopped.outcomes {
            let written = matches!(outcome, Outcome::Written { .. });
            assert!(written, "row {row}: {outcome:?}");
        }

        sleep(Duration::from_mins(5)).await;
        let again = load.run(simulator.clone()).await;
        assert_eq!(again.result.unwrap().items, 1_000);
        assert_eq!(again.outcomes.len(), 1_000);
        let stored: BTreeMap<_, _> = simulator.items("strings").into_iter().collect();
        assert_eq!(stored, load.expected("strings"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_deleted_during_the_load_stops_it() {
    let mut load = plain_load(20_000, 1_000);
    let change = Change::DeleteTable("strings".to_owned());
    load.faults = Faults::none().change(Duration::from_secs(2), change);
    let simulator = load.service().build();
    let stopped = load.run(simulator.clone()).await;
    let Err(DriveError::Sink { source, .. }) = &stopped.result else {
        panic!("{stopped:?}");
    };
    assert_eq!(source.cause(), Some(&Cause::TableMissing));
    assert!(
        stopped
            .outcomes
            .values()
            .all(|outcome| matches!(outcome, Outcome::Written { .. }))
    );
    assert!(stopped.outcomes.len() > 1_000);
    let missing = |verdict: &Verdict| matches!(verdict, Verdict::TableMissing(_));
    let audit = simulator.audit();
    assert!(
        audit
            .requests()
            .iter()
            .filter(|request| missing(&request.verdict))
            .count()
            <= 8
    );
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_being_updated_is_written_to() {
    let mut load = plain_load(2_000, 1_000);
    load.faults = Faults::none()
        .change(
            Duration::from_millis(500),
            Change::Updating("strings".to_owned()),
        )
        .change(
            Duration::from_secs(1),
            Change::Capacity("strings".to_owned(), WriteUnits::new(100)),
        );
    let simulator = load.service().build();
    let run = load.run(simulator.clone()).await;
    assert_eq!(run.result.unwrap().items, 2_000);
    assert_eq!(simulator.items("strings").len(), 2_000);
    let audit = simulator.audit();
    let table = Resource::Table("strings".to_owned());
    // The second in which the capacity falls lies between. What refused operations leave unused while they wait is
    // saved up, and spent later.
    let late = audit.units_per_second(&table).split_off(&3);
    let (seconds, units) = (late.len() as u64, late.values().sum::<u64>());
    assert!(seconds > 5 && units <= 101 * seconds, "{late:?}");
}

/// A service whose table has an index that the client's schema does not know: items that break its rule are
/// refused with the whole request.
fn stricter_than_known(bad: impl Fn(u64) -> bool, rows: u64) -> (Simulator, Vec<WriteOp>) {
    let simulated = table(2, provisioned(1_000_000)).partitions(1_000);
    let known = TableSchema::builder("numbers").partition_key("id", dynasink::KeyType::N);
    let known = known.build().unwrap();
    let ops = (0..rows).map(|row| {
        let kind = if bad(row) { json!(row) } else { json!("kind") };
        let item = json!({ "id": row, "kind": kind });
        known.put_serde(&item).unwrap().at(position(row))
    });
    let simulator = Simulator::builder().seed(3).table(simulated).build();
    (simulator, ops.collect())
}

#[tokio::test(start_paused = true)]
async fn a_few_bad_operations_cost_few_requests_and_all_others_are_written() {
    for bad in [vec![], vec![7], vec![0, 24], vec![3, 30, 31, 77], vec![99]] {
        let (simulator, ops) = stricter_than_known(|row| bad.contains(&row), 100);
        let ledger = Ledger::default();
        let outcomes = Outcomes::of(ledger.clone());
        let writer = Writer::builder(DynamoDb::new(simulator.client())).outcomes(outcomes);
        let sink = writer.build().batched(BatchLimit::REQUEST);
        drive(
            stream::iter(ops).map(Ok::<_, std::convert::Infallible>),
            sink,
        )
        .await
        .unwrap();

        let dead: Vec<u64> = ledger
            .outcomes()
            .into_iter()
            .filter(
                |(_, outcome)| matches!(outcome, Outcome::Dead(reason) if reason.code == "invalid"),
            )
            .map(|(row, _)| row)
            .collect();
        assert_eq!(dead, bad);
        assert_eq!(simulator.items("numbers").len(), 100 - bad.len());
        // Each bad operation is found in at most two requests for each halving of its 25.
        let requests = simulator.audit().totals().requests;
        let most = 4 + 2 * 5 * bad.len() as u64;
        assert!(
            requests <= most,
            "{requests} requests for {} bad operations",
            bad.len()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_collection_that_is_full_kills_only_operations_of_its_partition_key() {
    let simulated = table(1, provisioned(10_000));
    let schema = simulated.schema().clone();
    let simulator = Simulator::builder()
        .table(simulated)
        .collection_limit(5_000)
        .build();
    let ledger = Ledger::default();
    let outcomes = Outcomes::of(ledger.clone());
    let writer = Writer::builder(simulator.clone())
        .outcomes(outcomes)
        .build();
    let put = |partition: &str, sort: u64, row: u64| {
        let item = json!({ "id": partition, "at": sort, "payload": "x".repeat(1_000) });
        schema.put_serde(&item).unwrap().at(position(row))
    };
    let mut ops: Vec<WriteOp> = (0..20).map(|row| put("full", row, row)).collect();
    ops.extend((20..40).map(|row| put(&format!("other-{row}"), 0, row)));
    let delete = json!({ "id": "full", "at": 0 });
    ops.push(schema.delete_serde(&delete).unwrap().at(position(40)));
    let sink = writer.batched(BatchLimit::REQUEST);
    drive(
        stream::iter(ops).map(Ok::<_, std::convert::Infallible>),
        sink,
    )
    .await
    .unwrap();

    let outcomes = ledger.outcomes();
    assert_eq!(outcomes.len(), 41);
    let dead: Vec<u64> = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Dead(reason) if reason.code == "item_collection_full"))
        .map(|(row, _)| *row)
        .collect();
    assert!(
        (16..=20).contains(&dead.len()) && dead.iter().all(|row| *row < 20),
        "{dead:?}"
    );
    assert!(
        matches!(outcomes[&40], Outcome::Written { .. }),
        "a delete needs no room"
    );
    let stored = simulator.items("sorted");
    let others = stored
        .iter()
        .filter(|(_, item)| item["id"] != json!({ "S": "full" }));
    assert_eq!(others.count(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_flush_ends_when_all_that_was_accepted_has_its_outcome() {
    let mut load = plain_load(200, 50);
    load.faults = "internal=20%, lost=20%".parse().unwrap();
    let simulator = load.service().build();
    let ledger = Ledger::default();
    let mut pipe = load.pipe(simulator.clone(), &ledger);
    for (done, ops) in load.ops.chunks(40).enumerate() {
        for op in ops {
            pipe.feed(op.clone()).await.unwrap();
        }
        pipe.flush().await.unwrap();
        assert_eq!(ledger.outcomes().len(), 40 * (done + 1));
        assert_eq!(simulator.items("strings").len(), 40 * (done + 1));
    }
    pipe.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pipe_that_is_dropped_has_told_nothing_that_is_not_so() {
    for millis in [1, 11, 25, 105, 1_000] {
        let load = plain_load(5_000, 500);
        let simulator = load.service().build();
        let ledger = Ledger::default();
        let mut taken = 0;
        {
            let ops = stream::iter(&load.ops).inspect(|_| taken += 1);
            let ops = ops.map(|op| Ok::<_, std::convert::Infallible>(op.clone()));
            let running = pin!(drive(ops, load.pipe(simulator.clone(), &ledger)));
            tokio::select! {
                biased;
                _ = running => panic!("ten seconds' worth of rows are not written in {millis} ms"),
                () = sleep(Duration::from_millis(millis)) => {}
            }
        }
        assert_told_is_stored(&load, &ledger, &simulator);
        // What has no outcome is known: it is what was taken from the source and is not in the ledger.
        let told = ledger.outcomes().len();
        assert!(told < taken && taken < 5_000, "{told} of {taken}");
        sleep(Duration::from_mins(1)).await;
        let audit = simulator.audit();
        let under_way = audit
            .requests()
            .iter()
            .filter(|request| request.ended.is_none());
        assert_eq!(under_way.count(), 0, "no request outlives its pipe");
        assert_eq!(ledger.outcomes().len(), told);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_writes_what_was_accepted() {
    let load = plain_load(50_000, 500);
    let simulator = load.service().build();
    let ledger = Ledger::default();
    let ops = stream::iter(load.ops.clone()).map(Ok::<_, std::convert::Infallible>);
    let shutdown = sleep(Duration::from_secs(3));
    let report = drive(ops, load.pipe(simulator.clone(), &ledger))
        .until(shutdown)
        .await
        .unwrap();
    assert!(report.items < 50_000);
    let told: BTreeSet<u64> = ledger.outcomes().into_keys().collect();
    assert_eq!(told, rows_of(&load).into_iter().take(told.len()).collect());
    assert_eq!(told.len() as u64, report.items);
    assert_told_is_stored(&load, &ledger, &simulator);
}

/// Where the promise ends: a request that the service applies after its client has given up waiting, and has
/// written the key anew.
#[tokio::test(start_paused = true)]
async fn a_zombie_request_can_undo_a_newer_write() {
    let table = table(0, provisioned(1_000));
    let schema = table.schema().clone();
    let faults = Faults::none().requests(1..=1, Fault::Zombie(Duration::from_mins(1)));
    let simulator = Simulator::builder()
        .table(table)
        .faults(faults)
        .client_timeout(Duration::from_secs(5))
        .build();
    let outcomes = Outcomes::of(Ledger::default());
    let mut writer = Writer::builder(simulator.clone())
        .outcomes(outcomes)
        .build();
    for row in [1, 2] {
        let op = op(&schema, 7, row, Some(0));
        writer.feed(WriteBatch::of(op)).await.unwrap();
    }
    writer.close().await.unwrap();
    let row = |simulator: &Simulator| simulator.items("strings")[0].1["row"].clone();
    assert_eq!(row(&simulator), json!({ "N": "2" }));
    sleep(Duration::from_mins(1)).await;
    assert_eq!(
        row(&simulator),
        json!({ "N": "1" }),
        "the service undid the newer write"
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_down_is_not_stormed() {
    let mut load = plain_load(50_000, 10_000);
    load.concurrency = Concurrency::Fixed(64);
    let outage = Duration::from_secs(1)..Duration::from_secs(121);
    load.faults = Faults::none().between(outage, Fault::Internal);
    let simulator = load.service().build();
    let run = load.run(simulator.clone()).await;
    assert_eq!(run.outcomes.len(), 50_000);
    let audit = simulator.audit();
    let during = |request: &&dynasink_sim::RequestRecord| {
        (Duration::from_secs(2)..Duration::from_secs(121)).contains(&request.arrived)
    };
    let seen = audit.requests().iter().filter(during).count();
    assert!(
        (2..119 * 20).contains(&seen),
        "{seen} requests in 119 seconds"
    );
}

#[tokio::test(start_paused = true)]
async fn tables_share_requests_by_name_and_by_arn() {
    let numbers = table(2, provisioned(1_000));
    let strings = table(0, provisioned(1_000));
    let arn = TableSchema::builder("arn:aws:dynamodb:us-east-1:000000000000:table/strings");
    let by_arn = arn
        .partition_key("id", dynasink::KeyType::S)
        .build()
        .unwrap();
    let simulator = Simulator::builder()
        .table(numbers.clone())
        .table(strings)
        .faults("partial=30%".parse().unwrap())
        .build();
    let ops: Vec<_> = (0..200)
        .map(|row| match row % 2 {
            0 => op(numbers.schema(), row, row, Some(10)),
            _ => op(&by_arn, row, row, Some(10)),
        })
        .collect();
    let ledger = Ledger::default();
    let writer = Writer::builder(DynamoDb::new(simulator.client()));
    let writer = writer.outcomes(Outcomes::of(ledger.clone())).build();
    let sink = writer.batched(BatchLimit::REQUEST);
    drive(
        stream::iter(ops).map(Ok::<_, std::convert::Infallible>),
        sink,
    )
    .await
    .unwrap();
    assert_eq!(ledger.outcomes().len(), 200);
    assert_eq!(simulator.items("numbers").len(), 100);
    assert_eq!(simulator.items("strings").len(), 100);
    let audit = simulator.audit();
    assert_eq!(audit.illegal().count(), 0);
    let spans = |request: &dynasink_sim::RequestRecord| {
        let tables = request.writes.iter().map(|write| write.key.table());
        tables.collect::<BTreeSet<_>>().len() == 2
    };
    assert!(audit.requests().iter().any(spans));
}

#[tokio::test(start_paused = true)]
async fn hours_of_a_load_pass_in_seconds_and_use_the_capacity() {
    let hours = 2;
    let table =
        SimulatedTable::new(table(0, provisioned(20)).schema().clone()).idle(Duration::ZERO);
    let schema = table.schema().clone();
    let simulator = Simulator::builder()
        .table(table)
        .faults("lost=0.1%, internal=0.1%, hang=0.01%".parse().unwrap())
        .totals_only()
        .build();
    let limiter = RateLimiter::fixed(WriteUnits::new(19));
    let writer = Writer::builder(simulator.clone())
        .admission(limiter.clone())
        .jitter_seed(1);
    let sink = writer.outcomes(Outcomes::of(Counted)).build();
    let sink = sink.rate_limited(limiter).batched(BatchLimit::REQUEST);
    let rows = hours * 3600 * 19;
    let ops = stream::iter(0..rows)
        .map(|row| Ok::<_, std::convert::Infallible>(op(&schema, row, row, Some(50))));
    let start = Instant::now();
    drive(ops, sink).await.unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let asked = (hours * 3600) as f64;
    assert!(
        (0.98 * asked..1.05 * asked).contains(&seconds),
        "{seconds} s"
    );
    let totals = simulator.audit().totals();
    assert!(
        totals.applied >= rows && totals.applied < rows + rows / 100,
        "{totals:?}"
    );
}

/// Takes note of nothing.
#[derive(Debug)]
struct Counted;

impl OutcomeObserver for Counted {
    fn observe(&self, _: &OutcomeEvent<'_>) -> Result<(), dynasink::ObserverError> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn all_requests_that_may_be_in_flight_are() {
    for requests in [1, 7, 64] {
        let mut load = plain_load(400 * requests as u64, 5_000_000);
        load.tables[0] = load.tables[0].clone().idle(Duration::from_mins(5));
        load.concurrency = Concurrency::Fixed(requests);
        let simulator = load.service().build();
        let start = Instant::now();
        let run = load.run(simulator.clone()).await;
        assert_eq!(run.outcomes.len(), load.ops.len());
        // Sixteen rounds of ten milliseconds each.
        let rounds = start.elapsed().as_millis() / 10;
        assert!(
            (16..=17).contains(&rounds),
            "{rounds} rounds with {requests} in flight"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_not_followed_by_more_than_the_rate() {
    for (rate, in_flight) in [(600, 10), (600, 64), (2_000, 128)] {
        for fault in [
            Fault::Hang,
            Fault::Slow(Duration::from_secs(3)),
            Fault::Internal,
        ] {
            let mut load = plain_load(8 * rate, 100_000);
            load.tables[0] = load.tables[0]
                .clone()
                .partitions(200)
                .idle(Duration::from_secs(10));
            load.rate = Some(rate);
            load.concurrency = Concurrency::Fixed(in_flight);
            load.buffered_bytes = 64 * 1024 * 1024;
            load.faults =
                Faults::none().between(Duration::from_secs(1)..Duration::from_secs(4), fault);
            let simulator = load.service().build();
            let run = load.run(simulator.clone()).await;
            assert_eq!(run.outcomes.len(), load.ops.len());
            let table = Resource::Table("strings".to_owned());
            let most = simulator.audit().most_units_within(&table, 1);
            assert!(
                most <= rate + rate / 10 + 50,
                "{most} units at {rate} with {in_flight}, {fault:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dear_retry_is_not_starved_by_cheap_rows() {
    let mut load = plain_load(6_000, 100_000);
    load.tables[0] = load.tables[0]
        .clone()
        .partitions(200)
        .idle(Duration::from_secs(10));
    let schema = load.tables[0].schema().clone();
    load.ops[0] = op(&schema, 0, 0, Some(400_000));
    load.rate = Some(100);
    load.faults = Faults::none().requests(1..=1, Fault::Internal);
    let simulator = load.service().build();
    let run = load.run(simulator.clone()).await;
    assert_eq!(run.outcomes.len(), load.ops.len());
    let audit = simulator.audit();
    let (applied, _) = audit.history()[load.ops[0].key()][0];
    // Its cost of 391 units takes four seconds to save up, twice.
    assert!(applied < Duration::from_secs(12), "{applied:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_bounded_however_much_is_read() {
    let mut load = plain_load(0, 200);
    let schema = load.tables[0].schema().clone();
    load.ops = (0..20_000)
        .map(|row| op(&schema, row % 15_000, row, Some(900)))
        .collect();
    let window = Policy::KeepLast {
        ops: std::num::NonZeroUsize::new(300).unwrap(),
        bytes: 200_000,
    };
    for policy in [Policy::Off, window] {
        load.policy = policy;
        load.buffered_bytes = 100_000;
        load.faults = "hang=1%, internal=2%".parse().unwrap();
        let simulator = load.service().build();
        let run = load.run(simulator).await;
        assert_eq!(run.outcomes.len(), 20_000);
        let read: usize = load.ops.iter().map(WriteOp::memory).sum();
        assert!(load.memory_bound() * 20 < read, "the bound means something");
        assert!(
            run.most_held <= load.memory_bound(),
            "{} bytes",
            run.most_held
        );
        assert!(
            run.most_held * 4 > load.memory_bound(),
            "{} bytes",
            run.most_held
        );
    }
}

//! What goes out as requests, when, and for how long: one trouble at a time.

use std::collections::BTreeSet;
use std::convert::Infallible;

use dynasink::{
    BatchLimit, BatchSinkExt, BillingMode, Cause, DriveError, DynamoDb, Outcome, Transport,
    WriteBatch, WriteOp, WriteUnits, WriterError, drive,
};
use dynasink_sim::{Fault, Faults, Latency, SimulatedTable, Simulator};
use futures::{StreamExt, sink, stream};
use serde_json::json;
use tokio::time::{Duration, sleep};

use crate::load::{Ledger, Load, position, small_rows, table};

/// A table that takes whatever comes.
fn ample() -> SimulatedTable {
    let write = WriteUnits::new(1_000_000);
    table(0, BillingMode::Provisioned { write }).partitions(1_000)
}

/// A load of `rows` small items of their own keys, in requests that take long.
fn plain_load(rows: u64) -> Load {
    let (table, latency) = (ample(), Latency::fixed(Duration::from_millis(100)));
    let ops = small_rows(&table, rows);
    Load {
        latency,
        ..Load::plain(table, ops)
    }
}

/// Batches are anyone's to send: here each goes out as it is, one after the other, without a writer that would put
/// it right.
#[tokio::test(start_paused = true)]
async fn each_batch_is_a_request_that_the_service_takes() {
    let simulator = Simulator::builder().table(ample()).build();
    let schema = ample().schema().clone();
    let put = |row: u64, key: u64, payload: &str| {
        let item = json!({ "id": format!("key-{key}"), "row": row, "payload": payload });
        schema.put_serde(&item).unwrap().at(position(row))
    };
    // Each control character is one byte of item and six of JSON: seven such items are above 16 MB.
    let long = "\u{1}".repeat(400_000);
    let small = (0..500).map(|row| put(row, row % 7 + row % 11, ""));
    let large = (500..530).map(|row| put(row, row, &long));
    let ops: Vec<WriteOp> = small.chain(large).collect();

    let leaf = sink::unfold(simulator.clone(), async |simulator, batch: WriteBatch| {
        let answer = simulator.batch_write(&batch).await;
        assert_eq!(answer.unwrap().unprocessed, []);
        Ok::<_, WriterError>(simulator)
    });
    let rows = stream::iter(ops.clone()).map(Ok::<_, Infallible>);
    drive(rows, leaf.batched(BatchLimit::REQUEST))
        .await
        .unwrap();

    let audit = simulator.audit();
    assert_eq!(audit.illegal().count(), 0);
    assert_eq!(audit.totals().applied, 530);
    let keys: BTreeSet<_> = ops.iter().map(WriteOp::key).collect();
    assert_eq!(simulator.items("strings").len(), keys.len());
}

#[tokio::test(start_paused = true)]
async fn what_the_service_took_is_not_sent_again() {
    let mut load = plain_load(2_000);
    load.faults = Faults::none().share(Fault::Partial, 0.5);
    for by_the_sdk in [false, true] {
        let simulator = load.service().build();
        let run = if by_the_sdk {
            load.run(DynamoDb::new(simulator.client())).await
        } else {
            load.run(simulator.clone()).await
        };
        assert_eq!(run.outcomes.len(), 2_000);
        assert_eq!(simulator.audit().totals().applied, 2_000);
    }
}

#[tokio::test(start_paused = true)]
async fn room_that_is_given_back_keeps_all_requests_in_flight() {
    let mut load = plain_load(8_000);
    let batch: usize = load.ops.iter().take(25).map(WriteOp::memory).sum();
    load.buffered_bytes = 16 * batch;
    let simulator = load.service().build();
    let run = load.run(simulator.clone()).await;
    assert_eq!(run.outcomes.len(), 8_000);
    // 320 requests, eight at a time, of a tenth of a second each.
    let seconds = simulator.now().as_secs_f64();
    assert!((4.0..6.0).contains(&seconds), "{seconds} s");
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_outlasts_the_patience_stops_the_load_and_no_row_is_dead_for_it() {
    let mut load = plain_load(20_000);
    load.retry.failed.max_elapsed = Duration::from_mins(2);
    let outage = Duration::from_secs(2)..Duration::from_hours(1);
    load.faults = Faults::none().between(outage, Fault::Reset);
    let stopped = load.run(load.service().build()).await;
    let Err(DriveError::Sink { source, .. }) = &stopped.result else {
        panic!("{stopped:?}");
    };
    assert_eq!(source.cause(), Some(&Cause::Unreachable));
    for (row, outcome) in &stopped.outcomes {
        assert!(
            matches!(outcome, Outcome::Written { .. }),
            "row {row}: {outcome:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_of_a_source_that_trickles_does_not_wait_for_the_next() {
    let load = plain_load(5);
    let simulator = load.service().build();
    let ledger = Ledger::default();
    let rows = stream::iter(load.ops.clone()).then(async |op| {
        sleep(Duration::from_secs(10)).await;
        let (row, stored) = (op.position().unwrap().row(), simulator.items("strings"));
        assert_eq!(stored.len() as u64, row, "rows before this one");
        Ok::<_, Infallible>(op)
    });
    let linger = Duration::from_millis(50);
    drive(Box::pin(rows), load.pipe(simulator.clone(), &ledger))
        .linger(linger)
        .await
        .unwrap();
    assert_eq!(ledger.outcomes().len(), 5);
}

use std::sync::Arc;
use std::time::Duration;

use dynasink::{BillingMode, KeyType, TableSchema, WriteOp, WriteUnits};
use dynasink_sim::{Audit, Latency, SimulatedTable, Simulator};
use futures::{StreamExt, stream};
use serde::Serialize;

use super::*;
use crate::policy::{Client, Ended, RateGauge};
use crate::scenario::Scenario;

const LATENCY: Duration = Duration::from_millis(10);

#[derive(Serialize)]
struct Row {
    id: u64,
    text: String,
}

/// All but the project's own pipe.
fn peers() -> Vec<Box<dyn Policy>> {
    all().split_off(1)
}

fn table(billing_mode: BillingMode) -> TableSchema {
    TableSchema::builder("rows")
        .partition_key("id", KeyType::N)
        .billing_mode(billing_mode)
        .build()
        .unwrap()
}

fn provisioned(write: u64) -> TableSchema {
    table(BillingMode::Provisioned {
        write: WriteUnits::new(write),
    })
}

fn rows(table: &TableSchema, count: u64, bytes: usize) -> Vec<WriteOp> {
    let text = "x".repeat(bytes);
    let row = |id| Row {
        id,
        text: text.clone(),
    };
    (0..count)
        .map(|id| table.put_serde(&row(id)).unwrap())
        .collect()
}

/// Of which peers look at the seed alone.
fn scenario() -> Scenario {
    let text = "
        about = 'any'
        [table]
        capacity = { provisioned = 1 }
        [input]
        ops = 1
        size = 100
    ";
    text.parse().unwrap()
}

/// Writes `ops` to a table in use, of which nothing is saved up.
async fn write(policy: &dyn Policy, table: &TableSchema, ops: Vec<WriteOp>) -> (Ended, Audit) {
    let simulator = Simulator::builder()
        .seed(1)
        .table(
            SimulatedTable::new(table.clone())
                .partitions(200)
                .idle(Duration::ZERO),
        )
        .latency(Latency::fixed(LATENCY))
        .build();
    let client = Client {
        transport: simulator.clone(),
        table: table.clone(),
        scenario: Arc::new(scenario()),
        ops: stream::iter(ops).boxed(),
        rate: RateGauge::default(),
    };
    let ended = policy.write(client).await;
    (ended, simulator.audit())
}

/// Most requests that were under way at one time.
fn most_in_flight(audit: &Audit) -> usize {
    let under_way = |at: Duration| {
        let requests = audit.requests().iter();
        requests
            .filter(|request| request.arrived <= at && request.ended.is_none_or(|ended| at < ended))
            .count()
    };
    let arrivals = audit.requests().iter().map(|request| request.arrived);
    arrivals.map(under_way).max().unwrap_or(0)
}

fn seconds(audit: &Audit) -> f64 {
    let applied = audit
        .requests()
        .iter()
        .filter_map(|request| request.applied);
    applied.max().unwrap_or_default().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn every_peer_writes_or_gives_up_each_operation() {
    for table in [
        provisioned(100),
        table(BillingMode::OnDemand {
            max_write: Some(WriteUnits::new(100)),
        }),
    ] {
        for policy in peers() {
            let ops = rows(&table, 1_000, 2_000);
            let (ended, audit) = write(&*policy, &table, ops).await;
            let totals = audit.totals();
            assert_eq!(
                totals.applied + ended.given_up,
                1_000,
                "{} on {:?}",
                policy.name(),
                table.billing_mode()
            );
            assert_eq!(totals.illegal, 0, "{}", policy.name());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_seed_gives_one_trace() {
    let table = provisioned(50);
    for policy in peers() {
        let (_, first) = write(&*policy, &table, rows(&table, 400, 3_000)).await;
        let (_, second) = write(&*policy, &table, rows(&table, 400, 3_000)).await;
        assert_eq!(first.trace(), second.trace(), "{}", policy.name());
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_cut_where_the_service_would_reject_it() {
    let table = provisioned(1_000);
    for policy in peers() {
        let mut ops = rows(&table, 30, 100);
        ops.extend(rows(&table, 30, 100));
        ops.insert(1, ops[0].clone());
        let (ended, audit) = write(&*policy, &table, ops).await;
        assert_eq!(audit.totals().illegal, 0, "{}", policy.name());
        assert_eq!((ended.given_up, audit.totals().applied), (0, 61));
    }
}

#[tokio::test(start_paused = true)]
async fn boto3_waits_for_each_answer_and_storms_a_full_table() {
    let table = provisioned(100);
    let (ended, audit) = write(&Boto3, &table, rows(&table, 2_000, 1_000)).await;
    assert_eq!(most_in_flight(&audit), 1);
    let totals = audit.totals();
    assert!(
        totals.refused > totals.applied,
        "{totals:?} and {ended:?}: it never pauses for what is unprocessed"
    );
}

#[tokio::test(start_paused = true)]
async fn boto3_loses_a_request_that_is_refused_ten_times() {
    let table = provisioned(1);
    // Each item costs 100 units, so that the table is in debt for longer than botocore's 25 seconds.
    let (ended, _) = write(&Boto3, &table, rows(&table, 26, 100 * 1_024)).await;
    assert!(ended.given_up > 0);
}

#[tokio::test(start_paused = true)]
async fn pydynox_charges_one_unit_for_an_item_of_any_size() {
    let table = provisioned(100_000);
    let (ended, audit) = write(&Pydynox, &table, rows(&table, 2_000, 4_000)).await;
    assert_eq!(ended.given_up, 0);
    assert_eq!(audit.totals().units, 8_000);
    assert_eq!(most_in_flight(&audit), 1);
    let small = provisioned(100);
    let (_, audit) = write(&Pydynox, &small, rows(&small, 2_000, 4_000)).await;
    assert!(audit.totals().refused > 0, "four times what the table has");
}

#[tokio::test(start_paused = true)]
async fn pydynox_with_less_than_a_chunk_of_capacity_still_ends() {
    let table = provisioned(5);
    let (ended, audit) = write(&Pydynox, &table, rows(&table, 60, 100)).await;
    assert_eq!(audit.totals().applied + ended.given_up, 60);
}

#[test]
fn an_adaptive_rate_falls_by_a_fifth_and_rises_by_a_tenth_a_second_after_ten() {
    let at = Duration::from_secs;
    let mut rate = pydynox::AdaptiveRate::new(100.0);
    assert!((rate.rate - 50.0).abs() < 1e-9);
    assert_eq!(rate.try_acquire(at(0), 100.0), Ok(()), "the bucket is full");
    assert_eq!(
        rate.try_acquire(at(0), 25.0),
        Err(Duration::from_millis(500))
    );
    rate.on_throttle(at(1));
    assert!((rate.rate - 40.0).abs() < 1e-9);
    for second in 2..=10 {
        rate.check(at(second));
    }
    assert!((rate.rate - 40.0).abs() < 1e-9);
    rate.check(at(11));
    rate.check(at(11));
    assert!((rate.rate - 44.0).abs() < 1e-9);
    (12..60).for_each(|second| rate.check(at(second)));
    assert!((rate.rate - 100.0).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn flink_fills_fifty_requests_where_nothing_is_refused() {
    let table = provisioned(100_000);
    let (ended, audit) = write(&Flink, &table, rows(&table, 10_000, 100)).await;
    assert_eq!(ended.given_up, 0);
    assert_eq!(most_in_flight(&audit), 50);
}

#[test]
fn congestion_control_adds_ten_and_halves() {
    let mut control = flink::CongestionControl::new();
    let round = |control: &mut flink::CongestionControl, failed| {
        let size = control.batch_size();
        control.register(size);
        control.complete(size, failed);
        control.batch_size()
    };
    assert_eq!(control.batch_size(), 25);
    control.register(25);
    assert!(control.blocks(1), "25 messages are in flight");
    control.complete(25, 1);
    assert_eq!(control.batch_size(), 13);
    assert_eq!(round(&mut control, 13), 7);
    assert_eq!(round(&mut control, 0), 17);
    for _ in 0..10 {
        round(&mut control, 1);
    }
    assert_eq!(
        control.batch_size(),
        1,
        "a request has one message at least"
    );
}

#[tokio::test(start_paused = true)]
async fn emr_uses_half_of_the_capacity_whatever_the_items_weigh() {
    let table = provisioned(200);
    for (count, bytes, units) in [(3_000, 100, 3_000.0), (1_000, 2_500, 3_000.0)] {
        let (ended, audit) = write(&EmrConnector, &table, rows(&table, count, bytes)).await;
        assert_eq!(ended.given_up, 0);
        let rate = units / seconds(&audit);
        assert!((95.0..112.0).contains(&rate), "{rate} units a second");
    }
}

#[test]
fn emr_takes_its_items_per_second_from_what_the_last_ones_consumed() {
    let mut controller = emr::IopsController::new(Some(WriteUnits::new(1_000)), emr::SHARE);
    assert_eq!(controller.items_per_second(), 500);
    controller.update(500, 2_000);
    assert_eq!(controller.items_per_second(), 125);
    controller.update(125, 50);
    assert_eq!(
        controller.items_per_second(),
        500,
        "a write is a unit at least"
    );
    controller.update(500, 0);
    assert_eq!(controller.items_per_second(), 500);
    assert_eq!(
        emr::IopsController::new(None, emr::SHARE).items_per_second(),
        20_000
    );
    assert_eq!(
        emr::IopsController::new(Some(WriteUnits::new(1)), emr::SHARE).items_per_second(),
        1
    );
    assert_eq!(emr::pause_millis(1, 500), 250);
    assert_eq!(emr::pause_millis(4, 599), 2_396);
    assert_eq!(emr::pause_millis(100, 500), 3_000);
}

#[tokio::test(start_paused = true)]
async fn feldera_has_64_in_flight_and_drops_what_is_refused_too_often() {
    let ample = provisioned(100_000);
    let (ended, audit) = write(&Feldera, &ample, rows(&ample, 5_000, 100)).await;
    assert_eq!((ended.given_up, most_in_flight(&audit)), (0, 64));
    let scarce = provisioned(10);
    let (ended, audit) = write(&Feldera, &scarce, rows(&scarce, 5_000, 100)).await;
    assert!(ended.given_up > 0);
    assert_eq!(audit.totals().applied + ended.given_up, 5_000);
    assert_eq!(feldera::longest_backoff_millis(1), 100);
    assert_eq!(feldera::longest_backoff_millis(10), 12_800);
}

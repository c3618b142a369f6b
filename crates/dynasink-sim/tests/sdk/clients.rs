//! Several clients of one service, told apart, and a service that becomes slower.

use std::time::Duration;

use dynasink_aws::Transport;
use dynasink_core::{BillingMode, KeyType, TableSchema, WriteBatch, WriteUnits};
use dynasink_sim::{Latency, Resource, SimulatedTable, Simulator, SimulatorBuilder};
use serde_json::json;
use tokio::time::Instant;

fn orders() -> TableSchema {
    let table = TableSchema::builder("orders").partition_key("id", KeyType::N);
    let write = WriteUnits::new(10);
    let table = table.billing_mode(BillingMode::Provisioned { write });
    table.build().unwrap()
}

fn service() -> SimulatorBuilder {
    let table = SimulatedTable::new(orders()).idle(Duration::from_secs(1));
    Simulator::builder().table(table)
}

fn put(id: u32) -> WriteBatch {
    WriteBatch::of(orders().put_serde(&json!({ "id": id })).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_client_is_counted_apart_and_among_all() {
    let service = service().build();
    let (one, other) = (service.as_client("one"), service.as_client("other"));
    for id in 0..8 {
        one.batch_write(&put(id)).await.unwrap();
    }
    let mut refused = 0;
    for id in 10..20 {
        refused += u64::from(other.batch_write(&put(id)).await.is_err());
    }
    assert!(refused > 0, "there are about ten units");

    let table = Resource::Table("orders".to_owned());
    let units = |audit: dynasink_sim::Audit| audit.units_per_second(&table).values().sum::<u64>();
    let totals = service.audit_of("one").totals();
    assert_eq!((totals.requests, totals.applied, totals.refused), (8, 8, 0));
    assert_eq!(units(service.audit_of("one")), 8);
    let totals = service.audit_of("other").totals();
    assert_eq!((totals.applied, totals.refused), (10 - refused, refused));
    let totals = service.audit().totals();
    assert_eq!((totals.requests, totals.refused), (18, refused));
    assert_eq!(units(service.audit()), 18 - refused);
    assert!(service.audit_of("one").last_applied() < service.audit_of("other").last_applied());
    assert_eq!(service.audit_of("nobody").totals().requests, 0);
}

#[tokio::test(start_paused = true)]
async fn requests_are_in_flight_until_they_are_answered() {
    let service = service().build();
    let client = service.as_client("one");
    {
        let batch = put(1);
        let request = std::pin::pin!(client.batch_write(&batch));
        assert!(futures::poll!(request).is_pending());
        assert_eq!(service.audit_of("one").in_flight(), 1);
        assert_eq!(service.audit().in_flight(), 1);
    }
    assert_eq!(service.audit_of("one").in_flight(), 0);
    assert_eq!(service.audit().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn latency_changes_when_the_script_says_so() {
    let faults = "latency:150ms@1s".parse().unwrap();
    let latency = Latency::fixed(Duration::from_millis(2));
    let service = service().latency(latency).faults(faults).build();
    let mut took = Vec::new();
    for id in 0..2 {
        let sent = Instant::now();
        service.batch_write(&put(id)).await.unwrap();
        took.push(sent.elapsed());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(took, [2, 150].map(Duration::from_millis));
}

#[tokio::test(start_paused = true)]
async fn sizes_are_enough_to_tell_what_a_write_costs() {
    let service = service().sizes_only().build();
    let table = orders();
    let large = json!({ "id": 1, "text": "x".repeat(3000) });
    for item in [large, json!({ "id": 1 })] {
        let batch = WriteBatch::of(table.put_serde(&item).unwrap());
        service.batch_write(&batch).await.unwrap();
    }
    assert_eq!(
        service.audit().totals().units,
        6,
        "a small item over a large one"
    );
    assert!(service.items("orders").is_empty());
}

//! What an on-demand table takes, and what a change of capacity does.

use super::*;

#[test]
fn an_on_demand_table_doubles_half_an_hour_after_its_peak() {
    let table = table(BillingMode::OnDemand { max_write: None }).idle(Duration::ZERO);
    let mut offered = Offered::new(&CapacityModel::default(), &table);
    assert_eq!(offered.table.partitions(), 4);
    assert_eq!(offered.load(1..=10_000, 10, spread), 10 * 4000);
    let (_, refusal) = offered.exhaust(SECOND * 10, spread);
    assert_eq!(refusal.reason(), "TableWriteKeyRangeThroughputExceeded");
    assert_eq!(refusal.exception(), Exception::Throttling);

    let start = 31 * 60 * 1000;
    offered.load(start..=start + 5_000, 10, spread);
    let admitted = offered.load(start + 5_001..=start + 6_000, 10, spread);
    // A partition that is a unit short leaves it to the next second.
    assert!((7990..=8010).contains(&admitted), "{admitted}");
    assert_eq!(offered.table.partitions(), 8);
}

#[test]
fn a_maximum_on_demand_binds_before_the_table() {
    let max_write = Some(WriteUnits::new(100));
    let table = table(BillingMode::OnDemand { max_write }).idle(Duration::ZERO);
    let mut offered = Offered::new(&CapacityModel::default(), &table);
    assert_eq!(offered.load(1..=10_000, 1, spread), 10 * 100);
    let (_, refusal) = offered.exhaust(SECOND * 10, spread);
    assert_eq!(refusal.reason(), "TableWriteMaxOnDemandThroughputExceeded");
    assert_eq!(refusal.exception(), Exception::Throttling);
}

#[test]
fn a_table_that_was_provisioned_is_warm_on_demand() {
    let start = table(provisioned(10_000)).idle(Duration::ZERO);
    let mut offered = Offered::new(&CapacityModel::default(), &start);
    let on_demand = BillingMode::OnDemand { max_write: None };
    offered.table.set_capacity(Duration::ZERO, provisioned(500));
    offered.table.set_capacity(Duration::ZERO, on_demand);
    assert_eq!(offered.load(1..=3_000, 20, spread), 3 * 10_000);
    let max_write = Some(WriteUnits::new(10));
    offered
        .table
        .set_capacity(SECOND * 3, BillingMode::OnDemand { max_write });
    assert_eq!(offered.exhaust(SECOND * 4, spread).0, 10);
    offered.table.set_capacity(SECOND * 4, provisioned(500));
    assert_eq!(offered.exhaust(SECOND * 5, spread).0, 500);
    assert_eq!(offered.table.partitions(), 10);
}

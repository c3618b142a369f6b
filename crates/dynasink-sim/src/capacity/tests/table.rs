//! What a table and its partitions take.

use super::*;

#[test]
fn a_saturated_table_admits_its_burst_and_then_exactly_its_rate() {
    let table = table(provisioned(1000)).partitions(8).idle(SECOND * 50);
    let mut offered = Offered::new(&CapacityModel::default(), &table);
    let total = offered.load(0..=100_000, 4, spread);
    assert_eq!(total, 100 * 1000 + 50 * 1000);
    let steady = offered.load(100_001..=101_000, 4, spread);
    assert_eq!(steady, 1000);
    let (_, refusal) = offered.exhaust(SECOND * 101, spread);
    assert_eq!(refusal.reason(), "TableWriteProvisionedThroughputExceeded");
    assert_eq!(
        refusal.exception(),
        Exception::ProvisionedThroughputExceeded
    );
}

#[test]
fn burst_does_not_lift_the_limit_of_a_partition() {
    let mut offered = Offered::new(&CapacityModel::default(), &table(provisioned(10_000)));
    assert_eq!(offered.table.partitions(), 10);
    assert_eq!(offered.load(0..=20_000, 4, one_key), 1000 + 20 * 1000);
    let (_, refusal) = offered.exhaust(SECOND * 20, one_key);
    assert_eq!(refusal.reason(), "TableWriteKeyRangeThroughputExceeded");
    assert_eq!(
        refusal.exception(),
        Exception::ProvisionedThroughputExceeded
    );
    let elsewhere = offered.offer(SECOND * 20, &write(u64::MAX, 1));
    assert_eq!(elsewhere, Ok(Admitted { partition: 9 }));
}

#[test]
fn a_hot_partition_uses_what_the_others_leave_up_to_its_limit() {
    let uneven = |number: u64| {
        if number.is_multiple_of(10) {
            u64::MAX
        } else {
            number
        }
    };
    let model = CapacityModel::default();
    let idle = |table: SimulatedTable| table.partitions(2).idle(Duration::ZERO);
    let mut offered = Offered::new(&model, &idle(table(provisioned(1000))));
    let admitted = offered.load(1..=10_000, 1, uneven);
    assert_eq!(
        admitted, 10_000,
        "nine tenths of the rate go to one of two partitions"
    );

    let mut offered = Offered::new(&model, &idle(table(provisioned(1500))));
    let admitted = offered.load(1..=10_000, 2, one_key);
    assert_eq!(admitted, 10_000);
}

#[test]
fn a_split_doubles_a_hot_range_but_not_a_hot_key() {
    let model = CapacityModel::default().split_after(SECOND * 5);
    let start = table(provisioned(10_000)).partitions(1);
    let mut range = Offered::new(&model, &start);
    range.load(0..4_000, 4, spread);
    assert_eq!(range.load(4_000..5_000, 4, spread), 1000);
    range.load(5_000..6_000, 4, spread);
    assert_eq!(range.table.partitions(), 2);
    assert_eq!(range.load(6_000..7_000, 4, spread), 2000);

    let mut key = Offered::new(&model, &start);
    key.load(0..19_000, 4, one_key);
    assert_eq!(key.load(19_000..20_000, 4, one_key), 1000);
    assert_eq!(key.table.partitions(), 1);
}

#[test]
fn local_indexes_draw_from_the_table() {
    let table = table(provisioned(100)).idle(SECOND);
    let model = CapacityModel::default().admit(Admit::Strict);
    let mut offered = Offered::new(&model, &table);
    let cost = WriteCost {
        local_units: vec![(0, 30), (1, 30)],
        ..write(0, 30)
    };
    assert!(offered.offer(Duration::ZERO, &cost).is_ok());
    assert_eq!(offered.exhaust(Duration::ZERO, spread).0, 10);
}

#[test]
fn all_tables_draw_from_the_account() {
    let model = CapacityModel::default().account_limit(Some(WriteUnits::new(100)));
    let mut offered = Offered::new(&model, &table_with_index(1000, None));
    let mut other = TableCapacity::new(&model, &table(provisioned(1000)), Duration::ZERO);
    for _ in 0..25 {
        assert!(offered.offer(Duration::ZERO, &indexed_write(0, 1)).is_ok());
        let cost = write(0, 2);
        assert!(
            other
                .admit(Duration::ZERO, &cost, &mut offered.account)
                .is_ok()
        );
    }
    let (admitted, refusal) = offered.exhaust(Duration::ZERO, spread);
    assert_eq!(admitted, 0);
    assert_eq!(refusal.reason(), "TableWriteAccountLimitExceeded");
    assert_eq!(refusal.exception(), Exception::RequestLimitExceeded);
}

#[test]
fn a_small_table_takes_a_large_item_into_debt_or_once_it_has_saved_up() {
    let largest_item = write(0, 400);
    let admitted_at = |admit| {
        let table = table(provisioned(5)).idle(Duration::ZERO);
        let mut offered = Offered::new(&CapacityModel::default().admit(admit), &table);
        (0..=200)
            .filter(|second| offered.offer(SECOND * *second, &largest_item).is_ok())
            .collect::<Vec<_>>()
    };
    // 5 units at 1 s leave a debt of 395, and one unit more takes 79.2 s.
    assert_eq!(admitted_at(Admit::Debt), [1, 81, 161]);
    assert_eq!(admitted_at(Admit::Strict), [80, 160]);

    let table = table(provisioned(1)).idle(MINUTE * 5);
    let strict = CapacityModel::default().admit(Admit::Strict);
    let mut offered = Offered::new(&strict, &table);
    assert!(offered.offer(MINUTE * 60, &largest_item).is_err());
}

#[test]
fn a_changed_capacity_keeps_savings_and_partitions() {
    let start = table(provisioned(100)).idle(SECOND * 10);
    let mut offered = Offered::new(&CapacityModel::default(), &start);
    offered
        .table
        .set_capacity(Duration::ZERO, provisioned(2500));
    assert_eq!(
        offered.table.partitions(),
        4,
        "halved until there are three"
    );
    assert_eq!(offered.exhaust(Duration::ZERO, spread).0, 1000);
    assert_eq!(offered.exhaust(SECOND, spread).0, 2500);

    offered.table.set_capacity(SECOND, provisioned(1));
    assert_eq!(offered.table.partitions(), 4);
    assert_eq!(offered.exhaust(SECOND * 3, spread).0, 2);
}

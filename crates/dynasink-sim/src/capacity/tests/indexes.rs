//! What global indexes take, and refuse.

use super::*;

#[test]
fn an_index_that_lags_too_far_behind_refuses_the_writes_that_touch_it() {
    let table = table_with_index(1000, Some(10)).idle(Duration::ZERO);
    let mut offered = Offered::new(&CapacityModel::default(), &table);
    let touching = indexed_write(0, 1);
    let mut admitted = 0;
    let refusal = loop {
        match offered.offer(SECOND, &touching) {
            Ok(_) => admitted += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(
        admitted,
        10 + 10 * 10,
        "a second's capacity and the backlog"
    );
    assert_eq!(
        (refusal.index, refusal.limit),
        (Some(0), Limit::Provisioned)
    );
    assert_eq!(refusal.reason(), "IndexWriteProvisionedThroughputExceeded");
    let (others, _) = offered.exhaust(SECOND, spread);
    assert_eq!(others, 1000 - 110, "a refused write draws nothing");
    let in_steady_state = (1001..=2000)
        .filter(|millis| {
            offered
                .offer(Duration::from_millis(*millis), &touching)
                .is_ok()
        })
        .count();
    assert_eq!(in_steady_state, 10);
}

#[test]
fn one_hot_partition_of_an_index_refuses_writes() {
    let table = table_with_index(40_000, None).idle(SECOND);
    let model = CapacityModel::default().index_backlog(SECOND);
    let mut offered = Offered::new(&model, &table);
    let at = |number: u64, index_partition| WriteCost {
        partition: spread(number),
        ..indexed_write(index_partition, 1)
    };
    for number in 0..2000 {
        assert!(offered.offer(Duration::ZERO, &at(number, 42)).is_ok());
    }
    let refusal = offered.offer(Duration::ZERO, &at(2000, 42)).unwrap_err();
    assert_eq!(refusal.reason(), "IndexWriteKeyRangeThroughputExceeded");
    let elsewhere = offered.offer(Duration::ZERO, &at(2000, u64::MAX));
    assert!(elsewhere.is_ok());
}

#[test]
fn an_entry_that_moves_draws_from_an_index_twice_or_not_at_all() {
    let table = table_with_index(1000, Some(10)).idle(SECOND);
    let model = CapacityModel::default()
        .admit(Admit::Strict)
        .index_backlog(Duration::ZERO);
    let mut offered = Offered::new(&model, &table);
    let mut moving = indexed_write(0, 6);
    moving.global.extend(indexed_write(u64::MAX, 6).global);
    let refusal = offered.offer(Duration::ZERO, &moving).unwrap_err();
    assert_eq!(refusal.index, Some(0));
    moving.global.truncate(1);
    assert!(offered.offer(Duration::ZERO, &moving).is_ok());
    assert!(offered.offer(Duration::ZERO, &moving).is_err());
}

#[test]
fn the_capacity_of_an_index_is_its_own_or_the_tables() {
    let model = CapacityModel::default().index_backlog(Duration::ZERO);
    let admitted = |offered: &mut Offered, now| {
        (0..1000)
            .take_while(|_| offered.offer(now, &indexed_write(0, 1)).is_ok())
            .count()
    };
    let table = table_with_index(200, None).idle(Duration::ZERO);
    let mut offered = Offered::new(&model, &table);
    assert_eq!(admitted(&mut offered, SECOND), 200);
    offered.table.set_capacity(SECOND, provisioned(300));
    assert_eq!(admitted(&mut offered, SECOND * 2), 300);
    offered
        .table
        .set_index_capacity(SECOND * 2, 0, WriteUnits::new(50));
    assert_eq!(admitted(&mut offered, SECOND * 3), 50);
    offered
        .table
        .set_index_capacity(SECOND * 3, 7, WriteUnits::new(1));

    let on_demand = BillingMode::OnDemand { max_write: None };
    offered.table.set_capacity(SECOND * 3, on_demand);
    let tenth = SECOND / 10;
    assert!(
        admitted(&mut offered, SECOND * 3 + tenth) >= 100,
        "a rate that was provisioned is no maximum"
    );
    offered
        .table
        .set_index_capacity(SECOND * 3 + tenth, 0, WriteUnits::new(20));
    assert_eq!(admitted(&mut offered, SECOND * 4 + tenth), 20);
    let refusal = offered
        .offer(SECOND * 4 + tenth, &indexed_write(0, 1))
        .unwrap_err();
    assert_eq!(refusal.reason(), "IndexWriteMaxOnDemandThroughputExceeded");
}

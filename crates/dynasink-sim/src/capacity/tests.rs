//! What a table with its partitions and indexes admits, from outside.

use std::collections::BTreeMap;

use dynasink_core::{KeyType, TableSchema, TableSchemaBuilder};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn orders() -> TableSchemaBuilder {
    TableSchema::builder("orders").partition_key("id", KeyType::S)
}

fn provisioned(write: u64) -> BillingMode {
    let write = WriteUnits::new(write);
    BillingMode::Provisioned { write }
}

fn table(billing: BillingMode) -> SimulatedTable {
    SimulatedTable::new(orders().billing_mode(billing).build().unwrap())
}

fn table_with_index(write: u64, index_write: Option<u64>) -> SimulatedTable {
    let index_write = index_write.map(WriteUnits::new);
    let schema = orders().billing_mode(provisioned(write)).index(
        "by_day",
        IndexKind::Global,
        [("day", KeyType::S)],
        [],
        index_write,
    );
    SimulatedTable::new(schema.build().unwrap())
}

/// A table that is offered writes.
struct Offered {
    table: TableCapacity,
    account: AccountCapacity,
}

impl Offered {
    fn new(model: &CapacityModel, table: &SimulatedTable) -> Self {
        Self {
            table: TableCapacity::new(model, table, Duration::ZERO),
            account: AccountCapacity::new(model, Duration::ZERO),
        }
    }

    fn offer(&mut self, now: Duration, cost: &WriteCost) -> Result<Admitted, Refusal> {
        self.table.admit(now, cost, &mut self.account)
    }

    /// Offers writes of one unit without end at `now`, the `n`th at `place(n)`: how many are admitted until one is
    /// refused, and why.
    fn exhaust(&mut self, now: Duration, place: impl Fn(u64) -> u64) -> (u64, Refusal) {
        for number in 0.. {
            if let Err(refusal) = self.offer(now, &write(place(number), 1)) {
                return (number, refusal);
            }
        }
        unreachable!()
    }

    /// Offers so many writes of one unit each millisecond, the `n`th at `place(n)`: how many are admitted.
    fn load(
        &mut self,
        millis: impl IntoIterator<Item = u64>,
        per_milli: u64,
        place: impl Fn(u64) -> u64,
    ) -> u64 {
        let mut admitted = 0;
        for milli in millis {
            for number in milli * per_milli..(milli + 1) * per_milli {
                let now = Duration::from_millis(milli);
                admitted += u64::from(self.offer(now, &write(place(number), 1)).is_ok());
            }
        }
        admitted
    }
}

/// Spreads numbers evenly over all places.
fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn one_key(_number: u64) -> u64 {
    42
}

fn write(partition: u64, units: u64) -> WriteCost {
    WriteCost {
        partition,
        table_units: units,
        local_units: Vec::new(),
        global: Vec::new(),
    }
}

fn indexed_write(index_partition: u64, units: u64) -> WriteCost {
    let global = vec![IndexCost {
        index: 0,
        partition: index_partition,
        units,
    }];
    WriteCost {
        global,
        ..write(0, 1)
    }
}

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
    assert_eq!(admitted, 8000);
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

#[test]
fn the_capacity_of_an_index_is_its_own_or_the_tables() {
    let model = CapacityModel::default().index_backlog(Duration::ZERO);
    let admitted = |offered: &mut Offered, now| {
        (0..)
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
    offered
        .table
        .set_index_capacity(SECOND * 3, 0, WriteUnits::new(20));
    assert_eq!(admitted(&mut offered, SECOND * 4), 20);
    let refusal = offered.offer(SECOND * 4, &indexed_write(0, 1)).unwrap_err();
    assert_eq!(refusal.reason(), "IndexWriteMaxOnDemandThroughputExceeded");
}

/// Whether no window of the admitted writes has more units than `saved` and the rate.
fn keeps(rate: u64, saved: u64, admitted: &[(Duration, u64)]) -> bool {
    admitted.iter().enumerate().all(|(start, (from, _))| {
        let mut total = 0;
        admitted.iter().skip(start).all(|(to, units)| {
            total += u128::from(*units) * 1_000_000_000;
            let come = u128::from(rate) * (*to - *from).as_nanos();
            total <= come + u128::from(saved) * 1_000_000_000
        })
    })
}

#[test]
fn no_window_sees_more_than_depth_and_rate_and_one_items_debt() {
    const LARGEST: u64 = 40;
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (rate, index_rate) = (random.u64(50..400), random.u64(10..100));
        let (idle, backlog) = (random.u64(..5), random.u64(..5));
        let partition_rate = random.u64(50..200);
        let model = CapacityModel::default()
            .burst(SECOND * 5)
            .partition_rate(WriteUnits::new(partition_rate))
            .split_after(SECOND * 2)
            .index_backlog(SECOND * u32::try_from(backlog).unwrap());
        let table = table_with_index(rate, Some(index_rate))
            .idle(Duration::from_secs(idle))
            .partitions(random.usize(1..4));
        let mut offered = Offered::new(&model, &table);
        let mut now = Duration::ZERO;
        let (mut whole, mut index, mut parts) = (Vec::new(), Vec::new(), BTreeMap::new());
        for _ in 0..1500 {
            now += Duration::from_nanos(random.u64(..40_000_000));
            let mut cost = indexed_write(random.u64(..), random.u64(1..=LARGEST));
            cost.partition = random.u64(..) >> random.u32(..3);
            cost.table_units = random.u64(1..=LARGEST);
            if random.bool() {
                cost.global.clear();
            }
            if let Ok(Admitted { partition }) = offered.offer(now, &cost) {
                let units = cost.table_units;
                whole.push((now, units));
                parts
                    .entry(partition)
                    .or_insert_with(Vec::new)
                    .push((now, units));
                index.extend(cost.global.iter().map(|cost| (now, cost.units)));
            }
        }
        assert!(keeps(rate, rate * 5 + LARGEST, &whole), "seed {seed}");
        let index_saved = index_rate * (5 + backlog) + LARGEST;
        assert!(keeps(index_rate, index_saved, &index), "seed {seed}");
        for admitted in parts.values() {
            assert!(
                keeps(partition_rate, partition_rate + LARGEST, admitted),
                "seed {seed}"
            );
        }
    }
}

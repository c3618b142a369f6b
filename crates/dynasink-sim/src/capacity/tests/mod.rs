//! What a table with its partitions and indexes admits, from outside.

mod indexes;
mod on_demand;
mod table;
mod windows;

use dynasink_core::{KeyType, TableSchema, TableSchemaBuilder};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

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

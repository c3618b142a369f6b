//! The write units of operations, for the table and for each of its indexes.

use dynasink_core::{IndexKind, TableSchema, WriteOp, WriteUnits};
use serde::Serialize;

/// Write units, as they would be consumed where no item of the same keys lies yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UnitTotals {
    /// Units of the items themselves.
    pub items: u64,
    /// Units of the table's own capacity: those of the items, and those of its local indexes.
    pub table: u64,
    /// Units of each index, in the order of the table's description.
    pub indexes: Vec<IndexUnits>,
    /// Units of the table and of all of its global indexes.
    pub total: u64,
}

/// Write units of one index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexUnits {
    /// Its name.
    pub index: String,
    /// Whether it has a capacity of its own, as global ones have.
    pub global: bool,
    /// Items that it holds, and deletes that may remove one.
    pub entries: u64,
    /// Its units.
    pub units: u64,
}

impl UnitTotals {
    pub(super) fn of(table: &TableSchema) -> Self {
        let indexes = table.indexes().iter().map(|index| IndexUnits {
            index: index.name().to_owned(),
            global: index.kind() == IndexKind::Global,
            entries: 0,
            units: 0,
        });
        Self {
            indexes: indexes.collect(),
            ..Self::default()
        }
    }

    /// Counts `op`, and tells the units of the table's own capacity that it takes.
    pub(super) fn note(&mut self, op: &WriteOp) -> WriteUnits {
        let mut of_table = op.units();
        self.items += op.units().get();
        for index in op.indexes() {
            let units = op.index_units(index);
            let counted = self
                .indexes
                .iter_mut()
                .find(|counted| counted.index == index.name());
            if let Some(counted) = counted {
                counted.entries += 1;
                counted.units += units.get();
            }
            match index.kind() {
                IndexKind::Local => of_table += units,
                IndexKind::Global => self.total += units.get(),
            }
        }
        self.table += of_table.get();
        self.total += of_table.get();
        of_table
    }

    /// The global indexes.
    pub fn global(&self) -> impl Iterator<Item = &IndexUnits> {
        self.indexes.iter().filter(|index| index.global)
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::KeyType;
    use serde_json::json;

    use super::*;

    #[test]
    fn local_indexes_take_the_tables_capacity_and_global_ones_their_own() {
        let table = TableSchema::builder("users")
            .partition_key("id", KeyType::N)
            .index(
                "by-mail",
                IndexKind::Global,
                [("mail", KeyType::S)],
                [],
                None,
            )
            .index(
                "by-day",
                IndexKind::Local,
                [("id", KeyType::N)],
                [("day", KeyType::S)],
                None,
            )
            .build()
            .unwrap();
        let mut totals = UnitTotals::of(&table);
        let text = "x".repeat(1500);
        let taken: Vec<_> = [
            json!({ "id": 1, "mail": "a", "day": "b", "text": text }),
            json!({ "id": 2, "day": "b" }),
            json!({ "id": 3 }),
        ]
        .iter()
        .map(|item| totals.note(&table.put_serde(item).unwrap()).get())
        .collect();
        assert_eq!(taken, [4, 2, 1]);
        assert_eq!((totals.items, totals.table, totals.total), (4, 7, 9));
        let indexes: Vec<_> = totals
            .indexes
            .iter()
            .map(|index| (index.entries, index.units))
            .collect();
        assert_eq!(indexes, [(1, 2), (2, 3)]);
    }
}

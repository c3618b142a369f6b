//! What operations are predicted to draw, from tables and from global indexes.

use std::sync::Arc;

use crate::batch::{WriteBatch, WriteBatchBuilder};
use crate::op::WriteOp;
use crate::table::TableName;
use crate::units::WriteUnits;

/// The predicted cost of operations, as far as their own sizes tell.
///
/// What overwritten items were, and which attributes an index holds, is not known here. Whoever predicts an index's
/// units learns from [`ConsumedCapacity`](crate::ConsumedCapacity) how they compare with those of [`IndexCost`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteCost {
    units: WriteUnits,
    indexes: Vec<IndexCost>,
}

/// The predicted cost of operations for one global index, which has a capacity of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexCost {
    /// The table.
    pub table: TableName,
    /// The index.
    pub index: Arc<str>,
    /// The units of the operations whose items are in the index, as if it held all of their attributes.
    ///
    /// A delete may remove an item from any index, and counts for each.
    pub units: WriteUnits,
}

impl WriteCost {
    /// That many units of a table without global indexes.
    pub const fn of_table(units: WriteUnits) -> Self {
        Self {
            units,
            indexes: Vec::new(),
        }
    }

    /// The cost of `ops` together.
    #[expect(
        single_use_lifetimes,
        reason = "an anonymous lifetime is not stable here"
    )]
    pub fn of<'o>(ops: impl IntoIterator<Item = &'o WriteOp>) -> Self {
        let mut cost = Self::default();
        for op in ops {
            cost.add(op);
        }
        cost
    }

    /// Adds the cost of `op`.
    pub fn add(&mut self, op: &WriteOp) {
        self.units += op.units();
        for index in op.global_indexes() {
            let known = self
                .indexes
                .iter_mut()
                .find(|cost| cost.index == *index.name_arc() && cost.table == *op.table());
            match known {
                Some(cost) => cost.units += op.units(),
                None => self.indexes.push(IndexCost {
                    table: op.table().clone(),
                    index: Arc::clone(index.name_arc()),
                    units: op.units(),
                }),
            }
        }
    }

    /// Units of the tables' own capacity.
    pub fn units(&self) -> WriteUnits {
        self.units
    }

    /// What it costs global indexes, each once.
    pub fn indexes(&self) -> &[IndexCost] {
        &self.indexes
    }
}

impl WriteBatch {
    /// The predicted cost of all operations, indexes included.
    pub fn cost(&self) -> WriteCost {
        WriteCost::of(self.ops())
    }
}

impl WriteBatchBuilder {
    /// The predicted cost of what it holds, indexes included.
    pub fn cost(&self) -> WriteCost {
        WriteCost::of(self.ops())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::table::{IndexKind, KeyType, TableSchema};

    #[test]
    fn an_operation_costs_the_indexes_that_hold_its_item() {
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
            .index(
                "by-town",
                IndexKind::Global,
                [("town", KeyType::S)],
                [("day", KeyType::S)],
                None,
            )
            .build()
            .unwrap();
        let payload = "x".repeat(1500);
        let ops = [
            table.put_serde(&json!({"id": 1, "mail": "a", "payload": payload})),
            table.put_serde(&json!({"id": 2, "town": "b", "day": "c"})),
            table.put_serde(&json!({"id": 3, "town": "b"})),
            table.delete_serde(&json!({"id": 4})),
        ]
        .map(Result::unwrap);
        let cost = WriteCost::of(&ops);
        let indexes: Vec<_> = cost
            .indexes()
            .iter()
            .map(|cost| (cost.table.as_str(), &*cost.index, cost.units.get()))
            .collect();
        assert_eq!(cost.units().get(), 2 + 1 + 1 + 1);
        assert_eq!(
            indexes,
            [("users", "by-mail", 2 + 1), ("users", "by-town", 1 + 1)]
        );
    }
}

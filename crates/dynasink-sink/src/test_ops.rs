//! Operations for the tests of the stages.

use dynasink_core::{KeyType, SourcePosition, TableSchema, WriteBatch, WriteOp};

/// The table that they write to.
pub(crate) fn table() -> TableSchema {
    TableSchema::builder("users")
        .partition_key("id", KeyType::N)
        .build()
        .unwrap()
}

/// A put of the item with key `id` that came as the row `row`, with `size` bytes of payload.
pub(crate) fn op(id: u32, row: u64, size: usize) -> WriteOp {
    let table = table();
    let item = table.item(|item| {
        item.attribute("id")?.integer(id)?;
        item.attribute("payload")?.string(&"x".repeat(size))
    });
    table
        .put(item.unwrap())
        .unwrap()
        .at(SourcePosition::new("rows".into(), 0, row))
}

/// The row that an operation came from.
pub(crate) fn row(op: &WriteOp) -> u64 {
    op.position().unwrap().row()
}

/// The rows that a batch holds.
pub(crate) fn rows(batch: &WriteBatch) -> Vec<u64> {
    batch.ops().iter().map(row).collect()
}

/// Operations of `keys` keys in random order, none to `most` of them, numbered by row.
pub(crate) fn random_ops(rng: &mut fastrand::Rng, keys: u32, most: u64) -> Vec<WriteOp> {
    (0..rng.u64(..=most))
        .map(|row| op(rng.u32(..keys), row, 0))
        .collect()
}

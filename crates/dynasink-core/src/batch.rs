//! A batch of operations that DynamoDB takes as one request.

use std::collections::HashSet;

use crate::limits::{MAX_BATCH_OPS, MAX_REQUEST_BYTES};
use crate::op::{REQUEST_ENVELOPE_BYTES, WriteOp};
use crate::table::TableName;
use crate::units::WriteUnits;

/// 1 to 25 operations, at most 16 MB on the wire, no key twice. It may span tables.
///
/// Source: API reference of `BatchWriteItem`.
#[derive(Clone, Debug)]
pub struct WriteBatch {
    ops: Vec<WriteOp>,
    wire_len: usize,
    units: WriteUnits,
}

impl WriteBatch {
    /// A batch of one operation.
    pub fn of(op: WriteOp) -> Self {
        let wire_len = element_len(&op, true);
        Self {
            units: op.units(),
            wire_len,
            ops: vec![op],
        }
    }

    /// The operations, in the order in which they were added.
    pub fn ops(&self) -> &[WriteOp] {
        &self.ops
    }

    /// The operations, in the order in which they were added.
    pub fn into_ops(self) -> Vec<WriteOp> {
        self.ops
    }

    /// How many operations there are: 1 to 25.
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// The predicted cost of all operations.
    pub fn units(&self) -> WriteUnits {
        self.units
    }

    /// Most bytes that the request's body can have.
    pub fn wire_len(&self) -> usize {
        self.wire_len + REQUEST_ENVELOPE_BYTES
    }

    /// Bytes of memory that this batch holds, about.
    pub fn memory(&self) -> usize {
        self.ops.iter().map(WriteOp::memory).sum()
    }

    /// The value of `RequestItems` in the request's body: the encoded operations, by table.
    ///
    /// ```
    /// use dynasink_core::{KeyType, TableSchema, WriteBatch};
    ///
    /// let table = TableSchema::builder("users").partition_key("id", KeyType::S).build()?;
    /// let item = table.item(|item| item.attribute("id")?.string("a"))?;
    /// let batch = WriteBatch::of(table.put(item)?);
    /// let expected = br#"{"users":[{"PutRequest":{"Item":{"id":{"S":"a"}}}}]}"#;
    /// assert_eq!(batch.request_items(), expected);
    /// # Ok::<(), dynasink_core::Error>(())
    /// ```
    pub fn request_items(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.wire_len + REQUEST_ENVELOPE_BYTES);
        out.push(b'{');
        let mut tables: Vec<&TableName> = Vec::with_capacity(1);
        for op in &self.ops {
            if !tables.contains(&op.table()) {
                tables.push(op.table());
            }
        }
        for (nth, table) in tables.iter().enumerate() {
            if nth > 0 {
                out.push(b',');
            }
            // A table name has no character that JSON would escape.
            out.push(b'"');
            out.extend_from_slice(table.as_str().as_bytes());
            out.extend_from_slice(b"\":[");
            for (nth, op) in self
                .ops
                .iter()
                .filter(|op| op.table() == *table)
                .enumerate()
            {
                if nth > 0 {
                    out.push(b',');
                }
                op.write_to(&mut out);
            }
            out.push(b']');
        }
        out.push(b'}');
        out
    }
}

/// Bytes that `op` adds to a request: itself, a comma, and its table's name and brackets if it is the first.
fn element_len(op: &WriteOp, first_of_table: bool) -> usize {
    let table = if first_of_table {
        op.table().as_str().len() + r#""":[],"#.len()
    } else {
        0
    };
    op.wire_len() + 1 + table
}

/// Fills a [`WriteBatch`] up to the limits of a request.
#[derive(Debug, Default)]
pub struct WriteBatchBuilder {
    ops: Vec<WriteOp>,
    keys: HashSet<crate::PrimaryKey>,
    wire_len: usize,
    units: WriteUnits,
}

impl WriteBatchBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `op` if the request stays legal.
    ///
    /// # Errors
    ///
    /// The operation itself, if the batch is full, would be too long on the wire, or has its key already.
    #[expect(
        clippy::result_large_err,
        reason = "the caller gets its operation back"
    )]
    pub fn push(&mut self, op: WriteOp) -> Result<(), WriteOp> {
        let first_of_table = !self.ops.iter().any(|other| other.table() == op.table());
        let wire_len = self.wire_len + element_len(&op, first_of_table);
        let fits = self.ops.len() < MAX_BATCH_OPS
            && wire_len + REQUEST_ENVELOPE_BYTES <= MAX_REQUEST_BYTES;
        if !fits || self.keys.contains(op.key()) {
            return Err(op);
        }
        self.keys.insert(op.key().clone());
        self.wire_len = wire_len;
        self.units += op.units();
        self.ops.push(op);
        Ok(())
    }

    /// What it holds, in the order in which it was added.
    pub fn ops(&self) -> &[WriteOp] {
        &self.ops
    }

    /// How many operations it holds.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Whether it holds as many operations as a request may carry.
    pub fn is_full(&self) -> bool {
        self.ops.len() == MAX_BATCH_OPS
    }

    /// The predicted cost of what it holds.
    pub fn units(&self) -> WriteUnits {
        self.units
    }

    /// Most bytes that a request of what it holds can have.
    pub fn wire_len(&self) -> usize {
        self.wire_len + REQUEST_ENVELOPE_BYTES
    }

    /// Takes the batch out, if there is one, and starts anew.
    pub fn take(&mut self) -> Option<WriteBatch> {
        if self.ops.is_empty() {
            return None;
        }
        let Self {
            ops,
            wire_len,
            units,
            ..
        } = std::mem::take(self);
        Some(WriteBatch {
            ops,
            wire_len,
            units,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{KeyType, TableSchema};

    fn table(name: &str) -> TableSchema {
        TableSchema::builder(name)
            .partition_key("id", KeyType::N)
            .build()
            .unwrap()
    }

    fn op(table: &TableSchema, id: i64, payload: &str) -> WriteOp {
        let item = table.item(|item| {
            item.attribute("id")?.integer(id)?;
            item.attribute("payload")?.string(payload)
        });
        table.put(item.unwrap()).unwrap()
    }

    #[test]
    fn the_twenty_sixth_operation_comes_back() {
        let (table, mut builder) = (table("users"), WriteBatchBuilder::new());
        for id in 0..25 {
            builder.push(op(&table, id, "")).unwrap();
        }
        assert!(builder.is_full());
        assert!(builder.push(op(&table, 25, "")).is_err());
        assert_eq!(builder.take().unwrap().len(), 25);
        assert!(builder.take().is_none());
    }

    #[test]
    fn a_key_comes_back_if_it_is_there_already_in_its_table() {
        let (users, orders, mut builder) =
            (table("users"), table("orders"), WriteBatchBuilder::new());
        builder.push(op(&users, 1, "first")).unwrap();
        assert!(builder.push(op(&users, 1, "second")).is_err());
        builder.push(op(&orders, 1, "other table")).unwrap();
        let request: serde_json::Value =
            serde_json::from_slice(&builder.take().unwrap().request_items()).unwrap();
        assert_eq!(request["users"].as_array().unwrap().len(), 1);
        assert_eq!(request["orders"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn the_body_is_never_longer_than_was_counted_nor_than_a_request_may_be() {
        let table = table("users");
        // Each control character is one byte of item and six of JSON.
        let payload = "\u{1}".repeat(400_000);
        let mut builder = WriteBatchBuilder::new();
        let added = (0..25)
            .take_while(|&id| builder.push(op(&table, id, &payload)).is_ok())
            .count();
        assert_eq!(
            added, 6,
            "six of them are 14.4 MB of JSON, seven would be 16.8 MB"
        );
        let batch = builder.take().unwrap();
        assert!(batch.request_items().len() <= batch.wire_len());
        assert!(batch.wire_len() <= MAX_REQUEST_BYTES);
    }
}

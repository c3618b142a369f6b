//! What the rows cost that stay, one of each key: measured by a second reading.

use std::pin::Pin;
use std::task::{Context, Poll};

use dynasink_core::{StageError, TableSchema, WriteAction, WriteOp};
use dynasink_sink::KeyChoice;
use futures::Sink;

use super::heavy_keys::HeavyKeys;
use super::{COUNTED_PARTITION_KEYS, IMPORT_LINE_BYTES, Measured, UnitTotals};

/// Measures the operations that are not superseded, and writes nothing: a `Sink<WriteOp>`.
///
/// Which row of a key stays is known at the end of a [`Survey`](super::Survey), and what it costs is known when it is
/// read: hence the second reading, which is needed only where keys repeat, and takes no memory for each key.
///
/// - In: [`WriteOp`], all that the survey had, those of each key in the same order. Nothing comes out.
/// - Held: no operation.
#[derive(Debug)]
#[must_use = "sinks do nothing unless polled"]
pub struct StayingSurvey {
    choice: KeyChoice,
    units: UnitTotals,
    import_bytes: u64,
    heavy_keys: HeavyKeys,
}

impl StayingSurvey {
    /// A survey of the operations on `table` that `choice` keeps.
    pub fn new(table: &TableSchema, choice: KeyChoice) -> Self {
        Self {
            choice,
            units: UnitTotals::of(table),
            import_bytes: 0,
            heavy_keys: HeavyKeys::new(COUNTED_PARTITION_KEYS),
        }
    }

    fn note(&mut self, op: &WriteOp) {
        if !self.choice.keeps(op) {
            return;
        }
        let units = self.units.note(op);
        self.heavy_keys.note(op.key().partition_key(), units);
        if op.action() == WriteAction::Put {
            self.import_bytes += op.item().json().len() as u64 + IMPORT_LINE_BYTES;
        }
    }
}

impl Measured {
    /// The same with what the second reading has found.
    #[must_use]
    pub fn with_staying(mut self, staying: StayingSurvey) -> Self {
        self.heavy_keys = staying.heavy_keys.heaviest();
        self.heavy_keys_error = staying.heavy_keys.error();
        self.import_bytes = staying.import_bytes;
        self.staying = Some(staying.units);
        self
    }

    /// The units to reckon with: those of the rows that stay, or of all rows if these are not known.
    pub fn expected_units(&self) -> &UnitTotals {
        self.staying.as_ref().unwrap_or(&self.units)
    }
}

impl Sink<WriteOp> for StayingSurvey {
    type Error = StageError;

    fn poll_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), StageError> {
        self.note(&op);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::KeyType;
    use dynasink_sink::KeptRow;
    use futures::{FutureExt, SinkExt};
    use serde_json::json;

    use super::*;
    use crate::survey::Survey;

    #[test]
    fn what_is_superseded_counts_in_the_most_and_not_in_what_stays() {
        let table = TableSchema::builder("users")
            .partition_key("id", KeyType::N)
            .build()
            .unwrap();
        let rows = [(1, 5000), (2, 10), (1, 1500)].map(|(id, bytes)| {
            let item = json!({ "id": id, "text": "x".repeat(bytes) });
            table.put_serde(&item).unwrap()
        });
        let mut survey = Survey::new(&table, KeptRow::Last);
        for op in &rows {
            survey.feed(op.clone()).now_or_never().unwrap().unwrap();
        }
        let measured = survey.measured();
        assert_eq!((measured.units.total, &measured.staying), (8, &None));
        let mut staying = StayingSurvey::new(&table, survey.into_choice().unwrap());
        for op in rows {
            staying.feed(op).now_or_never().unwrap().unwrap();
        }
        let settled = measured.clone().with_staying(staying);
        assert_eq!(settled.expected_units().total, 3);
        assert_eq!(settled.units.total, 8);
        assert!(settled.import_bytes < measured.import_bytes - 5000);
    }
}

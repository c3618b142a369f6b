//! Rows of captured changes: keys from templates, deletes, rows that are passed over, versions and times to live.

use std::sync::{Arc, Mutex};

use arrow_array::{Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use dynasink_core::{
    KeyType, ObserverError, Outcome, OutcomeEvent, OutcomeObserver, SourcePosition, TableSchema,
    Version, WriteAction,
};
use dynasink_sink::contract::StrictSink;

use super::*;
use crate::MappingFile;

const MAPPING: &str = r#"
    [columns]
    seq = { drop = true }

    [attributes]
    pk = "USER#{id}"
    sk = "{at:%Y-%m-%d}#{seq:06}"
    expires = { ttl = "at", after = "90d" }

    [operation]
    column = "op"
    preset = "debezium"
    skip = ["t"]

    [version]
    column = "seq"
"#;

/// `op`, `id`, `seq` and `amount`, one minute after the other.
type Change = (
    Option<&'static str>,
    Option<&'static str>,
    Option<i64>,
    Option<f64>,
);

fn batch(changes: &[Change]) -> RecordBatch {
    let at = (0..)
        .map(|row| 1_709_208_000_999 + row * 60_000)
        .take(changes.len());
    RecordBatch::try_from_iter_with_nullable([
        (
            "op",
            Arc::new(changes.iter().map(|row| row.0).collect::<StringArray>()) as _,
            true,
        ),
        (
            "id",
            Arc::new(changes.iter().map(|row| row.1).collect::<StringArray>()) as _,
            true,
        ),
        (
            "seq",
            Arc::new(changes.iter().map(|row| row.2).collect::<Int64Array>()) as _,
            true,
        ),
        (
            "amount",
            Arc::new(changes.iter().map(|row| row.3).collect::<Float64Array>()) as _,
            true,
        ),
        (
            "at",
            Arc::new(TimestampMillisecondArray::from_iter_values(at)) as _,
            true,
        ),
    ])
    .unwrap()
}

/// Rows that are no operations, and how they end.
#[derive(Clone, Debug, Default)]
struct Ends(Arc<Mutex<Vec<(u64, String)>>>);

impl OutcomeObserver for Ends {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let end = match event.outcome {
            Outcome::Skipped => "skipped".to_owned(),
            Outcome::Dead(reason) => reason.value.as_ref().unwrap().column.clone(),
            other => panic!("{other:?}"),
        };
        self.0
            .lock()
            .unwrap()
            .push((event.position.unwrap().row(), end));
        Ok(())
    }
}

fn decoded(changes: &[Change]) -> (Vec<WriteOp>, Vec<(u64, String)>) {
    let batch = batch(changes);
    let table = TableSchema::builder("users")
        .partition_key("pk", KeyType::S)
        .sort_key("sk", KeyType::S)
        .build()
        .unwrap();
    let file = MappingFile::parse("users.toml", MAPPING).unwrap();
    let mapping = file.mapping(&batch.schema(), &table).unwrap();
    let ends = Ends::default();
    let decoder = Decoder::new(mapping).with_outcomes(Outcomes::of(ends.clone()));
    let batch = SourceBatch::at(batch, SourcePosition::new("users".into(), 0, 0));
    let (inner, probe) = StrictSink::new();
    probe.unblock();
    let mut sink = std::pin::pin!(inner.decoded(decoder));
    let cx = &mut Context::from_waker(std::task::Waker::noop());
    assert!(Sink::<SourceBatch>::poll_ready(sink.as_mut(), cx).is_ready());
    sink.as_mut().start_send(batch).unwrap();
    assert!(Sink::<SourceBatch>::poll_flush(sink.as_mut(), cx).is_ready());
    let ends = ends.0.lock().unwrap().clone();
    (probe.delivered(), ends)
}

#[test]
fn a_put_has_its_made_keys_its_time_to_live_and_its_version() {
    let (ops, ends) = decoded(&[(Some("c"), Some("ann"), Some(7), Some(1.5))]);
    assert_eq!(ends, []);
    assert_eq!(ops[0].action(), WriteAction::Put);
    assert_eq!(ops[0].version(), Some(&Version::integer(7)));
    assert_eq!(
        std::str::from_utf8(ops[0].item().json()).unwrap(),
        r#"{"pk":{"S":"USER#ann"},"sk":{"S":"2024-02-29#000007"},"id":{"S":"ann"},"amount":{"N":"1.5"},"at":{"S":"2024-02-29T12:00:00.999"},"expires":{"N":"1716984000"}}"#
    );
}

#[test]
fn a_delete_needs_its_key_only() {
    let (ops, ends) = decoded(&[(Some("d"), Some("ann"), Some(8), Some(f64::NAN))]);
    assert_eq!(ends, []);
    assert_eq!(ops[0].action(), WriteAction::Delete);
    assert_eq!(ops[0].version(), Some(&Version::integer(8)));
    assert_eq!(
        ops[0].item().json(),
        br#"{"pk":{"S":"USER#ann"},"sk":{"S":"2024-02-29#000008"}}"#.as_slice()
    );
}

#[test]
fn each_row_has_an_end_that_names_its_column() {
    let (ops, ends) = decoded(&[
        (Some("c"), Some("a"), Some(1), None),
        (Some("t"), None, None, None),
        (Some("x"), Some("a"), Some(1), None),
        (None, Some("a"), Some(1), None),
        (Some("c"), None, Some(1), None),
        (Some("c"), Some(""), Some(1), None),
        (Some("c"), Some("a"), Some(-1), None),
        (Some("c"), Some("a"), None, None),
        (Some("d"), None, Some(1), None),
        (Some("u"), Some("a"), Some(1), Some(f64::INFINITY)),
        (Some("u"), Some("a"), Some(2), Some(2.0)),
    ]);
    let ends: Vec<_> = ends.iter().map(|(row, end)| (*row, end.as_str())).collect();
    assert_eq!(
        ends,
        [
            (1, "skipped"),
            (2, "op"),
            (3, "op"),
            (4, "id"),
            (5, "id"),
            (6, "seq"),
            (7, "seq"),
            (8, "id"),
            (9, "amount"),
        ]
    );
    let rows = ops.iter().map(|op| op.position().unwrap().row());
    assert_eq!(rows.collect::<Vec<_>>(), [0, 10]);
}

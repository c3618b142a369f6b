use std::sync::{Arc, Mutex};

use arrow_array::builder::{Float64Builder, ListBuilder};
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use dynasink_core::{
    KeyType, ObserverError, Outcome, OutcomeEvent, OutcomeObserver, SourcePosition, TableSchema,
};
use dynasink_sink::contract::{self, Expect, StrictError, StrictSink};

use super::*;

fn batch(keys: &[Option<i64>]) -> RecordBatch {
    let keys = Int64Array::from(keys.to_vec());
    RecordBatch::try_from_iter_with_nullable([("id", Arc::new(keys) as _, true)]).unwrap()
}

fn decoder() -> Decoder {
    let table = TableSchema::builder("users")
        .partition_key("id", KeyType::N)
        .build()
        .unwrap();
    Decoder::new(Mapping::infer(&batch(&[]).schema(), &table).unwrap())
}

#[derive(Debug, Default)]
struct Dead(Mutex<Vec<(Option<SourcePosition>, Outcome)>>);

impl OutcomeObserver for Dead {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        assert!(event.op.is_none());
        let row = (event.position.cloned(), event.outcome.clone());
        self.0.lock().unwrap().push(row);
        Ok(())
    }
}

#[derive(Debug)]
struct FullDisk;

impl OutcomeObserver for FullDisk {
    fn observe(&self, _: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        Err(ObserverError {
            observer: "dead letters".to_owned(),
            source: "no space left".into(),
        })
    }
}

fn jsons(ops: &[WriteOp]) -> Vec<&[u8]> {
    ops.iter().map(|op| op.item().json().as_ref()).collect()
}

/// Sends one batch to a sink that takes everything, and gives what arrived.
fn decode(decoder: Decoder, batch: SourceBatch) -> Result<Vec<WriteOp>, StrictError> {
    let (inner, probe) = StrictSink::new();
    probe.unblock();
    let mut sink = std::pin::pin!(inner.decoded(decoder));
    let cx = &mut Context::from_waker(std::task::Waker::noop());
    let ready = Sink::<SourceBatch>::poll_ready(sink.as_mut(), cx)?;
    assert!(ready.is_ready());
    sink.as_mut().start_send(batch)?;
    let flushed = Sink::<SourceBatch>::poll_flush(sink.as_mut(), cx)?;
    assert!(flushed.is_ready());
    Ok(probe.delivered())
}

#[test]
fn decoded_keeps_the_sink_contract() {
    const MOST_ROWS: usize = 4;
    let keys = |batch: &RecordBatch| {
        let keys = batch.column(0).as_any().downcast_ref::<Int64Array>();
        keys.unwrap().iter().flatten().collect::<Vec<i64>>()
    };
    let expect = Expect::outstanding(move |sent: &[RecordBatch], delivered: &[WriteOp]| {
        let expected: Vec<String> = sent
            .iter()
            .flat_map(keys)
            .map(|key| format!(r#"{{"id":{{"N":"{key}"}}}}"#))
            .collect();
        let expected: Vec<&[u8]> = expected.iter().map(String::as_bytes).collect();
        let delivered = jsons(delivered);
        if expected.starts_with(&delivered) {
            Ok(expected.len() - delivered.len())
        } else {
            Err(format!("{delivered:?} arrived of {expected:?}"))
        }
    });
    contract::check(
        &expect.max_held(MOST_ROWS),
        |rng| {
            let row = |rng: &mut fastrand::Rng| rng.u8(..5).ne(&0).then(|| rng.i64(..));
            (0..rng.usize(..8))
                .map(|_| {
                    batch(
                        &(0..rng.usize(..=MOST_ROWS))
                            .map(|_| row(rng))
                            .collect::<Vec<_>>(),
                    )
                })
                .collect()
        },
        |inner| {
            let outcomes = Outcomes::to([Arc::new(Dead::default()) as _]);
            inner.decoded(decoder().with_outcomes(outcomes))
        },
    );
}

#[test]
fn a_row_without_a_key_is_reported_with_its_position_and_passed_over() {
    let dead = Arc::new(Dead::default());
    let decoder = decoder().with_outcomes(Outcomes::to([Arc::clone(&dead) as _]));
    let first = SourcePosition::new("a.parquet".into(), 2, 100);
    let rows = SourceBatch::at(batch(&[Some(1), None, Some(3)]), first);
    let ops = decode(decoder, rows).unwrap();

    let positions: Vec<_> = ops.iter().map(|op| op.position().unwrap().row()).collect();
    assert_eq!(positions, [100, 102]);
    let dead = dead.0.lock().unwrap();
    let [(Some(position), Outcome::Dead(reason))] = dead.as_slice() else {
        panic!("{dead:?}")
    };
    assert_eq!(position.to_string(), "a.parquet, row group 2, row 101");
    assert_eq!((reason.code.as_str(), reason.attempts), ("missing_key", 0));
    let value = reason.value.as_ref().unwrap();
    assert_eq!(
        (value.column.as_str(), value.kind.as_str()),
        ("id", "Int64")
    );
}

#[test]
fn a_row_that_nobody_would_know_of_is_an_error() {
    let rows = SourceBatch::at(
        batch(&[None]),
        SourcePosition::new("a.parquet".into(), 0, 7),
    );
    let error = decode(decoder(), rows).unwrap_err();
    let StrictError::Stage(error) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        error.to_string(),
        "the row at a.parquet, row group 0, row 7 cannot be written: column id (Int64): table users: the item has no key attribute \"id\""
    );
}

#[test]
fn a_dead_row_that_cannot_be_recorded_stops_the_sink() {
    let decoder = decoder().with_outcomes(Outcomes::to([Arc::new(FullDisk) as _]));
    let error = decode(decoder, batch(&[None]).into()).unwrap_err();
    assert!(
        matches!(error, StrictError::Stage(error) if matches!(*error, StageError::Observer(_)))
    );
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let other = RecordBatch::try_from_iter([("idd", Arc::new(Int64Array::from(vec![1])) as _)]);
    let error = decode(decoder(), other.unwrap().into()).unwrap_err();
    assert!(
        matches!(&error, StrictError::Stage(error) if error.to_string().contains("column \"id\"")),
        "{error:?}"
    );
}

#[test]
fn a_batch_that_comes_uninvited_is_refused_and_the_sink_is_done() {
    let (inner, _probe) = StrictSink::<WriteOp>::new();
    let mut sink = std::pin::pin!(inner.decoded(decoder()));
    sink.as_mut().start_send(batch(&[Some(1)])).unwrap();
    assert!(sink.as_mut().start_send(batch(&[Some(2)])).is_err());
    let cx = &mut Context::from_waker(std::task::Waker::noop());
    let polled = Sink::<RecordBatch>::poll_flush(sink.as_mut(), cx);
    let Poll::Ready(Err(StrictError::Stage(error))) = polled else {
        panic!("{polled:?}")
    };
    assert!(matches!(*error, StageError::Poisoned { stage: "decode" }));
}

#[test]
fn a_value_that_is_to_blame_is_named_by_its_place_and_type() {
    let mut lines = ListBuilder::new(Float64Builder::new());
    lines.append_value([Some(1.0), Some(2.0), None, Some(f64::NAN)]);
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("id", ids), ("lines", Arc::new(lines.finish()) as _)]);
    let batch = batch.unwrap();
    let table = TableSchema::builder("orders")
        .partition_key("id", KeyType::N)
        .build()
        .unwrap();
    let dead = Arc::new(Dead::default());
    let decoder = Decoder::new(Mapping::infer(&batch.schema(), &table).unwrap())
        .with_outcomes(Outcomes::of(Arc::clone(&dead)));
    assert!(decode(decoder, batch.into()).unwrap().is_empty());
    let rows = dead.0.lock().unwrap();
    let [(_, Outcome::Dead(reason))] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(reason.code, "number");
    assert_eq!(
        reason.message,
        "column lines[3] (Float64): table orders: attribute \"lines\" is not a valid number: it is not finite"
    );
    let value = reason.value.as_ref().unwrap();
    assert_eq!(
        (value.column.as_str(), value.kind.as_str()),
        ("lines[3]", "Float64")
    );
}

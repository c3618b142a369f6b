//! The policies by example, and each by the contract of a sink.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use dynasink_core::{ObserverError, OutcomeObserver, PrimaryKey, SourcePosition, Version};
use futures::{SinkExt, sink};

use super::*;
use crate::contract::{self, Expect, StrictSink};
use crate::test_ops::{op, random_ops, row};
use crate::{WriteSinkExt, drive};

const SOME: NonZeroUsize = NonZeroUsize::new(1000).unwrap();

#[test]
fn keep_last_keeps_the_sink_contract() {
    const WINDOW: NonZeroUsize = NonZeroUsize::new(4).unwrap();
    let expect = Expect::outstanding(|sent: &[WriteOp], delivered: &[WriteOp]| {
        // Which rows are merged depends on the flushes. What must hold for any: no row leaves after a later
        // one of its key, and the last row of each key leaves.
        let mut newest = HashMap::new();
        for op in delivered {
            if newest
                .insert(op.key(), row(op))
                .is_some_and(|earlier| earlier >= row(op))
            {
                return Err(format!("row {} left after a later one of its key", row(op)));
            }
        }
        let waiting: HashMap<_, _> = sent
            .iter()
            .map(|op| (op.key(), row(op)))
            .collect::<HashMap<_, _>>()
            .into_iter()
            .filter(|(key, last)| newest.get(key) != Some(last))
            .collect();
        Ok(waiting.len())
    });
    contract::check(
        &expect.max_held(WINDOW.get()),
        |rng| random_ops(rng, 8, 24),
        |inner| inner.deduplicated(Dedup::keep_last(DedupWindow::new(WINDOW, usize::MAX))),
    );
}

#[test]
fn keep_first_keeps_the_sink_contract() {
    let firsts = |sent: &[WriteOp]| {
        let mut seen = HashSet::new();
        sent.iter()
            .filter(|op| seen.insert(op.key().clone()))
            .map(row)
            .collect()
    };
    contract::check(
        &Expect::parts(firsts, |op: &WriteOp| vec![row(op)]).max_held(1),
        |rng| random_ops(rng, 8, 24),
        |inner: StrictSink<WriteOp>| inner.deduplicated(Dedup::keep_first(SOME)),
    );
}

/// A row, and the row that superseded it if that is known.
type SupersededRow = (u64, Option<u64>);

#[derive(Clone, Debug, Default)]
struct Superseded(Arc<Mutex<Vec<SupersededRow>>>);

impl OutcomeObserver for Superseded {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let Outcome::Superseded { by } = event.outcome else {
            panic!("{event:?}")
        };
        let rows = (
            event.position.unwrap().row(),
            by.as_ref().map(SourcePosition::row),
        );
        self.0.lock().unwrap().push(rows);
        Ok(())
    }
}

/// The rows that leave and the rows that are superseded, with what superseded them.
async fn run(dedup: Dedup, ids: &[u32]) -> Result<(Vec<u64>, Vec<SupersededRow>), StageError> {
    let ops = ids.iter().zip(0..).map(|(id, row)| op(*id, row, 0));
    let (left, superseded) = run_ops(dedup, ops.collect()).await?;
    Ok((left.iter().map(row).collect(), superseded))
}

/// The operations that leave and the rows that are superseded, with what superseded them.
async fn run_ops(
    dedup: Dedup,
    ops: Vec<WriteOp>,
) -> Result<(Vec<WriteOp>, Vec<SupersededRow>), StageError> {
    let superseded = Superseded::default();
    let left = Mutex::new(Vec::new());
    let leaf = sink::unfold((), |(), op: WriteOp| {
        left.lock().unwrap().push(op);
        async { Ok::<_, StageError>(()) }
    });
    let ops = ops.into_iter().map(Ok::<_, StageError>);
    let dedup = dedup.with_outcomes(Outcomes::to([Arc::new(superseded.clone()) as _]));
    let driven = drive(futures::stream::iter(ops), leaf.deduplicated(dedup)).await;
    driven.map_err(|error| match error {
        crate::DriveError::Sink { source, .. } | crate::DriveError::Stream { source, .. } => source,
    })?;
    let superseded = superseded.0.lock().unwrap().clone();
    Ok((left.into_inner().unwrap(), superseded))
}

fn window(ops: usize) -> DedupWindow {
    DedupWindow::new(NonZeroUsize::new(ops).unwrap(), usize::MAX)
}

#[tokio::test]
async fn the_last_row_takes_the_first_ones_place_and_its_position_is_told() {
    let (left, superseded) = run(Dedup::keep_last(window(10)), &[1, 2, 1, 3, 1])
        .await
        .unwrap();
    assert_eq!(left, [4, 1, 3]);
    assert_eq!(superseded, [(0, Some(2)), (2, Some(4))]);
}

#[tokio::test]
async fn a_row_beyond_the_window_is_written_after_the_earlier_one() {
    let (left, superseded) = run(Dedup::keep_last(window(2)), &[1, 2, 3, 1])
        .await
        .unwrap();
    assert_eq!(left, [0, 1, 2, 3]);
    assert_eq!(superseded, []);
}

#[tokio::test]
async fn only_the_first_row_of_the_whole_input_is_kept() {
    let (left, superseded) = run(Dedup::keep_first(SOME), &[1, 2, 1, 3, 2, 1])
        .await
        .unwrap();
    assert_eq!(left, [0, 1, 3]);
    assert_eq!(superseded, [(2, None), (4, None), (5, None)]);
}

#[tokio::test]
async fn a_second_row_is_an_error_that_names_it() {
    let error = run(Dedup::refuse(SOME), &[1, 2, 3, 2]).await.unwrap_err();
    assert!(
        matches!(&error, StageError::DuplicateKey { position: Some(position) } if position.row() == 3),
        "{error}"
    );
}

#[tokio::test]
async fn more_keys_than_may_be_remembered_are_an_error_and_known_ones_are_not() {
    let two = NonZeroUsize::new(2).unwrap();
    assert!(run(Dedup::keep_first(two), &[1, 2, 1, 2]).await.is_ok());
    let error = run(Dedup::keep_first(two), &[1, 2, 1, 3])
        .await
        .unwrap_err();
    assert!(
        matches!(error, StageError::TooManyKeys { max_keys: 2 }),
        "{error}"
    );
}

#[tokio::test]
async fn the_window_is_bounded_in_bytes_too() {
    let (inner, probe) = StrictSink::new();
    let kilobytes = DedupWindow::new(SOME, 10_000);
    let mut sink = Box::pin(inner.deduplicated(Dedup::keep_last(kilobytes)));
    probe.unblock();
    for id in 0..100 {
        sink.feed(op(id, u64::from(id), 1000)).await.unwrap();
        assert!(sink.held.memory() <= 12_000, "{}", sink.held.memory());
    }
    assert!(sink.held.len() > 5);
}

/// An operation of `id` with a version, a put or a delete by chance.
fn versioned(rng: &mut fastrand::Rng, id: u32, row: u64, version: i64) -> WriteOp {
    let put = op(id, row, 0);
    let op = if rng.u8(..4) == 0 {
        let delete = put.schema().delete(put.item()).unwrap();
        delete.at(put.position().unwrap().clone())
    } else {
        put
    };
    op.with_version(Version::integer(version))
}

/// Up to 24 operations of few keys, with few versions so that equal ones are met.
fn random_versions(rng: &mut fastrand::Rng) -> Vec<WriteOp> {
    (0..rng.u64(..=24))
        .map(|row| {
            let (id, version) = (rng.u32(..6), rng.i64(-3..3));
            versioned(rng, id, row, version)
        })
        .collect()
}

/// The operations that must be the last of their keys: the latest of those with the greatest version.
fn winners(ops: &[WriteOp]) -> HashMap<PrimaryKey, u64> {
    let mut winners: HashMap<_, &WriteOp> = HashMap::new();
    for op in ops {
        let greatest = winners.entry(op.key().clone()).or_insert(op);
        if op.version() >= greatest.version() {
            *greatest = op;
        }
    }
    winners
        .into_iter()
        .map(|(key, op)| (key, row(op)))
        .collect()
}

#[test]
fn keep_greatest_keeps_the_sink_contract() {
    const WINDOW: NonZeroUsize = NonZeroUsize::new(4).unwrap();
    let expect = Expect::outstanding(|sent: &[WriteOp], delivered: &[WriteOp]| {
        let mut newest: HashMap<_, &WriteOp> = HashMap::new();
        for op in delivered {
            let earlier = newest.insert(op.key(), op);
            if earlier
                .is_some_and(|earlier| (earlier.version(), row(earlier)) >= (op.version(), row(op)))
            {
                return Err(format!(
                    "row {} left after a greater one of its key",
                    row(op)
                ));
            }
        }
        let waiting = winners(sent)
            .into_iter()
            .filter(|(key, winner)| newest.get(key).map(|op| row(op)) != Some(*winner));
        Ok(waiting.count())
    });
    contract::check(&expect.max_held(WINDOW.get()), random_versions, |inner| {
        let window = DedupWindow::new(WINDOW, usize::MAX);
        inner.deduplicated(Dedup::keep_greatest(window, SOME))
    });
}

#[tokio::test]
async fn the_greatest_version_is_what_stays_whatever_the_order_and_the_window() {
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let ops = random_versions(&mut rng);
        let dedup = Dedup::keep_greatest(window(rng.usize(1..8)), SOME);
        let (left, superseded) = run_ops(dedup, ops.clone()).await.unwrap();

        let mut table = HashMap::new();
        for op in &left {
            table.insert(op.key().clone(), row(op));
        }
        assert_eq!(table, winners(&ops), "seed {seed}");
        // Each row leaves or is superseded, and never both.
        let mut rows: Vec<_> = left.iter().map(row).collect();
        rows.extend(superseded.iter().map(|(row, _)| *row));
        rows.sort_unstable();
        assert_eq!(
            rows,
            (0..ops.len() as u64).collect::<Vec<_>>(),
            "seed {seed}"
        );
    }
}

#[tokio::test]
async fn a_lesser_version_costs_no_write_and_is_told_what_took_its_place() {
    let version = |id, row, version: i64| op(id, row, 0).with_version(Version::integer(version));
    let ops = vec![
        version(1, 0, 5),
        version(1, 1, 4),
        version(1, 2, 5),
        version(2, 3, 1),
        version(1, 4, 3),
    ];
    let (left, superseded) = run_ops(Dedup::keep_greatest(window(10), SOME), ops)
        .await
        .unwrap();
    assert_eq!(left.iter().map(row).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(superseded, [(1, Some(0)), (0, Some(2)), (4, Some(2))]);
}

#[tokio::test]
async fn a_lesser_version_long_after_a_greater_one_is_not_written() {
    let version = |id, row, version: i64| op(id, row, 0).with_version(Version::integer(version));
    let ops = vec![
        version(1, 0, 9),
        version(2, 1, 0),
        version(3, 2, 0),
        version(1, 3, 8),
    ];
    let (left, superseded) = run_ops(Dedup::keep_greatest(window(1), SOME), ops)
        .await
        .unwrap();
    assert_eq!(left.iter().map(row).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(superseded, [(3, None)]);
}

#[tokio::test]
async fn versions_that_say_nothing_are_errors_that_name_the_row() {
    let greatest = || Dedup::keep_greatest(window(10), SOME);
    let error = run_ops(greatest(), vec![op(1, 7, 0)]).await.unwrap_err();
    assert!(
        matches!(&error, StageError::NoVersion { position: Some(position) } if position.row() == 7),
        "{error}"
    );
    let number = op(1, 0, 0).with_version(Version::integer(1));
    let text = op(1, 1, 0).with_version(Version::text("1"));
    let error = run_ops(greatest(), vec![number, text]).await.unwrap_err();
    assert!(
        matches!(&error, StageError::VersionKind { position: Some(position) } if position.row() == 1),
        "{error}"
    );
    let two = Dedup::keep_greatest(window(1), NonZeroUsize::new(2).unwrap());
    let ops = [1, 2, 1, 3].into_iter().zip(0..);
    let ops = ops.map(|(id, row)| op(id, row, 0).with_version(Version::integer(1)));
    let error = run_ops(two, ops.collect()).await.unwrap_err();
    assert!(
        matches!(error, StageError::TooManyKeys { max_keys: 2 }),
        "{error}"
    );
}

/// The rows that leave a stage with that policy.
async fn rows_left(dedup: Dedup, ops: Vec<WriteOp>) -> Result<Vec<u64>, StageError> {
    let left = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&left);
    let leaf = sink::unfold((), move |(), op: WriteOp| {
        kept.lock().unwrap().push(row(&op));
        async { Ok::<_, StageError>(()) }
    });
    let mut stage = Box::pin(leaf).deduplicated(dedup.with_outcomes(Outcomes::of(Anything)));
    for op in ops {
        stage.send(op).await?;
    }
    stage.close().await?;
    Ok(left.lock().unwrap().clone())
}

#[derive(Debug)]
struct Anything;

impl OutcomeObserver for Anything {
    fn observe(&self, _: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        Ok(())
    }
}

#[tokio::test]
async fn what_is_recalled_came_before() {
    let mut first = Dedup::keep_first(SOME);
    first.recall(&op(1, 0, 0)).unwrap();
    assert!(first.keeps_first());
    let ops = || vec![op(1, 2, 0), op(2, 3, 0), op(2, 4, 0), op(3, 5, 0)];
    assert_eq!(rows_left(first, ops()).await.unwrap(), [3, 5]);

    let mut refuse = Dedup::refuse(SOME);
    refuse.recall(&op(1, 0, 0)).unwrap();
    let refused = rows_left(refuse, ops()).await;
    assert!(matches!(refused, Err(StageError::DuplicateKey { .. })));

    let versioned =
        |key, row, version: i64| op(key, row, 0).with_version(Version::integer(version));
    let mut greatest = Dedup::keep_greatest(DedupWindow::default(), SOME);
    assert!(greatest.remembers_the_input() && !greatest.keeps_first());
    greatest.recall(&versioned(1, 0, 5)).unwrap();
    greatest.recall(&versioned(1, 1, 3)).unwrap();
    let ops = vec![versioned(1, 2, 4), versioned(1, 3, 5), versioned(2, 4, 1)];
    assert_eq!(rows_left(greatest, ops).await.unwrap(), [3, 4]);
}

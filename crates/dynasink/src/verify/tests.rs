//! The verifier against a table in memory, in virtual time.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use dynasink_aws::Error;
use dynasink_core::{StageError, WriteOp};
use dynasink_sink::KeptRow;
use futures::{Sink, SinkExt, sink, stream};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::test_table::{LATENCY, TestTable, delete, put, schema};

/// A verification of `ops`, its file of differences and its counts.
struct Verification {
    folder: TempDir,
    tally: VerifyTally,
    verifier: Verifier<TestTable>,
}

fn verification(table: &TestTable, ops: &[WriteOp]) -> Verification {
    sampled(table, ops, Sample::all())
}

fn sampled(table: &TestTable, ops: &[WriteOp], sample: Sample) -> Verification {
    let many = NonZeroUsize::new(10_000).unwrap();
    let mut census = CensusTaker::new(KeptRow::Last, many, sample);
    for op in ops {
        census.start_send_unpin(op.clone()).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let differences = DifferenceFile::create(folder.path().join("differences.jsonl")).unwrap();
    let tally = VerifyTally::new();
    Verification {
        verifier: Verifier::new(table.reader(), census, differences, tally.clone()),
        folder,
        tally,
    }
}

impl Verification {
    /// Sends `ops` and gives what was found.
    async fn of(&mut self, ops: &[WriteOp]) -> Result<VerifyCounts, Error> {
        let ops = ops.iter().cloned().map(Ok);
        self.verifier.send_all(&mut stream::iter(ops)).await?;
        self.verifier.close().await?;
        Ok(self.tally.counts())
    }

    fn differences(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("differences.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }
}

/// Keeps the keys of what it is sent.
fn kept(ops: &Arc<Mutex<Vec<WriteOp>>>) -> impl Sink<WriteOp, Error = Error> + use<> {
    sink::unfold(Arc::clone(ops), |ops, op| async move {
        ops.lock().unwrap().push(op);
        Ok::<_, Error>(ops)
    })
}

#[tokio::test(start_paused = true)]
async fn requests_are_full_and_no_more_in_flight_than_allowed() {
    let ops: Vec<_> = (0..1_050).map(|id| put(id, json!({}))).collect();
    let table = TestTable::of(ops.clone());
    let mut verification = verification(&table, &ops);
    verification.verifier = verification
        .verifier
        .with_concurrency(NonZeroUsize::new(4).unwrap());
    let start = Instant::now();
    let counts = verification.of(&ops).await.unwrap();
    assert_eq!((counts.compared, counts.equal), (1_050, 1_050));
    assert_eq!(table.most_in_flight(), 4);
    let mut asked = table.asked();
    asked.sort_unstable();
    assert_eq!(asked, [&[50][..], &[100; 10][..]].concat());
    assert_eq!(start.elapsed().as_millis(), 3 * LATENCY.as_millis());
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_or_different_is_repaired_and_what_has_expired_is_not() {
    let table = TestTable::of([
        put(1, json!({ "n": 1 })),
        put(2, json!({ "n": 2 })),
        put(5, json!({})),
        put(9, json!({})),
    ]);
    let ops = [
        put(1, json!({ "n": "earlier" })),
        put(1, json!({ "n": 1 })),
        put(2, json!({ "n": "other" })),
        put(3, json!({})),
        put(4, json!({ "until": 1_000 })),
        delete(5),
        delete(6),
    ];
    let mut verification = verification(&table, &ops);
    let repaired = Arc::default();
    verification.verifier = verification
        .verifier
        .with_calendar(|| SystemTime::UNIX_EPOCH + Duration::from_secs(2_000))
        .with_repair(kept(&repaired));
    let counts = verification.of(&ops).await.unwrap();
    let expected = VerifyCounts {
        compared: 6,
        equal: 2,
        missing: 1,
        different: 2,
        expired: 1,
        superseded: 1,
        ..VerifyCounts::default()
    };
    assert_eq!(counts, expected);
    let keys: Vec<_> = repaired
        .lock()
        .unwrap()
        .iter()
        .map(|op: &WriteOp| op.key().clone())
        .collect();
    assert_eq!(
        keys,
        [
            ops[2].key().clone(),
            ops[3].key().clone(),
            ops[5].key().clone()
        ]
    );
    let kinds: Vec<_> = verification
        .differences()
        .iter()
        .map(|line| line["kind"].clone())
        .collect();
    assert_eq!(kinds, ["different", "missing", "different"]);
}

#[tokio::test(start_paused = true)]
async fn what_no_row_has_the_key_of_is_extra() {
    let ops = [put(1, json!({})), put(2, json!({})), delete(3)];
    let table = TestTable::of((1..8).map(|id| put(id, json!({}))));
    let mut verification = verification(&table, &ops);
    verification.of(&ops).await.unwrap();
    let Verification {
        folder,
        tally,
        verifier,
    } = verification;
    let choice = verifier.finish().unwrap();
    let path = folder.path().join("extra.jsonl");
    let differences = DifferenceFile::create(&path).unwrap();
    let segments = NonZeroU32::new(3).unwrap();
    let reader = table.reader();
    find_extra(&reader, &schema(), segments, &choice, &differences, &tally)
        .await
        .unwrap();
    assert_eq!((tally.counts().scanned, tally.counts().extra), (7, 4));
    assert!(differences.finish().unwrap());
    assert!(matches!(
        DifferenceFile::create(path),
        Err(crate::Error::DifferencesExist { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn of_a_source_with_keys_at_least_one_is_compared_with_all_its_rows() {
    let rows = |n: u64| (0..200).map(move |id| put(id, json!({ "n": n })));
    let ops: Vec<_> = rows(1).chain(rows(2)).collect();
    let table = TestTable::of(rows(2));
    for sample in [Sample::share(0.0), Sample::share(1e-6)] {
        let mut verification = sampled(&table, &ops, sample);
        let counts = verification.of(&ops).await.unwrap();
        assert_eq!(
            (counts.compared, counts.equal, counts.superseded),
            (1, 1, 1),
            "{sample:?}"
        );
        assert_eq!(counts.not_sampled, 398, "{sample:?}");
        assert_eq!(verification.verifier.finish().unwrap().keys(), 1);
    }
    let counts = sampled(&table, &[], Sample::share(0.0)).of(&[]).await;
    assert_eq!(counts.unwrap().compared, 0);
}

#[tokio::test(start_paused = true)]
async fn a_second_reading_that_misses_keys_of_the_first_is_an_error() {
    let ops: Vec<_> = (0..5).map(|id| put(id, json!({}))).collect();
    let table = TestTable::of(ops.clone());
    let mut verification = verification(&table, &ops);
    let counts = verification.of(&ops[1..]).await.unwrap();
    assert_eq!((counts.compared, counts.equal), (4, 4));
    let error = verification.verifier.finish().unwrap_err();
    let changed = crate::Error::SourceChanged {
        expected: 5,
        found: 4,
    };
    assert_eq!(error.to_string(), changed.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_table_that_cannot_be_read_ends_the_verification() {
    let ops = [put(1, json!({}))];
    let table = TestTable::of(ops.clone());
    table.deny();
    let mut verification = verification(&table, &ops);
    let error = verification.of(&ops).await.unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
    let later = verification
        .verifier
        .send(ops[0].clone())
        .await
        .unwrap_err();
    assert!(matches!(later, Error::Stage(StageError::Poisoned { .. })));
}

//! Writes of few keys, many at once: what is left is what the last write of each key left.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use dynasink::{
    Concurrency, Counts, Dedup, DedupWindow, DriveError, DynamoDb, KeyType, Outcome, Pipeline,
    PipelineBuilder, SourcePosition, StageError, TableSchema, WriteOp, WriterError, drive,
};
use dynasink_tests::{Endpoint, Item, OutcomeLog, TestTable, Value, assert_same_items};
use futures::{StreamExt, stream};
use serde_json::json;

use crate::load::{load, write_parquet};

dynasink_tests::claims_about_every_endpoint!(
    the_last_write_of_each_key_is_what_stays,
    the_first_write_of_each_key_stays_if_asked,
    a_second_write_of_a_key_is_an_error_if_asked,
    the_last_row_of_the_last_file_is_what_stays,
);

/// The keys of the tables here: strings, and numbers that are written in several ways.
pub(crate) const KEYS: [(&str, KeyType); 2] = [("id", KeyType::S), ("n", KeyType::N)];

/// A random sequence of puts and deletes of few keys.
#[derive(Debug)]
pub(crate) struct History(Vec<Write>);

#[derive(Debug)]
struct Write {
    id: String,
    n: i32,
    /// Whether the number is written as `1.0`, which is the same number as `1`.
    as_float: bool,
    /// How long the text of a put is; none for a delete.
    text: Option<usize>,
}

impl History {
    pub(crate) fn drawn(seed: u64, writes: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let write = |_| Write {
            id: format!("id-{}", random.u8(..8)),
            n: random.i32(-2..3),
            as_float: random.bool(),
            text: (random.u8(..5) > 0).then(|| random.usize(..3000)),
        };
        Self((0..writes).map(write).collect())
    }

    pub(crate) fn ops(&self, table: &TableSchema) -> Vec<WriteOp> {
        let writes = self.0.iter().enumerate();
        let op = writes.map(|(row, write)| {
            let n = if write.as_float {
                json!(f64::from(write.n))
            } else {
                json!(write.n)
            };
            let op = match write.text {
                None => table.delete_serde(&json!({ "id": write.id, "n": n })),
                Some(length) => table.put_serde(
                    &json!({ "id": write.id, "n": n, "row": row, "text": "t".repeat(length) }),
                ),
            };
            op.unwrap()
                .at(SourcePosition::new("history".into(), 0, row as u64))
        });
        op.collect()
    }

    /// What stays if the first write of each key counts.
    fn left_by_first(&self) -> Vec<Item> {
        let mut left = BTreeMap::new();
        for (row, write) in self.0.iter().enumerate() {
            left.entry((&write.id, write.n))
                .or_insert_with(|| write.item(row));
        }
        left.into_values().flatten().collect()
    }

    /// What stays if the last write of each key counts.
    pub(crate) fn left_by_last(&self) -> Vec<Item> {
        let mut left = BTreeMap::new();
        for (row, write) in self.0.iter().enumerate() {
            left.insert((&write.id, write.n), write.item(row));
        }
        left.into_values().flatten().collect()
    }
}

impl Write {
    fn item(&self, row: usize) -> Option<Item> {
        let attributes = [
            ("id", Value::string(&self.id)),
            ("n", Value::number(self.n)),
            ("row", Value::number(row)),
            ("text", Value::string("t".repeat(self.text?))),
        ];
        Some(
            attributes
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
        )
    }
}

/// Writes the history through the pipe, each write to exactly one outcome.
pub(crate) async fn write(
    history: &History,
    table: &TableSchema,
    pipe: PipelineBuilder<DynamoDb>,
) -> Result<Counts, WriterError> {
    let log = OutcomeLog::default();
    let pipeline: Pipeline = pipe.observer(log.clone()).build().unwrap();
    let tally = pipeline.tally();
    let ops = stream::iter(history.ops(table)).map(Ok::<_, Infallible>);
    match drive(ops, pipeline).await {
        Ok(_) => {
            assert_eq!(log.len(), history.0.len());
            assert_eq!(tally.counts().resolved(), history.0.len() as u64);
            Ok(tally.counts())
        }
        Err(DriveError::Sink { source, .. }) => Err(source),
        Err(DriveError::Stream { source, .. }) => match source {},
    }
}

fn at_most(ops: usize) -> DedupWindow {
    DedupWindow::new(NonZeroUsize::new(ops).unwrap(), DedupWindow::DEFAULT_BYTES)
}

async fn the_last_write_of_each_key_is_what_stays(endpoint: Endpoint) {
    let settings = [
        (None, Concurrency::Fixed(1)),
        (None, Concurrency::Fixed(16)),
        (Some(Dedup::keep_last(at_most(2))), Concurrency::Fixed(16)),
        (Some(Dedup::keep_last(at_most(7))), Concurrency::default()),
        (Some(Dedup::keep_last(at_most(60))), Concurrency::Fixed(4)),
        (
            Some(Dedup::keep_last(DedupWindow::default())),
            Concurrency::default(),
        ),
    ];
    for (seed, (dedup, concurrency)) in (1..).zip(settings) {
        let table = TestTable::create(&endpoint, &KEYS).await;
        let history = History::drawn(seed, 600);
        let merges = dedup.is_some();

        let pipe = table.pipe().dedup(dedup).concurrency(concurrency);
        let counts = write(&history, table.schema(), pipe).await.unwrap();

        let left = table.by_key(history.left_by_last());
        assert_same_items(&table.items().await, &left);
        assert_eq!(counts.dead, 0);
        assert_eq!(counts.superseded > 0, merges, "seed {seed}: {counts:?}");
    }
}

async fn the_first_write_of_each_key_stays_if_asked(endpoint: Endpoint) {
    let table = TestTable::create(&endpoint, &KEYS).await;
    let history = History::drawn(7, 600);

    let first = Dedup::keep_first(NonZeroUsize::new(1000).unwrap());
    let counts = write(&history, table.schema(), table.pipe().dedup(first))
        .await
        .unwrap();

    let left = history.left_by_first();
    assert_eq!(counts.items_written, left.len() as u64);
    assert_same_items(&table.items().await, &table.by_key(left));
}

async fn a_second_write_of_a_key_is_an_error_if_asked(endpoint: Endpoint) {
    let table = TestTable::create(&endpoint, &KEYS).await;
    let refuse = Dedup::refuse(NonZeroUsize::new(1000).unwrap());
    let refused = write(
        &History::drawn(8, 600),
        table.schema(),
        table.pipe().dedup(refuse),
    )
    .await;
    assert!(
        matches!(
            refused,
            Err(WriterError::Stage(StageError::DuplicateKey {
                position: Some(_)
            }))
        ),
        "{refused:?}"
    );
}

async fn the_last_row_of_the_last_file_is_what_stays(endpoint: Endpoint) {
    let folder = tempfile::tempdir().unwrap();
    let rows = |file: &str, keys: &[&str]| {
        let texts = (0..keys.len()).map(|row| format!("{file} {row}"));
        let columns = [
            ("id", Arc::new(StringArray::from(keys.to_vec())) as ArrayRef),
            ("n", Arc::new(Int64Array::from(vec![1; keys.len()]))),
            ("text", Arc::new(StringArray::from_iter_values(texts))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    let one = [rows("one", &["a", "b", "a"]), rows("two", &["b", "c"])];
    let two = [rows("three", &["a", "d", "d"])];
    let files = [
        write_parquet(folder.path(), "one.parquet", &one),
        write_parquet(folder.path(), "two.parquet", &two),
    ];
    let left = [
        ("a", "three 0"),
        ("b", "two 0"),
        ("c", "two 1"),
        ("d", "three 2"),
    ];
    for dedup in [None, Some(Dedup::keep_last(DedupWindow::default()))] {
        let table = TestTable::create(&endpoint, &KEYS).await;
        let log = OutcomeLog::default();
        let merges = dedup.is_some();

        let pipe = table.pipe().dedup(dedup).observer(log.clone());
        load(&files, table.schema(), pipe).await.unwrap();

        let left = left.map(|(id, text)| {
            let attributes = [
                ("id", Value::string(id)),
                ("n", Value::number(1)),
                ("text", Value::string(text)),
            ];
            Item::from(attributes.map(|(name, value)| (name.to_owned(), value)))
        });
        assert_same_items(&table.items().await, &table.by_key(left));
        let superseded = log.rows_that(|outcome| matches!(outcome, Outcome::Superseded { .. }));
        let [one, two] = files.each_ref().map(|file| file.to_str().unwrap());
        let expected = [(one, 0, 0), (one, 0, 1), (one, 0, 2), (two, 0, 1)];
        let expected: Vec<_> = expected
            .into_iter()
            .filter(|_| merges)
            .map(|(file, row_group, row)| SourcePosition::new(file.into(), row_group, row))
            .collect();
        assert_eq!(superseded, expected);
    }
}

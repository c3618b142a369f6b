//! Random rows of random schemas through the pipe into the embedded store, and back by the SDK.
//!
//! What is stored must be what the batch says, read by arrow's own accessors; the encoders under test have no part in
//! it. `DYNASINK_SEEDS` says how many seeds.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod arrays;
mod items;
mod types;

use std::collections::BTreeSet;
use std::env;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use dynasink::{KeyType, Mapping, Outcome, SourceBatch, SourcePosition};
use dynasink_tests::{Endpoint, Item, OutcomeLog, TestTable, assert_same_items};
use fastrand::Rng;
use futures::stream;

const KEY: &str = "row";
const FILE: &str = "random";

/// A schema and its rows.
struct Rows {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Rows {
    fn random(rng: &mut Rng) -> Self {
        let key = Arc::new(Field::new(KEY, DataType::Int64, false));
        let columns = (0..rng.usize(1..8)).map(|at| types::field(rng, &format!("column {at}"), 0));
        let schema = Schema::new(std::iter::once(key).chain(columns).collect::<Vec<_>>());
        let schema = Arc::new(schema);
        let mut first = 0;
        let batches = (0..rng.usize(1..4)).map(|_| {
            let batch = batch(rng, &schema, first);
            first += i64::try_from(batch.num_rows()).unwrap();
            batch
        });
        let batches = batches.collect();
        Self { schema, batches }
    }
}

/// Rows in the middle of longer arrays, so that nothing begins where its buffer does.
fn batch(rng: &mut Rng, schema: &SchemaRef, first: i64) -> RecordBatch {
    let len = rng.usize(0..25);
    let keys = first..first + i64::try_from(len).unwrap();
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(keys));
    let columns = schema.fields().iter().skip(1).map(|field| {
        let (before, after) = (rng.usize(0..3), rng.usize(0..3));
        arrays::array(rng, field, before + len + after).slice(before, len)
    });
    let columns = std::iter::once(keys).chain(columns).collect();
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

fn seeds(default: u64) -> u64 {
    env::var("DYNASINK_SEEDS").map_or(default, |seeds| seeds.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stored_is_what_the_batch_says() {
    let endpoint = Endpoint::embedded();
    let (mut stored, mut dead) = (0, 0);
    for seed in 0..seeds(60) {
        let rows = Rows::random(&mut Rng::with_seed(seed));
        let ended = store(&endpoint, &rows).await;
        let ended = ended.unwrap_or_else(|message| panic!("seed {seed}: {message}"));
        stored += ended.0;
        dead += ended.1;
    }
    // Were nearly all rows refused, the claim would say little.
    assert!(stored > dead, "{stored} rows are stored, {dead} are dead");
}

/// How many rows were stored, and how many refused.
async fn store(endpoint: &Endpoint, rows: &Rows) -> Result<(usize, usize), String> {
    let table = TestTable::create(endpoint, &[(KEY, KeyType::N)]).await;
    let mapping =
        Mapping::infer(&rows.schema, table.schema()).map_err(|error| error.to_string())?;
    let log = OutcomeLog::default();
    let pipe = table.pipe().observer(log.clone());
    let start = SourcePosition::new(FILE.into(), 0, 0);
    let mut row = 0;
    let batches = rows.batches.iter().map(|batch| {
        let at = start.offset_by(row);
        row += u64::try_from(batch.num_rows()).unwrap();
        Ok::<_, std::io::Error>(SourceBatch::at(batch.clone(), at))
    });
    let batches: Vec<_> = batches.collect();
    let pipeline = pipe.build().map_err(|error| error.to_string())?;
    pipeline
        .load(stream::iter(batches), mapping, std::future::pending())
        .await
        .map_err(|error| error.to_string())?;

    let items = rows.batches.iter().flat_map(items::of_batch);
    let (mut expected, mut refused) = (Vec::<Item>::new(), BTreeSet::new());
    for (row, item) in (0..).zip(items) {
        match item {
            Ok(item) => expected.push(item),
            Err(items::NotAnItem) => {
                refused.insert(row);
            }
        }
    }
    let dead = log.rows_that(|outcome| matches!(outcome, Outcome::Dead(_)));
    let dead: BTreeSet<u64> = dead.iter().map(SourcePosition::row).collect();
    if dead != refused {
        return Err(format!("rows {dead:?} were refused instead of {refused:?}"));
    }
    let counts = (expected.len(), refused.len());
    assert_same_items(&table.items().await, &table.by_key(expected));
    Ok(counts)
}

//! Loads that end at any moment and go on from their checkpoints: each key ends as the input says, and each bad row is
//! buried once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::future::pending;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use dynasink::limits::MAX_BATCH_OPS;
use dynasink::{
    BillingMode, Checkpoint, Concurrency, DeadLetterFile, Dedup, DedupWindow, Error, FileSource,
    Filter, Interleave, KeyType, LoadIdentity, Mapping, Pipeline, SourceOptions, StreamOptions,
    TableIdentity, TableSchema, UnreadObserver, spec::MappingSpec, spec::VersionSpec,
};
use dynasink_sim::{Decision, Latency, SimulatedTable, Simulator, WriteRecord};
use fastrand::Rng;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tokio::time::{Duration, sleep, timeout};

const ROW_GROUP: usize = 60;
const REQUESTS: usize = 3;
/// Between two checkpoints.
const INTERVAL: Duration = Duration::from_millis(3);
const ALL: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();

#[derive(Clone, Copy, Debug)]
struct Row {
    /// None is a row that cannot be written.
    id: Option<i64>,
    /// The number of the row in the input.
    value: i64,
    version: i64,
}

fn random_rows(rng: &mut Rng, first_value: i64) -> Vec<Row> {
    let count = rng.i64(200..900);
    let row = |value| Row {
        id: (rng.u8(..30) > 0).then(|| rng.i64(..400)),
        value,
        version: rng.i64(..50),
    };
    (first_value..first_value + count).map(row).collect()
}

fn write(folder: &Path, number: usize, rows: &[Row]) -> PathBuf {
    let ids: Int64Array = rows.iter().map(|row| row.id).collect();
    let column = |of: fn(&Row) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(of)))
    };
    let columns = [
        ("id", Arc::new(ids) as ArrayRef, true),
        ("value", column(|row| row.value), false),
        ("version", column(|row| row.version), false),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let path = folder.join(format!("{number}.parquet"));
    let file = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

#[derive(Clone, Copy, Debug)]
enum Policy {
    Last,
    First,
    Greatest,
    Off,
    Refuse,
}

impl Policy {
    fn dedup(self) -> Option<Dedup> {
        let window = DedupWindow::new(NonZeroUsize::new(40).unwrap(), 1_000_000);
        match self {
            Self::Last => Some(Dedup::keep_last(window)),
            Self::First => Some(Dedup::keep_first(ALL)),
            Self::Greatest => Some(Dedup::keep_greatest(window, ALL)),
            Self::Refuse => Some(Dedup::refuse(ALL)),
            Self::Off => None,
        }
    }

    /// The value that each key has in the end.
    fn kept(self, rows: &[Row]) -> BTreeMap<i64, i64> {
        let mut kept: BTreeMap<i64, Row> = BTreeMap::new();
        for row in rows {
            let Some(id) = row.id else { continue };
            let known = kept.get(&id);
            let replaces = match self {
                Self::Last | Self::Off => true,
                Self::First | Self::Refuse => known.is_none(),
                Self::Greatest => known.is_none_or(|known| row.version >= known.version),
            };
            if replaces {
                kept.insert(id, *row);
            }
        }
        kept.into_iter().map(|(id, row)| (id, row.value)).collect()
    }
}

/// A load that may end at any moment, as often as it is asked to.
struct Load {
    policy: Policy,
    table: TableSchema,
    source: FileSource,
    mapping: Mapping,
    simulator: Simulator,
    folder: PathBuf,
    /// Whether the last thing that a run does is to write its checkpoint, as one does that is asked to stop.
    saves_at_its_end: bool,
}

impl Load {
    /// The checkpoint of the last run, once nobody writes it any more, or that of the first.
    async fn checkpoint(&self) -> Checkpoint {
        let identity = LoadIdentity::new(
            &self.source,
            &self.mapping,
            TableIdentity {
                name: "rows".to_owned(),
                arn: None,
                id: None,
            },
            self.policy.dedup().as_ref(),
        );
        let path = self.folder.join("checkpoint");
        if !path.exists() {
            let letters = DeadLetterFile::create(self.folder.join("dead.jsonl")).unwrap();
            return Checkpoint::create(path, identity, Some(letters)).unwrap();
        }
        loop {
            match Checkpoint::resume(&path, &identity) {
                Err(Error::CheckpointInUse { .. }) => sleep(Duration::from_millis(1)).await,
                checkpoint => return checkpoint.unwrap(),
            }
        }
    }

    /// Runs for that long at most. Whether the load is complete is returned.
    async fn run(&self, most: Duration) -> Result<bool, Error> {
        let checkpoint = self.checkpoint().await;
        if checkpoint.is_complete() {
            return Ok(true);
        }
        checkpoint.set_interval(INTERVAL);
        let dedup = match self.policy.dedup() {
            Some(dedup) => {
                let recalled = checkpoint.recall(&self.source, &self.mapping, dedup);
                Some(recalled.await.unwrap())
            }
            None => None,
        };
        let observers: [Arc<dyn UnreadObserver>; 1] = [Arc::new(checkpoint.clone())];
        let order = StreamOptions::new()
            .with_interleave(Interleave::by_keys(self.mapping.key_columns()))
            .with_unread_observers(observers);
        let batches = self.source.stream_with(&checkpoint.reading(order));
        let pipeline = Pipeline::builder(self.simulator.clone(), &self.table)
            .concurrency(Concurrency::Fixed(REQUESTS))
            .dedup(dedup)
            .checkpoint(&checkpoint)
            .build()
            .unwrap();
        let load = pipeline.load(batches, self.mapping.clone(), pending());
        match timeout(most, load).await {
            Ok(report) => {
                let counts = report?.counts;
                assert_eq!(counts.unresolved(), 0);
                assert_eq!(counts.rows_read, checkpoint.counts().rows_read);
                Ok(checkpoint.is_complete())
            }
            Err(_) if self.saves_at_its_end => checkpoint.save().await.map(|()| false),
            Err(_) => Ok(false),
        }
    }

    /// What was written of each operation: its key, and the number of its row.
    fn written(&self) -> Vec<(i64, i64)> {
        let audit = self.simulator.audit();
        let writes = audit.requests().iter().flat_map(|request| &request.writes);
        let applied = writes.filter(|write| matches!(write.decision, Decision::Applied(_)));
        let row = |write: &WriteRecord| {
            let item = serde_json::from_slice(&write.json).unwrap();
            (number(&item, "id"), number(&item, "value"))
        };
        applied.map(row).collect()
    }

    fn stored(&self) -> BTreeMap<i64, i64> {
        let items = self.simulator.items("rows").into_iter();
        items
            .map(|(_, item)| (number(&item, "id"), number(&item, "value")))
            .collect()
    }

    /// The places of the dead letters, each as often as it is there.
    fn buried(&self) -> Vec<String> {
        let letters = std::fs::read_to_string(self.folder.join("dead.jsonl")).unwrap();
        let place = |line: &str| {
            let letter: serde_json::Value = serde_json::from_str(line).unwrap();
            letter["position"].to_string()
        };
        letters.lines().map(place).collect()
    }
}

fn number(item: &serde_json::Map<String, serde_json::Value>, name: &str) -> i64 {
    item[name]["N"].as_str().unwrap().parse().unwrap()
}

fn simulator(seed: u64, table: &TableSchema) -> Simulator {
    Simulator::builder()
        .seed(seed)
        .latency(Latency::fixed(Duration::from_millis(1)))
        .table(SimulatedTable::new(table.clone()))
        .build()
}

fn table() -> TableSchema {
    TableSchema::builder("rows")
        .partition_key("id", KeyType::N)
        .billing_mode(BillingMode::OnDemand { max_write: None })
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_load_that_ends_at_any_moment_goes_on_to_the_same_end() {
    let table = table();
    for seed in 0..24 {
        let mut rng = Rng::with_seed(seed);
        let policies = [Policy::Last, Policy::First, Policy::Greatest, Policy::Off];
        let policy = policies[usize::try_from(seed % 4).unwrap()];
        let folder = tempfile::tempdir().unwrap();
        let mut rows = Vec::new();
        let paths: Vec<_> = (0..rng.usize(1..4))
            .map(|number| {
                let of_file = random_rows(&mut rng, i64::try_from(number).unwrap() * 10_000);
                rows.extend(of_file.iter().copied());
                write(folder.path(), number, &of_file)
            })
            .collect();
        let mut options = SourceOptions::new().with_readers(NonZeroUsize::new(3).unwrap());
        if rng.bool() {
            options = options.with_filter(Filter::parse("version <> 7 AND version < 45").unwrap());
            rows.retain(|row| row.version != 7 && row.version < 45);
        }
        let source = FileSource::open(&paths, options).await.unwrap();
        let spec = match policy {
            Policy::Greatest => MappingSpec::new().version(VersionSpec::new("version")),
            _ => MappingSpec::new(),
        };
        let load = Load {
            policy,
            mapping: Mapping::new(&spec, source.schema(), &table).unwrap(),
            source,
            simulator: simulator(seed, &table),
            table: table.clone(),
            folder: folder.path().to_owned(),
            saves_at_its_end: false,
        };

        let mut runs = 1;
        loop {
            let most = Duration::from_millis(rng.u64(2..25) * runs);
            if load.run(most).await.unwrap() {
                break;
            }
            runs += 1;
        }
        assert_eq!(load.stored(), policy.kept(&rows), "seed {seed}, {policy:?}");
        let dead = rows.iter().filter(|row| row.id.is_none()).count();
        let buried = load.buried();
        assert_eq!(buried.len(), dead, "seed {seed}: {runs} runs");
        assert_eq!(
            buried.iter().collect::<BTreeSet<_>>().len(),
            dead,
            "seed {seed}"
        );
        let counts = load.checkpoint().await.counts();
        let written = load.written();
        if matches!(policy, Policy::First) {
            let first = policy.kept(&rows);
            let other = written.iter().find(|(id, value)| first[id] != *value);
            assert_eq!(other, None, "seed {seed}: not the first row of its key");
        }
        assert_eq!(counts.resolved(), rows.len() as u64, "seed {seed}");
        assert_eq!(counts.rows_read, counts.resolved());
        assert_eq!(counts.dead, dead as u64);
    }
}

#[tokio::test]
async fn only_what_was_in_flight_is_written_a_second_time() {
    let table = table();
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let rows = random_rows(&mut rng, 0);
        let path = write(folder.path(), 0, &rows);
        let source = FileSource::open([path], SourceOptions::new())
            .await
            .unwrap();
        let load = Load {
            policy: Policy::Off,
            mapping: Mapping::infer(source.schema(), &table).unwrap(),
            source,
            simulator: simulator(seed, &table),
            table: table.clone(),
            folder: folder.path().to_owned(),
            saves_at_its_end: true,
        };
        let mut ends = 0_u32;
        // A busy machine may not get far in a run, so that each may take longer than those before.
        while !load
            .run(Duration::from_millis(rng.u64(2..25)) * (ends + 1))
            .await
            .unwrap()
        {
            ends += 1;
        }
        let items = rows.iter().filter(|row| row.id.is_some()).count();
        let written = load.written().len();
        assert!(written >= items, "seed {seed}: {written} of {items}");
        let in_flight = usize::try_from(ends).unwrap() * REQUESTS * MAX_BATCH_OPS;
        assert!(
            written <= items + in_flight,
            "seed {seed}: {written} of {items} in {ends} runs"
        );
    }
}

#[tokio::test]
async fn a_second_row_of_a_key_is_refused_however_often_the_load_ends() {
    let table = table();
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let second = rng.usize(300..600);
        let mut rows: Vec<_> = (0..600)
            .map(|row| Row {
                id: Some(row),
                value: row,
                version: 0,
            })
            .collect();
        rows[second].id = Some(rng.i64(0..300));
        let path = write(folder.path(), 0, &rows);
        let source = FileSource::open([path], SourceOptions::new())
            .await
            .unwrap();
        let load = Load {
            policy: Policy::Refuse,
            mapping: Mapping::infer(source.schema(), &table).unwrap(),
            source,
            simulator: simulator(seed, &table),
            table: table.clone(),
            folder: folder.path().to_owned(),
            saves_at_its_end: false,
        };
        let mut refusals = 0;
        let mut runs = 1;
        while refusals < 3 {
            let most = Duration::from_millis(rng.u64(2..25) * runs);
            runs += 1;
            match load.run(most).await {
                Ok(is_complete) => assert!(!is_complete, "seed {seed}: {second}"),
                Err(error) => {
                    let error = format!("{error:?}");
                    assert!(error.contains("DuplicateKey"), "seed {seed}: {error}");
                    refusals += 1;
                }
            }
        }
        let first = Policy::Refuse.kept(&rows);
        let other = load.written().into_iter();
        let other: Vec<_> = other.filter(|(id, value)| first[id] != *value).collect();
        assert_eq!(other, [], "seed {seed}: {second}");
    }
}

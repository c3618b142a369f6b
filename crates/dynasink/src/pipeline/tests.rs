use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::time::Duration;

use arrow_array::{Int64Array, RecordBatch};
use dynasink_arrow::spec::{MappingSpec, VersionSpec};
use dynasink_aws::{BatchResponse, Cause, RequestError};
use dynasink_core::{
    KeyType, ObserverError, Outcome, OutcomeEvent, PrimaryKey, SerdeEncoder, TableName, WriteBatch,
    WriteUnits,
};
use futures::{SinkExt, StreamExt, stream};
use tokio::time::sleep;

use super::*;
use crate::rate::Rate;

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<BatchResponse, RequestError>;

type Script = Box<dyn FnMut(&WriteBatch) -> (Duration, Answer) + Send>;

/// A service that answers as it is told, and knows what it has applied. Clones are the same service.
#[derive(Clone)]
struct Service(Arc<Mutex<Model>>);

struct Model {
    script: Script,
    requests: usize,
    in_flight: usize,
    applied: HashSet<PrimaryKey>,
}

impl Service {
    fn new(script: impl FnMut(&WriteBatch) -> (Duration, Answer) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Model {
            script: Box::new(script),
            requests: 0,
            in_flight: 0,
            applied: HashSet::new(),
        })))
    }

    /// Takes everything, after a while.
    fn willing(latency: Duration) -> Self {
        Self::new(move |_| (latency, Ok(BatchResponse::default())))
    }

    fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }

    fn in_flight(&self) -> usize {
        self.0.lock().unwrap().in_flight
    }

    fn applied(&self) -> usize {
        self.0.lock().unwrap().applied.len()
    }
}

/// Ends with the request, also when it is dropped.
struct InFlight(Service);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().in_flight -= 1;
    }
}

impl Transport for Service {
    async fn batch_write(&self, batch: &WriteBatch) -> Answer {
        let (latency, answer) = {
            let mut model = self.0.lock().unwrap();
            model.requests += 1;
            model.in_flight += 1;
            (model.script)(batch)
        };
        let _in_flight = InFlight(self.clone());
        sleep(latency).await;
        if let Ok(response) = &answer {
            let keys = batch.ops().iter().map(|op| op.key().clone());
            let applied = keys.filter(|key| !response.unprocessed.contains(key));
            self.0.lock().unwrap().applied.extend(applied);
        }
        answer
    }

    async fn describe_table(&self, _: &str) -> Result<TableSchema, dynasink_aws::Error> {
        Ok(table())
    }
}

fn table() -> TableSchema {
    let table = TableSchema::builder("users").partition_key("id", KeyType::N);
    table.build().unwrap()
}

fn op(id: i64) -> WriteOp {
    table().put_serde(&serde_json::json!({ "id": id })).unwrap()
}

fn pipeline(service: &Service) -> PipelineBuilder<Service> {
    Pipeline::builder(service.clone(), &table()).concurrency(Concurrency::Fixed(4))
}

/// Batches of a hundred rows, one a second.
fn rows(
    batches: i64,
) -> (
    impl Stream<Item = Result<RecordBatch, std::io::Error>>,
    Mapping,
) {
    let batch = |nth: i64| {
        let ids = Arc::new(Int64Array::from_iter_values(nth * 100..nth * 100 + 100));
        RecordBatch::try_from_iter([("id", ids as _)]).unwrap()
    };
    let mapping = Mapping::infer(&batch(0).schema(), &table()).unwrap();
    let batches = stream::iter(0..batches).then(move |nth| async move {
        sleep(SECOND).await;
        Ok(batch(nth))
    });
    (batches, mapping)
}

#[tokio::test(start_paused = true)]
async fn rows_are_counted_though_nobody_observes_outcomes() {
    let pipeline = pipeline(&Service::willing(Duration::ZERO)).build().unwrap();
    let tally = pipeline.tally();
    let ops = stream::iter([1, 2, 2]).map(|id| Ok::<_, std::io::Error>(op(id)));
    drive(ops, pipeline).await.unwrap();
    let counts = tally.counts();
    assert_eq!(
        (
            counts.rows_read,
            counts.items_written,
            counts.superseded,
            counts.requests
        ),
        (3, 2, 1, 1)
    );
}

#[tokio::test]
async fn counting_is_not_keeping_so_a_dead_row_is_an_error() {
    let pipeline = pipeline(&Service::willing(Duration::ZERO)).build().unwrap();
    assert!(!pipeline.outcomes().keep_dead_rows());
}

#[tokio::test(start_paused = true)]
async fn a_flush_is_ready_when_all_rows_have_outcomes_though_some_wait_for_another_attempt() {
    let mut nth = 0;
    let service = Service::new(move |batch| {
        nth += 1;
        let failed = |cause| {
            Err(RequestError {
                cause,
                retry_after: Some(20 * SECOND),
                source: "later".into(),
            })
        };
        let answer = match nth {
            1 => failed(Cause::Internal),
            2 => failed(Cause::Throttled(Vec::new())),
            3 => Ok(BatchResponse {
                unprocessed: vec![batch.ops()[0].key().clone()],
                ..BatchResponse::default()
            }),
            _ => Ok(BatchResponse::default()),
        };
        (SECOND, answer)
    });
    let mut pipeline = pipeline(&service).build().unwrap();
    let tally = pipeline.tally();
    for (sent, ops) in [(40, 0..40), (47, 40..47)] {
        for id in ops {
            pipeline.feed(op(id)).await.unwrap();
        }
        assert!(tally.counts().unresolved() > 0);
        pipeline.flush().await.unwrap();
        let counts = tally.counts();
        assert_eq!((counts.items_written, counts.unresolved()), (sent, 0));
        assert_eq!(service.in_flight(), 0);
    }
    assert_eq!(service.applied(), 47);
    pipeline.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_dropped_leaves_no_request_behind_and_the_tally_says_what_is_open() {
    let service = Service::willing(SECOND / 2);
    let pipeline = pipeline(&service)
        .rate(Rate::Fixed(WriteUnits::new(50)))
        .dedup(None)
        .build()
        .unwrap();
    let tally = pipeline.tally();
    let (batches, mapping) = rows(1_000);
    let load = pipeline.load(batches, mapping, std::future::pending());
    tokio::select! {
        biased;
        ended = load => panic!("{ended:?}"),
        () = sleep(20 * SECOND + SECOND / 4) => {}
    }
    tokio::task::yield_now().await;
    assert_eq!(service.in_flight(), 0);
    let counts = tally.counts();
    assert!(
        counts.items_written > 500 && counts.unresolved() > 0,
        "{counts:?}"
    );
    assert_eq!(counts.rows_read % 100, 0);
    assert_eq!(counts.resolved() + counts.unresolved(), counts.rows_read);
    assert_eq!(counts.items_written, service.applied() as u64);
    let requests = service.requests();
    sleep(3600 * SECOND).await;
    assert_eq!((service.requests(), tally.counts()), (requests, counts));
}

#[tokio::test(start_paused = true)]
async fn a_drive_that_is_dropped_forgets_nothing_that_the_pipe_accepted() {
    let service = Service::willing(SECOND / 2);
    let mut pipeline = pipeline(&service).build().unwrap();
    let tally = pipeline.tally();
    let mut taken = 0;
    let ops = stream::iter(0..).then(|id| async move {
        sleep(SECOND / 100).await;
        id
    });
    let ops = ops.map(|id| {
        taken += 1;
        Ok::<_, std::io::Error>(op(id))
    });
    tokio::select! {
        biased;
        ended = drive(Box::pin(ops), &mut pipeline) => panic!("{ended:?}"),
        () = sleep(10 * SECOND) => {}
    }
    let counts = tally.counts();
    assert_eq!(counts.rows_read, taken);
    assert!(taken > 900 && counts.unresolved() > 0, "{counts:?}");
    pipeline.close().await.unwrap();
    let counts = tally.counts();
    assert_eq!((counts.items_written, counts.unresolved()), (taken, 0));
    assert_eq!(service.applied() as u64, taken);
}

#[tokio::test(start_paused = true)]
async fn when_the_writer_stops_the_tally_says_how_many_rows_are_open() {
    let mut nth = 0;
    let service = Service::new(move |_| {
        nth += 1;
        let answer = match nth {
            ..10 => Ok(BatchResponse::default()),
            _ => Err(RequestError {
                cause: Cause::TableMissing,
                retry_after: None,
                source: "no such table".into(),
            }),
        };
        (SECOND / 100, answer)
    });
    let pipeline = pipeline(&service).build().unwrap();
    let tally = pipeline.tally();
    let (batches, mapping) = rows(100);
    let error = pipeline
        .load(batches, mapping, std::future::pending())
        .await
        .unwrap_err();
    let Error::Pipe(dynasink_aws::Error::Stopped { unresolved, .. }) = error else {
        panic!("{error:?}");
    };
    let counts = tally.counts();
    assert_eq!(counts.resolved() + counts.unresolved(), counts.rows_read);
    assert_eq!(counts.items_written, service.applied() as u64);
    // Rows may also be in the stages above the writer.
    assert!(unresolved > 0 && unresolved as u64 <= counts.unresolved());
}

#[tokio::test(start_paused = true)]
async fn a_report_has_the_largest_item_collections() {
    let size = |key: &PrimaryKey| ItemCollectionSize {
        table: TableName::new("users").unwrap(),
        partition_key: format!("{:?}", key.partition()),
        lower_gb: 1.0,
        upper_gb: 2.0,
    };
    let service = Service::new(move |batch| {
        let response = BatchResponse {
            item_collections: batch.ops().iter().map(|op| size(op.key())).collect(),
            ..BatchResponse::default()
        };
        (Duration::ZERO, Ok(response))
    });
    let pipeline = pipeline(&service).build().unwrap();
    let tally = pipeline.tally();
    let (batches, mapping) = rows(1);
    let report = pipeline
        .load(batches, mapping, std::future::pending())
        .await
        .unwrap();
    assert_eq!(report.counts.items_written, 100);
    assert_eq!(report.item_collections.len(), 10);
    assert_eq!(report.item_collections, tally.largest_item_collections());
}

#[derive(Debug, Default)]
struct DeadRows(Mutex<Vec<(u64, String)>>);

impl OutcomeObserver for DeadRows {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        if let Outcome::Dead(reason) = event.outcome {
            let row = event.position.unwrap().row();
            self.0.lock().unwrap().push((row, reason.code.clone()));
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn rows_of_any_kind_are_written_and_those_that_cannot_be_are_dead_letters() {
    let service = Service::willing(SECOND);
    let dead = Arc::new(DeadRows::default());
    let pipeline = pipeline(&service)
        .observer(Arc::clone(&dead))
        .build()
        .unwrap();
    let mut encoder = SerdeEncoder::new(&table());
    let encode =
        Encode::by(move |id: f64| encoder.put(&serde_json::json!({ "id": id }))).of_source("ids");
    let ids = stream::iter([1.0, f64::NAN, 1.0, 2.5].map(Ok::<_, std::io::Error>));
    let report = pipeline
        .load_rows(ids, encode, std::future::pending())
        .await
        .unwrap();
    assert_eq!(service.applied(), 2);
    // JSON has no NaN, so that the id is null and the item has no key.
    assert_eq!(*dead.0.lock().unwrap(), [(1, "missing_key".to_owned())]);
    assert_eq!(report.counts.rows_read, 4);
    assert_eq!(report.counts.unresolved(), 0);
    assert_eq!(
        (
            report.counts.items_written,
            report.counts.superseded,
            report.counts.dead
        ),
        (2, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn versions_are_neither_overlooked_nor_invented() {
    let service = Service::willing(Duration::ZERO);
    let load = async |dedup: Option<Option<Dedup>>, has_versions: bool| {
        let (batches, mapping) = rows(1);
        let mapping = if has_versions {
            let versions = MappingSpec::new().version(VersionSpec::new("id"));
            Mapping::new(&versions, mapping.schema(), &table()).unwrap()
        } else {
            mapping
        };
        let mut pipeline = pipeline(&service);
        if let Some(dedup) = dedup {
            pipeline = pipeline.dedup(dedup);
        }
        let pipeline = pipeline.build().unwrap();
        pipeline
            .load(batches, mapping, std::future::pending())
            .await
    };
    let greatest = || Dedup::keep_greatest(DedupWindow::default(), NonZeroUsize::MAX);
    let last = || Dedup::keep_last(DedupWindow::default());
    assert!(matches!(
        load(None, true).await,
        Err(Error::VersionsOverlooked)
    ));
    assert!(matches!(
        load(Some(Some(greatest())), false).await,
        Err(Error::NoVersions)
    ));
    assert_eq!(service.requests(), 0);
    for dedup in [Some(greatest()), Some(last()), None] {
        let report = load(Some(dedup), true).await.unwrap();
        assert_eq!(report.counts.items_written, 100);
    }
}

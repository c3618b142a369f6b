//! The reader against a service that answers by a script, in virtual time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use dynasink_core::{Item, KeyType, TableSchema};
use futures::TryStreamExt;
use tokio::time::Instant;

use super::*;
use crate::classify::Cause;
use crate::error::Error;
use crate::retry::{Backoff, RetryPolicy};
use crate::transport::RequestError;

/// What the service does with one request.
#[derive(Clone, Debug)]
enum Fate {
    /// It looks up all keys but that many, which it leaves unprocessed.
    AllBut(usize),
    /// It fails so.
    Fails(Cause),
    /// It leaves a key unprocessed that nobody has asked for.
    Stranger,
}

/// Answers by a script, the last line of which holds for ever.
#[derive(Clone, Debug)]
struct Script {
    fates: Arc<Mutex<VecDeque<Fate>>>,
    asked: Arc<Mutex<Vec<usize>>>,
}

impl Script {
    fn new(fates: impl IntoIterator<Item = Fate>) -> Self {
        Self {
            fates: Arc::new(Mutex::new(fates.into_iter().collect())),
            asked: Arc::default(),
        }
    }

    /// How many keys each request had.
    fn asked(&self) -> Vec<usize> {
        self.asked.lock().unwrap().clone()
    }

    fn next(&self) -> Fate {
        let mut fates = self.fates.lock().unwrap();
        if fates.len() > 1 {
            fates.pop_front().unwrap()
        } else {
            fates[0].clone()
        }
    }
}

fn failed(cause: Cause) -> RequestError {
    RequestError {
        cause,
        retry_after: None,
        source: "as the script says".into(),
    }
}

impl ReadTransport for Script {
    async fn batch_get(&self, batch: &KeyBatch<'_>) -> Result<KeysAnswer, RequestError> {
        self.asked.lock().unwrap().push(batch.keys.len());
        let fate = self.next();
        let key = |item: &Item| batch.table.primary_key(item).unwrap();
        match fate {
            Fate::Fails(cause) => Err(failed(cause)),
            Fate::Stranger => Ok(KeysAnswer {
                unprocessed: vec![key(&self::key(u64::MAX))],
                ..KeysAnswer::default()
            }),
            Fate::AllBut(left) => {
                let (found, left) = batch.keys.split_at(batch.keys.len() - left);
                let items = found.iter().map(|item| StoredItem {
                    key: key(item),
                    key_item: item.clone(),
                    json: item.json().clone(),
                });
                Ok(KeysAnswer {
                    items: items.collect(),
                    unprocessed: left.iter().map(key).collect(),
                    read_units: 0.5 * found.len() as f64,
                })
            }
        }
    }

    async fn scan(&self, request: &ScanRequest<'_>) -> Result<ScanAnswer, RequestError> {
        if let Fate::Fails(cause) = self.next() {
            return Err(failed(cause));
        }
        let page = request.start.map_or(0, |start| u64::from(start[0]));
        let item = key(page + 10 * u64::from(request.segment));
        Ok(ScanAnswer {
            items: vec![StoredItem {
                key: request.table.primary_key(&item).unwrap(),
                json: item.json().clone(),
                key_item: item,
            }],
            next: (page < 2).then(|| Bytes::from(vec![u8::try_from(page).unwrap() + 1])),
            read_units: 128.0,
        })
    }
}

fn table() -> TableSchema {
    TableSchema::builder("users")
        .partition_key("id", KeyType::N)
        .build()
        .unwrap()
}

fn key(id: u64) -> Item {
    table()
        .item(|item| item.attribute("id")?.integer(id))
        .unwrap()
}

fn keys(ids: std::ops::Range<u64>) -> Vec<Item> {
    ids.map(key).collect()
}

fn reader(script: &Script) -> Reader<Script> {
    let few = Backoff {
        max_attempts: 4,
        ..RetryPolicy::default().throttled
    };
    let retry = RetryPolicy {
        throttled: few,
        failed: few,
        ..RetryPolicy::default()
    };
    Reader::new(script.clone(), false, ReadLimiter::unlimited(), retry)
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_left_unprocessed_are_asked_for_again_and_only_they() {
    // More answers in part than the attempts that are allowed: each has some of the keys.
    let script = Script::new([90, 80, 60, 30, 10, 5, 0].map(Fate::AllBut));
    let reader = reader(&script);
    let found = reader.get(&table(), &keys(0..100)).await.unwrap();
    assert_eq!(found.len(), 100);
    assert_eq!(script.asked(), [100, 90, 80, 60, 30, 10, 5]);
    let usage = reader.usage();
    assert_eq!((usage.requests, usage.throttled_requests), (7, 6));
    assert!((usage.read_units - 50.0).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_or_failed_request_is_tried_again() {
    let causes = [
        Cause::Throttled(Vec::new()),
        Cause::Internal,
        Cause::Unreachable,
    ];
    let fates = causes.map(Fate::Fails).into_iter().chain([Fate::AllBut(0)]);
    let script = Script::new(fates);
    let found = reader(&script).get(&table(), &keys(0..3)).await.unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(script.asked(), [3, 3, 3, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_is_given_up() {
    for fate in [
        Fate::Fails(Cause::Throttled(Vec::new())),
        Fate::Fails(Cause::Internal),
        Fate::AllBut(2),
        Fate::Stranger,
    ] {
        let script = Script::new([fate.clone()]);
        let start = Instant::now();
        let error = reader(&script)
            .get(&table(), &keys(0..2))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Read { .. }), "{fate:?}: {error}");
        assert_eq!(script.asked().len(), 4, "{fate:?}");
        assert!(start.elapsed() < Duration::from_secs(1), "{fate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_second_request_would_mend_is_not_tried_again() {
    for cause in [Cause::AccessDenied, Cause::TableMissing, Cause::Invalid] {
        let script = Script::new([Fate::Fails(cause.clone())]);
        let error = reader(&script)
            .get(&table(), &keys(0..2))
            .await
            .unwrap_err();
        assert_eq!(error.cause(), Some(&cause));
        assert_eq!(script.asked().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_scan_goes_through_all_pages_of_its_segment() {
    let script = Script::new([
        Fate::AllBut(0),
        Fate::Fails(Cause::Throttled(Vec::new())),
        Fate::AllBut(0),
    ]);
    let reader = reader(&script);
    let table = table();
    let pages = reader.scan(&table, 1, 4);
    let found: Vec<_> = pages.try_collect::<Vec<_>>().await.unwrap().concat();
    let expected: Vec<_> = (10..13)
        .map(|id| table.primary_key(&key(id)).unwrap())
        .collect();
    assert_eq!(
        found.into_iter().map(|item| item.key).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(reader.usage().requests, 4);
}

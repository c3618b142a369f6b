//! Reads that are tried until they are answered, within bounds.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use dynasink_core::{Item, PrimaryKey, TableSchema};
use fastrand::Rng;
use futures::{Stream, stream};
use tokio::time::{Instant, sleep};

use super::answer::unreadable;
use super::limiter::ReadLimiter;
use super::transport::{KeyBatch, ReadTransport, ScanAnswer, ScanRequest, StoredItem};
use crate::classify::{Cause, Retry};
use crate::error::{Error, Result};
use crate::retry::{Failures, RetryPolicy};
use crate::transport::RequestError;

/// The least that an eventually consistent read of a key costs, in read capacity units: also where there is no item.
///
/// Source: *Capacity unit consumption for read operations*.
const UNITS_PER_KEY: f64 = 0.5;

/// What an eventually consistent page of 1 MB costs, in read capacity units.
///
/// Source: API reference, `Scan`, "up to 1 MB of data"; *Capacity unit consumption for read operations*.
const UNITS_PER_PAGE: f64 = 128.0;

/// Reads items, and asks again for what the service leaves out. Clones count together and share one rate.
///
/// A request that is refused or fails is tried again by the [`RetryPolicy`], which bounds the attempts and the time. Keys
/// that the service leaves unprocessed are asked for again after a wait; as long as each answer has some of them, they
/// become fewer and do not count against the bounds.
#[derive(Debug)]
pub struct Reader<T>(Arc<Inner<T>>);

#[derive(Debug)]
struct Inner<T> {
    transport: T,
    settings: Settings,
    jitter: Mutex<Rng>,
    usage: Mutex<ReadUsage>,
}

#[derive(Clone, Debug)]
struct Settings {
    consistent: bool,
    limiter: ReadLimiter,
    retry: RetryPolicy,
}

/// What reading has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReadUsage {
    /// Requests that were answered or failed.
    pub requests: u64,
    /// Requests that were refused for want of capacity, and answers that left keys out.
    pub throttled_requests: u64,
    /// Read capacity units that the service says it consumed.
    pub read_units: f64,
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ReadTransport> Reader<T> {
    /// Reads with `transport`; `consistent` if what was written before has to be seen, at twice the price.
    pub fn new(transport: T, consistent: bool, limiter: ReadLimiter, retry: RetryPolicy) -> Self {
        Self(Arc::new(Inner {
            transport,
            settings: Settings {
                consistent,
                limiter,
                retry,
            },
            jitter: Mutex::new(Rng::new()),
            usage: Mutex::default(),
        }))
    }

    /// What reading has cost so far.
    pub fn usage(&self) -> ReadUsage {
        *self.usage_mut()
    }

    /// The items of `table` that have these keys, in no particular order. A key that is not among them has no item.
    ///
    /// `keys` are the key attributes of up to [`MAX_BATCH_GET_KEYS`](dynasink_core::limits::MAX_BATCH_GET_KEYS) items,
    /// none twice: see [`TableSchema::key_item`].
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if the service refuses such requests, or has not answered within the bounds.
    pub async fn get(&self, table: &TableSchema, keys: &[Item]) -> Result<Vec<StoredItem>> {
        let mut found = Vec::with_capacity(keys.len());
        let mut keys = keys.to_vec();
        let mut failures = Failures::default();
        while !keys.is_empty() {
            let batch = KeyBatch {
                table,
                keys: &keys,
                consistent: self.0.settings.consistent,
            };
            let least = self.price(keys.len() as f64 * UNITS_PER_KEY);
            self.0.settings.limiter.admit(least).await;
            let sent = Instant::now();
            let answer = self.0.transport.batch_get(&batch).await;
            let units = answer.as_ref().map_or(0.0, |answer| answer.read_units);
            self.settle(least, units);
            let left = answer.and_then(|answer| {
                let left = still_asked(table, &keys, &answer.unprocessed)?;
                Ok((left, answer.items))
            });
            match left {
                Ok((left, items)) => {
                    found.extend(items);
                    if left.len() < keys.len() {
                        failures = Failures::default();
                    }
                    keys = left;
                    if !keys.is_empty() {
                        let error = RequestError {
                            cause: Cause::Throttled(Vec::new()),
                            retry_after: None,
                            source: "keys were left unprocessed".into(),
                        };
                        self.wait_to_retry(table, &mut failures, sent, error)
                            .await?;
                    }
                }
                Err(error) => {
                    self.wait_to_retry(table, &mut failures, sent, error)
                        .await?
                }
            }
        }
        Ok(found)
    }

    /// The items of one of `segments` parts of `table`, page by page. Parts can be read at the same time.
    ///
    /// The stream ends after its first error, which is as for [`get`](Self::get).
    pub fn scan(
        &self,
        table: &TableSchema,
        segment: u32,
        segments: u32,
    ) -> impl Stream<Item = Result<Vec<StoredItem>>> + Send + use<T> {
        /// Where a scan goes on.
        enum Next {
            First,
            At(Bytes),
        }
        let start = (self.clone(), table.clone(), Some(Next::First));
        stream::try_unfold(start, move |(reader, table, next)| async move {
            let start = match next {
                None => return Ok(None),
                Some(Next::First) => None,
                Some(Next::At(start)) => Some(start),
            };
            let request = ScanRequest {
                table: &table,
                segment,
                segments,
                start: start.as_ref(),
                consistent: reader.0.settings.consistent,
            };
            let ScanAnswer { items, next, .. } = reader.page(&request).await?;
            Ok(Some((items, (reader, table, next.map(Next::At)))))
        })
    }

    async fn page(&self, request: &ScanRequest<'_>) -> Result<ScanAnswer> {
        let mut failures = Failures::default();
        loop {
            let least = self.price(UNITS_PER_PAGE);
            self.0.settings.limiter.admit(least).await;
            let sent = Instant::now();
            let answer = self.0.transport.scan(request).await;
            self.settle(
                least,
                answer.as_ref().map_or(0.0, |answer| answer.read_units),
            );
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    self.wait_to_retry(request.table, &mut failures, sent, error)
                        .await?;
                }
            }
        }
    }

    /// What a read costs that would cost `units` if it were eventually consistent.
    fn price(&self, units: f64) -> f64 {
        if self.0.settings.consistent {
            2.0 * units
        } else {
            units
        }
    }

    fn settle(&self, least: f64, units: f64) {
        self.0.settings.limiter.settle(least, units);
        let mut usage = self.usage_mut();
        usage.requests += 1;
        usage.read_units += units;
    }

    /// Waits before a request is sent again that has failed, unless it is given up.
    async fn wait_to_retry(
        &self,
        table: &TableSchema,
        failures: &mut Failures,
        sent: Instant,
        error: RequestError,
    ) -> Result<()> {
        let RequestError {
            cause,
            retry_after,
            source,
        } = error;
        if matches!(cause, Cause::Throttled(_)) {
            self.usage_mut().throttled_requests += 1;
        }
        failures.note(&cause, sent);
        let retry = &self.0.settings.retry;
        let backoff = retry.backoff(&cause);
        let attempts = failures.attempts(&cause);
        if cause.retry() != Retry::Backoff || backoff.is_exhausted(attempts, failures.elapsed()) {
            return Err(Error::Read {
                table: table.name().to_string(),
                cause: Box::new(cause),
                source,
            });
        }
        tracing::debug!(%cause, attempts, "a read failed");
        let asked = retry_after.unwrap_or_default().min(retry.max_retry_after);
        let wait = asked.saturating_add(backoff.wait(attempts, self.jitter()));
        sleep(wait.max(Duration::from_millis(1))).await;
        Ok(())
    }

    fn jitter(&self) -> f64 {
        let mut jitter = self.0.jitter.lock().unwrap_or_else(PoisonError::into_inner);
        jitter.f64()
    }

    fn usage_mut(&self) -> std::sync::MutexGuard<'_, ReadUsage> {
        self.0.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those of `keys` that were left `unprocessed`.
fn still_asked(
    table: &TableSchema,
    keys: &[Item],
    unprocessed: &[PrimaryKey],
) -> Result<Vec<Item>, RequestError> {
    if unprocessed.is_empty() {
        return Ok(Vec::new());
    }
    let unprocessed: HashSet<&PrimaryKey> = unprocessed.iter().collect();
    let mut left = Vec::with_capacity(unprocessed.len());
    for key in keys {
        if unprocessed.contains(&table.primary_key(key).map_err(unreadable)?) {
            left.push(key.clone());
        }
    }
    if left.len() < unprocessed.len() {
        return Err(unreadable(
            "UnprocessedKeys holds a key that was not in the request",
        ));
    }
    Ok(left)
}

//! `batch_write` of pydynox 1.8.0 with its `AdaptiveRate` limiter.
//!
//! The limiter is a token bucket that starts at half of the maximum which the user names, takes one token an item
//! whatever its size, falls to 0.8 of its rate on an exception, and rises by a tenth once a second while there was none
//! for ten seconds. It never sees `UnprocessedItems`: these are sent up to five times with pauses of 100 ms, doubled
//! each time, and then lost. Chunks of 25 go out one after the other. An exception is retried by the SDK, then up to ten
//! times with pauses of 100 ms doubled up to 5 s, if it is `ProvisionedThroughputExceededException`; a
//! `ThrottlingException`, which on-demand tables raise, is not caught and the chunk is lost.
//!
//! Left to the user, and set in its favour:
//!
//! - The maximum is the capacity that the table's description names, or else 4,000, what a new on-demand table takes.
//! - Each call of `batch_write` has 25 items, fewer if the bucket holds fewer: a call with more than it holds never
//!   returns. So no call writes again what an earlier chunk of it has written.
//!
//! Source: `src/rate_limiter.rs`, `src/batch_operations/write.rs`, `_internal/_throttle_retry.py`, `client/_batch.py`.

use std::collections::VecDeque;
use std::time::Duration;

use dynasink::{BillingMode, TableSchema, Transport, WriteBatch, WriteUnits};
use fastrand::Rng;
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::time::{Instant, sleep};

use super::request::{Answer, next_batch};
use super::sdk_retries::SdkRetries;
use crate::policy::{Client, Ended, Policy};

/// `BATCH_WRITE_MAX_ITEMS`.
const CHUNK: usize = 25;
/// `BATCH_MAX_RETRIES`: requests that may leave items unprocessed.
const REQUESTS: u32 = 5;
/// `_MAX_ATTEMPTS` of a call.
const CALLS: u32 = 10;
/// `_INITIAL_BACKOFF_SECONDS`.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// `_MAX_BACKOFF_SECONDS`.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// What a careful user would name where the description names none: Developer Guide, *`DynamoDB` on-demand capacity
/// mode*, new tables.
const UNDESCRIBED_MAXIMUM: WriteUnits = WriteUnits::new(4000);

/// pydynox with `AdaptiveRate`.
#[derive(Clone, Copy, Debug)]
pub struct Pydynox;

impl Policy for Pydynox {
    fn name(&self) -> &'static str {
        "pydynox"
    }

    fn write(&self, client: Client) -> BoxFuture<'_, Ended> {
        Box::pin(write(client))
    }
}

/// `AdaptiveRate`: a pure law, times are those since the start.
#[derive(Clone, Debug)]
pub(super) struct AdaptiveRate {
    maximum: f64,
    pub(super) rate: f64,
    tokens: f64,
    refilled: Duration,
    checked: Duration,
    throttled: Option<Duration>,
}

impl AdaptiveRate {
    pub(super) fn new(maximum: f64) -> Self {
        Self {
            maximum,
            rate: maximum * 0.5,
            tokens: maximum,
            refilled: Duration::ZERO,
            checked: Duration::ZERO,
            throttled: None,
        }
    }

    /// Raises the rate if it is time, as each acquisition does first.
    pub(super) fn check(&mut self, now: Duration) {
        if now.saturating_sub(self.checked) < Duration::from_secs(1) {
            return;
        }
        self.checked = now;
        let quiet = |throttled| now.saturating_sub(throttled) >= Duration::from_secs(10);
        if self.throttled.is_none_or(quiet) {
            self.rate = (self.rate * 1.1).min(self.maximum);
        }
    }

    /// Takes `tokens`, or says how long to wait before asking again.
    pub(super) fn try_acquire(&mut self, now: Duration, tokens: f64) -> Result<(), Duration> {
        let passed = now.saturating_sub(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.maximum);
        self.refilled = now;
        // Half a millionth of a token, its unit, is no reason to wait.
        if self.tokens + 1e-6 >= tokens {
            self.tokens -= tokens;
            return Ok(());
        }
        let wait = ((tokens - self.tokens) / self.rate).max(0.001);
        Err(Duration::from_secs_f64(wait))
    }

    /// Lowers the rate: the service has raised an exception for want of capacity.
    pub(super) fn on_throttle(&mut self, now: Duration) {
        self.rate = (self.rate * 0.8).max(1.0);
        self.throttled = Some(now);
    }
}

async fn write(mut client: Client) -> Ended {
    let described = client.table.billing_mode().write_capacity();
    let told = client.scenario.told_rate().map(WriteUnits::from_consumed);
    let maximum = told.or(described).unwrap_or(UNDESCRIBED_MAXIMUM).get();
    let chunk = usize::try_from(maximum).map_or(CHUNK, |maximum| maximum.clamp(1, CHUNK));
    let mut call = Call {
        raises_provisioned: raises_provisioned(&client.transport, &client.table).await,
        limiter: AdaptiveRate::new(maximum as f64),
        chance: Rng::with_seed(client.scenario.seed),
        start: Instant::now(),
    };
    let mut items = VecDeque::new();
    let mut given_up = 0;
    loop {
        while items.len() < chunk
            && let Some(op) = client.ops.next().await
        {
            items.push_back(op);
        }
        let Some(batch) = next_batch(&mut items, chunk) else {
            return Ended { given_up };
        };
        given_up += call.batch_write(&client.transport, batch).await;
    }
}

/// Whether the service's exception is `ProvisionedThroughputExceededException`, as it is with provisioned capacity.
async fn raises_provisioned(transport: &impl Transport, table: &TableSchema) -> bool {
    let described = transport.describe_table(table.name().as_str());
    described
        .await
        .is_ok_and(|table| matches!(table.billing_mode(), BillingMode::Provisioned { .. }))
}

struct Call {
    raises_provisioned: bool,
    limiter: AdaptiveRate,
    chance: Rng,
    start: Instant,
}

impl Call {
    /// Writes one chunk, and says how many of its items are lost.
    async fn batch_write(&mut self, transport: &impl Transport, batch: WriteBatch) -> u64 {
        let mut backoff = FIRST_BACKOFF;
        for attempt in 1..=CALLS {
            self.acquire(batch.len() as f64).await;
            match self.execute(transport, batch.clone()).await {
                Ok(lost) => return lost,
                Err(Raised::Provisioned) => {
                    self.limiter.on_throttle(self.start.elapsed());
                    if attempt < CALLS {
                        sleep(backoff).await;
                        backoff = (backoff * 2).min(LONGEST_BACKOFF);
                    }
                }
                Err(Raised::Other) => break,
            }
        }
        batch.len() as u64
    }

    async fn acquire(&mut self, tokens: f64) {
        self.limiter.check(self.start.elapsed());
        while let Err(wait) = self.limiter.try_acquire(self.start.elapsed(), tokens) {
            sleep(wait).await;
        }
    }

    /// Sends a chunk and what remains of it, and says how many items are lost.
    async fn execute(
        &mut self,
        transport: &impl Transport,
        batch: WriteBatch,
    ) -> Result<u64, Raised> {
        let mut pending = Some(batch);
        for retry in 1..=REQUESTS {
            let Some(batch) = pending.take() else {
                return Ok(0);
            };
            let retries = SdkRetries::RUST_STANDARD;
            match retries.send(transport, &batch, &mut self.chance).await {
                Answer::Taken { unprocessed, .. } if unprocessed.is_empty() => return Ok(0),
                Answer::Taken { unprocessed, .. } => {
                    pending = next_batch(&mut unprocessed.into(), CHUNK);
                    sleep(Duration::from_millis(50) * 2_u32.pow(retry)).await;
                }
                Answer::Throttled(_) if self.raises_provisioned => return Err(Raised::Provisioned),
                Answer::Throttled(_) | Answer::Failed(_) | Answer::Fatal(_) => {
                    return Err(Raised::Other);
                }
            }
        }
        Ok(pending.map_or(0, |batch| batch.len() as u64))
    }
}

/// The exception that ended a call.
enum Raised {
    Provisioned,
    Other,
}

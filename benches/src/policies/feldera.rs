//! The `DynamoDB` output connector of Feldera.
//!
//! Chunks of 25 operations, or of 1 MiB if that comes first, each by a task of its own, of which 64 are in flight at any
//! time, whatever the table says. `UnprocessedItems` of a chunk are sent again alone, not filled up with others, after a
//! pause of 50 ms doubled with each retry up to 12.8 s, with full jitter; after 10 retries what is left is dropped. A
//! request that is refused as a whole is the AWS SDK's matter, which tries three times; then the chunk is dropped.
//!
//! The load is one step of its pipeline, so that no chunk waits for an earlier step; and one thread encodes.
//!
//! Source: feldera `crates/adapters/src/integrated/dynamodb/{output,helpers}.rs`; defaults `max_concurrent_requests` 64,
//! `max_buffer_size_bytes` 1 MiB, `max_retries` 10.

use std::collections::VecDeque;
use std::time::Duration;

use dynasink::{Transport, WriteBatch};
use fastrand::Rng;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::sleep;

use super::request::{Answer, next_batch};
use super::sdk_retries::SdkRetries;
use crate::policy::{Client, Ended, Policy};

const BATCH_SIZE: usize = 25;
const MAX_BUFFER_BYTES: usize = 1024 * 1024;
const MAX_CONCURRENT_REQUESTS: usize = 64;
const MAX_RETRIES: u32 = 10;

/// Feldera's connector.
#[derive(Clone, Copy, Debug)]
pub struct Feldera;

impl Policy for Feldera {
    fn name(&self) -> &'static str {
        "Feldera"
    }

    fn write(&self, client: Client) -> BoxFuture<'_, Ended> {
        Box::pin(write(client))
    }
}

async fn write(mut client: Client) -> Ended {
    let mut chance = Rng::with_seed(client.scenario.seed);
    let mut in_flight = FuturesUnordered::new();
    let mut pending = VecDeque::new();
    let (mut bytes, mut exhausted) = (0, false);
    let mut given_up = 0;
    loop {
        while !exhausted && pending.len() < BATCH_SIZE && bytes < MAX_BUFFER_BYTES {
            match client.ops.next().await {
                Some(op) => {
                    bytes += usize::try_from(op.item().size()).unwrap_or(usize::MAX);
                    pending.push_back(op);
                }
                None => exhausted = true,
            }
        }
        if !pending.is_empty() && in_flight.len() < MAX_CONCURRENT_REQUESTS {
            if let Some(batch) = next_batch(&mut pending, BATCH_SIZE) {
                in_flight.push(write_chunk(&client.transport, batch, chance.fork()));
            }
            bytes = 0;
        } else if let Some(lost) = in_flight.next().await {
            given_up += lost;
        } else {
            return Ended { given_up };
        }
    }
}

/// Writes one chunk, and says how many of its operations are dropped.
async fn write_chunk(transport: &impl Transport, mut batch: WriteBatch, mut chance: Rng) -> u64 {
    let mut retry = 0;
    loop {
        let retries = SdkRetries::RUST_STANDARD;
        let unprocessed = match retries.send(transport, &batch, &mut chance).await {
            Answer::Taken { unprocessed, .. } => unprocessed,
            Answer::Throttled(lost) | Answer::Failed(lost) | Answer::Fatal(lost) => {
                return lost.len() as u64;
            }
        };
        if retry == MAX_RETRIES {
            return unprocessed.len() as u64;
        }
        let Some(rest) = next_batch(&mut unprocessed.into(), BATCH_SIZE) else {
            return 0;
        };
        batch = rest;
        retry += 1;
        sleep(Duration::from_millis(
            chance.u64(0..=longest_backoff_millis(retry)),
        ))
        .await;
    }
}

/// The upper end of `backoff_delay`.
pub(super) fn longest_backoff_millis(retry: u32) -> u64 {
    50 << retry.min(8)
}

//! `Table.batch_writer()` of boto3 1.44.5, the way in which most Python programs write.
//!
//! One request after the other, 25 items each. `UnprocessedItems` go to the end of the buffer and out with the next
//! request, at once: there is no pause of any kind. A request that is refused as a whole is botocore's matter, which
//! tries ten times and then raises; its items have left the buffer by then and are lost.
//!
//! Source: `boto3/dynamodb/table.py` (`BatchWriter`), `botocore/data/_retry.json`; the loss is boto3#2088.

use std::collections::VecDeque;

use dynasink::{Transport, WriteOp};
use fastrand::Rng;
use futures::StreamExt;
use futures::future::BoxFuture;

use super::request::{Answer, next_batch};
use super::sdk_retries::SdkRetries;
use crate::policy::{Client, Ended, Policy};

/// `flush_amount`, which users cannot change.
const FLUSH_AMOUNT: usize = 25;

/// boto3's `batch_writer`.
#[derive(Clone, Copy, Debug)]
pub struct Boto3;

impl Policy for Boto3 {
    fn name(&self) -> &'static str {
        "boto3"
    }

    fn write(&self, client: Client) -> BoxFuture<'_, Ended> {
        Box::pin(write(client))
    }
}

async fn write(mut client: Client) -> Ended {
    let mut chance = Rng::with_seed(client.scenario.seed);
    let mut buffer = VecDeque::new();
    let mut given_up = 0;
    while let Some(op) = client.ops.next().await {
        buffer.push_back(op);
        if buffer.len() >= FLUSH_AMOUNT {
            given_up += flush(&client.transport, &mut buffer, &mut chance).await;
        }
    }
    while !buffer.is_empty() {
        given_up += flush(&client.transport, &mut buffer, &mut chance).await;
    }
    Ended { given_up }
}

/// Sends the head of the buffer, and says how many items are lost.
async fn flush(
    transport: &impl Transport,
    buffer: &mut VecDeque<WriteOp>,
    chance: &mut Rng,
) -> u64 {
    let Some(batch) = next_batch(buffer, FLUSH_AMOUNT) else {
        return 0;
    };
    let retries = SdkRetries::BOTOCORE_LEGACY;
    match retries.send(transport, &batch, chance).await {
        Answer::Taken { unprocessed, .. } => {
            buffer.extend(unprocessed);
            0
        }
        Answer::Throttled(lost) | Answer::Failed(lost) | Answer::Fatal(lost) => lost.len() as u64,
    }
}

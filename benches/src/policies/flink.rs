//! The `DynamoDB` sink of Apache Flink: `AsyncSinkWriter` with `CongestionControlRateLimitingStrategy`.
//!
//! What it controls is the number of messages in flight: 25 at first, 10 more after each request of which everything was
//! written, half after one of which anything was not, at least 1 and at most 25 times 50. A request has 25 messages or
//! as many as may be in flight, whichever is less, and at most 50 requests are in flight. What was not written goes to
//! the head of the buffer and out with the next request, without a pause and without end.
//!
//! Messages that wait for a full request are sent after 5 seconds all the same; a source that always has more, as here,
//! never waits that long. The retries of the AWS SDK below it are left out: the sink's own law is what is looked at.
//!
//! Source: apache/flink `AsyncSinkWriter`, `AIMDScalingStrategy`, `CongestionControlRateLimitingStrategy`;
//! apache/flink-connector-aws `DynamoDbSinkWriter`, `DynamoDbSinkBuilder` (`maxBatchSize` 25, `maxInFlightRequests` 50).

use std::collections::VecDeque;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use super::request::{Answer, next_batch, send};
use crate::policy::{Client, Ended, Policy};

const MAX_BATCH_SIZE: usize = 25;
const MAX_IN_FLIGHT_REQUESTS: usize = 50;
const INCREASE_RATE: usize = 10;

/// Flink's sink.
#[derive(Clone, Copy, Debug)]
pub struct Flink;

impl Policy for Flink {
    fn name(&self) -> &'static str {
        "Flink"
    }

    fn write(&self, client: Client) -> BoxFuture<'_, Ended> {
        Box::pin(write(client))
    }
}

/// `CongestionControlRateLimitingStrategy`: a pure law.
#[derive(Clone, Debug)]
pub(super) struct CongestionControl {
    max_messages: usize,
    messages: usize,
    requests: usize,
}

impl CongestionControl {
    pub(super) fn new() -> Self {
        Self {
            max_messages: MAX_BATCH_SIZE,
            messages: 0,
            requests: 0,
        }
    }

    pub(super) fn batch_size(&self) -> usize {
        self.max_messages.min(MAX_BATCH_SIZE)
    }

    pub(super) fn blocks(&self, batch_size: usize) -> bool {
        self.requests >= MAX_IN_FLIGHT_REQUESTS || self.messages + batch_size > self.max_messages
    }

    pub(super) fn register(&mut self, batch_size: usize) {
        self.requests += 1;
        self.messages += batch_size;
    }

    pub(super) fn complete(&mut self, batch_size: usize, failed: usize) {
        self.requests -= 1;
        self.messages -= batch_size;
        self.max_messages = if failed > 0 {
            // Rounded, as `Math.round` does.
            self.max_messages.div_ceil(2).max(1)
        } else {
            (self.max_messages + INCREASE_RATE).min(MAX_BATCH_SIZE * MAX_IN_FLIGHT_REQUESTS)
        };
    }
}

async fn write(mut client: Client) -> Ended {
    let mut control = CongestionControl::new();
    let mut buffer = VecDeque::new();
    let mut exhausted = false;
    let mut given_up = 0;
    let mut in_flight = FuturesUnordered::new();
    loop {
        while !exhausted && buffer.len() < control.batch_size() {
            match client.ops.next().await {
                Some(op) => buffer.push_back(op),
                None => exhausted = true,
            }
        }
        let next = control.batch_size().min(buffer.len());
        if next > 0
            && !control.blocks(next)
            && let Some(batch) = next_batch(&mut buffer, next)
        {
            let size = batch.len();
            control.register(size);
            in_flight.push(send(&client.transport, batch).map(move |answer| (size, answer)));
            continue;
        }
        let Some((size, answer)) = in_flight.next().await else {
            return Ended { given_up };
        };
        let failed = match answer {
            Answer::Taken { unprocessed, .. } => unprocessed,
            Answer::Throttled(failed) | Answer::Failed(failed) => failed,
            Answer::Fatal(lost) => {
                given_up += lost.len() as u64;
                Vec::new()
            }
        };
        control.complete(size, failed.len());
        for op in failed.into_iter().rev() {
            buffer.push_front(op);
        }
    }
}

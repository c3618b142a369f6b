//! The `emr-dynamodb-connector`, which Hive, Spark and Glue jobs write with. One task of it.
//!
//! The budget is half of the table's capacity (`dynamodb.throughput.write.percent` 0.5), which is read again every 5 to
//! 10 minutes; an on-demand table is taken to have 40,000. Items per second follow from it: one for each unit at first
//! (items are taken to have 100 bytes), then by what the items of the last second consumed of the table. A task writes
//! as many items in a row as a second may have, one request after the other, and sleeps until the second is over.
//!
//! `UnprocessedItems` stay in the buffer, which the next request fills up; before it there is a pause of 2 to the n times
//! 125 to 150 ms, at most 3 s, where n counts the requests on end that left something. A request of which nothing was
//! written is tried again after Fibonacci pauses for up to 10 minutes, and then the job fails.
//!
//! A job of many tasks would share the budget between them and write in parallel; what one is short of for latency is
//! no matter of the law. Units of global indexes are not counted, as in the version that was read.
//!
//! Source: awslabs/emr-dynamodb-connector `AbstractDynamoDBRecordWriter`, `IopsController`, `DynamoDBClient`,
//! `DynamoDBFibonacciRetryer`.

use std::collections::VecDeque;
use std::time::Duration;

use dynasink::{BillingMode, TableSchema, Transport, WriteOp, WriteUnits};
use fastrand::Rng;
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};

use super::request::{Answer, next_batch, send};
use crate::policy::{Client, Ended, Policy};

/// `DEFAULT_MAX_ITEMS_PER_BATCH`.
const MAX_ITEMS: usize = 25;
/// `DEFAULT_THROUGHPUT_PERCENT`.
pub(super) const SHARE: f64 = 0.5;
/// `DEFAULT_CAPACITY_FOR_ON_DEMAND`.
const ON_DEMAND: f64 = 40_000.0;
/// `DEFAULT_RETRY_DURATION`.
const PATIENCE: Duration = Duration::from_mins(10);
/// `MAX_BACKOFF_IN_MILLISECONDS`.
const LONGEST_PAUSE: u64 = 3_000;
const SECOND: Duration = Duration::from_secs(1);

/// The EMR connector.
#[derive(Clone, Copy, Debug)]
pub struct EmrConnector;

impl Policy for EmrConnector {
    fn name(&self) -> &'static str {
        "EMR connector"
    }

    fn write(&self, client: Client) -> BoxFuture<'_, Ended> {
        Box::pin(write(client))
    }
}

/// `IopsController`: how many items a second may have. A pure law.
#[derive(Clone, Debug)]
pub(super) struct IopsController {
    share: f64,
    units: f64,
    items: f64,
}

impl IopsController {
    /// With that share of the capacity, if the table has one.
    pub(super) fn new(capacity: Option<WriteUnits>, share: f64) -> Self {
        let units = Self::target(capacity, share);
        Self {
            share,
            units,
            items: units.max(1.0),
        }
    }

    /// The table has that capacity by now.
    pub(super) fn describe(&mut self, capacity: Option<WriteUnits>) {
        self.units = Self::target(capacity, self.share);
    }

    /// So many items consumed so much.
    pub(super) fn update(&mut self, items: u64, consumed: u64) {
        if items > 0 && consumed > 0 {
            // A write costs a unit, however small it is.
            let items_per_unit = (items as f64 / consumed as f64).min(1.0);
            self.items = (self.units * items_per_unit).max(1.0);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least one, and no more than a table can have"
    )]
    pub(super) fn items_per_second(&self) -> u64 {
        self.items as u64
    }

    fn target(capacity: Option<WriteUnits>, share: f64) -> f64 {
        let capacity = capacity.map_or(ON_DEMAND, |units| units.get() as f64);
        (capacity * share).floor().max(1.0)
    }
}

/// The part of the capacity that a user sets who is told to keep a rate, or the default.
fn share(client: &Client) -> f64 {
    let capacity = client.table.billing_mode().write_capacity();
    match (client.scenario.told_rate(), capacity) {
        (Some(rate), Some(capacity)) => rate / capacity.get() as f64,
        _ => SHARE,
    }
}

async fn write(mut client: Client) -> Ended {
    let mut chance = Rng::with_seed(client.scenario.seed);
    let mut task = Task {
        table: client.table.clone(),
        controller: IopsController::new(provisioned(&client.table), share(&client)),
        redescribe_after: Duration::from_mins(5) + Duration::from_millis(chance.u64(0..300_000)),
        described: Instant::now(),
        second: None,
        written: 0,
        consumed: 0,
        buffer: VecDeque::new(),
        retries: 0,
        given_up: 0,
        chance,
    };
    while let Some(op) = client.ops.next().await {
        task.verify_interval(&client.transport).await;
        task.put(&client.transport, op).await;
    }
    while !task.buffer.is_empty() {
        task.write_batch(&client.transport).await;
    }
    Ended {
        given_up: task.given_up,
    }
}

/// The capacity that is written in a table's description, none if it is on demand: its maximum is not looked at.
fn provisioned(table: &TableSchema) -> Option<WriteUnits> {
    match table.billing_mode() {
        BillingMode::Provisioned { write } => Some(write),
        BillingMode::OnDemand { .. } => None,
    }
}

/// One task: `AbstractDynamoDBRecordWriter` and its `DynamoDBClient`.
struct Task {
    table: TableSchema,
    controller: IopsController,
    redescribe_after: Duration,
    described: Instant,
    /// When the present second has begun; none before the first is full.
    second: Option<Instant>,
    /// Items written in it.
    written: u64,
    /// Units that they consumed.
    consumed: u64,
    buffer: VecDeque<WriteOp>,
    /// Requests on end that left something.
    retries: u32,
    given_up: u64,
    chance: Rng,
}

impl Task {
    /// Sleeps until the second is over if it has all its items.
    async fn verify_interval(&mut self, transport: &impl Transport) {
        if self.written < self.controller.items_per_second() {
            return;
        }
        // Whoever does not know the capacity at the start is not told it later.
        if self.described.elapsed() > self.redescribe_after && provisioned(&self.table).is_some() {
            self.described = Instant::now();
            let described = transport.describe_table(self.table.name().as_str());
            if let Ok(table) = described.await {
                self.controller.describe(provisioned(&table));
            }
        }
        self.controller.update(self.written, self.consumed);
        if let Some(second) = self.second {
            sleep_until(second + SECOND).await;
        }
        self.second = Some(Instant::now());
        (self.written, self.consumed) = (0, 0);
    }

    /// Buffers an item, after a request if the buffer has as many as a request may have now.
    async fn put(&mut self, transport: &impl Transport, op: WriteOp) {
        let left = self
            .controller
            .items_per_second()
            .saturating_sub(self.written);
        let limit = usize::try_from(left).map_or(MAX_ITEMS, |left| left.clamp(1, MAX_ITEMS));
        if self.buffer.len() >= limit {
            self.write_batch(transport).await;
        }
        self.buffer.push_back(op);
    }

    /// Sends what is buffered, until some of it is written.
    async fn write_batch(&mut self, transport: &impl Transport) {
        let deadline = Instant::now() + PATIENCE;
        let (mut fib1, mut fib2) = (0, 1);
        let Some(batch) = next_batch(&mut self.buffer, MAX_ITEMS) else {
            return;
        };
        let sent = batch.len();
        loop {
            self.pause().await;
            match send(transport, batch.clone()).await {
                // An answer without a written item counts as a failure of the request if the buffer is full of it.
                Answer::Taken {
                    consumed,
                    unprocessed,
                } if unprocessed.len() < MAX_ITEMS => {
                    self.retries = if unprocessed.is_empty() {
                        0
                    } else {
                        self.retries + 1
                    };
                    self.written += (sent - unprocessed.len()) as u64;
                    self.consumed += consumed.get();
                    for op in unprocessed.into_iter().rev() {
                        self.buffer.push_front(op);
                    }
                    return;
                }
                Answer::Taken { .. } => self.retries += 1,
                Answer::Throttled(_) | Answer::Failed(_) => {}
                Answer::Fatal(_) => break,
            }
            if Instant::now() >= deadline {
                break;
            }
            (fib1, fib2) = (fib2, fib1 + fib2);
            sleep(Duration::from_millis(
                fib2 * 50 + self.chance.u64(0..fib1 * 100),
            ))
            .await;
        }
        self.given_up += sent as u64;
    }

    async fn pause(&mut self) {
        if self.retries > 0 {
            let pause = pause_millis(self.retries, self.chance.u64(500..600));
            sleep(Duration::from_millis(pause)).await;
        }
    }
}

/// `pauseExponentially`.
pub(super) fn pause_millis(retries: u32, scale: u64) -> u64 {
    // It is the longest pause well before the power would overflow.
    (2_u64.pow(retries.min(10)) * scale / 4).min(LONGEST_PAUSE)
}

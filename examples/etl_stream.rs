//! Rows as they come: orders from a channel, as serde structs, into a table.
//!
//! ```sh
//! cargo run -p dynasink-examples --example etl_stream
//! ```
#![expect(clippy::print_stdout, reason = "the report is for the terminal")]

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use dynasink::{
    BatchLimit, BatchSinkExt, Dedup, DedupWindow, DynamoDb, Encode, KeyType, RateLimiter,
    SerdeEncoder, TableSchema, Tally, Transport, WriteSinkExt, WriteUnits, Writer, create_table,
    drive,
};
use dynasink_sim::EmbeddedStore;
use futures::channel::mpsc::{self, SendError, Sender};
use futures::{FutureExt, SinkExt, StreamExt};
use serde::Serialize;
use tokio::signal::ctrl_c;
use tokio::time::sleep;

/// Each field becomes an attribute of its name.
#[derive(Debug, Serialize)]
struct Order {
    id: u64,
    status: Status,
    /// `None` leaves the attribute out.
    coupon: Option<&'static str>,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
enum Status {
    Placed,
    Paid,
}

#[derive(Debug, Serialize)]
struct Line {
    sku: String,
    quantity: u32,
    price_cents: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = EmbeddedStore::in_memory()?.client();
    let schema = TableSchema::builder("orders")
        .partition_key("id", KeyType::N)
        .build()?;
    create_table(&client, &schema, Duration::from_mins(1)).await?;
    let dynamodb = DynamoDb::new(client);
    let table = dynamodb.describe_table("orders").await?;

    // A share of what the table can take, so that the shop keeps the rest.
    let limiter = RateLimiter::fixed(WriteUnits::new(500));
    let tally = Tally::new();
    let pipe = Writer::builder(dynamodb)
        .admission(limiter.clone())
        .capacity_observer(tally.clone())
        .build()
        .rate_limited(limiter)
        .batched(BatchLimit::REQUEST)
        // Of changes of one order that come close together only the last is written.
        .deduplicated(Dedup::keep_last(DedupWindow::default()));

    let (sender, orders) = mpsc::channel(64);
    let shop = tokio::spawn(sell(sender));

    // An order that cannot be an item would end the pipe, after the orders before it have been written. With observers of
    // outcomes it would be a dead letter, and the others would go on.
    let mut encoder = SerdeEncoder::new(&table);
    let pipe =
        pipe.encoded(Encode::by(move |order: Order| encoder.put(&order)).of_source("orders"));
    // Ctrl-C ends it in the same way: no more is read, and what was read is written.
    // In a quiet hour a batch does not fill: what has waited for that long goes as it is.
    let report = drive(orders.map(Ok::<_, Infallible>), pipe)
        .linger(Duration::from_millis(100))
        .until(ctrl_c().map(drop))
        .await?;
    shop.await??;

    let counts = tally.counts();
    println!("{} orders until {:?}", report.items, report.end);
    println!(
        "{} requests, {} write units",
        counts.requests, counts.consumed_write_units
    );
    Ok(())
}

/// Sells for three days. Nobody buys at night.
async fn sell(mut orders: Sender<Order>) -> Result<(), SendError> {
    for day in 0..3 {
        for n in 0..110 {
            orders.send(order(day * 110 + n)).await?;
            sleep(Duration::from_millis(1)).await;
        }
        sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}

fn order(id: u64) -> Order {
    let lines = (0..=id % 3).map(|n| Line {
        sku: format!("SKU-{n:04}"),
        quantity: 1,
        price_cents: 499 + 100 * n,
    });
    Order {
        id,
        status: if id.is_multiple_of(2) {
            Status::Placed
        } else {
            Status::Paid
        },
        coupon: id.is_multiple_of(10).then_some("WELCOME"),
        lines: lines.collect(),
    }
}

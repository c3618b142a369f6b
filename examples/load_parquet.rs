//! The standard pipe, put together by hand: a Parquet file into a table.
//!
//! ```sh
//! cargo run -p dynasink-examples --example load_parquet
//! ```
//!
//! [`dynasink::Pipeline`] makes the same pipe in one call. Take it apart when a stage is to be left out, replaced, or
//! joined by one of your own (see `custom_stage.rs`).
#![expect(clippy::print_stdout, reason = "the report is for the terminal")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use dynasink::{
    AdaptiveSizer, AutoRate, BatchSinkExt, DecodeExt, Decoder, Dedup, DedupWindow, DynamoDb,
    FileSource, KeyType, Mapping, OutcomeObserver, Outcomes, RateLimiter, SizerLaw, SourceOptions,
    TableSchema, Tally, Transport, WriteSinkExt, Writer, create_table, drive,
};
use dynasink_sim::EmbeddedStore;

const PLANES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/data/nycflights13_planes.parquet"
);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A DynamoDB inside this process. For the real one: `aws_sdk_dynamodb::Client::new(&aws_config::load_from_env().await)`.
    let client = EmbeddedStore::in_memory()?.client();
    let schema = TableSchema::builder("planes")
        .partition_key("tailnum", KeyType::S)
        .build()?;
    create_table(&client, &schema, Duration::from_mins(1)).await?;

    // What the service says about the table decides: its keys, its indexes, its capacity.
    let dynamodb = DynamoDb::new(client.clone());
    let table = dynamodb.describe_table("planes").await?;

    // Footers are read here and the mapping is checked here, so that a file that does not fit fails before the first row.
    let source = FileSource::open([PLANES], SourceOptions::new()).await?;
    let mapping = Mapping::infer(source.schema(), &table)?;

    // Every row ends in exactly one outcome, and the tally counts them. With an observer, a row that cannot be
    // written is reported; without one, it would end the load.
    let tally = Tally::new();
    let observer: Arc<dyn OutcomeObserver> = Arc::new(tally.clone());
    let outcomes = Outcomes::to([observer]);

    // Limiter and sizer learn from every answer of the service: the writer tells them.
    let capacity = table.billing_mode().write_capacity();
    let limiter = RateLimiter::auto(AutoRate::starting_at(capacity));
    let sizer = AdaptiveSizer::new(SizerLaw::new(capacity));

    // A sink is built from its end: read it from the bottom to follow a row.
    let pipe = Writer::builder(dynamodb)
        .outcomes(outcomes.clone())
        .admission(limiter.clone())
        .sizer(sizer.clone())
        .capacity_observer(tally.clone())
        .build()
        .rate_limited(limiter)
        .batched(sizer)
        .deduplicated(Dedup::keep_last(DedupWindow::default()).with_outcomes(outcomes.clone()))
        .decoded(Decoder::new(mapping).with_outcomes(outcomes));

    // `drive` pulls only when the pipe has room and closes it at the end: every row has its outcome then.
    drive(source.stream(), pipe).await?;

    let counts = tally.counts();
    println!("{} rows in the file", source.total_rows());
    println!(
        "{} items written, {} rows superseded, {} dead",
        counts.items_written, counts.superseded, counts.dead
    );
    println!(
        "{} requests, {} write units",
        counts.requests, counts.consumed_write_units
    );

    let plane = client
        .get_item()
        .table_name("planes")
        .key("tailnum", AttributeValue::S("N10156".to_owned()))
        .send()
        .await?;
    println!("N10156: {:?}", plane.item());
    Ok(())
}

//! Writes a Parquet file with any number of orders, to measure memory and throughput with.
//!
//! ```sh
//! cargo run --release -p dynasink-examples --example generate_parquet -- --rows 1000000 orders.parquet
//! ```
//!
//! Ten columns of mixed types; `id` is a string and unique. A seed gives the same rows each time. Memory does not grow
//! with the rows: one row group is held, encoded.
#![expect(clippy::print_stdout, reason = "the report is for the terminal")]

use std::error::Error;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::ArrowError;
use clap::Parser;
use fastrand::Rng;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

const BATCH_ROWS: i64 = 8_192;
const ROW_GROUP_ROWS: usize = 1_000_000;

/// 2024-01-01T00:00:00Z.
const FIRST_ORDER_MICROS: i64 = 1_704_067_200_000_000;
const MICROS_BETWEEN_ORDERS: i64 = 250_000;

const TAGS: [&str; 5] = ["express", "fragile", "return", "vip", "outlet"];

/// Writes a Parquet file of made-up orders.
#[derive(Debug, Parser)]
struct Args {
    /// How many orders
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(i64).range(0..))]
    rows: i64,

    /// The same seed gives the same orders
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The file to write; it is replaced if it exists
    file: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let mut rng = Rng::with_seed(args.seed);

    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let schema = orders(0..0, &mut rng)?.schema();
    let mut writer = ArrowWriter::try_new(File::create(&args.file)?, schema, Some(properties))?;
    let mut next = 0;
    while next < args.rows {
        let end = args.rows.min(next + BATCH_ROWS);
        writer.write(&orders(next..end, &mut rng)?)?;
        next = end;
    }
    let metadata = writer.close()?;

    println!(
        "{}: {} rows in {} row groups",
        args.file.display(),
        metadata.file_metadata().num_rows(),
        metadata.num_row_groups(),
    );
    Ok(())
}

fn orders(numbers: Range<i64>, rng: &mut Rng) -> Result<RecordBatch, ArrowError> {
    let n = || numbers.clone();
    let id = StringArray::from_iter_values(n().map(|n| format!("order-{n:012}")));
    let customer = Int64Array::from_iter_values(n().map(|_| rng.i64(1..=250_000)));
    let quantity = Int32Array::from_iter_values(n().map(|_| rng.i32(1..=12)));
    let price = Decimal128Array::from_iter_values(n().map(|_| rng.i128(99..=999_999)))
        .with_precision_and_scale(12, 2)?;
    let weight = Float64Array::from_iter_values(n().map(|_| 40.0 * rng.f64()));
    let discount: Float32Array = n().map(|_| (rng.u8(..4) == 0).then(|| rng.f32())).collect();
    let ordered_at = TimestampMicrosecondArray::from_iter_values(
        n().map(|n| FIRST_ORDER_MICROS + n * MICROS_BETWEEN_ORDERS),
    )
    .with_timezone("UTC");
    let gift: BooleanArray = n().map(|_| Some(rng.u8(..10) == 0)).collect();
    let note: StringArray = n().map(|_| rng.bool().then(|| words(rng))).collect();
    let mut tags = ListBuilder::new(StringBuilder::new());
    for _ in n() {
        let tagged = rng.usize(..=3);
        let of_order = rng.choose_multiple(TAGS, tagged);
        tags.append_value(of_order.into_iter().map(Some));
    }

    let column = |name, array: ArrayRef, nullable| (name, array, nullable);
    RecordBatch::try_from_iter_with_nullable([
        column("id", Arc::new(id), false),
        column("customer", Arc::new(customer), false),
        column("quantity", Arc::new(quantity), false),
        column("price", Arc::new(price), false),
        column("weight", Arc::new(weight), false),
        column("discount", Arc::new(discount), true),
        column("ordered_at", Arc::new(ordered_at), false),
        column("gift", Arc::new(gift), false),
        column("note", Arc::new(note), true),
        column("tags", Arc::new(tags.finish()), false),
    ])
}

/// A text of 20 to 80 letters and spaces.
fn words(rng: &mut Rng) -> String {
    let letter = |rng: &mut Rng| match rng.u8(..6) {
        0 => ' ',
        _ => rng.lowercase(),
    };
    (0..rng.usize(20..=80)).map(|_| letter(rng)).collect()
}

//! Files that the reader would read in silence as something else, or not at all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{IntervalMonthDayNanoType, TimestampNanosecondType};
use arrow_array::{
    Array, ArrayRef, Int64Array, IntervalDayTimeArray, IntervalYearMonthArray, RecordBatch,
    TimestampNanosecondArray,
};
use arrow_buffer::{IntervalDayTime, IntervalMonthDayNano};
use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit};
use arrow_select::concat::concat_batches;
use dynasink_arrow::{Error, FileSource, SourceOptions};
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;

use crate::bad::{AFTER_ROWS_OF_FILE, change_rows, hundred_rows};
use crate::load::{Loaded, data, load_data, one_line};

/// Names the folder of a checkout of apache/parquet-testing.
pub(crate) const PARQUET_TESTING: &str = "DYNASINK_PARQUET_TESTING";

/// A file of it. Tests of such files do nothing without the folder.
pub(crate) fn parquet_testing(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(PARQUET_TESTING)?;
    Some(Path::new(&folder).join(name))
}

/// All rows of a file as one batch.
pub(crate) async fn rows(path: &Path, options: SourceOptions) -> Result<RecordBatch, Error> {
    let source = FileSource::open([path], options).await?;
    let batches: Vec<RecordBatch> = source
        .stream()
        .map_ok(|batch| batch.batch().clone())
        .try_collect()
        .await?;
    let schema = batches
        .first()
        .map_or_else(|| Arc::clone(source.schema()), RecordBatch::schema);
    Ok(concat_batches(&schema, &batches).unwrap())
}

fn interval(months: i32, days: i32, hours: i64) -> IntervalMonthDayNano {
    IntervalMonthDayNano::new(months, days, hours * 3_600_000_000_000)
}

#[tokio::test]
async fn an_interval_has_its_months_wherever_it_is() {
    let read = rows(&data("duckdb_types.parquet"), SourceOptions::new())
        .await
        .unwrap();
    let top = read.column_by_name("iv").unwrap();
    let top = top.as_primitive::<IntervalMonthDayNanoType>();
    assert_eq!(top.value(0), interval(14, 3, 4));
    let lists = read.column_by_name("li").unwrap().as_list::<i32>();
    assert_eq!(
        lists.value_type(),
        DataType::Interval(IntervalUnit::MonthDayNano)
    );
    let inside = lists.values().as_primitive::<IntervalMonthDayNanoType>();
    assert_eq!(inside.value(0), interval(1, 0, 0));
}

/// The file has the last microsecond of the year 9999, the first of the year 1, and those next to what nanoseconds in
/// 64 bits can hold; pyarrow wrote it with `use_deprecated_int96_timestamps`.
#[tokio::test]
async fn an_int96_beyond_64_bits_of_nanoseconds_does_not_wrap() {
    let loaded = load_data("int96_far.parquet", "id").await;
    let times = [
        "9999-12-31T23:59:59.999999",
        "0001-01-01T00:00:00.000000",
        "2262-04-11T23:47:16.854776",
        "1677-09-21T00:12:43.145223",
    ];
    let mut items: Vec<String> = (0..)
        .zip(times)
        .map(|(row, time)| format!(r#"{{"id":{{"S":"k{row:06}"}},"ts":{{"S":"{time}"}}}}"#))
        .collect();
    items.push(r#"{"id":{"S":"k000004"}}"#.to_owned());
    let dead = vec![];
    assert_eq!(loaded, Loaded { items, dead });
}

#[tokio::test]
async fn an_interval_that_arrow_wrote_may_be_negative() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("intervals.parquet");
    let months = IntervalYearMonthArray::from(vec![Some(-14), None, Some(i32::MAX)]);
    let days = IntervalDayTimeArray::from(vec![
        Some(IntervalDayTime::new(-3, -4)),
        Some(IntervalDayTime::new(i32::MAX, i32::MIN)),
        None,
    ]);
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("m", Arc::new(months) as ArrayRef, true),
        ("d", Arc::new(days) as _, true),
    ])
    .unwrap();
    crate::load::write(&path, &batch, 10);
    let read = rows(&path, SourceOptions::new()).await.unwrap();
    let column = |at: usize| -> Vec<_> {
        let column = read.column(at).as_primitive::<IntervalMonthDayNanoType>();
        column.iter().collect()
    };
    let of = IntervalMonthDayNano::new;
    assert_eq!(
        column(0),
        [Some(of(-14, 0, 0)), None, Some(of(i32::MAX, 0, 0))]
    );
    let least = i64::from(i32::MIN) * 1_000_000;
    assert_eq!(
        column(1),
        [
            Some(of(0, -3, -4_000_000)),
            Some(of(0, i32::MAX, least)),
            None
        ]
    );
}

#[tokio::test]
async fn rows_that_the_footer_does_not_count_are_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("uncounted.parquet");
    let mut bytes = hundred_rows(40);
    change_rows(&mut bytes, AFTER_ROWS_OF_FILE, 0);
    std::fs::write(&path, bytes).unwrap();
    let source = FileSource::open([&path], SourceOptions::new())
        .await
        .unwrap();
    assert_eq!(source.total_rows(), 100);
    let read = rows(&path, SourceOptions::new()).await.unwrap();
    let numbers = Int64Array::from_iter_values(0..100);
    assert_eq!(read.column(0).as_primitive(), &numbers);
}

#[tokio::test]
async fn rows_that_parquet_testings_footer_does_not_count_are_read() {
    let Some(path) = parquet_testing("data/repeated_no_annotation.parquet") else {
        return;
    };
    let read = rows(&path, SourceOptions::new()).await.unwrap();
    assert_eq!(read.num_rows(), 6);
}

#[tokio::test]
async fn a_page_whose_checksum_is_wrong_is_an_error() {
    let error = rows(&data("page_checksum_wrong.parquet"), SourceOptions::new())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Read { row_group: 0, .. }), "{error}");
    assert!(
        one_line(&error).contains("checksum mismatch"),
        "{}",
        one_line(&error)
    );
}

/// What Arrow's writers leave in a file to say what its columns were.
const ARROW_SCHEMA: &str = "ARROW:schema";

fn write_with(path: &Path, batch: &RecordBatch, key_values: Option<&[KeyValue]>) {
    let properties = WriterProperties::builder()
        .set_key_value_metadata(key_values.map(<[KeyValue]>::to_vec))
        .build();
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_skip_arrow_metadata(key_values.is_some());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new_with_options(file, batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// What Arrow's writer would leave in a file of `schema`.
fn said(folder: &Path, schema: &Schema) -> Vec<KeyValue> {
    let path = folder.join("said.parquet");
    write_with(
        &path,
        &RecordBatch::new_empty(Arc::new(schema.clone())),
        None,
    );
    let file = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let about = file.metadata().file_metadata();
    let entries = about.key_value_metadata().unwrap();
    entries
        .iter()
        .filter(|entry| entry.key == ARROW_SCHEMA)
        .cloned()
        .collect()
}

#[tokio::test]
async fn a_schema_that_another_writer_left_changes_no_value() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("lying.parquet");
    let nanos = TimestampNanosecondArray::from(vec![1_500_000_000]);
    let batch = RecordBatch::try_from_iter([("t", Arc::new(nanos) as ArrayRef)]).unwrap();
    let seconds = DataType::Timestamp(TimeUnit::Second, None);
    let lies = [
        Schema::new(vec![Field::new("t", seconds, false)]),
        Schema::new(vec![Field::new("t", DataType::Utf8, false)]),
        Schema::new(vec![
            Field::new("t", DataType::Int64, false),
            Field::new("more", DataType::Int64, false),
        ]),
        Schema::empty(),
    ];
    for lie in lies {
        write_with(&path, &batch, Some(&said(folder.path(), &lie)));
        let read = rows(&path, SourceOptions::new()).await.unwrap();
        let read = read.column(0).as_primitive_opt::<TimestampNanosecondType>();
        assert_eq!(read.map(|read| read.value(0)), Some(1_500_000_000), "{lie}");
    }
    let garbage = KeyValue::new(ARROW_SCHEMA.to_owned(), "not a schema".to_owned());
    write_with(&path, &batch, Some(&[garbage]));
    let read = rows(&path, SourceOptions::new()).await.unwrap();
    assert_eq!(read.num_rows(), 1);
}

#[tokio::test]
async fn thousands_of_columns_are_read_and_millions_of_row_groups_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("wide.parquet");
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let columns = (0..3_000).map(|at| (format!("c{at}"), Arc::clone(&column)));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    crate::load::write(&path, &batch, 10);
    let read = rows(&path, SourceOptions::new()).await.unwrap();
    assert_eq!((read.num_rows(), read.num_columns()), (2, 3_000));

    // version, a schema of a root and one column, num_rows, and 2^31 - 1 row groups of which none is there.
    let footer = b"\x15\x02\x19\x2c\x48\x01r\x15\x02\x00\x15\x02\x25\x00\x18\x01x\x00\x16\x00\x19\xfc\xff\xff\xff\xff\x07\x00";
    let len = u32::try_from(footer.len()).unwrap().to_le_bytes();
    std::fs::write(&path, [b"PAR1".as_slice(), footer, &len, b"PAR1"].concat()).unwrap();
    let error = rows(&path, SourceOptions::new()).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::FooterTooLarge {
                found: 2_147_483_647,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn types_that_are_not_known_are_what_they_are_stored_as() {
    for (name, column) in [
        (
            "data/unknown-logical-type.parquet",
            "column with unknown type",
        ),
        ("data/geospatial/crs-default.parquet", "geometry"),
    ] {
        let Some(path) = parquet_testing(name) else {
            return;
        };
        let read = rows(&path, SourceOptions::new()).await.unwrap();
        let column = read.column_by_name(column);
        let data_type = column.map(|column| column.data_type().clone());
        assert_eq!(
            data_type,
            Some(DataType::BinaryView),
            "{name}: {}",
            read.schema()
        );
    }
}

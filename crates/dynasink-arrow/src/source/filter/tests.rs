//! Random files and random filters: what statistics let through is what the rows say.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "small numbers and ASCII, and a column of each type"
)]

use std::ops::Range;
use std::sync::{Arc, Mutex};

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int64Array, RecordBatch, StringArray, StructArray, TimestampMillisecondArray, UInt32Array,
};
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Compression;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{ChunkReader, Length};

use super::*;

/// The bytes of a file, and which of them were asked for.
#[derive(Clone)]
struct Asked {
    bytes: Bytes,
    ranges: Arc<Mutex<Vec<Range<u64>>>>,
}

impl Length for Asked {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl ChunkReader for Asked {
    type T = <Bytes as ChunkReader>::T;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        // Where a page index is used, pages are asked for by their length.
        self.ranges.lock().unwrap().push(start..self.len());
        self.bytes.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        self.ranges
            .lock()
            .unwrap()
            .push(start..start + length as u64);
        self.bytes.get_bytes(start, length)
    }
}

struct Random(fastrand::Rng);

impl Random {
    fn number(&mut self, sorted: bool, row: usize) -> i64 {
        let drift = if sorted { row as i64 / 3 } else { 0 };
        drift + self.0.i64(-8..8)
    }

    fn some<T>(&mut self, row: usize, value: T) -> Option<T> {
        // Stretches of nulls fill whole pages now and then.
        let empty = (row / 40) % 5 == 3;
        (!empty && self.0.u8(..8) > 0).then_some(value)
    }

    fn column(
        &mut self,
        rows: usize,
        mut value: impl FnMut(&mut Self, usize) -> i64,
    ) -> Vec<Option<i64>> {
        (0..rows)
            .map(|row| {
                let value = value(self, row);
                self.some(row, value)
            })
            .collect()
    }

    fn table(&mut self, rows: usize) -> RecordBatch {
        let sorted = self.0.bool();
        let mut numbers = || self.column(rows, |random, row| random.number(sorted, row));
        let (n, u, s, d, t, m, f, g, b, i) = (
            numbers(),
            numbers(),
            numbers(),
            numbers(),
            numbers(),
            numbers(),
            numbers(),
            numbers(),
            numbers(),
            numbers(),
        );
        let text = |n: &i64| {
            format!(
                "s{:03}{}",
                n + 100,
                "x".repeat(n.unsigned_abs() as usize * 20)
            )
        };
        let float = |random: &mut Self, n: i64| match random.0.u8(..12) {
            0 => f64::NAN,
            1 => -0.0,
            2 => -f64::NAN,
            _ => n as f64 / 2.0,
        };
        let floats: Vec<Option<f64>> = f.iter().map(|n| n.map(|n| float(self, n))).collect();
        let inner: ArrayRef = Arc::new(Int64Array::from(i));
        let nulls = (0..rows).map(|row| row % 7 != 3).collect::<Vec<_>>();
        let structs = StructArray::new(
            vec![Field::new("b", DataType::Int64, true)].into(),
            vec![inner],
            Some(nulls.into()),
        );
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("n", Arc::new(Int64Array::from(n))),
            (
                "u",
                Arc::new(
                    u.iter()
                        .map(|n| n.map(|n| n.unsigned_abs() as u32 + 4_000_000_000))
                        .collect::<UInt32Array>(),
                ),
            ),
            (
                "s",
                Arc::new(
                    s.iter()
                        .map(|n| n.as_ref().map(text))
                        .collect::<StringArray>(),
                ),
            ),
            (
                "d",
                Arc::new(
                    d.iter()
                        .map(|n| n.map(|n| n as i32 + 19_723))
                        .collect::<Date32Array>(),
                ),
            ),
            (
                "t",
                Arc::new(
                    TimestampMillisecondArray::from(
                        t.iter().map(|n| n.map(|n| n * 500)).collect::<Vec<_>>(),
                    )
                    .with_timezone("UTC"),
                ),
            ),
            (
                "m",
                Arc::new(
                    m.iter()
                        .map(|n| n.map(|n| i128::from(n) * 25))
                        .collect::<Decimal128Array>()
                        .with_precision_and_scale(20, 2)
                        .unwrap(),
                ),
            ),
            ("f", Arc::new(Float64Array::from(floats))),
            (
                "g",
                Arc::new(
                    g.iter()
                        .map(|n| n.map(|n| n as f32 / 10.0))
                        .collect::<Float32Array>(),
                ),
            ),
            (
                "b",
                Arc::new(b.iter().map(|n| n.map(|n| n > 0)).collect::<BooleanArray>()),
            ),
            (
                "y",
                Arc::new(
                    (0..rows)
                        .map(|row| (row % 3 > 0).then(|| (row as u16).to_be_bytes()))
                        .collect::<BinaryArray>(),
                ),
            ),
            ("a", Arc::new(structs)),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap()
    }

    fn literal(&mut self, column: &str) -> String {
        let n = self.number(true, 150);
        match column {
            "n" | "a.b" => n.to_string(),
            "u" => (n.unsigned_abs() + 4_000_000_000).to_string(),
            "s" => format!("'s{:03}{}'", n + 100, "x".repeat(self.0.usize(..40))),
            "d" => format!("'2024-{:02}-{:02}'", self.0.u8(1..4), self.0.u8(1..29)),
            "t" => format!(
                "'1970-01-01T00:00:{:02}.{}Z'",
                n.unsigned_abs() % 60,
                self.0.u8(..10)
            ),
            "m" => format!("{}.{}", n / 4, ["00", "25", "5", "75"][self.0.usize(..4)]),
            "f" => format!("{}.5", n / 2),
            "g" => format!("{}.{}", n / 10, self.0.u8(..10)),
            "b" => ["TRUE", "FALSE"][self.0.usize(..2)].to_owned(),
            _ => format!("X'{:04x}'", self.0.u16(..300)),
        }
    }

    fn filter(&mut self, depth: usize) -> String {
        if depth > 0 && self.0.u8(..3) > 0 {
            let (left, right) = (self.filter(depth - 1), self.filter(depth - 1));
            return match self.0.u8(..3) {
                0 => format!("({left} AND {right})"),
                1 => format!("({left} OR {right})"),
                _ => format!("NOT ({left})"),
            };
        }
        let columns = ["n", "u", "s", "d", "t", "m", "f", "g", "b", "y", "a.b"];
        let column = columns[self.0.usize(..columns.len())];
        let literal = self.literal(column);
        match self.0.u8(..10) {
            0 => format!("{column} IS NULL"),
            1 => format!("{column} IS NOT NULL"),
            2 => format!("{column} IN ({literal}, {}, NULL)", self.literal(column)),
            3 => format!("{column} BETWEEN {literal} AND {}", self.literal(column)),
            4 if column == "s" => {
                let digits = self.0.usize(1..5);
                format!("s LIKE '{}%'", literal[1..].split_at(digits).0)
            }
            _ => {
                let operators = ["=", "<>", "<", "<=", ">", ">="];
                format!("{column} {} {literal}", operators[self.0.usize(..6)])
            }
        }
    }
}

fn written(table: &RecordBatch, random: &mut fastrand::Rng) -> Bytes {
    let statistics = [
        EnabledStatistics::Page,
        EnabledStatistics::Page,
        EnabledStatistics::Chunk,
        EnabledStatistics::None,
    ];
    let cut = [None, Some(4), Some(64)][random.usize(..3)];
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(random.usize(60..200)))
        .set_data_page_row_count_limit(random.usize(5..40))
        .set_write_batch_size(5)
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(statistics[random.usize(..4)])
        .set_statistics_truncate_length(cut)
        .set_column_index_truncate_length(cut)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, table.schema(), Some(properties)).unwrap();
    writer.write(table).unwrap();
    writer.close().unwrap();
    bytes.into()
}

fn opened(file: &Asked) -> ArrowReaderMetadata {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    ArrowReaderMetadata::load(file, options).unwrap()
}

fn bound(text: &str, table: &RecordBatch) -> BoundFilter {
    let schema = table.schema();
    Filter::parse(text)
        .unwrap()
        .bind(&schema, &schema)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The rows that are kept and their numbers in the file, and how many rows were decoded for it.
fn read(file: &Asked, filter: &BoundFilter) -> (Vec<RecordBatch>, Vec<u64>, usize) {
    let metadata = opened(file);
    let wanted = filter.may_match_row_groups(&metadata, None);
    let (mut batches, mut rows, mut decoded, mut start) = (Vec::new(), Vec::new(), 0, 0);
    for (row_group, wanted) in wanted.into_iter().enumerate() {
        let count = metadata.metadata().row_group(row_group).num_rows() as u64;
        if wanted {
            let reader =
                ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone())
                    .with_row_groups(vec![row_group])
                    .with_batch_size(17);
            let (reader, mut numbers): (_, Box<dyn Iterator<Item = u64>>) =
                match filter.row_selection(&metadata, row_group, None) {
                    Some(selection) => {
                        let numbers = row_numbers(&selection);
                        (reader.with_row_selection(selection), Box::new(numbers))
                    }
                    None => (reader, Box::new(0..count)),
                };
            for batch in reader.build().unwrap() {
                let batch = batch.unwrap();
                decoded += batch.num_rows();
                let kept = filter.keep(&batch, &mut numbers).unwrap();
                assert_eq!(kept.batch.num_rows(), kept.rows.len());
                rows.extend(kept.rows.iter().map(|row| start + row));
                batches.push(kept.batch);
            }
            assert_eq!(numbers.next(), None);
        }
        start += count;
    }
    (batches, rows, decoded)
}

#[test]
fn a_filtered_read_gives_what_reading_all_and_filtering_then_does() {
    let mut pruned = 0;
    for seed in 0..40 {
        let mut random = Random(fastrand::Rng::with_seed(seed));
        let rows = random.0.usize(..600);
        let table = random.table(rows);
        let file = Asked {
            bytes: written(&table, &mut random.0),
            ranges: Arc::default(),
        };
        let all = ParquetRecordBatchReaderBuilder::try_new(file.bytes.clone()).unwrap();
        let all: Vec<_> = all.build().unwrap().map(Result::unwrap).collect();
        let table = concat_batches(&table.schema(), &all).unwrap();
        for _ in 0..8 {
            let text = random.filter(3);
            let filter = bound(&text, &table);
            let kept = filter.evaluate(&table).unwrap();
            let expected = filter_record_batch(&table, &kept).unwrap();
            let numbers: Vec<u64> = (0_u64..)
                .zip(kept.values())
                .filter_map(|(row, kept)| kept.then_some(row))
                .collect();
            let (batches, rows_read, decoded) = read(&file, &filter);
            assert_eq!(rows_read, numbers, "seed {seed}: {text}");
            let found = concat_batches(&table.schema(), &batches).unwrap();
            // NaN is not equal to itself, so what is printed is compared.
            assert!(
                format!("{found:?}") == format!("{expected:?}"),
                "seed {seed}: {text}"
            );
            pruned += rows - decoded;
        }
    }
    assert!(pruned > 5_000, "only {pruned} rows were not read");
}

fn sorted_file() -> (RecordBatch, Asked) {
    let n = Arc::new(Int64Array::from_iter_values(0..1_000));
    let other = Arc::new(StringArray::from_iter_values(
        (0..1_000).map(|n| format!("{n:0100}")),
    ));
    let table = RecordBatch::try_from_iter([("n", n as ArrayRef), ("other", other as _)]).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(250))
        .set_data_page_row_count_limit(25)
        .set_write_batch_size(25)
        .set_dictionary_enabled(false)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, table.schema(), Some(properties)).unwrap();
    writer.write(&table).unwrap();
    writer.close().unwrap();
    let file = Asked {
        bytes: bytes.into(),
        ranges: Arc::default(),
    };
    (table, file)
}

#[test]
fn row_groups_and_pages_that_are_ruled_out_are_not_read() {
    let (table, file) = sorted_file();
    let metadata = opened(&file);
    let filter = bound("n BETWEEN 260 AND 270", &table);
    assert_eq!(
        filter.may_match_row_groups(&metadata, None),
        [false, true, false, false]
    );
    let selection = filter.row_selection(&metadata, 1, None).unwrap();
    assert!(row_numbers(&selection).eq(0..25));

    file.ranges.lock().unwrap().clear();
    let (_, rows, decoded) = read(&file, &filter);
    assert!(rows.into_iter().eq(260..271));
    assert_eq!(decoded, 25);
    let group = metadata.metadata().row_group(1);
    let pages = &metadata.metadata().offset_index().unwrap()[1];
    let mut allowed: Vec<Range<u64>> = pages
        .iter()
        .map(|column| {
            let page = &column.page_locations()[0];
            let start = page.offset as u64;
            start..start + page.compressed_page_size as u64
        })
        .collect();
    // The footer and the page index are behind the data.
    let (start, len) = metadata.metadata().row_group(3).column(1).byte_range();
    allowed.push(start + len..file.len());
    assert_eq!(group.num_columns(), 2);
    for range in file.ranges.lock().unwrap().iter() {
        let inside = allowed
            .iter()
            .any(|a| a.start <= range.start && range.end <= a.end);
        assert!(inside, "{range:?} was read, and only {allowed:?} is needed");
    }
}

#[test]
fn a_file_that_no_row_is_kept_of_is_not_read_at_all() {
    let (table, file) = sorted_file();
    let (batches, rows, decoded) = read(&file, &bound("n < 0 OR n IS NULL", &table));
    assert!(batches.is_empty() && rows.is_empty());
    assert_eq!(decoded, 0);
}

#[test]
fn columns_of_the_path_rule_files_out() {
    let (table, file) = sorted_file();
    let metadata = opened(&file);
    let day: ArrayRef = Arc::new(Date32Array::from(vec![19_723]));
    let none: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
    let constants =
        RecordBatch::try_from_iter_with_nullable([("day", day, true), ("region", none, true)])
            .unwrap();
    let fields = table
        .schema()
        .fields()
        .iter()
        .chain(constants.schema().fields())
        .cloned()
        .collect::<Vec<_>>();
    let schema = Schema::new(fields);
    let matches = |text: &str| {
        let filter = Filter::parse(text).unwrap().bind(&schema, &schema).unwrap();
        filter.may_match_row_groups(&metadata, Some(&constants))
    };
    assert_eq!(matches("day > '2024-01-01'"), [false; 4]);
    assert_eq!(matches("day = '2024-01-01'"), [true; 4]);
    assert_eq!(
        matches("day = '2024-01-01' AND n = 300"),
        [false, true, false, false]
    );
    assert_eq!(matches("region = 'eu'"), [false; 4]);
    assert_eq!(
        matches("region IS NULL AND n >= 750"),
        [false, false, false, true]
    );
}

#[test]
fn a_column_that_a_file_lacks_is_null_in_it() {
    let (table, file) = sorted_file();
    let metadata = opened(&file);
    let mut fields = table.schema().fields().to_vec();
    fields.push(Arc::new(Field::new("later", DataType::Utf8, true)));
    let united = Schema::new(fields);
    let bound = |text: &str| {
        Filter::parse(text)
            .unwrap()
            .bind(&table.schema(), &united)
            .unwrap()
    };
    let compared = bound("later = 'x'");
    assert_eq!(compared.may_match_row_groups(&metadata, None), [false; 4]);
    assert!(
        !compared
            .evaluate(&table)
            .unwrap()
            .values()
            .iter()
            .any(|kept| kept)
    );
    let null = bound("later IS NULL");
    assert_eq!(null.may_match_row_groups(&metadata, None), [true; 4]);
    assert!(
        null.evaluate(&table)
            .unwrap()
            .values()
            .iter()
            .all(|kept| kept)
    );
}

#[test]
fn a_file_without_a_page_index_is_read_by_row_groups() {
    let (table, file) = sorted_file();
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).unwrap();
    let filter = bound("n = 300", &table);
    assert_eq!(
        filter.may_match_row_groups(&metadata, None),
        [false, true, false, false]
    );
    assert_eq!(filter.row_selection(&metadata, 1, None), None);
}

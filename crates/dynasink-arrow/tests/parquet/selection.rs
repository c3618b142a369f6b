//! Rows that are selected by their places, through the source.

use std::fs::File;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use dynasink_arrow::{
    FileSource, Filter, RowGroupObserver, RowSelection, SourceOptions, StreamOptions,
};
use fastrand::Rng;
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use tempfile::TempDir;

const ROWS: i64 = 1_000;
const PART: usize = 250;

fn numbers() -> RecordBatch {
    let numbers = Int64Array::from_iter_values(0..ROWS);
    RecordBatch::try_from_iter([("n", Arc::new(numbers) as _)]).unwrap()
}

/// Row groups of several pages, with a page index or without.
fn write_parquet(path: &Path, page_index: bool) {
    let mut properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(PART))
        .set_data_page_row_count_limit(20)
        .set_write_batch_size(20)
        .set_offset_index_disabled(!page_index);
    if !page_index {
        properties = properties.set_statistics_enabled(EnabledStatistics::None);
    }
    let file = File::create(path).unwrap();
    let batch = numbers();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn write_ipc(path: &Path) {
    let batch = numbers();
    let mut writer = FileWriter::try_new(File::create(path).unwrap(), &batch.schema()).unwrap();
    for start in (0..batch.num_rows()).step_by(PART) {
        writer.write(&batch.slice(start, PART)).unwrap();
    }
    writer.finish().unwrap();
}

/// The values that are handed on, each of which must be at its place.
async fn read(source: &FileSource, options: &StreamOptions) -> Vec<i64> {
    let batches: Vec<_> = source.stream_with(options).try_collect().await.unwrap();
    let mut values = Vec::new();
    for batch in batches {
        let column = batch.batch().column(0).as_primitive::<Int64Type>();
        let ranges = batch.row_ranges();
        let mut rows = ranges.iter().cloned().flatten();
        for (at, value) in column.values().iter().enumerate() {
            let position = batch.position_of(at).unwrap();
            assert_eq!(rows.next(), Some(position.row()));
            let place = u64::from(position.row_group()) * PART as u64 + position.row();
            assert_eq!(u64::try_from(*value).unwrap(), place);
            values.push(*value);
        }
    }
    values
}

fn random_ranges(rng: &mut Rng) -> Vec<Range<u64>> {
    let count = rng.usize(..6);
    let range = |_| {
        let start = rng.u64(..300);
        start..start + rng.u64(..60)
    };
    (0..count).map(range).collect()
}

#[tokio::test]
async fn the_rows_that_are_selected_are_read_and_no_other() {
    let folder = TempDir::new().unwrap();
    let names = ["plain.parquet", "indexed.parquet", "batches.arrow"];
    let paths = names.map(|name| folder.path().join(name));
    write_parquet(&paths[0], false);
    write_parquet(&paths[1], true);
    write_ipc(&paths[2]);
    for (seed, path) in (0..20).flat_map(|seed| paths.iter().map(move |path| (seed, path))) {
        let mut rng = Rng::with_seed(seed);
        let least = rng.i64(..ROWS);
        let filtered = rng.bool();
        let mut options =
            SourceOptions::new().with_batch_rows(NonZeroUsize::new(rng.usize(1..90)).unwrap());
        if filtered {
            options = options.with_filter(Filter::parse(&format!("n >= {least}")).unwrap());
        }
        let source = FileSource::open([path], options).await.unwrap();
        let name = source.files()[0].name();

        let others = rng.bool();
        let mut selection = if others {
            RowSelection::everything()
        } else {
            RowSelection::nothing()
        };
        let mut selected = vec![others; usize::try_from(ROWS).unwrap()];
        for part in 0..4_u32 {
            if rng.bool() {
                continue;
            }
            let ranges = random_ranges(&mut rng);
            let first = usize::try_from(part).unwrap() * PART;
            for (row, selected) in (0..).zip(&mut selected[first..first + PART]) {
                *selected = ranges.iter().any(|range| range.contains(&row));
            }
            selection = selection.with_rows(name, part, ranges);
        }
        let expected: Vec<i64> = (0..ROWS)
            .zip(&selected)
            .filter(|(n, selected)| **selected && (!filtered || *n >= least))
            .map(|(n, _)| n)
            .collect();
        let stream = StreamOptions::new().with_rows(selection);
        assert_eq!(
            read(&source, &stream).await,
            expected,
            "seed {seed}, {path:?}"
        );
    }
}

#[derive(Debug, Default)]
struct Finished(Mutex<Vec<u32>>);

impl RowGroupObserver for Finished {
    fn finished(&self, _: &str, row_group: u32) {
        self.0.lock().unwrap().push(row_group);
    }
}

#[tokio::test]
async fn row_groups_that_are_read_to_their_end_are_told_of() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.parquet");
    write_parquet(&path, true);
    let source = FileSource::open([&path], SourceOptions::new())
        .await
        .unwrap();
    let name = source.files()[0].name();
    let finished = Arc::new(Finished::default());
    let options = StreamOptions::new()
        .with_row_group_observer(Arc::clone(&finished) as _)
        .with_rows(RowSelection::everything().with_rows(name, 1, []));
    assert_eq!(read(&source, &options).await.len(), 750);
    assert_eq!(*finished.0.lock().unwrap(), [0, 2, 3]);
    let none = StreamOptions::new().with_rows(RowSelection::everything().without_file(name));
    assert!(read(&source, &none).await.is_empty());
}

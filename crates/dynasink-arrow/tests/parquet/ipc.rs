//! Arrow IPC files and streams, through the source.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_select::concat::concat_batches;
use dynasink_arrow::{Error, FileSource, Filter, SourceBatch, SourceFile, SourceOptions};
use futures::TryStreamExt;
use tempfile::TempDir;

use crate::load::load;

fn numbers(range: std::ops::Range<i64>) -> RecordBatch {
    let names = StringArray::from_iter_values(range.clone().map(|n| format!("name {n}")));
    let n: ArrayRef = Arc::new(Int64Array::from_iter_values(range));
    RecordBatch::try_from_iter([("n", n), ("name", Arc::new(names) as _)]).unwrap()
}

fn write_file(path: &Path, batches: &[RecordBatch]) {
    let file = File::create(path).unwrap();
    let mut writer = FileWriter::try_new(file, &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
}

fn write_stream(path: &Path, batches: &[RecordBatch]) {
    let file = File::create(path).unwrap();
    let mut writer = StreamWriter::try_new(file, &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
}

#[tokio::test]
async fn files_streams_and_parquet_are_read_together() {
    let folder = TempDir::new().unwrap();
    let paths = ["a.arrow", "b.arrows", "c.parquet"].map(|name| folder.path().join(name));
    write_file(&paths[0], &[numbers(0..10), numbers(10..30)]);
    write_stream(&paths[1], &[numbers(30..40)]);
    crate::load::write(&paths[2], &numbers(40..50), 5);
    let source = FileSource::open(&paths, SourceOptions::new())
        .await
        .unwrap();
    let groups: Vec<usize> = source.files().iter().map(SourceFile::row_groups).collect();
    assert_eq!((source.total_rows(), groups), (50, vec![2, 1, 2]));
    let loaded = load(&source, "n").await.unwrap();
    assert_eq!(loaded.items.len(), 50);
    assert_eq!(
        loaded.items[49],
        r#"{"n":{"N":"49"},"name":{"S":"name 49"}}"#
    );
}

#[tokio::test]
async fn batches_are_cut_and_their_rows_know_their_places() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.arrow");
    let batches = [numbers(0..10), numbers(10..1_010)];
    write_file(&path, &batches);
    let options = SourceOptions::new().with_batch_rows(NonZeroUsize::new(300).unwrap());
    let source = FileSource::open([&path], options.clone()).await.unwrap();
    let read: Vec<_> = source.stream().try_collect().await.unwrap();
    let places: Vec<_> = read
        .iter()
        .map(|batch| {
            let position = batch.position().unwrap();
            (
                position.row_group(),
                position.row(),
                batch.batch().num_rows(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            (0, 0, 10),
            (1, 0, 300),
            (1, 300, 300),
            (1, 600, 300),
            (1, 900, 100)
        ]
    );
    let whole = concat_batches(&batches[0].schema(), read.iter().map(SourceBatch::batch)).unwrap();
    assert_eq!(
        whole,
        concat_batches(&batches[0].schema(), &batches).unwrap()
    );

    let filter = Filter::parse("n IN (3, 700, 1009)").unwrap();
    let options = options.with_filter(filter).with_columns(["name"]);
    let source = FileSource::open([&path], options).await.unwrap();
    let read: Vec<_> = source.stream().try_collect().await.unwrap();
    let kept: Vec<_> = read
        .iter()
        .flat_map(|batch| (0..batch.batch().num_rows()).map(|row| batch.position_of(row).unwrap()))
        .map(|position| (position.row_group(), position.row()))
        .collect();
    assert_eq!(kept, [(0, 3), (1, 690), (1, 999)]);
    assert!(read.iter().all(|batch| batch.batch().num_columns() == 1));
}

#[tokio::test]
async fn what_is_no_arrow_file_says_so() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("old.feather");
    std::fs::write(&path, [b"FEA1".as_slice(), &[0; 100], b"FEA1"].concat()).unwrap();
    let error = FileSource::open([&path], SourceOptions::new())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::FeatherV1 { .. }), "{error}");
    write_file(&path, &[numbers(0..10)]);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let error = FileSource::open([&path], SourceOptions::new())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TruncatedFile { .. }), "{error}");
}

//! Several files read at once: the order of rows, schemas that differ, and files that cannot be read.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use bytes::Bytes;
use dynasink_arrow::{
    Error, FileSource, HivePartitions, Interleave, SourceOptions, Sources, StreamOptions,
    Unreadable,
};
use dynasink_core::{ObserverError, Unread, UnreadObserver};
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

use crate::load::{load, write};

/// A file of rows with these keys, in row groups of 100.
fn file(folder: &TempDir, name: &str, keys: impl IntoIterator<Item = i64>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(keys));
    let batch = RecordBatch::try_from_iter([("id", keys)]).unwrap();
    write(&path, &batch, 100);
    path
}

fn by_id() -> StreamOptions {
    StreamOptions::new().with_interleave(Interleave::by_keys(["id"]))
}

/// The key, the file's number and the row in the file of every row, in the order in which they come.
async fn rows(
    source: &FileSource,
    options: &StreamOptions,
) -> Result<Vec<(i64, usize, u64)>, Error> {
    let names: Vec<_> = source
        .files()
        .iter()
        .map(|file| file.name().to_owned())
        .collect();
    let mut rows = Vec::new();
    let mut batches = source.stream_with(options);
    while let Some(batch) = batches.try_next().await? {
        let keys = batch.batch()["id"].as_primitive::<Int64Type>();
        for (index, key) in keys.values().iter().enumerate() {
            let position = batch.position_of(index).unwrap();
            let file = names
                .iter()
                .position(|name| name == position.file())
                .unwrap();
            let row = u64::from(position.row_group()) * 100 + position.row();
            rows.push((*key, file, row));
        }
    }
    Ok(rows)
}

/// How often the next row is of another file.
fn turns(rows: &[(i64, usize, u64)]) -> usize {
    rows.windows(2)
        .filter(|pair| pair[0].1 != pair[1].1)
        .count()
}

/// The rows with more turns than that. Which reader is ahead is up to the machine, and a file may be read
/// before the next one is open: that is asked for again.
async fn mixed(
    source: &FileSource,
    options: &StreamOptions,
    least: usize,
) -> Vec<(i64, usize, u64)> {
    for _ in 0..200 {
        let read = rows(source, options).await.unwrap();
        if turns(&read) > least {
            return read;
        }
    }
    panic!("the files are never mixed")
}

#[tokio::test]
async fn sorted_files_are_mixed_and_rows_of_a_key_keep_the_order_of_the_input() {
    let folder = TempDir::new().unwrap();
    // Each file goes on where the one before has some keys left, and the last one has some of all.
    let mut paths: Vec<_> = (0..4)
        .map(|at| {
            file(
                &folder,
                &format!("{at}.parquet"),
                (at * 900..at * 900 + 1_000).map(|key| key / 2),
            )
        })
        .collect();
    paths.push(file(&folder, "late.parquet", (0..40).map(|key| key * 45)));
    let source = FileSource::open(&paths, SourceOptions::new())
        .await
        .unwrap();

    let mixed = mixed(&source, &by_id(), 8).await;
    let in_order = rows(&source, &StreamOptions::new()).await.unwrap();
    assert_eq!(turns(&in_order), 4);
    let of_keys = |rows: &[(i64, usize, u64)]| {
        let mut keys: BTreeMap<i64, Vec<(usize, u64)>> = BTreeMap::new();
        for (key, file, row) in rows {
            keys.entry(*key).or_default().push((*file, *row));
        }
        keys
    };
    assert_eq!(of_keys(&mixed), of_keys(&in_order));
}

#[tokio::test]
async fn files_whose_keys_overlap_come_one_after_the_other() {
    let folder = TempDir::new().unwrap();
    let paths: Vec<_> = (0..3)
        .map(|at| {
            file(
                &folder,
                &format!("{at}.parquet"),
                (0..500).map(move |key| (key * 7 + at) % 500),
            )
        })
        .collect();
    let source = FileSource::open(&paths, SourceOptions::new())
        .await
        .unwrap();
    let read = rows(&source, &by_id()).await.unwrap();
    assert_eq!(turns(&read), 2);
    let always = StreamOptions::new().with_interleave(Interleave::Always);
    let mut any = rows(&source, &always).await.unwrap();
    let mut all = read;
    any.sort_unstable();
    all.sort_unstable();
    assert_eq!(any, all);
}

#[tokio::test]
async fn folders_that_differ_in_a_key_column_are_mixed() {
    let folder = TempDir::new().unwrap();
    for region in ["eu", "us"] {
        let keys = (0..1_000).map(|key| key * 7 % 1_000);
        file(&folder, &format!("region={region}/a.parquet"), keys);
    }
    let files = Sources::new()
        .with_source(folder.path())
        .with_partitions(HivePartitions::Strings)
        .locate()
        .await
        .unwrap();
    let source = FileSource::of(files, SourceOptions::new()).await.unwrap();
    let keys = Interleave::by_keys(["id", "region"]);
    let options = StreamOptions::new().with_interleave(keys);
    mixed(&source, &options, 2).await;
    assert_eq!(turns(&rows(&source, &by_id()).await.unwrap()), 1);

    let mut batches = source.stream();
    while let Some(batch) = batches.try_next().await.unwrap() {
        let position = batch.position().unwrap();
        let expected = if position.file().contains("region=eu") {
            "eu"
        } else {
            "us"
        };
        let regions = batch.batch()["region"].as_string_view();
        assert!(regions.iter().all(|region| region == Some(expected)));
    }
}

/// Makes the statistics of a file say that `from` is the least or the greatest key where it says `to`.
fn change_statistics(path: &Path, from: i64, to: i64) {
    let mut bytes = std::fs::read(path).unwrap();
    let footer = bytes.len() - 8 - {
        let len: [u8; 4] = bytes[bytes.len() - 8..][..4].try_into().unwrap();
        usize::try_from(u32::from_le_bytes(len)).unwrap()
    };
    let from = from.to_le_bytes();
    let mut changed = 0;
    for at in footer..bytes.len() - 8 {
        if bytes[at..].starts_with(&from) {
            bytes[at..at + 8].copy_from_slice(&to.to_le_bytes());
            changed += 1;
        }
    }
    assert!(changed > 0);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn statistics_that_lie_are_found_out() {
    let folder = TempDir::new().unwrap();
    let paths = [
        file(&folder, "a.parquet", 0..50),
        file(&folder, "b.parquet", 1_000_000..1_000_050),
    ];
    change_statistics(&paths[1], 1_000_049, 1_000_007);
    let source = FileSource::open(&paths, SourceOptions::new())
        .await
        .unwrap();
    assert_eq!(
        rows(&source, &StreamOptions::new()).await.unwrap().len(),
        100
    );
    let error = rows(&source, &by_id()).await.unwrap_err();
    assert!(
        matches!(&error, Error::OutsideStatistics { file, row_group: 0, column } if file.ends_with("b.parquet") && column == "id"),
        "{error}"
    );
    assert!(error.to_string().contains("--interleave off"), "{error}");
}

#[tokio::test]
async fn files_of_other_types_and_columns_are_one_source_if_nothing_is_lost() {
    let folder = TempDir::new().unwrap();
    let columns: [Vec<(&str, ArrayRef)>; 2] = [
        vec![
            ("id", Arc::new(Int32Array::from(vec![1]))),
            ("name", Arc::new(StringArray::from(vec!["ann"]))),
        ],
        vec![
            ("score", Arc::new(Int64Array::from(vec![7]))),
            ("id", Arc::new(Int64Array::from(vec![1 << 40]))),
        ],
    ];
    let paths: Vec<_> = columns
        .into_iter()
        .enumerate()
        .map(|(at, columns)| {
            let path = folder.path().join(format!("{at}.parquet"));
            write(&path, &RecordBatch::try_from_iter(columns).unwrap(), 100);
            path
        })
        .collect();
    let source = FileSource::open(&paths, SourceOptions::new())
        .await
        .unwrap();
    let fields: Vec<_> = source
        .schema()
        .fields()
        .iter()
        .map(|field| {
            format!(
                "{} {} {}",
                field.name(),
                field.data_type(),
                field.is_nullable()
            )
        })
        .collect();
    assert_eq!(
        fields,
        ["id Int64 false", "name Utf8View true", "score Int64 true"]
    );
    let loaded = load(&source, "id").await.unwrap();
    assert_eq!(
        loaded.items,
        [
            r#"{"id":{"N":"1"},"name":{"S":"ann"}}"#,
            r#"{"id":{"N":"1099511627776"},"score":{"N":"7"}}"#
        ]
    );
}

#[derive(Debug, Default)]
struct Noted(Mutex<Vec<Unread>>);

impl UnreadObserver for Noted {
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError> {
        self.0.lock().unwrap().push(unread.clone());
        Ok(())
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_everything_else_is_read() {
    let folder = TempDir::new().unwrap();
    let paths = [
        file(&folder, "a.parquet", 0..300),
        file(&folder, "b.parquet", 300..600),
        folder.path().join("c.parquet"),
    ];
    std::fs::write(&paths[2], b"PAR1 and then nothing").unwrap();
    // The second row group of the first file is overwritten.
    let mut bytes = std::fs::read(&paths[0]).unwrap();
    let third = bytes.len() / 3;
    let damaged = third..third + third / 2;
    bytes[damaged].fill(0xff);
    std::fs::write(&paths[0], bytes).unwrap();

    let stopped = FileSource::open(&paths, SourceOptions::new()).await;
    assert!(matches!(stopped, Err(Error::TruncatedFile { .. })));
    let skipping = SourceOptions::new().with_unreadable(Unreadable::Skip);
    let source = FileSource::open(&paths, skipping.clone()).await.unwrap();
    let noted = Arc::new(Noted::default());
    let options = by_id().with_unread_observers([Arc::clone(&noted) as _]);
    let mut read: Vec<i64> = rows(&source, &options)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.0)
        .collect();
    read.sort_unstable();
    read.dedup();

    let noted = std::mem::take(&mut *noted.0.lock().unwrap());
    let unread: u64 = noted.iter().filter_map(|unread| unread.rows).sum();
    assert_eq!(
        u64::try_from(read.len()).unwrap() + unread,
        600,
        "{noted:?}"
    );
    assert!(unread >= 100 && read.len() >= 400, "{noted:?}");
    let of_file = |name: &'static str| {
        noted
            .iter()
            .filter(move |unread| unread.file.ends_with(name))
    };
    assert!(
        of_file("a.parquet").all(|unread| unread.row_group.is_some() && unread.offset.is_some())
    );
    let footer: Vec<_> = of_file("c.parquet").collect();
    assert!(
        matches!(
            footer[..],
            [Unread {
                row_group: None,
                rows: None,
                ..
            }]
        ),
        "{noted:?}"
    );
    assert_eq!(of_file("b.parquet").count(), 0);

    // Nobody would know of what is missing.
    let error = rows(&source, &by_id()).await.unwrap_err();
    assert!(matches!(error, Error::Unread { .. }), "{error}");
    let none = FileSource::open([&paths[2]], skipping).await;
    assert!(matches!(none, Err(Error::TruncatedFile { .. })));
}

/// A file of one row group of 1,000 keys in pages of 100, the eighth of which is damaged.
fn broken_at_its_eighth_page(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("pages.parquet");
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_data_page_row_count_limit(100)
        .set_write_batch_size(100)
        .build();
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1_000));
    let batch = RecordBatch::try_from_iter([("id", keys)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(&Bytes::from(bytes.clone()))
        .unwrap();
    let eighth = metadata.offset_index().unwrap()[0][0].page_locations()[7].offset;
    let eighth = usize::try_from(eighth).unwrap();
    bytes[eighth..eighth + 8].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test]
async fn only_rows_that_were_not_handed_on_count_as_unread() {
    let folder = TempDir::new().unwrap();
    let path = broken_at_its_eighth_page(&folder);
    let skipping = SourceOptions::new()
        .with_batch_rows(NonZeroUsize::new(100).unwrap())
        .with_unreadable(Unreadable::Skip);
    let source = FileSource::open([&path], skipping).await.unwrap();
    let noted = Arc::new(Noted::default());
    let options = StreamOptions::new().with_unread_observers([Arc::clone(&noted) as _]);
    let read = rows(&source, &options).await.unwrap();
    assert_eq!(read.len(), 700);
    let noted = std::mem::take(&mut *noted.0.lock().unwrap());
    let [unread] = noted.as_slice() else {
        panic!("{noted:?}")
    };
    assert_eq!((unread.row_group, unread.rows), (Some(0), Some(300)));
    assert!(unread.offset.is_some(), "{unread:?}");
}

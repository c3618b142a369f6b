use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::WriterProperties;

use super::faulty_store::{Fault, FaultyStore};
use super::fetch::{FetchError, Pinned};
use super::*;

/// Bytes of which no two neighbours are alike.
fn numbered(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

async fn pinned(store: &Arc<FaultyStore>, bytes: Vec<u8>) -> Pinned {
    let file = store.located(bytes).await;
    let Location::Object(object) = file.location() else {
        panic!("not an object");
    };
    Pinned::new(object.clone(), file.size(), file.version().clone())
}

/// Runs `read` where reading may block.
async fn blocking<T: Send + 'static>(
    file: Located,
    read: impl FnOnce(FileBytes) -> T + Send + 'static,
) -> T {
    let read = move || read(FileBytes::open(&file).unwrap());
    tokio::task::spawn_blocking(read).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_gone_on_with_from_where_it_broke() {
    let faults = [
        Fault::BreaksAfter(40),
        Fault::EndsAfter(25),
        Fault::BreaksAfter(0),
    ];
    let store = Arc::new(FaultyStore::new(faults));
    let pinned = pinned(&store, numbered(1000)).await;
    let bytes = pinned.fetch(100..200).await.unwrap();
    assert_eq!(bytes, numbered(1000)[100..200]);
    assert_eq!(store.asked(), [100..200, 140..200, 165..200, 165..200]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_again_and_again_is_given_up() {
    let store = Arc::new(FaultyStore::new(vec![Fault::BreaksAfter(1); 100]));
    let pinned = pinned(&store, numbered(1000)).await;
    let error = pinned.fetch(0..500).await.unwrap_err();
    assert!(
        matches!(
            error,
            FetchError::Broken {
                breaks: 7,
                last: Some(_)
            }
        ),
        "{error}"
    );
    assert_eq!(store.asked().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn bytes_of_two_states_of_an_object_are_never_mixed() {
    for weak in [false, true] {
        let faults = [
            Fault::None,
            Fault::BreaksAfter(40),
            Fault::ChangesTo(&[7; 1000]),
        ];
        let mut store = FaultyStore::new(faults);
        if weak {
            store = store.with_weak_tags();
        }
        let pinned = pinned(&Arc::new(store), numbered(1000)).await;
        assert!(pinned.fetch(900..1000).await.is_ok());
        let error = pinned.fetch(0..100).await.unwrap_err();
        assert!(matches!(error, FetchError::Changed), "{error}");
    }
}

#[tokio::test]
async fn an_object_that_changed_since_it_was_found_is_said_to_have() {
    for fault in [
        Fault::ChangesTo(&[7; 1000]),
        Fault::ChangesTo(&[7; 5]),
        Fault::Vanishes,
    ] {
        let file = Arc::new(FaultyStore::new([fault]))
            .located(numbered(1000))
            .await;
        let (read, failure) =
            blocking(file, |bytes| (bytes.read_range(0..4), bytes.take_failure())).await;
        assert!(read.is_err());
        let failure = failure.unwrap();
        assert!(matches!(failure, Error::FileChanged { .. }), "{failure}");
    }
}

#[tokio::test]
async fn the_end_of_a_file_is_fetched_once() {
    let store = Arc::new(FaultyStore::default());
    let all = numbered(200_000);
    let file = store.located(all.clone()).await;
    blocking(file, move |bytes| {
        assert_eq!(bytes.read_range(199_992..200_000).unwrap(), all[199_992..]);
        assert_eq!(
            bytes.read_range(150_000..199_992).unwrap(),
            all[150_000..199_992]
        );
        // A footer that is longer costs one request more.
        assert_eq!(
            bytes.read_range(100_000..199_992).unwrap(),
            all[100_000..199_992]
        );
        assert_eq!(
            bytes.read_range(120_000..180_000).unwrap(),
            all[120_000..180_000]
        );
        assert_eq!(bytes.read_range(0..4).unwrap(), all[..4]);
        assert_eq!(bytes.last_offset(), 0);
        assert!(bytes.read_range(199_999..200_001).is_err());
        assert_eq!(bytes.last_offset(), 199_999);
        // Who asks for too much has misread something, and says so itself.
        assert!(bytes.take_failure().is_none());
    })
    .await;
    let tail = 200_000 - 65_536;
    assert_eq!(store.asked(), [tail..200_000, 100_000..tail, 0..4]);
}

#[tokio::test]
async fn ranges_are_read_in_blocks_and_no_byte_is_fetched_twice() {
    const BLOCK: u64 = 10_000;
    let store = Arc::new(FaultyStore::default());
    let all = numbered(400_000);
    let file = store.located(all.clone()).await;
    // One of many blocks, three that are near to one another, and one far away.
    let ranges = vec![
        4..95_004,
        95_004..96_000,
        96_100..97_000,
        98_000..99_000,
        300_000..305_000,
    ];
    blocking(file, move |bytes| {
        let windows = WindowedBytes::new(&bytes, ranges.clone(), BLOCK);
        for range in ranges {
            let mut at = range.start;
            while at < range.end {
                // A header of a page, and then the page.
                let mut header = [0; 3];
                windows
                    .get_read(at)
                    .unwrap()
                    .read_exact(&mut header)
                    .unwrap();
                let index = usize::try_from(at).unwrap();
                assert_eq!(header, all[index..index + 3]);
                let len = usize::try_from((range.end - at).min(777)).unwrap();
                let page = windows.get_bytes(at, len).unwrap();
                assert_eq!(page, all[index..index + len]);
                at += 777;
            }
        }
    })
    .await;
    let mut asked = store.asked();
    asked.sort_by_key(|range| range.start);
    let blocks = (0..10).map(|n| 4 + n * BLOCK..(4 + (n + 1) * BLOCK).min(95_004));
    let expected: Vec<_> = blocks.chain([95_004..99_000, 300_000..305_000]).collect();
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_reader_that_jumps_ahead_does_not_fetch_what_it_passed() {
    let store = Arc::new(FaultyStore::default());
    let all = numbered(1_000_000);
    let file = store.located(all.clone()).await;
    blocking(file, move |bytes| {
        let whole = std::iter::once(0..1_000_000).collect();
        let windows = WindowedBytes::new(&bytes, whole, 1_000);
        assert_eq!(windows.get_bytes(10, 10).unwrap(), all[10..20]);
        assert_eq!(
            windows.get_bytes(500_000, 10).unwrap(),
            all[500_000..500_010]
        );
        // Back again, which no reader of Parquet does.
        assert_eq!(windows.get_bytes(10, 10).unwrap(), all[10..20]);
    })
    .await;
    let fetched: u64 = store
        .asked()
        .iter()
        .map(|range| range.end - range.start)
        .sum();
    assert!(fetched <= 6_000, "{fetched}");
}

#[tokio::test]
async fn what_no_range_announced_is_read_all_the_same() {
    let file = Arc::new(FaultyStore::default())
        .located(numbered(400_000))
        .await;
    blocking(file, |bytes| {
        let all = numbered(400_000);
        let windows =
            WindowedBytes::new(&bytes, std::iter::once(100_000..100_010).collect(), 1_000);
        assert_eq!(
            windows.get_bytes(200_000, 50_000).unwrap(),
            all[200_000..250_000]
        );
        let mut read = vec![0; 40_000];
        windows
            .get_read(99_990)
            .unwrap()
            .read_exact(&mut read)
            .unwrap();
        assert_eq!(read, all[99_990..139_990]);
        assert!(windows.get_bytes(399_999, 2).is_err());
        assert!(windows.get_bytes(u64::MAX, usize::MAX).is_err());
    })
    .await;
}

#[tokio::test]
async fn a_failure_in_a_range_is_kept_with_its_offset() {
    // The first answer is good, all others break.
    let faults = [Fault::None]
        .into_iter()
        .chain(vec![Fault::BreaksAfter(0); 50]);
    let store = Arc::new(FaultyStore::new(faults));
    let file = store.located(numbered(200_000)).await;
    tokio::time::pause();
    let pinned = Pinned::new(
        match file.location() {
            Location::Object(object) => object.clone(),
            Location::Local(_) => panic!("not an object"),
        },
        file.size(),
        file.version().clone(),
    );
    assert!(pinned.fetch(0..10).await.is_ok());
    let error = pinned.fetch(50_000..50_010).await.unwrap_err();
    let trail = Trail::new(Arc::clone(file.name()));
    let told = trail.failed(50_000, io::Error::other(error));
    assert!(told.to_string().contains("broke off 7 times"), "{told}");
    let failure = trail.take_failure().unwrap();
    assert_eq!(
        failure.to_string(),
        "mem://file: cannot read the bytes at offset 50000: check the connection and load again"
    );
    assert!(trail.take_failure().is_none());
}

fn parquet_file() -> Vec<u8> {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..20_000));
    let texts = (0..20_000).map(|n| format!("{n:x}").repeat(1 + n % 7));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    let rows = RecordBatch::try_from_iter([("id", ids), ("text", texts)]).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(9_000))
        .set_data_page_size_limit(2_000)
        .set_write_batch_size(100)
        .build();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    file
}

#[tokio::test]
async fn row_groups_are_read_from_blocks_of_any_size() {
    let file = parquet_file();
    let expected: Vec<RecordBatch> = {
        let bytes = Bytes::from(file.clone());
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        reader.build().unwrap().map(Result::unwrap).collect()
    };
    for block in [1_000, 4_096, 1 << 20] {
        let store = Arc::new(FaultyStore::default());
        let located = store.located(file.clone()).await;
        let read = blocking(located, move |bytes| {
            let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
            let chunks = builder.metadata().row_groups().iter().flat_map(|group| {
                let chunks = group.columns().iter().map(ColumnChunkMetaData::byte_range);
                chunks.map(|(start, len)| start..start + len)
            });
            let windows = WindowedBytes::new(&bytes, chunks.collect(), block);
            let reader = ParquetRecordBatchReaderBuilder::try_new(windows).unwrap();
            let batches = reader.build().unwrap();
            batches.map(Result::unwrap).collect::<Vec<_>>()
        })
        .await;
        assert_eq!(read, expected);
        let asked = store.asked();
        assert!(
            asked
                .iter()
                .all(|range| range.end - range.start <= block.max(65_536))
        );
    }
}

#[test]
fn readers_of_one_local_file_do_not_move_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, numbered(100_000)).unwrap();
    let file = FileBytes::open(&Located::new(Location::Local(path), "file", 100_000)).unwrap();
    let (mut first, mut second) = (file.get_read(0).unwrap(), file.get_read(50_000).unwrap());
    let (mut a, mut b) = (vec![0; 20_000], vec![0; 20_000]);
    first.read_exact(&mut a[..10_000]).unwrap();
    second.read_exact(&mut b).unwrap();
    first.read_exact(&mut a[10_000..]).unwrap();
    assert_eq!(a, numbered(100_000)[..20_000]);
    assert_eq!(b, numbered(100_000)[50_000..70_000]);
}

#[test]
fn a_local_file_that_changed_since_it_was_found_is_said_to_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, b"12345").unwrap();
    let open = |size| FileBytes::open(&Located::new(Location::Local(path.clone()), "file", size));
    assert!(open(5).is_ok());
    assert!(matches!(open(4), Err(Error::FileChanged { .. })));
}

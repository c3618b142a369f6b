use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use arrow_array::{Int64Array, RecordBatch};
use dynasink_core::{ObserverError, SourcePosition};
use futures::StreamExt;
use tokio::sync::oneshot;

use super::*;
use crate::source::key_range::KeyRanges;
use crate::source::portion::Portion;

fn batch(file: &str, row_group: usize, row: u64, rows: usize) -> SourceBatch {
    let numbers = Arc::new(Int64Array::from(vec![0; rows]));
    let batch = RecordBatch::try_from_iter([("n", numbers as _)]).unwrap();
    let row_group = u32::try_from(row_group).unwrap();
    SourceBatch::at(batch, SourcePosition::new(file.into(), row_group, row))
}

fn row_group(file: usize, row_group: usize, keys: Option<(i128, i128)>) -> RowGroup {
    RowGroup {
        file,
        number: row_group,
        keys: KeyRanges::of_integers([keys]),
        portion: Portion::of_bytes(10, 1_000),
    }
}

type Planning = Box<dyn Fn(&mut dyn FnMut(Planned) -> Demand) -> Result<Demand> + Send + Sync>;
type ReadingOne = Box<dyn Fn(&RowGroup, Emit<'_>) -> Result<Demand, Broken> + Send + Sync>;

/// Row groups that are made up.
struct MadeUp {
    plan: Planning,
    read: ReadingOne,
}

impl fmt::Debug for MadeUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MadeUp")
    }
}

impl RowGroups for MadeUp {
    fn plan(&self, emit: &mut dyn FnMut(Planned) -> Demand) -> Result<Demand> {
        (self.plan)(emit)
    }

    fn read(&self, row_group: &RowGroup, emit: Emit<'_>) -> Result<Demand, Broken> {
        (self.read)(row_group, emit)
    }
}

fn terms(law: Law) -> Terms {
    Terms {
        law,
        memory: 1_000_000,
        readers: 4,
        unreadable: Unreadable::Stop,
        unread: Vec::new(),
        row_groups: Vec::new(),
    }
}

/// A stream of row groups with these keys, each read by `read`.
fn stream(
    keys: Vec<Option<(i128, i128)>>,
    terms: Terms,
    read: impl Fn(&RowGroup, Emit<'_>) -> Result<Demand, Broken> + Send + Sync + 'static,
) -> BatchStream {
    let names = (0..keys.len())
        .map(|file| file.to_string().into())
        .collect();
    let plan = move |emit: &mut dyn FnMut(Planned) -> Demand| {
        for (file, keys) in keys.iter().enumerate() {
            if emit(Planned::RowGroup(row_group(file, 0, *keys))) == Demand::Enough {
                return Ok(Demand::Enough);
            }
        }
        Ok(Demand::More)
    };
    let row_groups = MadeUp {
        plan: Box::new(plan),
        read: Box::new(read),
    };
    BatchStream::reading(Arc::new(row_groups), names, terms)
}

/// Reads two batches of 1,000 rows.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it is one of the functions that read a row group"
)]
fn two_batches(row_group: &RowGroup, emit: Emit<'_>) -> Result<Demand, Broken> {
    let name = row_group.file.to_string();
    for row in [0, 1_000] {
        if emit(batch(&name, row_group.number, row, 1_000)) == Demand::Enough {
            return Ok(Demand::Enough);
        }
    }
    Ok(Demand::More)
}

/// The file and the first row of each batch.
async fn places(stream: BatchStream) -> Vec<(usize, u64)> {
    let places = stream.map(|batch| {
        let position = batch.unwrap().position().unwrap();
        (position.file().parse().unwrap(), position.row())
    });
    places.collect().await
}

#[tokio::test]
async fn in_order_means_one_row_group_after_the_other() {
    let keys = (0..6).map(|file| Some((file, file))).collect();
    let read = places(stream(keys, terms(Law::InOrder), two_batches)).await;
    let expected: Vec<_> = (0..6).flat_map(|file| [(file, 0), (file, 1_000)]).collect();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn row_groups_that_are_apart_are_mixed_in_small_portions_and_each_keeps_its_order() {
    const FILES: usize = 4;
    let keys = (0..4).map(|file| Some((file, file))).collect();
    // Nobody has a second batch before everybody has handed on a first one.
    let all_have_one = std::sync::Barrier::new(FILES);
    let read = move |row_group: &RowGroup, emit: Emit<'_>| {
        let name = row_group.file.to_string();
        emit(batch(&name, row_group.number, 0, 1_000));
        all_have_one.wait();
        emit(batch(&name, row_group.number, 1_000, 1_000));
        Ok(Demand::More)
    };
    let read = places(stream(keys, terms(Law::KeysApart), read)).await;
    assert!(read.len() > 4 * FILES, "{read:?}");
    let mut last = BTreeMap::new();
    for (file, row) in &read {
        assert!(last.insert(*file, *row).is_none_or(|before| before < *row));
    }
    let turns = read
        .windows(2)
        .filter(|pair| pair[0].0 != pair[1].0)
        .count();
    assert!(turns >= FILES, "{read:?}");
}

#[tokio::test]
async fn row_groups_that_share_keys_are_not_mixed() {
    let keys = vec![Some((0, 9)), Some((5, 20)), Some((30, 40)), Some((8, 35))];
    let read = places(stream(keys, terms(Law::KeysApart), two_batches)).await;
    let at = |file, row| read.iter().position(|place| *place == (file, row)).unwrap();
    let end = |file| read.iter().rposition(|(read, _)| *read == file).unwrap();
    assert!(end(0) < at(1, 0));
    assert!(end(0) < at(3, 0) && end(1) < at(3, 0) && end(2) < at(3, 0));
}

#[tokio::test]
async fn what_is_read_at_once_fits_the_memory_and_the_readers() {
    for (memory, readers, most_open) in [(3_040, 8, 1), (9_200, 8, 3), (1 << 30, 2, 2)] {
        let open = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (now, ever) = (Arc::clone(&open), Arc::clone(&most));
        let terms = Terms {
            memory,
            readers,
            ..terms(Law::Unordered)
        };
        let read = move |row_group: &RowGroup, emit: Emit<'_>| {
            ever.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            let end = two_batches(row_group, emit);
            now.fetch_sub(1, SeqCst);
            end
        };
        let mut stream = stream(vec![None; 30], terms, read);
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            rows += batch.unwrap().batch().num_rows();
        }
        assert_eq!(rows, 60_000);
        assert!(most.load(SeqCst) <= most_open, "{memory} {readers}");
    }
}

#[tokio::test]
async fn a_row_group_larger_than_the_memory_is_read_alone() {
    let terms = Terms {
        memory: 1,
        ..terms(Law::Unordered)
    };
    assert_eq!(
        places(stream(vec![None; 3], terms, two_batches))
            .await
            .len(),
        6
    );
}

#[tokio::test]
async fn a_reader_is_never_further_ahead_than_what_it_reserves() {
    const ALL: usize = 200;
    let taken = Arc::new(AtomicUsize::new(0));
    let most_ahead = Arc::new(AtomicUsize::new(0));
    let (seen, ahead) = (Arc::clone(&taken), Arc::clone(&most_ahead));
    let read = move |row_group: &RowGroup, emit: Emit<'_>| {
        for made in 1..=ALL {
            ahead.fetch_max(made - seen.load(SeqCst), SeqCst);
            assert_eq!(emit(batch("0", row_group.number, 0, 1)), Demand::More);
        }
        Ok(Demand::More)
    };
    let mut batches = stream(vec![None], terms(Law::InOrder), read);
    loop {
        // Gives the reader every chance to run away.
        for _ in 0..100 {
            std::thread::yield_now();
        }
        taken.fetch_add(1, SeqCst);
        if batches.next().await.is_none() {
            break;
        }
    }
    assert_eq!(taken.load(SeqCst), ALL + 1);
    let reserved = usize::try_from(crate::source::portion::BATCHES).unwrap();
    assert!(most_ahead.load(SeqCst) <= reserved);
}

#[tokio::test]
async fn dropping_the_stream_ends_the_readers() {
    let (ended, end) = oneshot::channel();
    let ended = Mutex::new(Some(ended));
    let read = move |_: &RowGroup, emit: Emit<'_>| {
        while emit(batch("0", 0, 0, 1)) == Demand::More {}
        if let Some(ended) = ended.lock().unwrap().take() {
            ended.send(()).ok();
        }
        Ok(Demand::Enough)
    };
    let mut batches = stream(vec![None], terms(Law::InOrder), read);
    assert!(batches.next().await.is_some_and(|batch| batch.is_ok()));
    drop(batches);
    end.await.unwrap();
}

#[tokio::test]
async fn a_reader_that_ends_without_a_word_is_an_error_and_not_the_end() {
    let read = |_: &RowGroup, emit: Emit<'_>| {
        emit(batch("0", 0, 0, 1));
        Ok(Demand::Enough)
    };
    let mut batches = stream(vec![None], terms(Law::InOrder), read);
    assert!(batches.next().await.is_some_and(|batch| batch.is_ok()));
    assert!(matches!(
        batches.next().await,
        Some(Err(Error::ReaderStopped))
    ));
    assert!(batches.next().await.is_none());
}

#[tokio::test]
async fn an_error_of_the_plan_comes_after_all_that_is_before_it_and_ends_the_stream() {
    let row_groups = MadeUp {
        plan: Box::new(|emit| {
            emit(Planned::RowGroup(row_group(0, 0, None)));
            emit(Planned::RowGroup(row_group(1, 0, None)));
            Err(Error::NoFiles)
        }),
        read: Box::new(two_batches),
    };
    let names = Arc::from(["0".into(), "1".into()]);
    let mut batches = BatchStream::reading(Arc::new(row_groups), names, terms(Law::InOrder));
    for _ in 0..4 {
        assert!(batches.next().await.is_some_and(|batch| batch.is_ok()));
    }
    assert!(matches!(batches.next().await, Some(Err(Error::NoFiles))));
    assert!(batches.next().await.is_none());
}

#[derive(Debug, Default)]
struct Noted {
    unread: Mutex<Vec<Unread>>,
    only_counts: bool,
}

impl UnreadObserver for Noted {
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError> {
        self.unread.lock().unwrap().push(unread.clone());
        Ok(())
    }

    fn keeps_unread(&self) -> bool {
        !self.only_counts
    }
}

/// Fails in the row group of file 1, after its first batch.
fn broken_in_the_middle(row_group: &RowGroup, emit: Emit<'_>) -> Result<Demand, Broken> {
    if row_group.file != 1 {
        return two_batches(row_group, emit);
    }
    emit(batch("1", 0, 0, 1_000));
    Err(Broken {
        error: Box::new(Error::ReaderPanicked {
            file: "1".to_owned(),
            message: "no".to_owned(),
        }),
        unread_rows: Some(1_000),
    })
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_stream_unless_it_is_to_be_skipped() {
    let broken = || stream(vec![None; 3], terms(Law::InOrder), broken_in_the_middle);
    let read: Vec<_> = broken().collect().await;
    assert_eq!(read.len(), 4);
    assert!(matches!(read[3], Err(Error::ReaderPanicked { .. })));

    let noted = Arc::new(Noted::default());
    let skipping = |observer: Arc<Noted>| Terms {
        unreadable: Unreadable::Skip,
        unread: vec![observer],
        ..terms(Law::InOrder)
    };
    let batches = stream(
        vec![None; 3],
        skipping(Arc::clone(&noted)),
        broken_in_the_middle,
    );
    assert_eq!(
        places(batches).await,
        [(0, 0), (0, 1_000), (1, 0), (2, 0), (2, 1_000)]
    );
    let unread = std::mem::take(&mut *noted.unread.lock().unwrap());
    let [unread] = unread.as_slice() else {
        panic!("{unread:?}")
    };
    assert_eq!(
        (&*unread.file, unread.row_group, unread.rows),
        ("1", Some(0), Some(1_000))
    );

    // Nobody would have it.
    let counting = Noted {
        only_counts: true,
        ..Noted::default()
    };
    let read: Vec<_> = stream(
        vec![None; 3],
        skipping(Arc::new(counting)),
        broken_in_the_middle,
    )
    .collect()
    .await;
    assert!(matches!(
        read.last(),
        Some(Err(Error::ReaderPanicked { .. }))
    ));
}

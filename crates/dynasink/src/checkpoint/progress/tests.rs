use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch};
use dynasink_arrow::FileIdentity;
use fastrand::Rng;

use super::*;

fn source(files: &[&str]) -> SourceIdentity {
    let file = |name: &&str| FileIdentity {
        name: (*name).to_owned(),
        format: FileFormat::Parquet,
        bytes: 10,
        etag: None,
        modified: None,
        footer: String::new(),
    };
    SourceIdentity {
        files: files.iter().map(file).collect(),
        unread_files: vec!["broken".to_owned()],
        columns: None,
        filter: None,
        partition_columns: Vec::new(),
        skips_unreadable: true,
    }
}

fn batch(file: &str, row_group: u32, rows: Range<u64>) -> SourceBatch {
    let numbers = Int64Array::from_iter_values(rows.clone().map(|_| 0));
    let batch = RecordBatch::try_from_iter([("n", Arc::new(numbers) as _)]).unwrap();
    SourceBatch::at(
        batch,
        SourcePosition::new(file.into(), row_group, rows.start),
    )
}

/// What is written down, read again.
fn through_a_file(progress: &Progress, source: &SourceIdentity) -> Progress {
    let written = serde_json::to_vec(&progress.documents()).unwrap();
    let documents: Vec<FileDocument> = serde_json::from_slice(&written).unwrap();
    Progress::read_back(source, &documents).unwrap()
}

#[test]
fn what_is_left_at_any_moment_are_the_rows_without_an_outcome() {
    const ROWS: u64 = 400;
    let files = ["a", "b"];
    let source = source(&files);
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let mut progress = Progress::of(&source);
        let mut open = BTreeSet::new();
        let mut read_to = std::collections::BTreeMap::new();
        for _ in 0..rng.usize(1..120) {
            let (file, row_group) = (files[rng.usize(..2)], rng.u32(..3));
            let next: &mut u64 = read_to.entry((file, row_group)).or_default();
            if *next < ROWS {
                let rows = *next..(*next + rng.u64(1..90)).min(ROWS);
                *next = rows.end;
                assert!(progress.read(&batch(file, row_group, rows.clone())));
                open.extend(rows.map(|row| (file, row_group, row)));
                if *next == ROWS {
                    progress.finish(file, row_group);
                }
            }
            let mut waiting: Vec<_> = open.iter().copied().collect();
            rng.shuffle(&mut waiting);
            for (file, row_group, row) in waiting.into_iter().take(rng.usize(..120)) {
                let position = SourcePosition::new(file.into(), row_group, row);
                assert!(progress.resolve(&position), "seed {seed}");
                assert!(!progress.resolve(&position), "seed {seed}");
                open.remove(&(file, row_group, row));
            }

            let again = through_a_file(&progress, &source);
            let mut left = RowSelection::everything();
            for (&(file, row_group), &read_to) in &read_to {
                let of = open.iter().filter(|at| (at.0, at.1) == (file, row_group));
                let rows = of.map(|&(_, _, row)| row..row + 1);
                let rest = (read_to < ROWS).then_some(read_to..u64::MAX);
                left = left.with_rows(file, row_group, rows.chain(rest));
            }
            assert_eq!(progress.left(), left, "seed {seed}");
            assert_eq!(again.left(), left, "seed {seed}");
            assert_eq!(again.without_outcome(), progress.without_outcome());
        }
    }
}

#[test]
fn what_was_passed_over_is_not_tried_again() {
    let source = source(&["a"]);
    let mut progress = Progress::of(&source);
    let unread = |file: &str, row_group| Unread {
        file: file.into(),
        row_group,
        offset: None,
        rows: None,
        reason: String::new(),
    };
    assert!(!progress.is_begun());
    progress.read(&batch("a", 1, 0..10));
    progress.pass_over(&unread("a", Some(1)));
    progress.pass_over(&unread("broken", None));
    let left = RowSelection::everything()
        .with_rows("a", 1, [0..10])
        .without_file("broken");
    assert_eq!(through_a_file(&progress, &source).left(), left);
    assert!(!progress.read(&batch("unknown", 0, 0..1)));
}

#[test]
fn finished_row_groups_are_a_few_bytes_whatever_they_had() {
    let source = source(&["a"]);
    let mut progress = Progress::of(&source);
    for row_group in 0..1_000 {
        progress.read(&batch("a", row_group, 0..10));
        for row in 0..10 {
            progress.resolve(&SourcePosition::new("a".into(), row_group, row));
        }
        progress.finish("a", row_group);
    }
    let documents = progress.documents();
    assert_eq!(documents[0].finished_row_groups, [[0, 1_000]]);
    assert!(documents[0].begun_row_groups.is_empty());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let source = source(&["a"]);
    let row_group = |without_outcome: &[[u64; 2]]| RowGroupDocument {
        row_group: 7,
        read_to: 100,
        ended: false,
        without_outcome: without_outcome.to_vec(),
    };
    let document = |finished: [u32; 2], begun: Vec<RowGroupDocument>| FileDocument {
        file: "a".to_owned(),
        ended: false,
        finished_row_groups: vec![finished],
        begun_row_groups: begun,
    };
    let read_back = |document: FileDocument| Progress::read_back(&source, &[document]);
    assert!(read_back(document([0, 3], vec![row_group(&[[1, 5], [6, 100]])])).is_ok());
    for wrong in [
        document([3, 3], vec![]),
        document([0, u32::MAX], vec![]),
        document([0, 8], vec![row_group(&[])]),
        document([0, 1], vec![row_group(&[[5, 4]])]),
        document([0, 1], vec![row_group(&[[1, 5], [4, 6]])]),
        document([0, 1], vec![row_group(&[[1, 101]])]),
        FileDocument {
            file: "b".to_owned(),
            ..document([0, 1], vec![])
        },
    ] {
        assert!(read_back(wrong.clone()).is_err(), "{wrong:?}");
    }
}

use std::fs;

use dynasink_arrow::{FileFormat, FileIdentity, SourceIdentity};
use dynasink_core::{
    DeadReason, KeyType, Outcome, OutcomeEvent, OutcomeObserver, SourcePosition, TableSchema,
    Unread, UnreadObserver,
};
use tempfile::TempDir;

use super::*;

fn identity() -> LoadIdentity {
    LoadIdentity {
        source: SourceIdentity {
            files: vec![FileIdentity {
                name: "a".to_owned(),
                format: FileFormat::Parquet,
                bytes: 10,
                etag: None,
                modified: None,
                footer: String::new(),
            }],
            unread_files: Vec::new(),
            columns: None,
            filter: None,
            partition_columns: Vec::new(),
            skips_unreadable: false,
        },
        mapping: "m".to_owned(),
        table: TableIdentity {
            name: "t".to_owned(),
            arn: None,
            id: None,
        },
        dedup: "keep_last".to_owned(),
    }
}

fn begin(folder: &TempDir) -> Checkpoint {
    let letters = DeadLetterFile::create(folder.path().join("dead.jsonl")).unwrap();
    let path = folder.path().join("checkpoint");
    Checkpoint::create(path, identity(), Some(letters)).unwrap()
}

fn resume(folder: &TempDir) -> Result<Checkpoint> {
    Checkpoint::resume(folder.path().join("checkpoint"), &identity())
}

fn read(checkpoint: &Checkpoint, rows: i64) {
    let numbers = arrow_array::Int64Array::from_iter_values(0..rows);
    let batch = arrow_array::RecordBatch::try_from_iter([("n", Arc::new(numbers) as _)]).unwrap();
    let start = SourcePosition::new("a".into(), 0, 0);
    checkpoint.read(&SourceBatch::at(batch, start));
}

fn bury(checkpoint: &Checkpoint, row: u64) {
    let outcome = Outcome::Dead(dead());
    let position = SourcePosition::new("a".into(), 0, row);
    let event = OutcomeEvent {
        position: Some(&position),
        op: None,
        outcome: &outcome,
    };
    OutcomeObserver::observe(checkpoint, &event).unwrap();
}

fn dead() -> DeadReason {
    let table = TableSchema::builder("things").partition_key("id", KeyType::S);
    let refused = table
        .build()
        .unwrap()
        .put_serde(&serde_json::json!({ "n": 1 }));
    DeadReason::of(&refused.unwrap_err())
}

fn letters(folder: &TempDir) -> usize {
    let content = fs::read_to_string(folder.path().join("dead.jsonl")).unwrap();
    content.lines().count()
}

#[tokio::test]
async fn letters_of_rows_that_come_again_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = begin(&folder);
    read(&checkpoint, 10);
    bury(&checkpoint, 3);
    checkpoint.save().await.unwrap();
    bury(&checkpoint, 4);
    bury(&checkpoint, 9);
    assert_eq!(letters(&folder), 3);
    assert_eq!(checkpoint.counts().dead, 3);
    drop(checkpoint);

    let resumed = resume(&folder).unwrap();
    assert_eq!(letters(&folder), 1);
    assert_eq!((resumed.counts().dead, resumed.counts().rows_read), (1, 1));
    bury(&resumed, 4);
    resumed.save().await.unwrap();
    drop(resumed);
    assert_eq!(resume(&folder).unwrap().counts().dead, 2);
    assert_eq!(letters(&folder), 2);
}

#[tokio::test]
async fn letters_that_are_gone_are_missed() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = begin(&folder);
    read(&checkpoint, 10);
    bury(&checkpoint, 3);
    checkpoint.save().await.unwrap();
    drop(checkpoint);
    fs::write(folder.path().join("dead.jsonl"), "{}").unwrap();
    assert!(matches!(
        resume(&folder),
        Err(Error::DeadLettersLost { found: Some(2), .. })
    ));
    fs::remove_file(folder.path().join("dead.jsonl")).unwrap();
    assert!(matches!(
        resume(&folder),
        Err(Error::DeadLettersLost { found: None, .. })
    ));
}

#[test]
fn a_row_is_resolved_once_and_only_after_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = begin(&folder);
    read(&checkpoint, 10);
    let position = SourcePosition::new("a".into(), 0, 10);
    let outcome = Outcome::Skipped;
    let observe = |position| {
        let event = OutcomeEvent {
            position,
            op: None,
            outcome: &outcome,
        };
        OutcomeObserver::observe(&checkpoint, &event)
    };
    assert!(observe(Some(&position)).is_err());
    assert!(observe(None).is_err());
}

#[tokio::test]
async fn a_table_that_was_still_to_be_made_is_known_once_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = begin(&folder);
    assert!(checkpoint.awaits_table());
    let of_id = |id: &str| TableIdentity {
        id: Some(id.to_owned()),
        ..TableIdentity::to_be_made("t")
    };
    checkpoint.set_table(of_id("1")).await.unwrap();
    drop(checkpoint);
    let checkpoint = resume(&folder).unwrap();
    assert!(!checkpoint.awaits_table());
    checkpoint.check_table(&of_id("1")).unwrap();
    let other = checkpoint.set_table(of_id("2")).await;
    assert!(
        matches!(other, Err(Error::CheckpointOfAnotherLoad { .. })),
        "{other:?}"
    );
    checkpoint.remove().unwrap();
    drop(checkpoint);
    assert!(matches!(
        resume(&folder),
        Err(Error::CheckpointMissing { .. })
    ));
}

#[tokio::test]
async fn changes_of_a_table_are_on_the_disk_before_they_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = begin(&folder);
    let changes = Some(TableChanges::default());
    checkpoint.set_table_changes(changes.clone()).await.unwrap();
    drop(checkpoint);
    assert_eq!(resume(&folder).unwrap().table_changes(), changes);
}

#[test]
fn what_cannot_be_understood_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    drop(begin(&folder));
    let path = folder.path().join("checkpoint");
    let content = fs::read_to_string(&path).unwrap();
    let reason = |content: &str| {
        fs::write(&path, content).unwrap();
        resume(&folder).unwrap_err().to_string()
    };
    assert!(reason("").contains("it is empty"));
    assert!(reason(content.get(..100).unwrap()).contains("it is damaged"));
    assert!(reason("[]").contains("it is damaged"));
    let newer = content.replacen("\"format\": 1", "\"format\": 9", 1);
    assert!(reason(&newer).contains("the format 9"));
    let other = content.replacen("keep_last", "keep_first", 1);
    assert!(reason(&other).contains("rows of one key"));
    fs::write(&path, content).unwrap();
    assert!(resume(&folder).is_ok());
}

#[tokio::test]
async fn letters_of_another_load_are_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = begin(&folder);
    read(&checkpoint, 10);
    checkpoint.save().await.unwrap();
    drop(checkpoint);
    // The file was empty, so that another load could take its name.
    let others = DeadLetterFile::create(folder.path().join("dead.jsonl")).unwrap();
    let reason = Outcome::Dead(dead());
    let event = OutcomeEvent {
        position: None,
        op: None,
        outcome: &reason,
    };
    OutcomeObserver::observe(&others, &event).unwrap();
    drop(others);
    assert!(matches!(
        resume(&folder),
        Err(Error::DeadLettersOfAnotherLoad { .. })
    ));
    assert_eq!(letters(&folder), 1);
}

#[tokio::test]
async fn only_letters_of_what_comes_again_are_cut() {
    let letter = |row_group: u32, row: u64| {
        let position = format!(r#"{{"file":"a","row_group":{row_group},"row":{row}}}"#);
        format!("{{\"position\":{position},\"code\":\"c\",\"reason\":\"\"}}\n")
    };
    let unread = |row_group: u32| {
        let part = format!(r#"{{"file":"a","row_group":{row_group}}}"#);
        format!("{{\"unread\":{part},\"code\":\"c\",\"reason\":\"\"}}\n")
    };
    for (tail, is_cut) in [
        // On its way, and not read yet.
        (letter(0, 4), true),
        (letter(0, 700) + &letter(3, 0) + &unread(3), true),
        // What a machine without power leaves.
        (letter(0, 4) + r#"{"posi"#, true),
        (r#"{"position":{"file":"#.to_owned(), true),
        (letter(0, 4) + &letter(0, 3), false),
        (unread(2), false),
        (letter(2, 5), false),
        ("{\"position\":null,\"code\":\"c\"}\n".to_owned(), false),
        ("my notes".to_owned(), false),
        ("my notes\n".to_owned(), false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dead.jsonl");
        let checkpoint = begin(&folder);
        read(&checkpoint, 10);
        bury(&checkpoint, 3);
        let not_read = Unread {
            file: "a".into(),
            row_group: Some(2),
            offset: None,
            rows: None,
            reason: "bad page".to_owned(),
        };
        UnreadObserver::observe(&checkpoint, &not_read).unwrap();
        checkpoint.save().await.unwrap();
        drop(checkpoint);
        let kept = fs::read_to_string(&path).unwrap();
        fs::write(&path, kept.clone() + &tail).unwrap();
        let resumed = resume(&folder);
        let left = fs::read_to_string(&path).unwrap();
        if is_cut {
            assert!(resumed.is_ok(), "{tail}: {resumed:?}");
            assert_eq!(left, kept, "{tail}");
        } else {
            let refused = matches!(resumed, Err(Error::DeadLettersOfAnotherLoad { .. }));
            assert!(refused, "{tail}: {resumed:?}");
            assert_eq!(left, kept + &tail);
        }
    }
}

#[tokio::test]
async fn letters_that_count_are_known_by_their_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let checkpoint = begin(&folder);
    read(&checkpoint, 10);
    bury(&checkpoint, 3);
    checkpoint.save().await.unwrap();
    drop(checkpoint);
    let kept = fs::read_to_string(&path).unwrap();
    fs::write(&path, kept.replace("\"row\":3", "\"row\":4")).unwrap();
    assert!(matches!(
        resume(&folder),
        Err(Error::DeadLettersOfAnotherLoad { .. })
    ));
    fs::write(&path, &kept).unwrap();
    // Those of the next run count with those of the one before.
    for row in [4, 5] {
        let resumed = resume(&folder).unwrap();
        bury(&resumed, row);
        resumed.save().await.unwrap();
    }
    assert!(resume(&folder).is_ok());
    assert_eq!(letters(&folder), 3);
}

#[tokio::test]
async fn a_letter_that_was_written_in_part_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let checkpoint = begin(&folder);
    read(&checkpoint, 10);
    bury(&checkpoint, 3);
    // What a full disk leaves of a letter, whose row has no outcome then.
    let mut content = fs::read(&path).unwrap();
    content.extend_from_slice(br#"{"position":{"file":"a""#);
    fs::write(&path, content).unwrap();
    checkpoint.save().await.unwrap();
    drop(checkpoint);

    let resumed = resume(&folder).unwrap();
    bury(&resumed, 4);
    for line in fs::read_to_string(&path).unwrap().lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

use std::fs;

use std::time::Duration;

use dynasink_core::{DeadReason, KeyType, TableSchema};

use super::*;

fn dead() -> Outcome {
    Outcome::Dead(DeadReason {
        code: "invalid".to_owned(),
        message: "no \"good\"".to_owned(),
        attempts: 2,
        tried_for: Duration::from_millis(1_500),
        value: None,
    })
}

#[test]
fn a_letter_has_position_reason_and_item() {
    let folder = tempfile::tempdir().unwrap();
    let noon = || SystemTime::UNIX_EPOCH + Duration::from_hours(12);
    let path = folder.path().join("dead.jsonl");
    let letters = DeadLetterFile::create_with_calendar(path, noon).unwrap();
    let table = TableSchema::builder("users")
        .partition_key("id", KeyType::S)
        .build()
        .unwrap();
    let op = table
        .put_serde(&serde_json::json!({ "id": "a\nb", "n": 1.5 }))
        .unwrap();
    let op = op.at(SourcePosition::new("a.parquet".into(), 1, 7));
    OutcomeObserver::observe(&letters, &OutcomeEvent::of(&op, &dead())).unwrap();
    OutcomeObserver::observe(
        &letters,
        &OutcomeEvent::of(&op, &Outcome::Written { attempts: 1 }),
    )
    .unwrap();
    assert!(letters.finish().unwrap());

    let text = fs::read_to_string(letters.path()).unwrap();
    assert_eq!(text.lines().count(), 1);
    let expected = serde_json::json!({
        "position": { "file": "a.parquet", "row_group": 1, "row": 7 },
        "code": "invalid",
        "reason": "no \"good\"",
        "attempts": 2,
        "first_attempt": "1970-01-01T11:59:58.500Z",
        "last_attempt": "1970-01-01T12:00:00.000Z",
        "table": "users",
        "action": "put",
        "item": { "id": { "S": "a\nb" }, "n": { "N": "1.5" } },
    });
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        expected
    );
}

#[test]
fn what_was_not_read_is_a_letter_too() {
    let folder = tempfile::tempdir().unwrap();
    let letters = DeadLetterFile::create(folder.path().join("dead.jsonl")).unwrap();
    let unread = Unread {
        file: "a.parquet".into(),
        row_group: Some(3),
        offset: None,
        rows: Some(10),
        reason: "bad page".to_owned(),
    };
    UnreadObserver::observe(&letters, &unread).unwrap();
    assert!(letters.finish().unwrap());
    let expected = serde_json::json!({
        "unread": { "file": "a.parquet", "row_group": 3, "offset": null, "rows": 10 },
        "code": "unreadable",
        "reason": "bad page",
    });
    let text = fs::read_to_string(letters.path()).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        expected
    );
}

#[test]
fn another_loads_letters_are_not_touched_and_an_empty_file_does_not_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    assert!(!DeadLetterFile::create(&path).unwrap().finish().unwrap());
    assert!(!path.exists());
    fs::write(&path, "{}\n").unwrap();
    assert!(matches!(
        DeadLetterFile::create(&path),
        Err(Error::DeadLettersExist { .. })
    ));
    assert!(matches!(
        DeadLetterFile::create(folder.path()),
        Err(Error::DeadLetters { .. })
    ));
}

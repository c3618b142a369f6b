//! `--resume`, and when it is refused.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use arrow_array::{Int64Array, StringArray};
use assert_cmd::Command;
use dynasink_sim::EmbeddedStore;
use serde_json::Value;

use crate::workplace::{Workplace, assert_refused, column, stderr};

const CREATE: [&str; 3] = ["--create-table", "--partition-key", "id"];
const CHECKPOINT: [&str; 2] = ["--checkpoint", "load.checkpoint"];

/// A thousand rows in ten row groups, of which one in the first has no key.
fn source(workplace: &Workplace) -> PathBuf {
    let id = |row: i64| (row != 50).then(|| format!("key {row}"));
    let columns = vec![
        ("id", column((0..1_000).map(id).collect::<StringArray>())),
        ("n", column(Int64Array::from_iter_values(0..1_000))),
    ];
    workplace.parquet("rows.parquet", 100, columns)
}

/// A load that has stopped at its first bad row.
fn stopped(workplace: &Workplace) -> PathBuf {
    let file = source(workplace);
    let mut load = workplace.load(&[&file], &CREATE);
    load.args(CHECKPOINT).args(["--max-errors", "0"]);
    let said = stderr(&load.assert().code(3));
    assert!(said.contains("run it again with --resume"), "{said}");
    file
}

fn resume(workplace: &Workplace, file: &Path, more: &[&str]) -> Command {
    let mut load = workplace.load(&[file], &[]);
    load.args(CHECKPOINT).arg("--resume").args(more);
    load
}

fn json(mut load: Command, status: i32) -> Value {
    let assert = load.arg("--json").assert().code(status);
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

#[test]
fn a_load_goes_on_and_is_then_complete() {
    let workplace = Workplace::new();
    let file = stopped(&workplace);

    let report = json(resume(&workplace, &file, &[]), 1);
    assert_eq!(report["end"], "complete");
    assert_eq!(report["resumed"], true);
    assert_eq!(report["rows_read"], 1_000);
    assert_eq!(report["items_written"], 999);
    assert_eq!(report["dead"], 1);
    let letters = fs::read_to_string(workplace.path("things.dead-letters.jsonl")).unwrap();
    assert_eq!(letters.lines().count(), 1);

    // Once more there is nothing to do, and the status is that of the load.
    let again = json(resume(&workplace, &file, &[]), 1);
    assert_eq!(
        (&again["end"], &again["rows_read"]),
        (&"complete".into(), &1_000.into())
    );
    let names =
        |report: &Value| -> Vec<String> { report.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&again), names(&report), "it is the same report");
}

#[test]
fn a_checkpoint_is_asked_for_and_never_guessed() {
    let workplace = Workplace::new();
    let file = stopped(&workplace);
    let mut again = workplace.load(&[&file], &CHECKPOINT);
    again.args(["--dead-letters", "other.jsonl"]);
    assert_refused(again, &["load.checkpoint exists", "--resume"]);
    let missing = ["--checkpoint", "other.checkpoint", "--resume"];
    assert_refused(
        workplace.load(&[&file], &missing),
        &[
            "there is no checkpoint other.checkpoint",
            "leave out --resume",
        ],
    );
    workplace.load(&[&file], &["--resume"]).assert().code(2);
    let held = File::options()
        .write(true)
        .open(workplace.path("load.checkpoint"))
        .unwrap();
    held.lock().unwrap();
    assert_refused(resume(&workplace, &file, &[]), &["another load is using"]);
}

#[test]
fn what_has_changed_since_is_refused_and_named() {
    let workplace = Workplace::new();
    let file = stopped(&workplace);
    let refused = |more: &[&str], parts: &[&str]| {
        assert_refused(resume(&workplace, &file, more), parts);
    };
    refused(
        &["--where", "n < 10"],
        &["the condition for rows was none", "n < 10"],
    );
    refused(
        &["--columns", "id"],
        &["the columns that are read were all"],
    );
    refused(
        &["--unreadable", "skip"],
        &["what cannot be read was an error"],
    );
    refused(&["--dedup", "keep-first"], &["keep_last", "keep_first"]);
    refused(
        &["--dead-letters", "other.jsonl"],
        &["things.dead-letters.jsonl"],
    );
    fs::write(
        workplace.path("m.toml"),
        "[columns]\nn = { rename = \"m\" }\n",
    )
    .unwrap();
    refused(&["--mapping", "m.toml"], &["the mapping makes other items"]);
    let other = workplace.path("other.parquet");
    fs::copy(&file, &other).unwrap();
    let other = other.to_str().unwrap();
    refused(&[other], &["other.parquet was not among the sources"]);

    let letters = workplace.path("things.dead-letters.jsonl");
    let kept = fs::read(&letters).unwrap();
    fs::remove_file(&letters).unwrap();
    refused(&[], &["things.dead-letters.jsonl is gone"]);
    fs::write(&letters, &kept[1..]).unwrap();
    let (has, had) = (kept.len() - 1, kept.len());
    refused(&[], &[&format!("has {has} bytes, and had {had} when")]);
    fs::write(&letters, &kept).unwrap();

    let checkpoint = workplace.path("load.checkpoint");
    let content = fs::read_to_string(&checkpoint).unwrap();
    fs::write(&checkpoint, content.get(..content.len() / 2).unwrap()).unwrap();
    refused(&[], &["load.checkpoint", "it is damaged"]);
    fs::write(
        &checkpoint,
        content.replacen("\"format\": 1", "\"format\": 2", 1),
    )
    .unwrap();
    refused(&[], &["it has the format 2"]);
    fs::write(&checkpoint, &content).unwrap();

    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let touch = |time: SystemTime| File::open(&file).unwrap().set_modified(time).unwrap();
    touch(SystemTime::UNIX_EPOCH);
    refused(&[], &["rows.parquet has changed", "it was written since"]);
    let original = fs::read(&file).unwrap();
    workplace.parquet(
        "rows.parquet",
        10,
        vec![("id", column(StringArray::from(vec!["a"])))],
    );
    refused(&[], &["rows.parquet has changed", "its size is another"]);
    fs::write(&file, original).unwrap();
    touch(modified);

    // Nothing of all that has done any harm.
    let report = json(resume(&workplace, &file, &[]), 1);
    assert_eq!(
        (&report["rows_read"], &report["items_written"]),
        (&1_000.into(), &999.into())
    );
}

#[tokio::test]
async fn a_table_that_was_made_again_is_another() {
    let workplace = Workplace::new();
    let file = stopped(&workplace);
    let store = EmbeddedStore::open(workplace.path("store.db")).unwrap();
    let deleted = store.client().delete_table().table_name("things").send();
    deleted.await.unwrap();
    drop(store);
    assert_refused(
        resume(&workplace, &file, &CREATE),
        &["table things is gone", "remove the checkpoint"],
    );
    workplace
        .load(&[&file], &CREATE)
        .args(["--dead-letters", "other.jsonl"])
        .assert()
        .code(1);
    assert_refused(
        resume(&workplace, &file, &[]),
        &["table things is not the one", "its id was"],
    );
}

#[test]
fn the_first_row_of_a_key_stays_the_first_when_a_load_goes_on() {
    let workplace = Workplace::new();
    // Every key comes twice, nine hundred rows apart, and the load stops in between.
    let id = |row: i64| (row != 50).then(|| format!("key {}", row % 900));
    let columns = vec![
        ("id", column((0..1_800).map(id).collect::<StringArray>())),
        ("n", column(Int64Array::from_iter_values(0..1_800))),
    ];
    let file = workplace.parquet("rows.parquet", 100, columns);
    let mut load = workplace.load(&[&file], &CREATE);
    load.args(CHECKPOINT)
        .args(["--dedup", "keep-first", "--max-errors", "0"]);
    load.assert().code(3);
    let report = json(resume(&workplace, &file, &["--dedup", "keep-first"]), 1);
    assert_eq!(report["items_written"], 900, "{report}");
    assert_eq!(report["superseded"], 899);
    assert_eq!(report["rows_read"], 1_800);
}

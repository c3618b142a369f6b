//! Loads of captured changes: made keys, deletes, rows that are passed over, and the greatest version of each key.

use std::fs;
use std::path::PathBuf;

use arrow_array::{Int64Array, StringArray};
use serde_json::{Value, json};

use crate::workplace::{Workplace, assert_refused, column, stderr};

const CREATE: [&str; 3] = ["--create-table", "--partition-key", "pk"];

fn changes(workplace: &Workplace) -> PathBuf {
    let ops = vec!["c", "u", "u", "d", "c", "t", "c"];
    let ids = vec!["a", "a", "b", "b", "b", "b", "C"];
    let versions = Int64Array::from(vec![3, 2, 1, 9, 5, 1, 1]);
    workplace.parquet(
        "changes.parquet",
        3,
        vec![
            ("op", column(StringArray::from(ops))),
            ("id", column(StringArray::from(ids))),
            ("v", column(versions)),
        ],
    )
}

fn mapping(workplace: &Workplace, version: &str) {
    let text = format!(
        "[attributes]\npk = \"USER#{{id}}\"\n[operation]\ncolumn = \"op\"\npreset = \"debezium\"\nskip = [\"t\"]\n{version}"
    );
    fs::write(workplace.path("mapping.toml"), text).unwrap();
}

#[test]
fn the_greatest_version_of_each_key_stays_and_deletes_take_part() {
    let workplace = Workplace::new();
    let file = changes(&workplace);
    mapping(&workplace, "[version]\ncolumn = \"v\"\n");
    let mut load = workplace.load(&[&file], &CREATE);
    let assert = load
        .args(["--mapping", "mapping.toml", "--json"])
        .assert()
        .code(0);
    let report: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    let counts = [
        "rows_read",
        "items_written",
        "items_deleted",
        "superseded",
        "skipped",
        "dead",
    ];
    assert_eq!(
        counts.map(|count| report[count].clone()),
        [7, 2, 1, 3, 1, 0].map(|count| json!(count)),
        "{report}"
    );
}

#[test]
fn another_row_is_kept_if_that_is_asked_for() {
    let workplace = Workplace::new();
    let file = changes(&workplace);
    mapping(&workplace, "[version]\ncolumn = \"v\"\n");
    let mut load = workplace.load(&[&file], &CREATE);
    let assert = load
        .args(["--mapping", "mapping.toml", "--dedup", "keep-last"])
        .assert()
        .code(0);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    for line in ["written      3", "superseded   3", "skipped      1"] {
        assert!(text.contains(line), "{line:?} is not in: {text}");
    }
}

#[test]
fn the_greatest_of_no_versions_is_refused() {
    let workplace = Workplace::new();
    let file = changes(&workplace);
    mapping(&workplace, "");
    let mut load = workplace.load(&[&file], &CREATE);
    load.args(["--mapping", "mapping.toml", "--dedup", "keep-greatest"]);
    assert_refused(
        load,
        &["--dedup keep-greatest needs the version of each row"],
    );
}

#[test]
fn a_key_that_two_rows_could_share_is_warned_of() {
    let workplace = Workplace::new();
    let file = changes(&workplace);
    let text = "[attributes]\npk = \"USER#{id|lower}\"\n";
    fs::write(workplace.path("mapping.toml"), text).unwrap();
    let mut load = workplace.load(&[&file], &CREATE);
    let assert = load.args(["--mapping", "mapping.toml"]).assert().code(0);
    let message = stderr(&assert);
    assert!(message.contains("\"id\""), "{message}");
    assert!(message.contains("can have one text"), "{message}");
}

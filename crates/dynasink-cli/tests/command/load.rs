//! What `dynasink load` writes, reports and exits with.

use std::fs;

use crate::workplace::{Workplace, column, real, stderr};
use arrow_array::{Float64Array, Int64Array, StringArray};
use serde_json::{Value, json};

/// Runs a load that ends with `code` and gives its JSON report.
#[track_caller]
fn report(mut load: assert_cmd::Command, code: i32) -> Value {
    let assert = load.arg("--json").assert().code(code);
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

#[test]
fn a_real_file_is_written_and_reported() {
    let workplace = Workplace::new();
    let planes = real("nycflights13_planes.parquet");
    let load = || {
        workplace.load(
            &[&planes],
            &["--create-table", "--partition-key", "tailnum"],
        )
    };
    let first = report(load(), 0);
    let expected = json!({
        "table": "things", "end": "complete", "rows_read": 3322, "items_written": 3322, "items_deleted": 0,
        "superseded": 0, "skipped": 0, "dead": 0, "requests": 133, "retried_ops": 0, "throttled_ops": 0, "sent_ops": 3322,
        "refused": {"table": 0, "index": 0, "hot_key": 0, "account": 0, "on_demand_maximum": 0, "unsaid": 0},
        "failed_requests": {"service": 0, "unanswered": 0, "other": 0},
        "consumed_write_units": 3322, "consumed_index_units": 0, "unresolved": 0, "unread": 0, "unread_rows": 0, "elapsed_seconds": first["elapsed_seconds"],
        "dead_letters": null, "first_dead": null, "item_collections": [], "error": null, "notices": [], "resumed": false,
    });
    assert_eq!(first, expected);
    assert!(first["elapsed_seconds"].is_f64());
    assert_eq!(
        report(load(), 0)["items_written"],
        3322,
        "loading again does no harm"
    );
    assert_eq!(
        workplace
            .files()
            .iter()
            .filter(|name| !name.starts_with("store.db"))
            .count(),
        0
    );
}

#[test]
fn the_report_for_people_says_the_same() {
    let workplace = Workplace::new();
    let airlines = real("nycflights13_airlines.parquet");
    let assert = workplace
        .load(
            &[&airlines],
            &["--create-table", "--partition-key", "carrier:S"],
        )
        .assert()
        .code(0);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(
        text.contains("table things: 16 rows read") && text.contains("written      16"),
        "{text}"
    );
}

fn rows_of_which_some_are_bad(workplace: &Workplace) -> std::path::PathBuf {
    let ids = StringArray::from(vec![
        Some("a"),
        None,
        Some(""),
        Some("d"),
        Some("e"),
        Some("f"),
    ]);
    let huge = "x".repeat(410 * 1024);
    let texts = StringArray::from(vec!["1", "2", "3", huge.as_str(), "5", "6"]);
    let numbers = Float64Array::from(vec![1.0, 2.0, 3.0, 4.0, f64::NAN, 6.0]);
    let columns = vec![
        ("id", column(ids)),
        ("text", column(texts)),
        ("number", column(numbers)),
    ];
    workplace.parquet("rows.parquet", 4, columns)
}

#[test]
fn rows_that_the_service_would_refuse_are_dead_letters_and_all_others_are_written() {
    let workplace = Workplace::new();
    let file = rows_of_which_some_are_bad(&workplace);
    let report = report(
        workplace.load(&[&file], &["--create-table", "--partition-key", "id"]),
        1,
    );
    assert_eq!(
        (
            &report["items_written"],
            &report["dead"],
            &report["unresolved"]
        ),
        (&json!(2), &json!(4), &json!(0))
    );
    assert_eq!(report["dead_letters"], "things.dead-letters.jsonl");

    let letters = fs::read_to_string(workplace.path("things.dead-letters.jsonl")).unwrap();
    let letters: Vec<Value> = letters
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // Two row groups of keys that are apart are read at the same time.
    let mut found: Vec<_> = letters
        .iter()
        .map(|letter| {
            let position = &letter["position"];
            assert!(position["file"].as_str().unwrap().ends_with("rows.parquet"));
            assert!(!letter["reason"].as_str().unwrap().is_empty());
            (
                position["row_group"].as_u64(),
                position["row"].as_u64(),
                letter["code"].as_str(),
            )
        })
        .collect();
    let expected = [
        (Some(0), Some(1), Some("missing_key")),
        (Some(0), Some(2), Some("empty_key")),
        (Some(0), Some(3), Some("item_too_large")),
        (Some(1), Some(0), Some("number")),
    ];
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn more_dead_rows_than_allowed_stop_the_load() {
    let workplace = Workplace::new();
    let file = rows_of_which_some_are_bad(&workplace);
    let create = ["--create-table", "--partition-key", "id", "--max-errors"];
    let stopped = report(workplace.load(&[&file], &[&create[..], &["3"]].concat()), 3);
    assert_eq!(
        (&stopped["end"], &stopped["unresolved"]),
        (&json!("too_many_errors"), &json!(0))
    );
    fs::remove_file(workplace.path("things.dead-letters.jsonl")).unwrap();
    let tolerated = report(workplace.load(&[&file], &[&create[..], &["4"]].concat()), 1);
    assert_eq!(tolerated["end"], "complete");
    fs::remove_file(workplace.path("things.dead-letters.jsonl")).unwrap();
    assert_eq!(
        report(
            workplace.load(&[&file], &[&create[..], &["60%"]].concat()),
            3
        )["end"],
        "too_many_errors"
    );
}

#[test]
fn the_last_row_can_be_the_one_too_many() {
    let workplace = Workplace::new();
    let ids = Int64Array::from(vec![Some(1), Some(2), None]);
    let file = workplace.parquet("rows.parquet", 10, vec![("id", column(ids))]);
    let args = [
        "--create-table",
        "--partition-key",
        "id",
        "--max-errors",
        "0",
    ];
    let stopped = report(workplace.load(&[&file], &args), 3);
    assert_eq!(
        (&stopped["end"], &stopped["items_written"]),
        (&json!("too_many_errors"), &json!(2))
    );
}

#[test]
fn rows_of_one_key_are_treated_as_asked() {
    let workplace = Workplace::new();
    let ids = Int64Array::from(vec![1, 2, 1, 1]);
    let texts = StringArray::from(vec!["first", "only", "second", "last"]);
    let file = workplace.parquet(
        "rows.parquet",
        10,
        vec![("id", column(ids)), ("text", column(texts))],
    );
    let load = |policy: &str| {
        workplace.load(
            &[&file],
            &["--create-table", "--partition-key", "id", "--dedup", policy],
        )
    };
    for (policy, written, superseded) in [("keep-last", 2, 2), ("keep-first", 2, 2), ("off", 4, 0)]
    {
        let report = report(load(policy), 0);
        assert_eq!(
            (&report["items_written"], &report["superseded"]),
            (&json!(written), &json!(superseded)),
            "{policy}"
        );
    }
    let failed = load("error").arg("--json").assert().code(3);
    assert!(
        stderr(&failed).contains("row group 0, row 2"),
        "{}",
        stderr(&failed)
    );
    let report: Value = serde_json::from_slice(&failed.get_output().stdout).unwrap();
    assert_eq!(report["end"], "failed");
    assert_eq!(report["rows_read"], 4);
}

#[test]
fn parts_that_were_not_read_are_told_with_their_file_once_and_count_as_errors() {
    let damaged = real("../../crates/dynasink-arrow/tests/data/page_checksum_wrong.parquet");
    let name = damaged.display().to_string();
    let create = ["--create-table", "--partition-key", "id"];
    for (more, code, ending) in [
        (vec![], 1, "s"),
        (
            vec!["--max-errors", "0"],
            3,
            ", stopped for too many rows that were not read",
        ),
    ] {
        let workplace = Workplace::new();
        let mut load = workplace.load(&[&damaged], &create);
        load.args(["--unreadable", "skip"]).args(more);
        let assert = load.assert().code(code);
        let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
        assert!(text.lines().next().unwrap().ends_with(ending), "{text}");
        assert_eq!(text.matches(&name).count(), 1, "{text}");
    }
}

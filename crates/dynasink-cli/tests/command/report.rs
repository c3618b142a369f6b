//! What `--report` leaves behind of a load.

use std::fs;
use std::path::Path;

use arrow_array::{Int64Array, StringArray};
use serde_json::{Value, json};

use crate::workplace::{Workplace, assert_refused, column, real};

const CREATE: [&str; 3] = ["--create-table", "--partition-key", "id"];

fn ids(workplace: &Workplace, name: &str, ids: Vec<Option<i64>>) -> std::path::PathBuf {
    workplace.parquet(name, 100, vec![("id", column(Int64Array::from(ids)))])
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The data that a page holds.
fn data_of(page: &str) -> Value {
    let (_, after) = page.split_once("type=\"application/json\"").unwrap();
    let (_, after) = after.split_once('>').unwrap();
    let (data, _) = after.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

fn sum(report: &Value, count: impl Fn(&Value) -> &Value) -> u64 {
    let points = report["timeline"].as_array().unwrap();
    points
        .iter()
        .map(|point| count(point).as_u64().unwrap())
        .sum()
}

/// Every count of the summary that is one of time, too.
#[track_caller]
pub(crate) fn assert_sums(report: &Value) {
    let summary = &report["summary"];
    for count in ["rows_read", "requests", "sent_ops"] {
        assert_eq!(
            json!(sum(report, |point| &point[count])),
            summary[count],
            "{count}"
        );
    }
    for cause in [
        "table",
        "index",
        "hot_key",
        "account",
        "on_demand_maximum",
        "unsaid",
    ] {
        let over_time = sum(report, |point| &point["refused"][cause]);
        assert_eq!(json!(over_time), summary["refused"][cause], "{cause}");
    }
    let all = |names: &[&str]| {
        names
            .iter()
            .map(|name| summary[name].as_u64().unwrap())
            .sum::<u64>()
    };
    let written = all(&["items_written", "items_deleted"]);
    assert_eq!(sum(report, |point| &point["rows_written"]), written);
    assert_eq!(
        sum(report, |point| &point["rows_resolved"]),
        written + all(&["superseded", "skipped", "dead"])
    );
}

#[test]
fn a_page_and_its_data_say_what_the_load_has_done() {
    let workplace = Workplace::new();
    let planes = real("nycflights13_planes.parquet");
    let args = [
        "--create-table",
        "--partition-key",
        "tailnum",
        "--report",
        "load.html",
        "--report",
        "load.json",
        "--json",
    ];
    let assert = workplace.load(&[&planes], &args).assert().code(0);
    let printed: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();

    let report = json_of(&workplace.path("load.json"));
    assert_eq!(report["summary"], printed);
    assert_sums(&report);
    assert_eq!(sum(&report, |point| &point["table_units"]), 3322);
    let settings = &report["settings"];
    assert_eq!(
        settings["sources"],
        json!([{"file": planes.display().to_string(), "rows": 3322}])
    );
    assert_eq!(
        (&settings["rate"], &settings["dedup"]),
        (&json!("auto"), &json!("keep-last"))
    );
    assert!(
        report["latency"]["p50_ms"].as_f64().unwrap() > 0.0,
        "{report}"
    );

    let page = fs::read_to_string(workplace.path("load.html")).unwrap();
    assert!(
        page.contains("Complete.") && page.contains("<td>3,322</td>"),
        "{page}"
    );
    assert_eq!(data_of(&page), report);
    let left: Vec<_> = workplace
        .files()
        .into_iter()
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn dead_rows_are_told_and_a_file_of_that_name_is_replaced() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "rows.parquet", vec![Some(1), None, Some(3)]);
    fs::write(workplace.path("load.html"), "an older report").unwrap();
    let report = [&CREATE[..], &["--report", "load.html"]].concat();
    workplace.load(&[&file], &report).assert().code(1);
    let page = fs::read_to_string(workplace.path("load.html")).unwrap();
    assert!(page.contains("rows that are not in the table"), "{page}");
    assert!(page.contains("things.dead-letters.jsonl"), "{page}");
    let data = data_of(&page);
    assert_eq!(
        (&data["summary"]["dead"], &data["summary"]["items_written"]),
        (&json!(1), &json!(2))
    );
    assert_sums(&data);
}

#[test]
fn a_load_that_fails_leaves_its_report() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "rows.parquet", vec![Some(1), Some(2), Some(1)]);
    let report = [&CREATE[..], &["--dedup", "error", "--report", "load.html"]].concat();
    workplace.load(&[&file], &report).assert().code(3);
    let page = fs::read_to_string(workplace.path("load.html")).unwrap();
    assert!(
        page.contains("Failed.") && page.contains("What to do"),
        "{page}"
    );
    assert_eq!(data_of(&page)["summary"]["end"], "failed");
}

#[test]
fn a_load_of_no_rows_has_a_report_of_nothing() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "rows.parquet", Vec::new());
    let report = [&CREATE[..], &["--report", "load.html"]].concat();
    workplace.load(&[&file], &report).assert().code(0);
    let page = fs::read_to_string(workplace.path("load.html")).unwrap();
    assert!(!page.contains("NaN"), "{page}");
    assert_eq!(data_of(&page)["latency"], Value::Null);
}

#[test]
fn names_of_files_and_rows_are_text_in_the_page() {
    let workplace = Workplace::new();
    let name = "<script>alert(1)<&amp;\"'.parquet";
    let texts = StringArray::from(vec![Some("<img src=x>"), None]);
    let file = workplace.parquet(name, 10, vec![("id", column(texts))]);
    let report = [
        &CREATE[..],
        &["--report", "load.html", "--report", "load.json"],
    ]
    .concat();
    workplace.load(&[&file], &report).assert().code(1);
    let page = fs::read_to_string(workplace.path("load.html")).unwrap();
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    let found = &data_of(&page)["settings"]["sources"][0]["file"];
    assert!(found.as_str().unwrap().ends_with(name), "{found}");
    assert_eq!(data_of(&page), json_of(&workplace.path("load.json")));
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_anything_is() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "rows.parquet", vec![Some(1)]);
    fs::create_dir(workplace.path("folder.json")).unwrap();
    for (path, reason) in [
        ("load.txt", "FILE.html or a FILE.json"),
        ("load", "FILE.html or a FILE.json"),
        ("missing/load.html", "missing/load.html cannot be written"),
        ("folder.json", "folder.json cannot be written"),
    ] {
        let report = [&CREATE[..], &["--report", path]].concat();
        assert_refused(workplace.load(&[&file], &report), &[reason]);
    }
    assert!(!workplace.path("store.db").exists());
}

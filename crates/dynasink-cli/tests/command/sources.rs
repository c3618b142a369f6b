//! Which files a command reads, by how its sources are written.

use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::{Int64Array, StringArray};
use serde_json::Value;

use crate::workplace::{Workplace, assert_refused, column};

/// Writes a Parquet file of one row at `name`, whose folders are made.
fn file(workplace: &Workplace, name: &str, id: i64) -> PathBuf {
    fs::create_dir_all(workplace.path(name).parent().unwrap()).unwrap();
    let ids = column(Int64Array::from(vec![id]));
    workplace.parquet(name, 10, vec![("id", ids)])
}

/// Loads with these arguments, and gives the report.
#[track_caller]
fn report(workplace: &Workplace, arguments: &[&str]) -> Value {
    let assert = workplace
        .load(&[], arguments)
        .args(["--create-table", "--json"])
        .assert()
        .code(0);
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

#[test]
fn folders_patterns_and_manifests_are_read_together() {
    let workplace = Workplace::new();
    file(&workplace, "whole/a/1.parquet", 1);
    file(&workplace, "whole/2.parquet", 2);
    file(&workplace, "some/3.parquet", 3);
    file(&workplace, "some/not-this.parquet", 4);
    file(&workplace, "listed/5.parquet", 5);
    fs::write(workplace.path("whole/_SUCCESS"), "").unwrap();
    fs::write(workplace.path("listed/list.txt"), "# one\n5.parquet\n").unwrap();
    let sources = [
        "whole",
        "some/[0-9].parquet",
        "--manifest",
        "listed/list.txt",
    ];
    let report = report(
        &workplace,
        &[&sources as &[_], &["--partition-key", "id"]].concat(),
    );
    assert_eq!(report["items_written"], 4);
}

#[test]
fn a_manifest_alone_is_enough_and_no_source_is_not() {
    let workplace = Workplace::new();
    file(&workplace, "1.parquet", 1);
    fs::write(workplace.path("list.txt"), "1.parquet\n").unwrap();
    let written = report(
        &workplace,
        &["--manifest", "list.txt", "--partition-key", "id"],
    );
    assert_eq!(written["items_written"], 1);
    assert_refused(workplace.load(&[], &[]), &["nothing to read", "--manifest"]);
}

#[test]
fn folders_may_give_the_key() {
    let workplace = Workplace::new();
    for (day, id) in [("2024-01-01", 1), ("2024-01-02", 1), ("2024-01-02", 2)] {
        file(&workplace, &format!("t/day={day}/{id}.parquet"), id);
    }
    let keys = ["--partition-key", "day:S", "--sort-key", "id:N"];
    let report = report(&workplace, &[&["t"] as &[_], &keys].concat());
    assert_eq!(report["items_written"], 3);
    // Without them there is no such column.
    let off = [&["t", "--hive", "off", "--create-table"] as &[_], &keys].concat();
    assert_refused(workplace.load(&[], &off), &["\"day\"", "is named"]);
}

#[test]
fn typed_folders_are_numbers_where_all_are() {
    let workplace = Workplace::new();
    file(&workplace, "t/year=2023/1.parquet", 1);
    file(&workplace, "t/year=2024/1.parquet", 1);
    let keys = ["--partition-key", "year:N", "--sort-key", "id:N"];
    let typed = report(
        &workplace,
        &[&["t", "--hive", "typed"] as &[_], &keys].concat(),
    );
    assert_eq!(typed["items_written"], 2);
}

#[test]
fn what_cannot_be_told_apart_is_refused_before_any_write() {
    let workplace = Workplace::new();
    let ids = column(Int64Array::from(vec![1]));
    let days = column(StringArray::from(vec!["2024-01-01"]));
    fs::create_dir_all(workplace.path("t/day=2024-01-01")).unwrap();
    workplace.parquet(
        "t/day=2024-01-01/a.parquet",
        1,
        vec![("id", ids), ("day", days)],
    );
    let create = ["--create-table", "--partition-key", "id"];
    assert_refused(
        workplace.load(&[Path::new("t")], &create),
        &["\"day\"", "in the file and in its path", "--hive off"],
    );
    fs::create_dir_all(workplace.path("delta/_delta_log")).unwrap();
    file(&workplace, "delta/1.parquet", 1);
    assert_refused(
        workplace.load(&[Path::new("delta")], &create),
        &["Delta Lake table", "delta/*.parquet"],
    );
    assert_refused(
        workplace.load(
            &[Path::new("delta/1.parquet"), Path::new("delta/*")],
            &create,
        ),
        &["named twice", "delta/*"],
    );
    fs::write(workplace.path("list.txt"), "\nnone.parquet\n").unwrap();
    assert_refused(
        workplace.load(&[], &["--manifest", "list.txt"]),
        &["list.txt, line 2", "none.parquet: there is no such file"],
    );
    assert_eq!(workplace.files(), ["delta", "list.txt", "t"]);
}

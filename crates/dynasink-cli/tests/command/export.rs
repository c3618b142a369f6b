//! What `dynasink export` writes, and that it is what a load writes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow_array::{Float64Array, Int64Array, StringArray};
use dynasink_sim::EmbeddedStore;
use serde_json::{Value, json};

use crate::workplace::{Workplace, assert_refused, column, stderr};

/// 3,000 rows of 1,000 keys, some of which cannot be written.
fn rows(workplace: &Workplace) -> PathBuf {
    let rows = 0..3000_i64;
    let ids = rows
        .clone()
        .map(|row| (row % 500 != 7).then_some(row % 1000));
    let numbers = rows
        .clone()
        .map(|row| if row == 2999 { f64::NAN } else { row as f64 });
    let columns = vec![
        ("id", column(ids.collect::<Int64Array>())),
        ("n", column(numbers.map(Some).collect::<Float64Array>())),
        (
            "text",
            column(
                rows.map(|row| Some(format!("row \"{row}\"")))
                    .collect::<StringArray>(),
            ),
        ),
    ];
    workplace.parquet("rows.parquet", 500, columns)
}

/// Exports `file` for the table `things` by `id`.
fn export(workplace: &Workplace, file: &Path, more: &[&str]) -> assert_cmd::Command {
    let mut command = workplace.dynasink(&["export", "--table", "things", "--output", "out"]);
    command.arg(file).args(["--partition-key", "id"]).args(more);
    command
}

/// The exported items by their keys, as DynamoDB JSON.
fn exported(folder: &Path) -> BTreeMap<String, Value> {
    let mut items = BTreeMap::new();
    for entry in fs::read_dir(folder.join("data")).unwrap() {
        let file = fs::File::open(entry.unwrap().path()).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .unwrap();
        for line in text.lines() {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let item = line["Item"].take();
            let twice = items.insert(item["id"]["N"].to_string(), item);
            assert_eq!(twice, None);
        }
    }
    items
}

/// The items of the table, as DynamoDB JSON.
fn loaded(workplace: &Workplace) -> BTreeMap<String, Value> {
    let client = EmbeddedStore::open(workplace.path("store.db"))
        .unwrap()
        .client();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut items = BTreeMap::new();
        let mut pages = client.scan().table_name("things").into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page.unwrap().items() {
                let value = |name: &str| {
                    let value = item.get(name)?;
                    Some(match value.as_n() {
                        Ok(number) => json!({ "N": number }),
                        Err(_) => json!({ "S": value.as_s().unwrap() }),
                    })
                };
                let item: serde_json::Map<_, _> = ["id", "n", "text"]
                    .into_iter()
                    .filter_map(|name| Some((name.to_owned(), value(name)?)))
                    .collect();
                items.insert(item["id"]["N"].to_string(), Value::Object(item));
            }
        }
        items
    })
}

#[test]
fn what_is_exported_is_what_is_loaded() {
    let workplace = Workplace::new();
    let file = rows(&workplace);
    let assert = export(
        &workplace,
        &file,
        &["--json", "--s3-uri", "s3://bucket/prefix"],
    )
    .assert()
    .code(1);
    let report: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    let dead = fs::read_to_string(workplace.path("things.dead-letters.jsonl")).unwrap();
    assert_eq!(report["rows_dead"], dead.lines().count());
    fs::remove_file(workplace.path("things.dead-letters.jsonl")).unwrap();

    let load = ["--create-table", "--partition-key", "id"];
    workplace.load(&[&file], &load).assert().code(1);
    let expected = loaded(&workplace);
    assert_eq!(exported(&workplace.path("out")), expected);
    assert_eq!(report["items"], expected.len());

    let manifest = fs::read(workplace.path("out/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["files"], report["files"]);
    assert_eq!(manifest["origin"]["files"][0]["rows"], 3000);
    let script = fs::read_to_string(workplace.path("out/import-table.sh")).unwrap();
    assert!(
        script.contains("s3://bucket/prefix/") && script.contains("--input-compression-type GZIP"),
        "{script}"
    );
}

#[test]
fn what_makes_no_sense_is_refused_and_leaves_nothing() {
    let workplace = Workplace::new();
    let file = rows(&workplace);
    let refused = |more: &[&str], parts: &[&str]| {
        assert_refused(export(&workplace, &file, more), parts);
        assert_eq!(workplace.files(), ["rows.parquet"]);
    };
    refused(&["--dedup", "error"], &["key of an earlier row"]);
    refused(&["--dedup", "keep-greatest"], &["version"]);
    refused(&["--shard-size", "6GiB"], &["too large"]);
    refused(&["--s3-uri", "bucket"], &["s3://"]);
    refused(&["--interleave", "always"], &["same order"]);
    fs::create_dir(workplace.path("out")).unwrap();
    fs::write(workplace.path("out/mine"), "mine").unwrap();
    assert_refused(export(&workplace, &file, &[]), &["out is not empty"]);
    assert_eq!(workplace.files(), ["out", "rows.parquet"]);
}

#[test]
fn the_script_for_a_table_that_exists_makes_another_one_like_it() {
    let workplace = Workplace::new();
    let file = rows(&workplace);
    let create = ["--create-table", "--partition-key", "id"];
    let provisioned = ["--billing-mode", "provisioned", "--wcu", "5000"];
    let create = [create.as_slice(), &provisioned].concat();
    workplace.load(&[&file], &create).assert().code(1);
    fs::remove_file(workplace.path("things.dead-letters.jsonl")).unwrap();

    let mut export = workplace.dynasink(&["export", "--table", "things", "--output", "out"]);
    let assert = export
        .arg(&file)
        .args(["--embedded", "store.db"])
        .assert()
        .code(1);
    let warning = "warning: table things is there, and ImportTable makes a new one";
    assert!(stderr(&assert).contains(warning), "{}", stderr(&assert));
    let report = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(report.contains("import-table.sh NEW-TABLE"), "{report}");
    let script = fs::read_to_string(workplace.path("out/import-table.sh")).unwrap();
    assert!(script.contains("TABLE=${1:?"), "{script}");
    assert!(script.contains(r#""WriteCapacityUnits":5000"#), "{script}");
}

#[test]
fn too_many_dead_rows_stop_an_export_before_it_writes() {
    let workplace = Workplace::new();
    let file = rows(&workplace);
    export(&workplace, &file, &["--max-errors", "3"])
        .assert()
        .code(3);
    assert_eq!(workplace.files(), ["rows.parquet"]);
}

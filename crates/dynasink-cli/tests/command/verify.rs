//! `dynasink verify`: what it finds after others have changed the table, and that it repairs it.

use std::path::{Path, PathBuf};

use arrow_array::{Float64Array, Int64Array, StringArray};
use serde_json::{Value, json};

use crate::store::{change, n, put, s};
use crate::workplace::{Workplace, assert_refused, column, real};

impl Workplace {
    /// Verifies the table `things` of the embedded store against `files`.
    fn verify(&self, files: &[&Path], more: &[&str]) -> assert_cmd::Command {
        let mut command = self.dynasink(&["verify"]);
        command
            .args(files)
            .args(["--embedded", "store.db", "--table", "things"])
            .args(more);
        command
    }

    /// Verifies it, which ends with `code`, and gives the report.
    #[track_caller]
    fn verified(&self, files: &[&Path], more: &[&str], code: i32) -> Value {
        let mut verify = self.verify(files, more);
        let assert = verify.arg("--json").assert().code(code);
        serde_json::from_slice(&assert.get_output().stdout).unwrap()
    }

    /// The differences that were found, in the order of their keys.
    fn differences(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("things.differences.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut lines: Vec<Value> = lines.collect();
        lines.sort_by_key(|line| line["key"].to_string());
        std::fs::remove_file(self.path("things.differences.jsonl")).unwrap();
        lines
    }
}

/// 300 rows with the keys 0 to 299, loaded into the table.
fn loaded(workplace: &Workplace) -> PathBuf {
    let ids: Vec<i64> = (0..300).collect();
    let prices = ids
        .iter()
        .map(|id| f64::from(i32::try_from(*id).unwrap()) + 0.5);
    let columns = vec![
        ("price", column(Float64Array::from_iter_values(prices))),
        (
            "name",
            column(StringArray::from_iter_values(
                ids.iter().map(|id| format!("thing {id}")),
            )),
        ),
        ("id", column(Int64Array::from(ids))),
    ];
    let file = workplace.parquet("things.parquet", 100, columns);
    let create = ["--create-table", "--partition-key", "id"];
    workplace.load(&[&file], &create).assert().code(0);
    file
}

#[test]
fn a_table_that_was_loaded_is_equal_to_its_source() {
    let workplace = Workplace::new();
    let file = loaded(&workplace);
    let report = workplace.verified(&[&file], &["--scan"], 0);
    let expected = json!({
        "table": "things", "end": "complete", "rows_read": 300, "compared": 300, "equal": 300, "missing": 0,
        "different": 0, "expired": 0, "extra": 0, "scanned": 300, "superseded": 0, "not_sampled": 0, "skipped": 0,
        "dead": 0, "unread": 0, "repaired": null, "consumed_read_units": report["consumed_read_units"],
        "read_requests": report["read_requests"], "throttled_read_requests": 0,
        "elapsed_seconds": report["elapsed_seconds"], "differences": null, "dead_letters": null,
        "first_dead": null, "error": null,
    });
    assert_eq!(report, expected);
    assert!(report["consumed_read_units"].as_f64().unwrap() >= 150.0);
    assert!(
        !workplace
            .files()
            .contains(&"things.differences.jsonl".to_owned())
    );
    let unscanned = workplace.verified(&[&file], &[], 0);
    assert_eq!(
        (&unscanned["extra"], &unscanned["scanned"]),
        (&Value::Null, &Value::Null)
    );
    let text = workplace.verify(&[&file], &[]).assert().code(0);
    let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
    assert!(
        text.starts_with("table things: 300 keys compared in "),
        "{text}"
    );
    assert!(text.contains("\n  equal        300\n"), "{text}");
}

#[test]
fn what_others_have_changed_is_found_and_repaired_but_for_what_they_added() {
    let workplace = Workplace::new();
    let file = loaded(&workplace);
    change(&workplace, async |client| {
        put(
            &client,
            &[("id", n("7")), ("name", s("thing 7")), ("price", n("8"))],
        )
        .await;
        let delete = client.delete_item().table_name("things").key("id", n("8"));
        delete.send().await.unwrap();
        put(&client, &[("id", n("1000")), ("name", s("mine"))]).await;
    });
    let report = workplace.verified(&[&file], &["--scan"], 1);
    assert_eq!(
        (
            &report["missing"],
            &report["different"],
            &report["extra"],
            &report["equal"]
        ),
        (&json!(1), &json!(1), &json!(1), &json!(298))
    );
    assert_eq!(report["differences"], "things.differences.jsonl");
    let differences = workplace.differences();
    let [extra, different, missing] = differences.as_slice() else {
        panic!("{differences:?}");
    };
    assert_eq!(
        extra,
        &json!({
            "kind": "extra", "position": null, "key": {"id": {"N": "1000"}}, "differs": [], "source": null,
            "table": {"id": {"N": "1000"}, "name": {"S": "mine"}},
        })
    );
    assert_eq!(
        (
            &different["kind"],
            &different["differs"],
            &different["source"]["price"],
            &different["table"]["price"]
        ),
        (
            &json!("different"),
            &json!(["price"]),
            &json!({"N": "7.5"}),
            &json!({"N": "8"})
        )
    );
    assert_eq!(different["position"]["row"], 7);
    assert_eq!(
        (&missing["kind"], &missing["key"], &missing["table"]),
        (&json!("missing"), &json!({"id": {"N": "8"}}), &Value::Null)
    );

    let repaired = workplace.verified(&[&file], &["--repair"], 0);
    assert_eq!(
        (
            &repaired["repaired"],
            &repaired["missing"],
            &repaired["different"]
        ),
        (&json!(2), &json!(1), &json!(1))
    );
    workplace.differences();
    let report = workplace.verified(&[&file], &["--scan"], 1);
    assert_eq!(
        (&report["equal"], &report["extra"]),
        (&json!(300), &json!(1))
    );
}

#[test]
fn values_are_compared_by_what_they_are_and_not_by_how_they_are_written() {
    let workplace = Workplace::new();
    let file = loaded(&workplace);
    change(&workplace, async |client| {
        let item = [
            ("price", n("750e-2")),
            ("name", s("thing 7")),
            ("id", n("7.0")),
        ];
        put(&client, &item).await;
    });
    assert_eq!(workplace.verified(&[&file], &[], 0)["equal"], 300);
    change(&workplace, async |client| {
        let item = [("price", s("7.5")), ("name", s("thing 7")), ("id", n("7"))];
        put(&client, &item).await;
    });
    assert_eq!(workplace.verified(&[&file], &[], 1)["different"], 1);
    assert_eq!(workplace.differences()[0]["differs"], json!(["price"]));
}

#[test]
fn a_sample_compares_some_keys_with_all_their_rows() {
    let workplace = Workplace::new();
    let ids = (0..2_000_i64).map(|row| row % 1_000);
    let columns = vec![
        ("row", column(Int64Array::from_iter_values(0..2_000))),
        ("id", column(Int64Array::from_iter_values(ids))),
    ];
    let file = workplace.parquet("rows.parquet", 500, columns);
    let create = ["--create-table", "--partition-key", "id"];
    workplace.load(&[&file], &create).assert().code(0);
    let report = workplace.verified(&[&file], &["--sample", "10%"], 0);
    let compared = report["compared"].as_u64().unwrap();
    assert!((60..140).contains(&compared), "{compared}");
    assert_eq!(report["superseded"], compared);
    assert_eq!(report["not_sampled"], 2_000 - 2 * compared);
    let again = workplace.verified(&[&file], &["--sample", "10%"], 0);
    assert_eq!(again["compared"], compared);
    let mut scan = workplace.verify(&[&file], &["--sample", "10%", "--scan"]);
    scan.assert().code(2);
}

#[test]
fn the_row_that_counts_is_the_one_that_the_load_has_kept() {
    let workplace = Workplace::new();
    let columns = vec![
        ("row", column(Int64Array::from(vec![1, 2, 3]))),
        ("id", column(Int64Array::from(vec![1, 2, 1]))),
    ];
    let file = workplace.parquet("rows.parquet", 10, columns);
    let first = [
        "--create-table",
        "--partition-key",
        "id",
        "--dedup",
        "keep-first",
    ];
    workplace.load(&[&file], &first).assert().code(0);
    assert_eq!(
        workplace.verified(&[&file], &["--dedup", "keep-first"], 0)["superseded"],
        1
    );
    assert_eq!(workplace.verified(&[&file], &[], 1)["different"], 1);
    assert_eq!(workplace.differences()[0]["position"]["row"], 2);
}

#[test]
fn rows_that_cannot_be_items_are_counted_and_not_compared() {
    let workplace = Workplace::new();
    let columns = vec![
        ("id", column(Int64Array::from(vec![Some(1), None, Some(3)]))),
        ("n", column(Int64Array::from(vec![1, 2, 3]))),
    ];
    let file = workplace.parquet("rows.parquet", 10, columns);
    let create = ["--create-table", "--partition-key", "id"];
    workplace.load(&[&file], &create).assert().code(1);
    let report = workplace.verified(&[&file], &[], 1);
    assert_eq!((&report["dead"], &report["equal"]), (&json!(1), &json!(2)));
    assert!(report["first_dead"].as_str().unwrap().contains("row 1"));
    let stopped = workplace.verified(&[&file], &["--max-errors", "0"], 3);
    assert_eq!(stopped["end"], "too_many_errors");
}

#[test]
fn what_cannot_be_verified_is_refused_before_anything_is_read() {
    let workplace = Workplace::new();
    let file = real("nycflights13_airlines.parquet");
    let create = ["--create-table", "--partition-key", "carrier"];
    workplace.load(&[&file], &create).assert().code(0);
    std::fs::write(workplace.path("mine.jsonl"), "{}\n").unwrap();
    let refused = |more: &[&str], parts: &[&str]| {
        assert_refused(workplace.verify(&[&file], more), parts);
    };
    refused(&["--output", "mine.jsonl"], &["mine.jsonl is not empty"]);
    refused(
        &["--read-rate", "50%"],
        &["read capacity of table things is not known"],
    );
    refused(
        &["--interleave", "always"],
        &["verify needs the rows of a key in the same order at both readings"],
    );
    refused(
        &["--dedup", "keep-greatest"],
        &["--dedup keep-greatest needs the version"],
    );
    let mut missing = workplace.dynasink(&["verify"]);
    missing
        .arg(&file)
        .args(["--embedded", "store.db", "--table", "nothing"]);
    assert_refused(missing, &["there is no such table"]);
    assert_eq!(
        std::fs::read_to_string(workplace.path("mine.jsonl")).unwrap(),
        "{}\n"
    );
}

#[test]
fn a_read_rate_is_kept_and_consistent_reads_cost_twice() {
    let workplace = Workplace::new();
    let file = loaded(&workplace);
    let units =
        |more: &[&str]| workplace.verified(&[&file], more, 0)["consumed_read_units"].as_f64();
    assert_eq!(units(&["--read-rate", "10000"]), Some(150.0));
    assert_eq!(
        units(&["--consistent-reads", "--read-concurrency", "1"]),
        Some(300.0)
    );
}

#[test]
fn an_item_that_the_source_deletes_must_not_be_there() {
    let workplace = Workplace::new();
    let columns = vec![
        ("op", column(StringArray::from(vec!["c", "c", "d"]))),
        ("id", column(StringArray::from(vec!["a", "b", "b"]))),
    ];
    let file = workplace.parquet("changes.parquet", 10, columns);
    let mapping = "[operation]\ncolumn = \"op\"\npreset = \"debezium\"\n";
    std::fs::write(workplace.path("mapping.toml"), mapping).unwrap();
    let mapping = ["--mapping", "mapping.toml"];
    let create = [&mapping[..], &["--create-table", "--partition-key", "id"]].concat();
    workplace.load(&[&file], &create).assert().code(0);
    let equal = workplace.verified(&[&file], &[&mapping[..], &["--scan"]].concat(), 0);
    assert_eq!(
        (&equal["equal"], &equal["superseded"]),
        (&json!(2), &json!(1))
    );

    change(&workplace, async |client| {
        put(&client, &[("id", s("b"))]).await;
    });
    assert_eq!(workplace.verified(&[&file], &mapping, 1)["different"], 1);
    let differences = workplace.differences();
    assert_eq!(
        (
            &differences[0]["kind"],
            &differences[0]["source"],
            &differences[0]["table"]
        ),
        (
            &json!("different"),
            &Value::Null,
            &json!({"id": {"S": "b"}})
        )
    );
    let repair = [&mapping[..], &["--repair"]].concat();
    assert_eq!(workplace.verified(&[&file], &repair, 0)["repaired"], 1);
    workplace.differences();
    assert_eq!(workplace.verified(&[&file], &mapping, 0)["equal"], 2);
}

#[test]
fn repair_writes_the_row_that_counts_and_leaves_what_no_row_has() {
    let workplace = Workplace::new();
    // Of two rows the last counts: a put, a put after a delete, a delete.
    let columns = vec![
        (
            "op",
            column(StringArray::from(vec!["c", "c", "d", "u", "c", "d"])),
        ),
        (
            "id",
            column(StringArray::from(vec!["a", "c", "b", "a", "b", "c"])),
        ),
        ("row", column(Int64Array::from(vec![0, 1, 2, 3, 4, 5]))),
    ];
    let file = workplace.parquet("changes.parquet", 2, columns);
    let mapping = "[operation]\ncolumn = \"op\"\npreset = \"debezium\"\n";
    std::fs::write(workplace.path("mapping.toml"), mapping).unwrap();
    let mapping = ["--mapping", "mapping.toml"];
    let create = [&mapping[..], &["--create-table", "--partition-key", "id"]].concat();
    workplace.load(&[&file], &create).assert().code(0);
    change(&workplace, async |client| {
        // As if the earlier row of each key had come last, and others had written too.
        put(&client, &[("id", s("a")), ("row", n("0"))]).await;
        let delete = client.delete_item().table_name("things");
        delete.key("id", s("b")).send().await.unwrap();
        put(&client, &[("id", s("c")), ("row", n("1"))]).await;
        put(&client, &[("id", s("mine"))]).await;
    });

    let repair = [&mapping[..], &["--repair", "--scan"]].concat();
    // The item that no row has is a difference that stays.
    let report = workplace.verified(&[&file], &repair, 1);
    assert_eq!(
        (
            &report["missing"],
            &report["different"],
            &report["extra"],
            &report["repaired"]
        ),
        (&json!(1), &json!(2), &json!(1), &json!(3))
    );
    workplace.differences();
    change(&workplace, async |client| {
        let items = client.scan().table_name("things").send().await.unwrap();
        let mut items: Vec<_> = items
            .items()
            .iter()
            .map(|item| (item["id"].clone(), item.get("row").cloned()))
            .collect();
        items.sort_by_key(|(id, _)| id.as_s().unwrap().clone());
        let expected = [
            (s("a"), Some(n("3"))),
            (s("b"), Some(n("4"))),
            (s("mine"), None),
        ];
        assert_eq!(items, expected);
    });
    assert_eq!(workplace.verified(&[&file], &mapping, 0)["equal"], 3);
}

#[cfg(unix)]
#[test]
fn an_interrupted_verification_says_how_far_it_came() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let workplace = Workplace::new();
    let file = loaded(&workplace);
    let mut verify = Command::new(env!("CARGO_BIN_EXE_dynasink"));
    // At a unit per second the first of the requests are all that is answered.
    verify
        .current_dir(workplace.path(""))
        .args([
            "verify",
            "--json",
            "--embedded",
            "store.db",
            "--table",
            "things",
        ])
        .args(["--read-rate", "1", "--read-concurrency", "1"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut verify = verify.spawn().unwrap();
    let mut lines = BufReader::new(verify.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("rows compared")));
    crate::interrupt::interrupt(&verify);
    let mut report = String::new();
    verify
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut report)
        .unwrap();
    let status = verify.wait().unwrap().code();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((status, &report["end"]), (Some(130), &json!("interrupted")));
    assert!(report["compared"].as_u64().unwrap() < 300, "{report}");
    assert_eq!(report["missing"], 0);
}

#[test]
fn a_sample_that_no_key_is_in_says_nothing_of_the_table() {
    let workplace = Workplace::new();
    let file = loaded(&workplace);
    let report = workplace.verified(&[&file], &["--sample", "0.01%"], 0);
    assert!(report["compared"].as_u64().unwrap() > 0, "{report}");

    change(&workplace, async |client| {
        for id in 0..300 {
            let delete = client.delete_item().table_name("things");
            delete.key("id", n(&id.to_string())).send().await.unwrap();
        }
    });
    let report = workplace.verified(&[&file], &["--sample", "0.01%"], 1);
    assert_eq!(report["missing"], report["compared"]);
}

#[test]
fn how_to_write_is_refused_where_nothing_is_written() {
    let workplace = Workplace::new();
    let file = loaded(&workplace);
    for (option, value) in [
        ("--rate", "10"),
        ("--headroom", "10%"),
        ("--burst", "10ms"),
        ("--concurrency", "2"),
        ("--dead-letters", "dead.jsonl"),
    ] {
        assert_refused(workplace.verify(&[&file], &[option, value]), &["--repair"]);
    }
}

#[test]
fn the_dead_letters_of_a_load_are_not_in_the_way_of_a_repair() {
    let workplace = Workplace::new();
    let file = loaded(&workplace);
    let letters = workplace.path("things.dead-letters.jsonl");
    std::fs::write(&letters, "a letter of the load").unwrap();
    workplace.verified(&[&file], &["--repair"], 0);
    assert_eq!(
        std::fs::read_to_string(&letters).unwrap(),
        "a letter of the load"
    );
}

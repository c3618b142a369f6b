//! `dynasink replay`: dead letters written once what was wrong is mended.

use std::fs;
use std::path::PathBuf;

use arrow_array::{Float64Array, Int64Array, StringArray};
use assert_cmd::Command;
use serde_json::{Value, json};

use crate::store::{change, n, put, s};
use crate::workplace::{Workplace, assert_refused, column, real};

const LETTERS: &str = "things.dead-letters.jsonl";
const AGAIN: &str = "things.dead-letters.replayed.jsonl";

impl Workplace {
    /// Replays the dead letters of `things` into the table `things` of the embedded store.
    fn replay(&self, more: &[&str]) -> Command {
        let mut command = self.dynasink(&["replay", LETTERS]);
        command
            .args(["--embedded", "store.db", "--table", "things"])
            .args(more);
        command
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }
}

/// Runs a command that ends with `code` and gives its JSON report.
#[track_caller]
fn report(mut command: Command, code: i32) -> Value {
    let assert = command.arg("--json").assert().code(code);
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

/// Six rows, of which the second and the fifth have a number that is none, loaded.
fn loaded_with_dead_rows(workplace: &Workplace) -> PathBuf {
    let numbers = Float64Array::from(vec![1.0, f64::NAN, 3.0, 4.0, f64::NAN, 6.0]);
    let columns = vec![
        (
            "id",
            column(StringArray::from(vec!["a", "b", "c", "d", "e", "f"])),
        ),
        ("number", column(numbers)),
    ];
    let file = workplace.parquet("rows.parquet", 3, columns);
    let create = ["--create-table", "--partition-key", "id"];
    let load = report(workplace.load(&[&file], &create), 1);
    assert_eq!(
        (&load["items_written"], &load["dead"]),
        (&json!(4), &json!(2))
    );
    file
}

fn mended_mapping(workplace: &Workplace) {
    let mapping = "[columns.number]\nnonfinite = \"null\"\n";
    fs::write(workplace.path("mended.toml"), mapping).unwrap();
}

#[test]
fn rows_that_never_became_items_are_read_again_with_the_mended_mapping() {
    let workplace = Workplace::new();
    let file = loaded_with_dead_rows(&workplace);
    // Nothing is mended yet, so that they die again, and the letters that were read stay.
    let again = report(workplace.replay(&[]), 1);
    assert_eq!(
        (&again["rows_read"], &again["dead"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(again["dead_letters"], AGAIN);
    let positions = |name: &str| -> Vec<Value> {
        let letters = workplace.lines(name);
        let mut positions: Vec<_> = letters
            .iter()
            .map(|line| line["position"].clone())
            .collect();
        positions.sort_by_key(ToString::to_string);
        positions
    };
    assert_eq!(positions(AGAIN), positions(LETTERS));
    fs::remove_file(workplace.path(AGAIN)).unwrap();

    mended_mapping(&workplace);
    let replayed = report(workplace.replay(&["--mapping", "mended.toml"]), 0);
    assert_eq!(
        (
            &replayed["rows_read"],
            &replayed["items_written"],
            &replayed["dead_letters"]
        ),
        (&json!(2), &json!(2), &Value::Null)
    );
    let mut verify = workplace.dynasink(&["verify"]);
    verify
        .arg(&file)
        .args(["--embedded", "store.db", "--table", "things"]);
    verify.args(["--mapping", "mended.toml", "--scan"]);
    assert_eq!(report(verify, 0)["equal"], 6);
}

/// A letter with an item, as a load leaves it that has given up.
fn letter(row: u64, action: &str, item: &Value) -> String {
    let letter = json!({
        "position": {"file": "rows.parquet", "row_group": 0, "row": row}, "code": "throttled",
        "reason": "given up after 9 requests", "attempts": 9, "first_attempt": "2026-03-01T22:15:07.120Z",
        "last_attempt": "2026-03-01T22:30:07.120Z", "table": "things", "action": action, "item": item,
    });
    format!("{letter}\n")
}

/// The table `things` with the carriers by their names, and those letters.
fn with_letters(workplace: &Workplace, letters: &[String]) {
    let airlines = real("nycflights13_airlines.parquet");
    let create = ["--create-table", "--partition-key", "carrier"];
    workplace.load(&[&airlines], &create).assert().code(0);
    fs::write(workplace.path(LETTERS), letters.concat()).unwrap();
}

#[test]
fn letters_with_items_are_written_in_their_order_and_deletes_delete() {
    let workplace = Workplace::new();
    let letters = [
        letter(
            1,
            "put",
            &json!({"carrier": {"S": "ZZ"}, "name": {"S": "older"}}),
        ),
        letter(
            2,
            "put",
            &json!({"carrier": {"S": "ZZ"}, "name": {"S": "newer"}}),
        ),
        letter(3, "delete", &json!({"carrier": {"S": "AA"}})),
        // The key of this table is another.
        letter(4, "put", &json!({"name": {"S": "nobody"}})),
    ];
    with_letters(&workplace, &letters);
    let replayed = report(workplace.replay(&[]), 1);
    assert_eq!(
        (
            &replayed["rows_read"],
            &replayed["items_written"],
            &replayed["items_deleted"]
        ),
        (&json!(4), &json!(1), &json!(1))
    );
    assert_eq!(
        (&replayed["superseded"], &replayed["dead"]),
        (&json!(1), &json!(1))
    );
    let again = workplace.lines(AGAIN);
    assert_eq!(
        (&again[0]["code"], &again[0]["position"]["row"]),
        (&json!("missing_key"), &json!(4))
    );
    change(&workplace, async |client| {
        let get = |carrier: &str| {
            client
                .get_item()
                .table_name("things")
                .key("carrier", s(carrier))
        };
        let newest = get("ZZ").send().await.unwrap();
        assert_eq!(newest.item().unwrap()["name"], s("newer"));
        assert_eq!(get("AA").send().await.unwrap().item(), None);
    });
}

#[test]
fn with_only_absent_what_the_table_holds_stays() {
    let workplace = Workplace::new();
    let letters = [
        letter(
            1,
            "put",
            &json!({"carrier": {"S": "AA"}, "name": {"S": "older"}}),
        ),
        letter(
            2,
            "put",
            &json!({"carrier": {"S": "ZZ"}, "name": {"S": "absent"}}),
        ),
    ];
    with_letters(&workplace, &letters);
    change(&workplace, async |client| {
        put(
            &client,
            &[("carrier", s("AA")), ("name", s("newer")), ("n", n("1"))],
        )
        .await;
    });
    let replayed = report(workplace.replay(&["--only-absent"]), 0);
    assert_eq!(
        (
            &replayed["rows_read"],
            &replayed["items_written"],
            &replayed["superseded"]
        ),
        (&json!(2), &json!(1), &json!(1))
    );
    change(&workplace, async |client| {
        let get = client
            .get_item()
            .table_name("things")
            .key("carrier", s("AA"));
        assert_eq!(
            get.send().await.unwrap().item().unwrap()["name"],
            s("newer")
        );
    });
    assert_eq!(report(workplace.replay(&[]), 0)["items_written"], 2);
}

#[test]
fn a_damaged_line_is_refused_before_any_write() {
    let workplace = Workplace::new();
    let good = letter(1, "put", &json!({"carrier": {"S": "ZZ"}}));
    with_letters(
        &workplace,
        &[good.clone(), "{\"position\":\n".to_owned(), good],
    );
    assert_refused(
        workplace.replay(&[]),
        &[
            "line 2 of things.dead-letters.jsonl is not a dead letter",
            "mend the line",
        ],
    );
    change(&workplace, async |client| {
        let get = client
            .get_item()
            .table_name("things")
            .key("carrier", s("ZZ"));
        assert_eq!(get.send().await.unwrap().item(), None);
    });
}

#[test]
fn what_cannot_be_replayed_is_refused_before_any_write() {
    let workplace = Workplace::new();
    let file = loaded_with_dead_rows(&workplace);
    assert_refused(
        workplace.replay(&["--dead-letters", LETTERS]),
        &["things.dead-letters.jsonl is the dead-letter file that is read"],
    );
    let columns = vec![("id", column(Int64Array::from(vec![1])))];
    let other = workplace.parquet("other.parquet", 3, columns);
    assert_refused(
        workplace.replay(&[other.to_str().unwrap()]),
        &["rows.parquet, which is not among the sources"],
    );
    let mut missing = workplace.dynasink(&["replay", "nothing.jsonl"]);
    missing.args(["--embedded", "store.db", "--table", "things"]);
    assert_refused(
        missing,
        &["the dead-letter file nothing.jsonl cannot be read"],
    );
    fs::remove_file(file).unwrap();
    assert_refused(workplace.replay(&[]), &["rows.parquet"]);
    assert_eq!(workplace.lines(LETTERS).len(), 2);
}

/// Two rows of one key, of which the table has the second, and both dead: the one at `with_item` with its item.
fn two_letters_of_one_key(workplace: &Workplace, with_item: i64) -> String {
    let columns = vec![
        ("id", column(StringArray::from(vec!["a", "a"]))),
        ("number", column(Int64Array::from(vec![1, 2]))),
    ];
    let file = workplace.parquet("rows.parquet", 2, columns);
    let create = ["--create-table", "--partition-key", "id"];
    report(workplace.load(&[&file], &create), 0);
    let file = file.display().to_string();
    let letters = [0, 1].map(|row| {
        let mut letter = json!({
            "position": {"file": &file, "row_group": 0, "row": row},
            "code": "number", "reason": "", "attempts": 0,
        });
        if row == with_item {
            letter["action"] = json!("put");
            letter["item"] = json!({"id": {"S": "a"}, "number": {"N": (row + 1).to_string()}});
        }
        format!("{letter}\n")
    });
    fs::write(workplace.path(LETTERS), letters.concat()).unwrap();
    file
}

/// Replays them, and checks that what the table holds then is the later row.
fn assert_later_row_stays(workplace: &Workplace, file: &str, more: &[&str]) -> Value {
    let replayed = report(workplace.replay(more), 0);
    let mut verify = workplace.dynasink(&["verify", file, "--table", "things"]);
    verify.args(["--embedded", "store.db"]);
    assert_eq!(report(verify, 0)["equal"], 1);
    replayed
}

#[test]
fn letters_of_one_key_keep_their_order_also_where_one_has_no_item() {
    let workplace = Workplace::new();
    let file = two_letters_of_one_key(&workplace, 1);
    let replayed = assert_later_row_stays(&workplace, &file, &[]);
    assert_eq!(
        (&replayed["items_written"], &replayed["superseded"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn a_row_that_is_read_again_overwrites_an_earlier_letter_of_its_key() {
    let workplace = Workplace::new();
    let file = two_letters_of_one_key(&workplace, 0);
    let replayed = assert_later_row_stays(&workplace, &file, &[]);
    assert_eq!(replayed["items_written"], 2);
}

#[test]
fn with_only_absent_letters_of_one_key_keep_their_order_too() {
    for (with_item, written) in [(0, 2), (1, 1)] {
        let workplace = Workplace::new();
        let file = two_letters_of_one_key(&workplace, with_item);
        change(&workplace, async |client| {
            let delete = client.delete_item().table_name("things");
            delete.key("id", s("a")).send().await.unwrap();
        });
        let replayed = assert_later_row_stays(&workplace, &file, &["--only-absent"]);
        assert_eq!(replayed["items_written"], written, "row {with_item}");
    }
}

#[test]
fn letters_of_one_key_are_in_the_order_of_their_rows_and_not_of_their_lines() {
    let workplace = Workplace::new();
    let named = |row, name: &str| {
        let item = json!({"carrier": {"S": "ZZ"}, "name": {"S": name}});
        letter(row, "put", &item)
    };
    with_letters(&workplace, &[named(2, "newer"), named(1, "older")]);
    report(workplace.replay(&[]), 0);
    change(&workplace, async |client| {
        let get = client
            .get_item()
            .table_name("things")
            .key("carrier", s("ZZ"));
        assert_eq!(
            get.send().await.unwrap().item().unwrap()["name"],
            s("newer")
        );
    });
}

#[test]
fn a_replay_can_be_steered_and_reported_like_a_load() {
    // More than a pipe holds, so that there is something left to be read when it is stopped.
    const ROWS: i64 = 20_000;
    let workplace = Workplace::new();
    let letters = (0..ROWS).map(|row| {
        let item = json!({"carrier": {"S": format!("Z{row}")}});
        letter(row.unsigned_abs(), "put", &item)
    });
    with_letters(&workplace, &letters.collect::<Vec<_>>());
    fs::write(workplace.path("control.toml"), "paused = true").unwrap();
    let control = ["--control", "control.toml"];
    let stopped = [&control[..], &["--max-duration", "2s"]].concat();
    let stopped = report(workplace.replay(&stopped), 130);
    assert_eq!(stopped["end"], "time_is_up");
    let written = stopped["items_written"].as_i64().unwrap();
    assert!(written < ROWS, "{stopped}");

    fs::write(workplace.path("control.toml"), "rate = 40_000").unwrap();
    let more = ["--max-duration", "10m", "--report", "report.json"];
    let complete = report(workplace.replay(&[&control[..], &more].concat()), 0);
    assert_eq!(complete["items_written"], ROWS);
    let text = fs::read_to_string(workplace.path("report.json")).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(recorded["settings"]["command"], "replay");
    assert_eq!(
        recorded["settings"]["sources"],
        json!([{"file": LETTERS, "rows": ROWS}])
    );
}

//! A load whose process is killed, and goes on in another: nothing is lost.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use arrow_array::StringArray;
use fastrand::Rng;
use serde_json::Value;
use tokio::time::sleep;

use crate::serve::{Serving, Things, client, scan, summary};
use crate::workplace::{Workplace, column};

const ROWS: u64 = 9_000;
const RATE: u64 = 1_500;
const ROW_GROUP: usize = 700;

/// Whether a row has no key, and so cannot be written.
fn is_bad(row: u64) -> bool {
    row % 101 == 5
}

/// Rows of which some have the key of another, far away or near, and some none.
fn source(workplace: &Workplace) -> (PathBuf, Things) {
    let id = |row: u64| {
        let key = if row.is_multiple_of(3) {
            row % 1_200
        } else {
            row
        };
        (!is_bad(row)).then(|| format!("key {key}"))
    };
    let text = |row: u64| format!("row {row}");
    let columns = vec![
        ("id", column((0..ROWS).map(id).collect::<StringArray>())),
        (
            "text",
            column(StringArray::from_iter_values((0..ROWS).map(text))),
        ),
    ];
    let file = workplace.parquet("rows.parquet", ROW_GROUP, columns);
    let last = (0..ROWS).filter_map(|row| Some((id(row)?, text(row))));
    (file, last.collect())
}

fn load(workplace: &Workplace, server: &Serving, file: &Path, resume: bool) -> Command {
    let mut load = Command::new(env!("CARGO_BIN_EXE_dynasink"));
    load.current_dir(workplace.path(""))
        .args(["load", "--json", "--table", "things"])
        .args(["--endpoint-url", &server.url, "--region", "us-east-1"])
        .args(["--create-table", "--partition-key", "id"])
        .args(["--rate", &RATE.to_string(), "--concurrency", "4"])
        .args(["--checkpoint", "load.checkpoint"])
        .arg(file)
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if resume {
        load.arg("--resume");
    }
    load
}

/// What the checkpoint says, if there is one.
fn checkpoint(workplace: &Workplace) -> Option<Value> {
    let content = std::fs::read(workplace.path("load.checkpoint")).ok()?;
    // It is never there in part; it is empty for a moment when the load begins.
    (!content.is_empty()).then(|| serde_json::from_slice(&content).unwrap())
}

/// The row of each dead letter in the file, in the order of the letters.
fn dead_rows(workplace: &Workplace) -> Vec<u64> {
    let letters = std::fs::read_to_string(workplace.path("things.dead-letters.jsonl")).unwrap();
    let row = |line: &str| {
        let letter: Value = serde_json::from_str(line).unwrap();
        let position = |name: &str| letter["position"][name].as_u64().unwrap();
        position("row_group") * ROW_GROUP as u64 + position("row")
    };
    letters.lines().map(row).collect()
}

#[tokio::test]
async fn a_load_that_is_killed_again_and_again_is_complete_in_the_end() {
    for seed in 0..2 {
        let mut rng = Rng::with_seed(seed);
        let workplace = Workplace::new();
        let server = Serving::start(&workplace, &["--wcu", "100000"]);
        let (file, expected) = source(&workplace);
        let mut done = 0;
        let mut kills = 0;
        while kills < 3 {
            let mut child = load(&workplace, &server, &file, done > 0 || kills > 0)
                .spawn()
                .unwrap();
            // How much was written down decides when it is killed, so that each run gets somewhere.
            let goal = done + rng.u64(1..ROWS / 10);
            let seen = loop {
                let seen = checkpoint(&workplace)
                    .map_or(0, |now| now["counts"]["rows_read"].as_u64().unwrap());
                if seen >= goal || child.try_wait().unwrap().is_some() {
                    break seen;
                }
                sleep(Duration::from_millis(rng.u64(1..20))).await;
            };
            sleep(Duration::from_millis(rng.u64(0..300))).await;
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            assert!(seen >= done, "seed {seed}: {seen} after {done}");
            done = checkpoint(&workplace).unwrap()["counts"]["rows_read"]
                .as_u64()
                .unwrap();
        }
        assert!(
            done < ROWS,
            "seed {seed}: it was complete before it was killed"
        );

        let output = load(&workplace, &server, &file, true).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "seed {seed}: {said}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = |name: &str| report[name].as_u64().unwrap();
        assert_eq!(
            (&report["end"], &report["resumed"]),
            (&"complete".into(), &true.into())
        );
        assert_eq!(
            (count("rows_read"), count("unresolved")),
            (ROWS, 0),
            "{report}"
        );
        let bad: BTreeSet<u64> = (0..ROWS).filter(|row| is_bad(*row)).collect();
        assert_eq!(count("dead"), bad.len() as u64);
        let written = count("items_written");
        assert_eq!(written + count("superseded") + count("dead"), ROWS);

        assert_eq!(scan(&client(&server.url)).await, expected, "seed {seed}");
        let dead = dead_rows(&workplace);
        assert_eq!(
            dead.iter().copied().collect::<BTreeSet<_>>(),
            bad,
            "seed {seed}"
        );
        assert_eq!(dead.len(), bad.len(), "seed {seed}: a row is buried twice");
        // Nothing counts as written that was not.
        let [_, applied, ..] = summary(&server.stop());
        assert!(applied >= written, "seed {seed}: {applied} of {written}");
        assert_eq!(checkpoint(&workplace).unwrap()["complete"], true);
    }
}

#[tokio::test]
async fn the_first_row_of_a_key_stays_the_first_after_a_kill() {
    let workplace = Workplace::new();
    let server = Serving::start(&workplace, &["--wcu", "100000"]);
    let id = |row: u64| format!("key {}", row % 3_000);
    let text = |row: u64| format!("row {row}");
    let columns = vec![
        (
            "id",
            column(StringArray::from_iter_values((0..6_000).map(id))),
        ),
        (
            "text",
            column(StringArray::from_iter_values((0..6_000).map(text))),
        ),
    ];
    let file = workplace.parquet("twice.parquet", 6_000, columns);
    let keep_first = |resume| {
        let mut load = load(&workplace, &server, &file, resume);
        load.args(["--dedup", "keep-first"]);
        load
    };
    let mut child = keep_first(false).spawn().unwrap();
    while checkpoint(&workplace).is_none_or(|now| now["counts"]["rows_read"] == 0) {
        sleep(Duration::from_millis(10)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let output = keep_first(true).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let first: Things = (0..3_000).map(|row| (id(row), text(row))).collect();
    assert!(scan(&client(&server.url)).await == first);
}

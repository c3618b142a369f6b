//! An interrupted load writes what it has read, says so, and exits with 130; what writes nothing to a table ends at once.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::report::assert_sums;
use crate::serve::Serving;
use crate::workplace::{Workplace, real};
use serde_json::Value;

pub(crate) fn interrupt(child: &Child) {
    send("-INT", child);
}

fn send(signal: &str, child: &Child) {
    let killed = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
}

type Lines = std::io::Lines<BufReader<ChildStderr>>;

/// Starts a load that takes a while, and returns once it has read some rows.
fn start_slow_load(workplace: &Workplace, target: &[&str]) -> (Child, Lines) {
    let mut load = Command::new(env!("CARGO_BIN_EXE_dynasink"));
    load.current_dir(workplace.path(""))
        .args(["load", "--json", "--rate", "2000", "--table", "weather"])
        .args(target)
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .args([
            "--create-table",
            "--partition-key",
            "origin",
            "--sort-key",
            "time_hour",
        ])
        .arg(real("nycflights13_weather.parquet"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = load.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    await_line(&mut lines, "of 26115 rows");
    (child, lines)
}

#[track_caller]
fn await_line(lines: &mut Lines, part: &str) {
    assert!(
        lines.any(|line| line.unwrap().contains(part)),
        "no line says {part:?}"
    );
}

/// How the load ended: its status and its report.
fn end_of(mut child: Child) -> (Option<i32>, Value) {
    let mut report = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut report).unwrap();
    let status = child.wait().unwrap().code();
    (status, serde_json::from_str(&report).unwrap())
}

#[test]
fn the_first_signal_ends_the_load_after_what_was_read() {
    let workplace = Workplace::new();
    let (child, _lines) = start_slow_load(
        &workplace,
        &["--embedded", "store.db", "--report", "load.json"],
    );
    interrupt(&child);
    let (status, report) = end_of(child);
    assert_eq!(status, Some(130));
    let left = fs::read_to_string(workplace.path("load.json")).unwrap();
    let left: Value = serde_json::from_str(&left).unwrap();
    assert_eq!(left["summary"], report);
    assert_sums(&left);
    assert_eq!(report["end"], "interrupted");
    assert_eq!(report["unresolved"], 0);
    assert_eq!(report["items_written"], report["rows_read"]);
    assert!(report["rows_read"].as_u64().unwrap() < 26_115, "{report}");
}

#[test]
fn with_a_checkpoint_what_was_read_need_not_all_be_written() {
    let workplace = Workplace::new();
    let going_on = ["--embedded", "store.db", "--checkpoint", "load.checkpoint"];
    let stopping = [&going_on[..], &["--drain", "0s"]].concat();
    let (child, _lines) = start_slow_load(&workplace, &stopping);
    interrupt(&child);
    let (status, report) = end_of(child);
    assert_eq!(status, Some(130));
    assert_eq!(report["end"], "interrupted");
    assert!(report["unresolved"].as_u64().unwrap() > 0, "{report}");

    let weather = real("nycflights13_weather.parquet");
    let mut load = workplace.dynasink(&["load", "--json", "--table", "weather", "--resume"]);
    let assert = load.args(going_on).arg(weather).assert().code(0);
    let report: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(report["items_written"], 26_115, "{report}");
    assert_eq!(report["unresolved"], 0);
}

/// As the shell sends it when its terminal is gone.
#[test]
fn a_hang_up_ends_it_like_an_interrupt() {
    let workplace = Workplace::new();
    let (child, _lines) = start_slow_load(&workplace, &["--embedded", "store.db"]);
    send("-HUP", &child);
    let (status, report) = end_of(child);
    assert_eq!(status, Some(130));
    assert_eq!(report["unresolved"], 0);
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let workplace = Workplace::new();
    // Nothing that was read can be written before the load is interrupted again.
    let server = Serving::start(&workplace, &["--faults", "hang@5..1000000"]);
    let target = ["--endpoint-url", &server.url];
    let (mut child, mut lines) = start_slow_load(&workplace, &target);
    interrupt(&child);
    await_line(&mut lines, "interrupted");
    // One that comes at once is taken for the first.
    while child.try_wait().unwrap().is_none() {
        interrupt(&child);
    }
    let (status, report) = end_of(child);
    assert_eq!(status, Some(3));
    assert_eq!(report["end"], "failed");
    assert!(report["unresolved"].as_u64().unwrap() > 0, "{report}");
}

/// Runs a command that reads many rows with a row that cannot be written, and ends it when it says `moment`.
#[track_caller]
fn interrupt_reading(workplace: &Workplace, args: &[&str], moment: &str) {
    let folder = workplace.path("rows");
    fs::create_dir(&folder).unwrap();
    for copy in 0..8 {
        let file = folder.join(format!("{copy}.parquet"));
        fs::copy(real("nycflights13_weather.parquet"), file).unwrap();
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_dynasink"))
        .current_dir(workplace.path(""))
        .args(args)
        .args(["--table", "weather", "--partition-key", "wind_dir:N"])
        .args(["--sort-key", "time_hour", "rows"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    await_line(&mut lines, moment);
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    await_line(&mut lines, "interrupted: nothing was written");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut report = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut report).unwrap();
    assert_eq!(report, "");
    assert_eq!(workplace.files(), ["rows"]);
}

#[test]
fn a_signal_ends_an_export_in_either_reading_and_leaves_nothing() {
    let export = ["export", "--output", "out"];
    // Little is mixed at once, so that files are being written all the time.
    let mixing = ["export", "--output", "out", "--shuffle-memory", "1MB"];
    interrupt_reading(&Workplace::new(), &export, "reading 1 of 2: ");
    interrupt_reading(&Workplace::new(), &mixing, "reading 2 of 2: ");
}

#[test]
fn a_signal_ends_a_plan() {
    interrupt_reading(&Workplace::new(), &["plan", "--offline"], "reading: ");
}

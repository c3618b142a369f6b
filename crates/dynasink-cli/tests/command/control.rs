//! The rate of a load is changed while it runs.

use std::fs;

use crate::running::{ROWS, Running};
use crate::workplace::{Workplace, assert_refused, real};

const NEW: [&str; 3] = ["--create-table", "--partition-key", "id"];

fn start(workplace: &Workplace, args: &[&str]) -> Running {
    Running::start(workplace, &[&NEW, args].concat())
}

#[test]
fn one_signal_halves_the_rate_and_another_takes_it_back() {
    let workplace = Workplace::new();
    let mut load = start(&workplace, &["--rate", "2400"]);
    load.says("of 20000 rows");
    for (signal, rate) in [
        ("USR1", 1200),
        ("USR1", 600),
        ("USR2", 1200),
        ("USR2", 2400),
    ] {
        load.signal(signal);
        load.says(&format!("control: the rate is {rate} WCU/s now"));
    }
    load.signal("USR2");
    load.says("the rate is 2400 WCU/s now, as the load was started");
    load.signal("INT");
    let (status, report, _) = load.end();
    assert_eq!(status, 130);
    assert_eq!(report["items_written"], report["rows_read"]);
}

#[test]
fn a_file_sets_the_rate_and_pauses_the_load() {
    let workplace = Workplace::new();
    let control = workplace.path("control.toml");
    fs::write(&control, "rate = 500").unwrap();
    let mut load = start(&workplace, &["--control", "control.toml"]);
    load.says("control: the rate is 500 WCU/s now");
    load.says("of 500 WCU/s");
    fs::write(&control, "rate = 500\npaused = true").unwrap();
    load.says("control: paused");
    fs::write(&control, "rate = 'fast'\n# what is wrong").unwrap();
    let wrong = load.says("nothing is changed: control.toml:1: ");
    assert!(wrong.contains("a rate is auto"), "{wrong}");
    fs::write(&control, "rate = 100_000").unwrap();
    // It need not wait for the next look.
    load.signal("USR1");
    load.says("the rate is 100000 WCU/s now");
    let (status, report, said) = load.end();
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("no longer paused"), "{said}");
    assert_eq!(report["items_written"], ROWS);
}

#[test]
fn a_load_that_is_paused_writes_nothing_until_its_time_is_up() {
    let workplace = Workplace::new();
    fs::write(workplace.path("control.toml"), "paused = true").unwrap();
    let more = ["--control", "control.toml", "--max-duration", "3s"];
    let mut load = start(&workplace, &more);
    let line = load.says("of 20000 rows");
    assert!(
        line.starts_with("0 of") && line.contains("paused"),
        "{line}"
    );
    load.says("time is up: writing the");
    let (status, report, _) = load.end();
    assert_eq!(status, 130);
    assert_eq!(report["end"], "time_is_up");
    assert_eq!(report["unresolved"], 0);
    assert!(report["items_written"].as_i64().unwrap() < ROWS, "{report}");
}

#[test]
fn a_file_that_is_wrong_from_the_beginning_is_refused() {
    let workplace = Workplace::new();
    let file = real("nycflights13_weather.parquet");
    fs::write(workplace.path("control.toml"), "\npause = true").unwrap();
    let mut load = workplace.load(&[&file], &["--create-table", "--partition-key=origin"]);
    load.args(["--control", "control.toml"]);
    assert_refused(load, &["control.toml:2: ", "pause"]);
}

#[tokio::test]
async fn a_paused_load_that_has_read_everything_can_be_interrupted() {
    let workplace = Workplace::new();
    fs::write(workplace.path("control.toml"), "paused = true").unwrap();
    let more = ["--control", "control.toml", "--where", "id < 100"];
    let mut load = start(&workplace, &more);
    load.says("paused,");
    load.signal("TERM");
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    // It has ended by now, and else this aborts it.
    load.signal("TERM");
    let (_, report, said) = load.end();
    assert_eq!(report["items_written"], 100, "{said}");
}

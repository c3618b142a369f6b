//! The table before, during and after a load.

use std::fs;
use std::time::Duration;

use dynasink_sim::EmbeddedStore;
use serde_json::{Value, json};

use aws_sdk_dynamodb::types::TableDescription;

use crate::running::{ROWS, Running};
use crate::store;
use crate::workplace::{Workplace, assert_refused, real, stderr};

const NEW: [&str; 3] = ["--create-table", "--partition-key", "id"];

const PROVISIONED: [&str; 4] = [
    "--create-table",
    "--partition-key=id",
    "--billing-mode=provisioned",
    "--wcu=150",
];

const INDEXES: &str = r#"
[[index]]
name = "by-mean"
kind = "local"
sort_key = "mean"

[[index]]
name = "by-month"
kind = "global"
partition_key = "month"
sort_key = "day"
projection = ["mean"]
"#;

/// The table `days` of the store, which no process has open.
fn described(workplace: &Workplace) -> TableDescription {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = EmbeddedStore::open(workplace.path("store.db"))
            .unwrap()
            .client();
        let asked = client.describe_table().table_name("days").send().await;
        asked.unwrap().table.unwrap()
    })
}

fn write_units(workplace: &Workplace) -> i64 {
    let throughput = described(workplace).provisioned_throughput.unwrap();
    throughput.write_capacity_units.unwrap()
}

fn global_indexes(workplace: &Workplace) -> Vec<String> {
    let table = described(workplace);
    let indexes = table.global_secondary_indexes().iter();
    indexes
        .map(|index| index.index_name().unwrap().to_owned())
        .collect()
}

#[test]
fn a_table_is_created_with_all_that_was_asked_for() {
    let workplace = Workplace::new();
    fs::write(workplace.path("indexes.toml"), INDEXES).unwrap();
    let more = [
        "--sort-key=month",
        "--rcu=7",
        "--indexes=indexes.toml",
        "--ttl-attribute=expires",
        "--tag=team=data",
        "--tag=stage=test",
        "--deletion-protection",
        "--where=id < 100",
    ];
    let load = Running::start(&workplace, &[&PROVISIONED[..], &more].concat());
    let (status, report, said) = load.end();
    // Some temperatures are not known, which an index is not for.
    assert!(status < 2, "{said}");
    assert_eq!(report["end"], "complete");
    let table = described(&workplace);
    let throughput = table.provisioned_throughput().unwrap();
    assert_eq!(throughput.write_capacity_units(), Some(150));
    assert_eq!(throughput.read_capacity_units(), Some(7));
    assert_eq!(table.deletion_protection_enabled(), Some(true));
    let local = table.local_secondary_indexes().first().unwrap();
    assert_eq!(local.index_name(), Some("by-mean"));
    assert_eq!(global_indexes(&workplace), ["by-month"]);
}

#[test]
fn what_is_said_of_a_new_table_needs_one() {
    let workplace = Workplace::new();
    let file = real("nycflights13_weather.parquet");
    for option in [
        "--wcu=5",
        "--indexes=x.toml",
        "--ttl-attribute=x",
        "--tag=a=b",
        "--deletion-protection",
    ] {
        let assert = workplace.load(&[&file], &[option]).assert().code(2);
        let message = stderr(&assert);
        assert!(message.contains("--create-table"), "{message}");
    }
    for (options, part) in [
        (vec!["--wcu=5"], "--billing-mode provisioned"),
        (vec!["--billing-mode=provisioned"], "--wcu"),
        (
            vec!["--billing-mode=provisioned", "--wcu=5", "--max-wcu=5"],
            "--max-wcu",
        ),
        (vec!["--indexes=x.toml"], "x.toml: cannot read the indexes"),
    ] {
        let mut load = workplace.load(&[&file], &["--create-table", "--partition-key=origin"]);
        load.args(options);
        assert_refused(load, &[part]);
    }
    let deferred = [
        "--create-table",
        "--partition-key=origin",
        "--indexes=x.toml",
        "--defer-indexes",
    ];
    let assert = workplace.load(&[&file], &deferred).assert().code(2);
    let message = stderr(&assert);
    assert!(message.contains("--checkpoint"), "{message}");
}

#[test]
fn what_overwrites_something_is_told_before() {
    let workplace = Workplace::new();
    let create = ["--ttl-attribute=expires", "--max-wcu=90000"];
    let first = Running::start(&workplace, &[&create[..], &NEW].concat());
    assert_eq!(first.end().0, 0);
    let (status, report, said) = Running::start(&workplace, &[&create[..], &NEW].concat()).end();
    assert_eq!(status, 0);
    let notices: Vec<&str> = report["notices"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for part in ["it has 20000 items", "\"expires\"", "passed over"] {
        assert!(
            notices.iter().any(|notice| notice.contains(part)),
            "{notices:?}"
        );
        assert!(said.contains(part), "{said}");
    }
}

fn raising(workplace: &Workplace, more: &[&str]) -> Running {
    let raise = ["--raise-capacity=60000", "--checkpoint=load.checkpoint"];
    Running::start(workplace, &[&PROVISIONED[..], &raise, more].concat())
}

#[test]
fn a_raised_capacity_is_used_and_put_back() {
    let workplace = Workplace::new();
    // A part of what there is: of the table as it was it would be seven.
    let mut load = raising(&workplace, &["--rate=5%"]);
    load.says("of 3000 WCU/s");
    let (status, report, said) = load.end();
    assert_eq!(status, 0, "{said}");
    assert_eq!(report["items_written"], ROWS);
    let restored = "the capacity of table days is as before";
    assert!(said.contains(restored), "{said}");
    assert_eq!(write_units(&workplace), 150);
}

#[test]
fn a_raised_capacity_is_put_back_when_the_load_is_stopped() {
    let workplace = Workplace::new();
    let mut load = raising(&workplace, &["--rate=2000"]);
    load.says("of 20000 rows");
    load.signal("INT");
    let (status, report, said) = load.end();
    let interrupted = (130, &"interrupted".into());
    assert_eq!((status, &report["end"]), interrupted, "{said}");
    assert_eq!(write_units(&workplace), 150);
}

#[test]
fn a_raised_capacity_is_put_back_when_too_many_rows_are_dead() {
    let workplace = Workplace::new();
    let load = Running::start(
        &workplace,
        &[
            "--create-table",
            // It is null once.
            "--partition-key=mean",
            "--sort-key=id",
            "--billing-mode=provisioned",
            "--wcu=150",
            "--raise-capacity=60000",
            "--checkpoint=load.checkpoint",
            "--max-errors=0",
        ],
    );
    let (status, report, said) = load.end();
    let stopped = (3, &"too_many_errors".into());
    assert_eq!((status, &report["end"]), stopped, "{said}");
    assert_eq!(write_units(&workplace), 150);
}

#[test]
fn what_a_crash_has_left_raised_is_restored_and_that_twice() {
    let workplace = Workplace::new();
    let mut load = raising(&workplace, &["--rate=2000"]);
    load.says("of 20000 rows");
    load.crash();
    assert_eq!(write_units(&workplace), 60_000);
    for said in ["is put back", "is not raised"] {
        let restore = [
            "restore",
            "--checkpoint=load.checkpoint",
            "--embedded=store.db",
        ];
        let assert = workplace
            .dynasink(&restore)
            .timeout(Duration::from_mins(1))
            .assert()
            .code(0);
        let stdout = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
        assert!(stdout.contains(said), "{stdout}");
        assert_eq!(write_units(&workplace), 150);
    }
}

#[test]
fn a_load_that_goes_on_puts_back_what_its_first_run_has_found() {
    let workplace = Workplace::new();
    let mut load = raising(&workplace, &["--rate=2000"]);
    load.says("of 20000 rows");
    load.crash();
    let (status, report, said) = raising(&workplace, &["--resume"]).end();
    assert_eq!(status, 0, "{said}");
    assert_eq!(report["items_written"], ROWS);
    assert_eq!(write_units(&workplace), 150);
}

#[test]
fn what_is_refused_before_a_write_leaves_nothing_behind() {
    let workplace = Workplace::new();
    fs::write(workplace.path("indexes.toml"), INDEXES).unwrap();
    fs::write(workplace.path("control.toml"), "rate = '50%'").unwrap();
    let create = [
        "--create-table",
        "--partition-key=origin",
        "--sort-key=time_hour",
    ];
    for (options, part) in [
        (
            vec!["--raise-capacity=500", "--checkpoint=load.checkpoint"],
            "on demand without a maximum",
        ),
        (
            vec!["--checkpoint=load.checkpoint", "--control=control.toml"],
            "control.toml: 50% of the capacity",
        ),
        (
            vec![
                "--checkpoint=nowhere/load.checkpoint",
                "--indexes=indexes.toml",
                "--defer-indexes",
            ],
            "nowhere/load.checkpoint cannot be",
        ),
        (
            vec![
                "--checkpoint=load.checkpoint",
                "--billing-mode=provisioned",
                "--wcu=99999999999999999",
            ],
            "could not be created",
        ),
    ] {
        let file = real("nycflights13_weather.parquet");
        let mut load = workplace.load(&[&file], &create);
        load.args(options);
        assert_refused(load, &[part]);
        let files = ["control.toml", "indexes.toml", "store.db"];
        assert_eq!(workplace.files(), files, "{part}");
        store::change(&workplace, async |client| {
            let tables = client.list_tables().send().await.unwrap();
            assert!(tables.table_names().is_empty(), "{part}");
        });
    }
}

#[test]
fn deferred_indexes_are_made_once_all_rows_are_written() {
    let workplace = Workplace::new();
    fs::write(
        workplace.path("indexes.json"),
        r#"{"index": [
        {"name": "by-month", "kind": "global", "partition_key": "month", "projection": "keys-only"},
        {"name": "by-day", "kind": "global", "partition_key": "day:N"}
    ]}"#,
    )
    .unwrap();
    let create = [
        "--indexes=indexes.json",
        "--defer-indexes",
        "--checkpoint=load.checkpoint",
    ];
    let args = [&create[..], &NEW].concat();
    let mut load = Running::start(&workplace, &[&args[..], &["--rate=2000"]].concat());
    load.says("of 20000 rows");
    load.signal("INT");
    let (status, report, said) = load.end();
    assert_eq!(status, 130, "{said}");
    let notices = report["notices"].to_string();
    assert!(
        notices.contains("are not made: by-month, by-day"),
        "{notices}"
    );
    assert!(global_indexes(&workplace).is_empty());

    let (status, _, said) = Running::start(&workplace, &[&args[..], &["--resume"]].concat()).end();
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("making index by-day, 2 of 2"), "{said}");
    assert_eq!(global_indexes(&workplace), ["by-month", "by-day"]);
}

/// A load that was killed between its checkpoint and its table, or while that was being made.
#[test]
fn indexes_are_deferred_before_their_table_is_made() {
    let workplace = Workplace::new();
    fs::write(workplace.path("indexes.toml"), INDEXES).unwrap();
    let create = [
        "--sort-key=month",
        "--indexes=indexes.toml",
        "--defer-indexes",
        "--checkpoint=load.checkpoint",
        "--where=mean is not null",
    ];
    let args = [&create[..], &NEW].concat();
    for is_made in [false, true] {
        let stopped = ["--rate=2000", "--max-duration=1ms"];
        let load = Running::start(&workplace, &[&args[..], &stopped].concat());
        let (status, _, said) = load.end();
        assert_eq!(status, 130, "{said}");
        let path = workplace.path("load.checkpoint");
        let checkpoint: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert!(
            checkpoint["load"]["table"]["id"].is_string(),
            "{checkpoint}"
        );
        let mut earlier = checkpoint.clone();
        earlier["load"]["table"] = json!({"name": "days", "arn": null, "id": null});
        earlier["progress"] = json!([]);
        for (_, count) in earlier["counts"].as_object_mut().unwrap() {
            if count.is_number() {
                *count = json!(0);
            }
        }
        fs::write(&path, earlier.to_string()).unwrap();
        if !is_made {
            fs::remove_file(workplace.path("store.db")).unwrap();
        }
        let load = Running::start(&workplace, &[&args[..], &["--resume"]].concat());
        let (status, report, said) = load.end();
        assert_eq!(status, 0, "{said}");
        assert_eq!(report["items_written"], ROWS - 1);
        assert_eq!(global_indexes(&workplace), ["by-month"]);
        fs::remove_file(&path).unwrap();
        fs::remove_file(workplace.path("store.db")).unwrap();
    }
}

#[test]
fn another_table_of_that_name_is_not_restored() {
    let workplace = Workplace::new();
    let mut load = raising(&workplace, &["--rate=2000"]);
    load.says("of 20000 rows");
    load.crash();
    let other = [
        "load",
        "days.parquet",
        "--table=days",
        "--embedded=other.db",
        "--where=id < 10",
    ];
    let mut other = workplace.dynasink(&other);
    other.args(PROVISIONED);
    other.assert().code(0);
    let restore = [
        "restore",
        "--checkpoint=load.checkpoint",
        "--embedded=other.db",
    ];
    workplace.dynasink(&restore).assert().code(2);
    let restore = [
        "restore",
        "--checkpoint=load.checkpoint",
        "--embedded=store.db",
    ];
    workplace.dynasink(&restore).assert().code(0);
    assert_eq!(write_units(&workplace), 150);
}

//! `dynasink serve` as a process: whole and in trouble.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use arrow_array::{Int64Array, StringArray};
use aws_sdk_dynamodb::Client;
use dynasink_sim::EmbeddedStore;
use serde_json::Value;

use crate::interrupt::interrupt;
use crate::workplace::{Workplace, assert_refused, column};

/// A server that runs until it is stopped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
}

impl Serving {
    pub(crate) fn start(workplace: &Workplace, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dynasink"))
            .current_dir(workplace.path(""))
            .args(["serve", "--port", "0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut url).unwrap();
        let url = url.trim_end().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        Self { child, url }
    }

    /// Loads `file` into the table `things`, which the load may have to create: the report.
    fn load(&self, workplace: &Workplace, file: &Path) -> Value {
        let mut load = workplace.dynasink(&["load", "--table", "things", "--json"]);
        load.args(["--endpoint-url", &self.url])
            .args(["--create-table", "--partition-key", "id"])
            .arg(file)
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any");
        let assert = load.assert().code(0);
        serde_json::from_slice(&assert.get_output().stdout).unwrap()
    }

    /// Ends the server as Ctrl-C does: what it says on stderr.
    pub(crate) fn stop(mut self) -> String {
        interrupt(&self.child);
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        said
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended already, unless a test fails.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Rows of which several have one key: the row of each key that comes last is the one to stay.
fn rows(workplace: &Workplace, name: &str, rows: i64, keys: i64) -> (std::path::PathBuf, Things) {
    let id = |row: i64| row * 7 % keys;
    let text = |row: i64| format!("{name} {row}");
    let columns = vec![
        (
            "id",
            column(Int64Array::from_iter_values((0..rows).map(id))),
        ),
        (
            "text",
            column(StringArray::from_iter_values((0..rows).map(text))),
        ),
    ];
    let last = (0..rows).map(|row| (id(row).to_string(), text(row)));
    (workplace.parquet(name, 500, columns), last.collect())
}

/// Texts by their ids.
pub(crate) type Things = BTreeMap<String, String>;

pub(crate) async fn scan(client: &Client) -> Things {
    let scan = client.scan().table_name("things").into_paginator();
    let mut items = scan.items().send();
    let mut things = Things::new();
    while let Some(item) = items.try_next().await.unwrap() {
        let id = item["id"].as_n().or_else(|_| item["id"].as_s()).unwrap();
        let text = item["text"].as_s().unwrap();
        things.insert(id.clone(), text.clone());
    }
    things
}

pub(crate) fn client(url: &str) -> Client {
    let config = EmbeddedStore::in_memory().unwrap().sdk_config();
    let http_client = aws_smithy_http_client::Builder::new().build_http();
    Client::from_conf(config.endpoint_url(url).http_client(http_client).build())
}

/// The numbers of the line that a simulation ends with: requests, operations applied, write units, operations
/// refused, illegal requests.
#[track_caller]
pub(crate) fn summary(said: &str) -> [u64; 5] {
    let words = said.lines().last().unwrap_or_default().split(' ');
    let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().unwrap_or_else(|_| panic!("{said}"))
}

#[tokio::test]
async fn a_load_into_a_server_in_trouble_is_complete() {
    let workplace = Workplace::new();
    let faults = "internal=3%, lost=3%, reset=3%, truncated=2%, partial=5%, slow:20ms=2%";
    let trouble = [
        "--wcu",
        "2000",
        "--partitions",
        "3",
        "--latency",
        "1ms..10ms",
        "--seed",
        "7",
    ];
    let server = Serving::start(&workplace, &[&trouble[..], &["--faults", faults]].concat());
    let (file, expected) = rows(&workplace, "rows.parquet", 4000, 1501);

    let report = server.load(&workplace, &file);

    let count = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(report["end"], "complete");
    assert_eq!(count("rows_read"), 4000);
    assert_eq!(count("items_written") + count("superseded"), 4000);
    assert_eq!((count("dead"), count("unresolved")), (0, 0));
    assert!(count("retried_ops") > 0, "{report}");
    assert_eq!(scan(&client(&server.url)).await, expected);
    let said = server.stop();
    let [requests, applied, units, _, illegal] = summary(&said);
    assert!(requests > count("items_written") / 25, "{said}");
    assert!(
        applied >= count("items_written") && units >= applied,
        "{said}"
    );
    assert_eq!(illegal, 0, "{said}");
}

#[tokio::test]
async fn a_store_that_exists_is_served_in_trouble_and_keeps_what_is_written() {
    let workplace = Workplace::new();
    let (first, mut expected) = rows(&workplace, "first.parquet", 60, 60);
    let create = ["--create-table", "--partition-key", "id"];
    workplace.load(&[&first], &create).assert().code(0);
    let (second, later) = rows(&workplace, "second.parquet", 100, 90);
    expected.extend(later);
    let faults = "internal@1, partial=50%";
    let server = Serving::start(&workplace, &["--embedded", "store.db", "--faults", faults]);

    let report = server.load(&workplace, &second);

    assert_eq!(report["end"], "complete");
    let said = server.stop();
    let [_, applied, _, refused, illegal] = summary(&said);
    assert_eq!((applied, refused, illegal), (90, 0, 0), "{said}");
    let store = EmbeddedStore::open(workplace.path("store.db")).unwrap();
    assert_eq!(scan(&store.client()).await, expected);
}

#[tokio::test]
async fn a_server_without_simulation_has_nothing_to_say() {
    let workplace = Workplace::new();
    let server = Serving::start(&workplace, &[]);
    let (file, expected) = rows(&workplace, "rows.parquet", 100, 90);

    let report = server.load(&workplace, &file);

    assert_eq!(
        (&report["items_written"], &report["requests"]),
        (&90.into(), &4.into())
    );
    assert_eq!(scan(&client(&server.url)).await, expected);
    assert_eq!(server.stop(), "");
}

#[test]
fn what_cannot_be_simulated_is_refused_with_what_could() {
    let workplace = Workplace::new();
    for (option, value, right) in [
        ("--faults", "losst=1%", "the faults are internal"),
        ("--faults", "lost", "NAME=SHARE%"),
        ("--faults", "lost=1", "from 0% to 100%"),
        ("--faults", "internal@never", "the number of a request"),
        ("--faults", "capacity:things@2m", "TABLE=WCU"),
        ("--latency", "fast", "a time such as `5ms`"),
        ("--latency", "5ms..", "`5ms..40ms`"),
        ("--idle", "soon", "such as 30s"),
        ("--wcu", "0", "1.."),
        ("--partitions", "0", "zero"),
    ] {
        let serve = workplace.dynasink(&["serve", "--port", "0", option, value]);
        assert_refused(serve, &[option, value, right]);
    }
}

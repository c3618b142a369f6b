//! What `dynasink plan` tells, and that a load bears it out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::{Float64Array, Int64Array, StringArray};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    LocalSecondaryIndex, Projection, ProjectionType, ScalarAttributeType,
};
use dynasink_sim::EmbeddedStore;
use serde_json::{Value, json};

use crate::workplace::{Workplace, assert_refused, column};

/// The plan of `file` for the table `things`, which ends with `code`.
#[track_caller]
fn plan(workplace: &Workplace, file: &PathBuf, code: i32, more: &[&str]) -> Value {
    let mut command = workplace.dynasink(&["plan", "--json", "--table", "things"]);
    let assert = command.arg(file).args(more).assert().code(code);
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

/// The table `things` by `id` and `seq`, with a local index, a global one of all attributes and one of keys only.
async fn create_table(workplace: &Workplace) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .unwrap()
    };
    let key = |name: &str, role| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(role)
            .build()
            .unwrap()
    };
    let projection = |kind| Projection::builder().projection_type(kind).build();
    let by_total = LocalSecondaryIndex::builder()
        .index_name("by-total")
        .key_schema(key("id", KeyType::Hash))
        .key_schema(key("total", KeyType::Range))
        .projection(projection(ProjectionType::All));
    let global = |name: &str, kind| {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key("town", KeyType::Hash))
            .projection(projection(kind))
            .build()
            .unwrap()
    };
    EmbeddedStore::open(workplace.path("store.db"))
        .unwrap()
        .client()
        .create_table()
        .table_name("things")
        .attribute_definitions(attribute("id", ScalarAttributeType::S))
        .attribute_definitions(attribute("seq", ScalarAttributeType::N))
        .attribute_definitions(attribute("total", ScalarAttributeType::N))
        .attribute_definitions(attribute("town", ScalarAttributeType::S))
        .key_schema(key("id", KeyType::Hash))
        .key_schema(key("seq", KeyType::Range))
        .local_secondary_indexes(by_total.build().unwrap())
        .global_secondary_indexes(global("by-town", ProjectionType::All))
        .global_secondary_indexes(global("towns", ProjectionType::KeysOnly))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

/// 600 rows of which some have no key, an empty one, a number that is none, or are too large; and, if `repeats`, some have
/// the key of another.
fn orders(workplace: &Workplace, repeats: bool) -> PathBuf {
    let rows = 0..600_i64;
    let ids = rows.clone().map(|row| match row % 100 {
        7 => None,
        8 => Some(String::new()),
        _ => Some(format!("c{}", row % 5)),
    });
    let seq = rows.clone().map(|row| if repeats { row / 10 } else { row });
    let totals = rows.clone().map(|row| match row % 50 {
        9 => f64::NAN,
        row => row as f64 / 4.0,
    });
    let towns = rows
        .clone()
        .map(|row| (row % 2 == 0).then(|| format!("town {}", row % 7)));
    let texts = rows.map(|row| match row {
        300 => "x".repeat(410 * 1024),
        row => "y".repeat(usize::try_from(row % 13).unwrap() * 300),
    });
    let columns = vec![
        ("id", column(ids.collect::<StringArray>())),
        ("seq", column(seq.map(Some).collect::<Int64Array>())),
        ("total", column(totals.map(Some).collect::<Float64Array>())),
        ("town", column(towns.collect::<StringArray>())),
        ("text", column(texts.map(Some).collect::<StringArray>())),
    ];
    workplace.parquet("orders.parquet", 100, columns)
}

/// The dead letters by their codes.
fn dead_letters(workplace: &Workplace) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(workplace.path("things.dead-letters.jsonl")).unwrap();
    let mut codes = BTreeMap::new();
    for line in text.lines() {
        let letter: Value = serde_json::from_str(line).unwrap();
        *codes
            .entry(letter["code"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
    }
    codes
}

async fn items(workplace: &Workplace) -> u64 {
    let client = EmbeddedStore::open(workplace.path("store.db"))
        .unwrap()
        .client();
    let mut pages = client.scan().table_name("things").into_paginator().send();
    let mut items = 0;
    while let Some(page) = pages.next().await {
        items += u64::try_from(page.unwrap().count()).unwrap();
    }
    items
}

fn load(workplace: &Workplace, file: &Path) -> Value {
    let mut load = workplace.load(&[file], &["--json"]);
    serde_json::from_slice(&load.assert().code(1).get_output().stdout).unwrap()
}

#[tokio::test]
async fn the_counts_of_a_plan_are_those_of_the_load_that_follows() {
    let workplace = Workplace::new();
    create_table(&workplace).await;
    let file = orders(&workplace, true);
    let planned = plan(&workplace, &file, 1, &["--embedded", "store.db"]);
    let loaded = load(&workplace, &file);

    assert_eq!(planned["rows"], loaded["rows_read"]);
    assert_eq!(planned["bad"]["dead"], loaded["dead"]);
    assert_eq!(planned["bad"]["by_code"], json!(dead_letters(&workplace)));
    assert!(
        planned["bad"]["by_code"].as_object().unwrap().len() >= 4,
        "{planned}"
    );
    let count = |value: &Value| value.as_u64().unwrap();
    assert_eq!(
        count(&planned["writable"]),
        count(&loaded["items_written"]) + count(&loaded["superseded"])
    );
    assert!(count(&planned["measured"]["keys"]["superseded"]) > 100);
    let (most, least) = (
        &planned["measured"]["units"],
        &planned["measured"]["staying"],
    );
    let consumed = count(&loaded["consumed_write_units"]);
    assert!(count(&least["total"]) < count(&most["total"]), "{planned}");
    assert!((count(&least["total"])..=count(&most["total"])).contains(&consumed));
    let cost = planned["estimate"]["costs"]["on_demand"].as_f64().unwrap();
    assert!((cost - count(&least["total"]) as f64 * 0.625 / 1e6).abs() < 1e-12);
    assert_eq!(
        count(&planned["measured"]["keys"]["distinct"]),
        items(&workplace).await
    );
}

#[tokio::test]
async fn the_units_of_a_plan_are_those_that_an_empty_table_consumes() {
    let workplace = Workplace::new();
    create_table(&workplace).await;
    let file = orders(&workplace, false);
    let planned = plan(&workplace, &file, 1, &["--embedded", "store.db"]);
    let loaded = load(&workplace, &file);

    assert_eq!(planned["measured"]["keys"]["superseded"], 0);
    let units = &planned["measured"]["units"];
    assert_eq!(units["total"], loaded["consumed_write_units"], "{units}");
    let indexes = units["indexes"].as_array().unwrap();
    assert_eq!(indexes.len(), 3);
    let of = |name: &str| indexes.iter().find(|index| index["index"] == name).unwrap();
    assert_eq!(of("by-total")["global"], false);
    assert_eq!(
        of("towns")["units"],
        of("towns")["entries"],
        "keys have one unit"
    );
    assert!(of("by-town")["units"].as_u64() > of("towns")["units"].as_u64());
}

#[test]
fn the_units_of_planned_indexes_are_those_of_the_table_once_it_is_made() {
    let workplace = Workplace::new();
    let file = orders(&workplace, false);
    let indexes = r#"{"index": [
        {"name": "by-total", "kind": "local", "sort_key": "total"},
        {"name": "by-town", "kind": "global", "partition_key": "town", "wcu": 50, "rcu": 5},
        {"name": "towns", "kind": "global", "partition_key": "town", "projection": "keys-only", "wcu": 5000, "rcu": 5}
    ]}"#;
    fs::write(workplace.path("indexes.json"), indexes).unwrap();
    let new = [
        ["--partition-key", "id"],
        ["--sort-key", "seq"],
        ["--indexes", "indexes.json"],
        ["--billing-mode", "provisioned"],
        ["--wcu", "5000"],
        ["--embedded", "store.db"],
    ]
    .concat();
    let planned = plan(&workplace, &file, 1, &new);
    let mut load = workplace.load(&[&file], &new[..10]);
    load.arg("--create-table").assert().code(1);
    let of_made = plan(&workplace, &file, 1, &["--embedded", "store.db"]);
    assert_eq!(of_made["exists"], true);
    assert_eq!(planned["exists"], false);
    assert_eq!(planned["measured"]["units"], of_made["measured"]["units"]);
    assert_eq!(planned["billing"], of_made["billing"]);
    assert_eq!(planned["estimate"], of_made["estimate"]);
    assert_eq!(
        planned["estimate"]["times"][0]["bound_by"],
        json!({ "index": "by-town" })
    );
}

#[test]
fn a_plan_writes_nothing_and_needs_no_table() {
    let workplace = Workplace::new();
    let file = workplace.parquet(
        "rows.parquet",
        10,
        vec![("id", column(Int64Array::from_iter_values(0..30)))],
    );
    let arguments = ["--embedded", "store.db", "--partition-key", "id"];
    let planned = plan(&workplace, &file, 0, &arguments);
    assert_eq!(
        (&planned["exists"], &planned["writable"]),
        (&json!(false), &json!(30))
    );
    assert_eq!(planned["columns"][0]["example"], r#"{"N":"0"}"#);
    assert_eq!(workplace.files(), ["rows.parquet"]);

    let offline = plan(
        &workplace,
        &file,
        0,
        &["--offline", "--partition-key", "id"],
    );
    assert_eq!(offline, planned);
}

#[test]
fn a_key_that_binds_is_found_with_the_time_that_it_takes() {
    let workplace = Workplace::new();
    let ids = (0..5000).map(|row| {
        if row % 2 == 0 {
            "hot".to_owned()
        } else {
            format!("k{row}")
        }
    });
    let columns = vec![
        ("id", column(ids.map(Some).collect::<StringArray>())),
        ("seq", column(Int64Array::from_iter_values(0..5000))),
    ];
    let file = workplace.parquet("rows.parquet", 1000, columns);
    let arguments = [
        "--offline",
        "--partition-key",
        "id",
        "--sort-key",
        "seq",
        "--rate",
        "4000",
    ];
    let planned = plan(&workplace, &file, 0, &arguments);
    let hottest = &planned["measured"]["heavy_keys"][0];
    assert_eq!(
        (&hottest["key"], &hottest["units"]),
        (&json!(r#"{"S":"hot"}"#), &json!(2500))
    );
    assert_eq!(planned["estimate"]["times"][0]["bound_by"], "partition_key");
    assert_eq!(planned["estimate"]["times"][0]["seconds"], 2.5);
    let findings = planned["findings"].as_array().unwrap();
    let hot = findings
        .iter()
        .find(|finding| finding["code"] == "hot_partition_key")
        .unwrap();
    assert!(
        hot["finding"]
            .as_str()
            .unwrap()
            .contains("no more than 2000 WCU/s"),
        "{hot}"
    );
}

#[test]
fn a_sample_tells_of_all_rows_by_some() {
    let workplace = Workplace::new();
    let ids = Int64Array::from_iter_values(0..20_000);
    let file = workplace.parquet("rows.parquet", 5000, vec![("id", column(ids))]);
    let arguments = ["--offline", "--partition-key", "id", "--sample", "1000"];
    let planned = plan(&workplace, &file, 0, &arguments);
    assert_eq!(planned["sampled"], json!({ "rows": 1000, "times": 20.0 }));
    assert_eq!(
        (&planned["rows"], &planned["writable"]),
        (&json!(20_000), &json!(20_000))
    );
    assert_eq!(planned["measured"]["keys"], Value::Null);
    assert_eq!(planned["measured"]["units"]["table"], 20_000);
}

#[test]
fn the_plan_for_people_says_the_same() {
    let workplace = Workplace::new();
    let file = orders(&workplace, true);
    let assert = workplace
        .dynasink(&[
            "plan",
            "--table",
            "things",
            "--offline",
            "--partition-key",
            "id",
            "--sort-key",
            "seq",
        ])
        .arg(&file)
        .args(["--examples", "1"])
        .assert()
        .code(1);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    for part in [
        "table things (not there yet, on demand): 600 rows in 1 file, key id:S, seq:N",
        "id (key)",
        "item_too_large       1",
        "cost in USD, us-east-1 as of ",
        "bulk put     price not known",
        "https://aws.amazon.com/dynamodb/pricing/ before you rely on them",
        "  that stay    ",
        "dead letters: 12 (number)",
        "do: choose with --dedup",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert_eq!(
        text.matches("orders.parquet, row group").count(),
        1,
        "{text}"
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let workplace = Workplace::new();
    let file = workplace.parquet(
        "rows.parquet",
        10,
        vec![("id", column(Int64Array::from_iter_values(0..3)))],
    );
    fs::write(workplace.path("prices.toml"), "date = \"2025\"").unwrap();
    let plan = |more: &[&str]| {
        let mut command = workplace.dynasink(&["plan", "--table", "things"]);
        command.arg(&file).args(more);
        command
    };
    let keys = ["--offline", "--partition-key", "id"];
    let with = |more: &[&str]| plan(&[keys.as_slice(), more].concat());
    assert_refused(
        with(&["--prices", "prices.toml"]),
        &["prices.toml", "no prices"],
    );
    assert_refused(with(&["--dedup", "keep-greatest"]), &["version"]);
    assert_refused(with(&["--rate", "0"]), &["--rate"]);
    assert_refused(with(&["--sample", "0"]), &["--sample"]);
    assert_refused(plan(&["--offline"]), &["--partition-key"]);
    assert_refused(plan(&["--embedded", "none.db"]), &["--partition-key"]);
}

//! What becomes of columns: printed, edited, loaded, and refused where it is wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use arrow_array::{Int64Array, StringArray, TimestampMillisecondArray};
use aws_sdk_dynamodb::types::AttributeValue;
use dynasink_sim::EmbeddedStore;

use crate::workplace::{Workplace, assert_refused, column, stderr};

type Item = BTreeMap<String, AttributeValue>;

fn orders(workplace: &Workplace) -> PathBuf {
    workplace.parquet(
        "orders.parquet",
        2,
        vec![
            (
                "customer",
                column(StringArray::from(vec!["ann", "bob", "cy"])),
            ),
            ("order", column(Int64Array::from(vec![7, 8, 9]))),
            (
                "placed",
                column(TimestampMillisecondArray::from(vec![
                    Some(0),
                    Some(1_500),
                    None,
                ])),
            ),
            (
                "note",
                column(StringArray::from(vec![Some("x"), None, Some("")])),
            ),
        ],
    )
}

/// The items of the table `things`, in the order of their keys.
fn items(workplace: &Workplace) -> Vec<Item> {
    let store = EmbeddedStore::open(workplace.path("store.db")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scanned = runtime
        .block_on(store.client().scan().table_name("things").send())
        .unwrap();
    let items = scanned.items.unwrap_or_default();
    let mut items: Vec<Item> = items.into_iter().map(Item::from_iter).collect();
    items.sort_by_key(|item| format!("{item:?}"));
    items
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
    Item::from(attributes)
}

fn printed(workplace: &Workplace, args: &[&str]) -> String {
    let assert = workplace
        .dynasink(&["mapping", "orders.parquet"])
        .args(args)
        .assert()
        .code(0);
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// Loads by `mapping` into a table with the key `customer`, or what `key` says.
fn load(workplace: &Workplace, mapping: &str, key: &[&str]) -> assert_cmd::Command {
    fs::write(workplace.path("m.toml"), mapping).unwrap();
    let file = orders(workplace);
    let mut load = workplace.load(&[&file], &["--create-table"]);
    load.args(key).args(["--mapping", "m.toml"]);
    load
}

const BY_CUSTOMER: [&str; 2] = ["--partition-key", "customer"];

#[test]
fn what_is_printed_gives_the_items_that_there_are_without_it() {
    let workplace = Workplace::new();
    let file = orders(&workplace);
    let create = ["--create-table", "--partition-key", "customer"];
    workplace.load(&[&file], &create).assert().code(0);
    let without = items(&workplace);

    let other = Workplace::new();
    orders(&other);
    let text = printed(&other, &[]);
    load(&other, &text, &BY_CUSTOMER).assert().code(0);
    assert_eq!(items(&other), without);
    assert_eq!(without.len(), 3);
}

#[test]
fn what_is_printed_says_what_there_is_to_say() {
    let workplace = Workplace::new();
    orders(&workplace);
    let text = printed(&workplace, &[]);
    for line in [
        "# order (Int64) becomes N\n#   as: N, S, BOOL, decimal, iso_of_epoch_s, iso_of_epoch_ms, iso_of_epoch_us, iso_of_epoch_ns, json, NULL\n# order = { as = \"N\" }\n",
        "# placed (Timestamp(ms)) becomes S\n",
        "# nulls = \"omit\"                 # or null\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in: {text}");
    }
}

/// Runs `command` with a stdout that nobody reads.
fn unread(mut command: std::process::Command) -> std::process::Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer).stderr(std::process::Stdio::piped());
    command.spawn().unwrap().wait_with_output().unwrap()
}

#[test]
fn that_nobody_reads_what_is_printed_is_no_failure() {
    let workplace = Workplace::new();
    orders(&workplace);
    let load = "load orders.parquet --embedded store.db --table things --create-table --partition-key customer";
    for args in ["mapping orders.parquet", load] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dynasink"));
        command
            .current_dir(workplace.path(""))
            .args(args.split(' '));
        let output = unread(command);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
    assert_eq!(items(&workplace).len(), 3);
}

#[test]
fn keys_of_the_table_are_pointed_out() {
    let workplace = Workplace::new();
    let file = orders(&workplace);
    let create = ["--create-table", "--partition-key", "order:S"];
    workplace.load(&[&file], &create).assert().code(0);
    let text = printed(&workplace, &["--table", "things", "--embedded", "store.db"]);
    let line = "# order (Int64) becomes S, the partition key\n";
    assert!(text.contains(line), "{line:?} is not in: {text}");
    assert_refused(
        workplace.dynasink(&[
            "mapping",
            "orders.parquet",
            "--table",
            "absent",
            "--embedded",
            "store.db",
        ]),
        &["absent"],
    );
}

#[test]
fn an_edited_mapping_decides_what_is_written() {
    let workplace = Workplace::new();
    let mapping = r#"
        [defaults]
        empty_string = "omit"
        [columns]
        placed = { as = "epoch_s_fraction", nulls = "null" }
        customer = { drop = true }
        [attributes]
        pk = "CUSTOMER#{customer}"
        sk = { column = "order", as = "S" }
        kind = { constant = "order" }
        row = { source = "row" }
    "#;
    let keys = ["--partition-key", "pk", "--sort-key", "sk"];
    load(&workplace, mapping, &keys).assert().code(0);
    let order = |pk: &str, order: &str, row: &str, placed| {
        item([
            ("pk", s(pk)),
            ("sk", s(order)),
            ("order", n(order)),
            ("kind", s("order")),
            ("row", n(row)),
            ("placed", placed),
        ])
    };
    let mut ann = order("CUSTOMER#ann", "7", "0", n("0"));
    ann.insert("note".to_owned(), s("x"));
    let expected = [
        ann,
        order("CUSTOMER#bob", "8", "1", n("1.5")),
        order("CUSTOMER#cy", "9", "0", AttributeValue::Null(true)),
    ];
    let mut expected = expected.to_vec();
    expected.sort_by_key(|item| format!("{item:?}"));
    assert_eq!(items(&workplace), expected);
}

#[test]
fn keys_of_a_new_table_have_the_type_of_what_becomes_them() {
    let workplace = Workplace::new();
    let mapping = "columns.order = { as = 'S', rename = 'id' }";
    load(&workplace, mapping, &["--partition-key", "id"])
        .assert()
        .code(0);
    let ids: Vec<_> = items(&workplace)
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    assert_eq!(ids, [s("7"), s("8"), s("9")]);
}

#[test]
fn a_wrong_mapping_is_refused_before_anything_is_written() {
    let columns = "the columns are \"customer\", \"order\", \"placed\", \"note\"";
    for (mapping, message) in [
        (
            "[columns]\nordr = { as = 'S' }",
            format!("m.toml:2:1: columns.ordr: no column is named \"ordr\": is \"order\" meant? {columns}"),
        ),
        (
            "[columns]\nplaced = { as = 'epoch-ms' }",
            "m.toml:2:17: columns.placed.as: there is no word \"epoch-ms\" here: is \"epoch_ms\" meant? the words are \"S\", \"N\", \"B\", \"BOOL\", \"SS\", \"NS\", \"BS\", \"L\", \"M\", \"NULL\", \"set\", \"iso\", \"iso_of_epoch_s\", \"iso_of_epoch_ms\", \"iso_of_epoch_us\", \"iso_of_epoch_ns\", \"zoned\", \"epoch_s\", \"epoch_s_fraction\", \"epoch_ms\", \"epoch_us\", \"epoch_ns\", \"epoch_days\", \"yyyymmdd\", \"seconds\", \"raw\", \"scaled\", \"f64\", \"decimal\", \"uuid\" and 10 more".to_owned(),
        ),
        (
            "[columns]\norder = { as = 'epoch_ms' }",
            "m.toml:2:16: columns.order.as: column \"order\" has the Arrow type Int64, which cannot be written as epoch_ms: the words that fit are N, S, BOOL, decimal, iso_of_epoch_s, iso_of_epoch_ms, iso_of_epoch_us, iso_of_epoch_ns, json, NULL".to_owned(),
        ),
        (
            "\n\n[colums.order]",
            "m.toml:3:2: colums: there is no such key here: is \"columns\" meant? the keys are \"defaults\", \"columns\", \"attributes\", \"operation\", \"version\"".to_owned(),
        ),
        (
            "columns.customer.drop = true",
            "m.toml:1:1: nothing becomes \"customer\", the partition key of table things: the attributes are \"order\", \"placed\", \"note\"".to_owned(),
        ),
        (
            "attributes.note = 'N#{order}'",
            "m.toml:1:12: attributes.note: attribute \"note\" comes from column \"note\" already: rename one of them, or drop the column".to_owned(),
        ),
        (
            "attributes.x = 'N#{ordr}'",
            format!("m.toml:1:16: attributes.x: no column is named \"ordr\": is \"order\" meant? {columns} (byte 2 of the template)"),
        ),
    ] {
        let workplace = Workplace::new();
        let assert = load(&workplace, mapping, &BY_CUSTOMER).assert().code(2);
        assert_eq!(stderr(&assert), format!("error: {message}\n"));
        assert!(assert.get_output().stdout.is_empty());
        assert_eq!(workplace.files(), ["m.toml", "orders.parquet"]);
    }
}

#[test]
fn a_mapping_that_cannot_be_read_is_named() {
    let workplace = Workplace::new();
    let file = orders(&workplace);
    let mut load = workplace.load(&[&file], &["--mapping", "absent.toml"]);
    load.args(["--create-table", "--partition-key", "customer"]);
    assert_refused(load, &["absent.toml: cannot read the mapping: "]);
}

//! Whatever is wrong before the first write ends with one message, exit status 2 and an untouched store.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use crate::workplace::{Workplace, assert_refused, column, real};
use arrow_array::types::Int64Type;
use arrow_array::{Float64Array, Int64Array, ListArray, StringArray};

const CREATE: [&str; 3] = ["--create-table", "--partition-key", "id"];

fn ids(workplace: &Workplace, name: &str) -> std::path::PathBuf {
    workplace.parquet(
        name,
        10,
        vec![("id", column(Int64Array::from(vec![1, 2, 3])))],
    )
}

#[test]
fn a_missing_file_is_named() {
    let workplace = Workplace::new();
    let load = workplace.load(&[Path::new("nowhere.parquet")], &CREATE);
    assert_refused(load, &["nowhere.parquet", "no such file"]);
    assert_eq!(
        workplace.files(),
        [] as [&str; 0],
        "neither a store nor dead letters are left behind"
    );
}

#[test]
fn a_file_that_is_not_parquet_is_named() {
    let workplace = Workplace::new();
    fs::write(workplace.path("rows.csv"), "id,name\n1,ann\n".repeat(10)).unwrap();
    assert_refused(
        workplace.load(&[Path::new("rows.csv")], &CREATE),
        &["rows.csv", "not a Parquet file"],
    );
}

#[test]
fn a_truncated_file_is_named() {
    let workplace = Workplace::new();
    let whole = fs::read(real("nycflights13_airlines.parquet")).unwrap();
    fs::write(workplace.path("half.parquet"), &whole[..whole.len() / 2]).unwrap();
    assert_refused(
        workplace.load(&[Path::new("half.parquet")], &CREATE),
        &["half.parquet", "truncated"],
    );
}

#[test]
fn standard_input_an_empty_folder_and_an_unknown_url_are_refused_with_a_way_out() {
    let workplace = Workplace::new();
    assert_refused(
        workplace.load(&[Path::new("-")], &CREATE),
        &["standard input"],
    );
    assert_refused(
        workplace.load(&[Path::new(".")], &CREATE),
        &["nothing to read", "no files"],
    );
    assert_refused(
        workplace.load(&[Path::new("s33://bucket/a.parquet")], &CREATE),
        &["s33://bucket/a.parquet", "is s3:// meant?"],
    );
}

#[test]
fn an_unknown_table_is_named() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "ids.parquet");
    assert_refused(
        workplace.load(&[&file], &[]),
        &["\"things\"", "no such table", "create it"],
    );
}

#[test]
fn a_key_column_that_is_not_there_is_named_and_no_table_is_created() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "ids.parquet");
    let load = workplace.load(&[&file], &["--create-table", "--partition-key", "idd"]);
    assert_refused(load, &["\"idd\"", "id"]);
    assert_refused(workplace.load(&[&file], &[]), &["no such table"]);
}

#[test]
fn a_key_column_of_a_type_that_no_key_can_have_is_named() {
    let workplace = Workplace::new();
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1)]), None]);
    let file = workplace.parquet("lists.parquet", 10, vec![("id", column(lists))]);
    assert_refused(workplace.load(&[&file], &CREATE), &["\"id\"", "List"]);
}

#[test]
fn a_table_with_other_keys_is_not_loaded() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "ids.parquet");
    workplace.load(&[&file], &CREATE).assert().code(0);
    let other = workplace.load(&[&file], &["--create-table", "--partition-key", "id:S"]);
    assert_refused(other, &["things", "id:N", "id:S"]);
    workplace.load(&[&file], &CREATE).assert().code(0);
}

#[test]
fn files_whose_columns_conflict_are_both_named() {
    let workplace = Workplace::new();
    let numbers = ids(&workplace, "numbers.parquet");
    let strings = workplace.parquet(
        "strings.parquet",
        10,
        vec![("id", column(StringArray::from(vec!["a"])))],
    );
    let load = workplace.load(&[&numbers, &strings], &CREATE);
    assert_refused(load, &["numbers.parquet", "strings.parquet", "\"id\""]);
}

#[test]
fn an_endpoint_that_cannot_be_reached_is_said_to_be() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "ids.parquet");
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}");
    let mut load = workplace.dynasink(&["load", "--table", "things", "--endpoint-url", &url]);
    load.arg(file)
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any");
    assert_refused(load, &["cannot be reached", "endpoint"]);
}

#[test]
fn wrong_credentials_are_said_to_be() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "ids.parquet");
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", service.local_addr().unwrap());
    let answers = std::thread::spawn(move || {
        let (mut connection, _) = service.accept().unwrap();
        let mut request = [0; 8192];
        let _read = connection.read(&mut request).unwrap();
        let body = r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token included in the request is invalid."}"#;
        write!(
            connection,
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
    });
    let mut load = workplace.dynasink(&["load", "--table", "things", "--endpoint-url", &url]);
    load.arg(file)
        .env("AWS_ACCESS_KEY_ID", "wrong")
        .env("AWS_SECRET_ACCESS_KEY", "wrong");
    assert_refused(load, &["no valid credentials", "security token"]);
    answers.join().unwrap();
}

#[test]
fn missing_credentials_and_a_missing_region_are_said_to_be() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "ids.parquet");
    let mut without_credentials = workplace.dynasink(&[
        "load",
        "--table",
        "things",
        "--endpoint-url",
        "http://127.0.0.1:9",
    ]);
    without_credentials.arg(&file);
    assert_refused(without_credentials, &["no valid credentials"]);
    let mut without_region = workplace.dynasink(&["load", "--table", "things"]);
    without_region.arg(&file);
    assert_refused(without_region, &["--region"]);
}

#[test]
fn a_percentage_of_a_capacity_that_is_not_known_is_refused() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "ids.parquet");
    let load = workplace.load(
        &[&file],
        &["--rate", "50%", CREATE[0], CREATE[1], CREATE[2]],
    );
    assert_refused(load, &["50%", "on demand", "auto"]);
    assert_refused(workplace.load(&[&file], &[]), &["no such table"]);
}

#[test]
fn dead_letters_of_another_load_are_not_touched() {
    let workplace = Workplace::new();
    let file = ids(&workplace, "ids.parquet");
    fs::write(workplace.path("things.dead-letters.jsonl"), "{}\n").unwrap();
    assert_refused(
        workplace.load(&[&file], &CREATE),
        &["things.dead-letters.jsonl", "not empty"],
    );
    assert_eq!(
        fs::read_to_string(workplace.path("things.dead-letters.jsonl")).unwrap(),
        "{}\n"
    );
}

#[test]
fn a_wrong_command_line_is_refused() {
    let workplace = Workplace::new();
    let file = workplace.parquet(
        "f.parquet",
        10,
        vec![("id", column(Float64Array::from(vec![1.5])))],
    );
    for more in [
        &["--rate", "0"][..],
        &["--partition-key", "id"],
        &["--create-table"],
        &["--region", "eu-west-1"],
    ] {
        assert_refused(workplace.load(&[&file], more), &[more[0]]);
    }
    assert_refused(
        workplace.dynasink(&["serve", "--embedded", "none.db"]),
        &["none.db", "no such store"],
    );
}

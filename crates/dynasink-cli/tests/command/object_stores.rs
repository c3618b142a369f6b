//! Sources in S3, at the endpoint that `DYNASINK_TEST_S3_ENDPOINT` names: `.ci/run object-stores` starts one.

use std::fs;
use std::io::{Read, Write, stderr};
use std::net::TcpStream;

use serde_json::Value;

use crate::workplace::{Workplace, assert_refused, real};

const ENDPOINT_VARIABLE: &str = "DYNASINK_TEST_S3_ENDPOINT";

/// Puts `body` at `path` of the endpoint, which are a bucket and a key, or a bucket to create.
fn put(endpoint: &str, path: &str, body: &[u8]) {
    let authority = endpoint.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(authority).unwrap();
    write!(
        connection,
        "PUT /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\nauthorization: AWS any:any\r\n\
         content-type: application/octet-stream\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    connection.write_all(body).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_prefix_is_loaded_with_the_credentials_of_a_profile() {
    let Ok(endpoint) = std::env::var(ENDPOINT_VARIABLE) else {
        let _shown = writeln!(stderr(), "SKIPPED, because {ENDPOINT_VARIABLE} is not set");
        return;
    };
    let endpoint = endpoint.trim_end_matches('/');
    let bucket = format!("dynasink-command-{}", std::process::id());
    put(endpoint, &bucket, &[]);
    let planes = fs::read(real("nycflights13_planes.parquet")).unwrap();
    put(
        endpoint,
        &format!("{bucket}/t/made=2013/planes.parquet"),
        &planes,
    );

    let workplace = Workplace::new();
    let profile = "[other]\naws_access_key_id = any\naws_secret_access_key = any\n";
    fs::write(workplace.path("credentials"), profile).unwrap();
    let load = |prefix: &str, more: &[&str]| {
        let mut load = workplace.dynasink(&["load", &format!("s3://{bucket}/{prefix}")]);
        load.args(["--embedded", "store.db", "--table", "things", "--json"])
            .args(["--create-table", "--partition-key", "tailnum"])
            .args(["--source-endpoint-url", endpoint])
            .args(["--source-region", "us-east-1"])
            .args(more)
            .env("AWS_SHARED_CREDENTIALS_FILE", workplace.path("credentials"));
        load
    };
    let assert = load("t/", &["--source-profile", "other"]).assert().code(0);
    let report: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(report["items_written"], 3322);
    assert_refused(
        load("none/", &["--source-profile", "other"]),
        &["none/: there is nothing to read"],
    );
    assert_refused(
        load("t/", &["--source-anonymous"]),
        &["check the name, the credentials and the region"],
    );
}

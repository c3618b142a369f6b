//! S3, by its protocol.

use std::fs;
use std::io::{Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dynasink::object_store::StaticCredentialProvider;
use dynasink::object_store::aws::AwsCredential;
use dynasink::{KeyType, Sources, Stores};
use dynasink_tests::{
    Endpoint, Fate, Item, LossyNetwork, TestTable, Value, assert_same_items, rows_of_parquet,
};
use futures::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{example, loaded, open};

/// The environment variable that names the endpoint of S3 to run against.
const ENDPOINT_VARIABLE: &str = "DYNASINK_TEST_S3_ENDPOINT";

/// A fresh bucket.
struct Bucket {
    authority: String,
    name: String,
    acl: &'static str,
}

impl Bucket {
    /// A bucket of the endpoint of the environment; none, and a line on standard error, if there is none.
    async fn create(acl: &'static str) -> Option<Self> {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let Some(url) = std::env::var(ENDPOINT_VARIABLE)
            .ok()
            .filter(|url| !url.is_empty())
        else {
            let _shown = writeln!(stderr(), "SKIPPED, because {ENDPOINT_VARIABLE} is not set");
            return None;
        };
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let bucket = Self {
            authority: url
                .strip_prefix("http://")
                .unwrap()
                .trim_end_matches('/')
                .to_owned(),
            name: format!("dynasink-test-{}-{number}", std::process::id()),
            acl,
        };
        bucket.send(&format!("/{}", bucket.name), &[]).await;
        Some(bucket)
    }

    async fn put(&self, key: &str, body: &[u8]) {
        self.send(&format!("/{}/{key}", self.name), body).await;
    }

    async fn send(&self, path: &str, body: &[u8]) {
        let mut connection = TcpStream::connect(&self.authority).await.unwrap();
        let head = format!(
            "PUT {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nx-amz-acl: {}\r\n\
             authorization: AWS any:any\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\n\r\n",
            self.authority,
            self.acl,
            body.len()
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.authority)
    }
}

/// Stores behind `endpoint`, with credentials that were made up.
fn stores(endpoint: &str) -> Stores {
    let credentials = StaticCredentialProvider::new(AwsCredential {
        key_id: "any".to_owned(),
        secret_key: "any".to_owned(),
        token: None,
    });
    Stores::new()
        .with_endpoint_url(endpoint)
        .with_region("us-east-1")
        .with_aws_credentials(Arc::new(credentials))
}

/// A table for the planes, with its endpoint.
async fn planes() -> (Endpoint, TestTable) {
    let endpoint = Endpoint::embedded();
    let table = TestTable::create(&endpoint, &[("tailnum", KeyType::S)]).await;
    (endpoint, table)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hive_tree_is_loaded_with_its_partitions() {
    let Some(bucket) = Bucket::create("private").await else {
        return;
    };
    let file = fs::read(example("planes")).unwrap();
    bucket
        .put("t/day=2013-01-01/region=eu%2520west/a.parquet", &file)
        .await;
    bucket.put("t/_SUCCESS", b"").await;

    let (_endpoint, table) = planes().await;
    let sources = Sources::new()
        .with_source(bucket.url("t/"))
        .with_stores(stores(&bucket.endpoint()));
    let items = loaded(sources, &table).await;

    let with_partition = |mut item: Item| {
        item.insert("day".to_owned(), Value::string("2013-01-01"));
        item.insert("region".to_owned(), Value::string("eu west"));
        item
    };
    let rows = rows_of_parquet(&example("planes"));
    assert_same_items(&items, &table.by_key(rows.into_iter().map(with_partition)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_byte_is_asked_for_by_its_range() {
    let Some(bucket) = Bucket::create("private").await else {
        return;
    };
    let file = fs::read(example("planes")).unwrap();
    bucket.put("a/planes.parquet", &file).await;
    let network = LossyNetwork::before(&bucket.endpoint(), 0, 0)
        .await
        .unwrap();

    let (_endpoint, table) = planes().await;
    let sources = Sources::new()
        .with_source(bucket.url("a/*.parquet"))
        .with_stores(stores(&network.url()));
    let items = loaded(sources, &table).await;
    assert_same_items(&items, &table.by_key(rows_of_parquet(&example("planes"))));

    let heads = network.heads();
    let gets = heads.iter().filter(|head| {
        head.starts_with("get")
            && head
                .lines()
                .next()
                .is_some_and(|line| line.contains(".parquet"))
    });
    let fetched: Vec<u64> = gets
        .map(|head| {
            let range = head
                .lines()
                .find_map(|line| line.strip_prefix("range: bytes="));
            let (start, end) = range.unwrap().split_once('-').unwrap();
            end.parse::<u64>().unwrap() + 1 - start.parse::<u64>().unwrap()
        })
        .collect();
    // The footer twice, since it is read again for the rows, and everything else once.
    let most = u64::try_from(file.len()).unwrap() + 2 * 64 * 1024;
    assert!(
        fetched.len() > 2 && fetched.iter().sum::<u64>() <= most,
        "{fetched:?}"
    );
    assert!(
        heads.iter().any(|head| head.contains("if-match: ")),
        "later requests are for the state that the first one found"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_arrives_though_connections_break() {
    let Some(bucket) = Bucket::create("private").await else {
        return;
    };
    let file = fs::read(example("planes")).unwrap();
    for part in ["a/0.parquet", "b/1.parquet"] {
        bucket.put(part, &file).await;
    }
    let network = LossyNetwork::before(&bucket.endpoint(), 40, 3)
        .await
        .unwrap();
    let (_endpoint, table) = planes().await;
    let sources = Sources::new()
        .with_source(bucket.url("a/"))
        .with_source(bucket.url("b/1.parquet"))
        .with_stores(stores(&network.url()));
    let items = loaded(sources, &table).await;
    assert_same_items(&items, &table.by_key(rows_of_parquet(&example("planes"))));
    assert!(network.count(Fate::AnswerCut) > 0 && network.count(Fate::AnswerLost) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_is_another_by_now_ends_the_load() {
    let Some(bucket) = Bucket::create("private").await else {
        return;
    };
    let mut file = fs::read(example("planes")).unwrap();
    bucket.put("planes.parquet", &file).await;
    let sources = Sources::new()
        .with_source(bucket.url("planes.parquet"))
        .with_stores(stores(&bucket.endpoint()));
    let source = open(sources).await.unwrap();
    // As many bytes and as many rows, but not the same.
    file[10] ^= 1;
    bucket.put("planes.parquet", &file).await;
    let error = source.stream().try_collect::<Vec<_>>().await.unwrap_err();
    assert!(
        matches!(error, dynasink::ArrowError::FileChanged { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_or_not_allowed_is_named() {
    let Some(private) = Bucket::create("private").await else {
        return;
    };
    private.put("t/x.csv", b"a,b\n").await;
    let refused = |key: &str| {
        let sources = Sources::new().with_source(private.url(key));
        open(sources.with_stores(stores(&private.endpoint())))
    };
    let missing = refused("none.parquet").await.unwrap_err();
    assert!(
        missing.contains("none.parquet: there is no such file"),
        "{missing}"
    );
    let nothing = refused("t/").await.unwrap_err();
    assert!(
        nothing.contains("x.csv, does not end in .parquet"),
        "{nothing}"
    );

    let anonymous = stores(&private.endpoint()).with_anonymous(true);
    let sources = Sources::new().with_source(private.url("t/x.csv"));
    let denied = open(sources.with_stores(anonymous.clone()))
        .await
        .unwrap_err();
    assert!(
        denied.contains("check the name, the credentials"),
        "{denied}"
    );

    let public = Bucket::create("public-read").await.unwrap();
    public
        .put("planes.parquet", &fs::read(example("planes")).unwrap())
        .await;
    let sources = Sources::new().with_source(public.url("planes.parquet"));
    let source = open(sources.with_stores(anonymous)).await.unwrap();
    assert_eq!(source.total_rows(), 3322);
}

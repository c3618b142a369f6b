//! Files of a web server.

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use dynasink::{KeyType, Sources};
use dynasink_tests::{Endpoint, TestTable, assert_same_items, rows_of_parquet};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, RANGE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{example, loaded, open};

/// What a server does not do.
#[derive(Clone, Copy, Debug, Default)]
struct Lacks {
    head: bool,
    ranges: bool,
    etags: bool,
}

/// A server of one file, at `/a b/planes.parquet?token=secret`.
struct WebServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl WebServer {
    async fn start(file: Vec<u8>, lacks: Lacks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (file, asked) = (Bytes::from(file), Arc::<Mutex<Vec<String>>>::default());
        let seen = Arc::clone(&asked);
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (file, seen) = (file.clone(), Arc::clone(&seen));
                let service = service_fn(move |request| {
                    let answer = answer(&request, &file, lacks, &seen);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let connection = TokioIo::new(connection);
                tokio::spawn(http1::Builder::new().serve_connection(connection, service));
            }
        });
        Self {
            address,
            asked,
            accepting,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn answer(
    request: &Request<Incoming>,
    file: &Bytes,
    lacks: Lacks,
    asked: &Mutex<Vec<String>>,
) -> Response<Full<Bytes>> {
    let status = |status| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        response
    };
    if request.uri() != "/a%20b/planes.parquet?token=secret" {
        return status(StatusCode::NOT_FOUND);
    }
    let mut response = Response::builder();
    if !lacks.etags {
        response = response.header(ETAG, "W/\"weak\"");
    }
    if request.method() == Method::HEAD {
        if lacks.head {
            return status(StatusCode::FORBIDDEN);
        }
        let response = response.header(CONTENT_LENGTH, file.len());
        return response.body(Full::default()).unwrap();
    }
    let range = request
        .headers()
        .get(RANGE)
        .map(|range| range.to_str().unwrap());
    let Some(range) = range.filter(|_| !lacks.ranges) else {
        return response.body(Full::new(file.clone())).unwrap();
    };
    asked.lock().unwrap().push(range.to_owned());
    let (start, end) = range
        .strip_prefix("bytes=")
        .unwrap()
        .split_once('-')
        .unwrap();
    let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
    response
        .status(StatusCode::PARTIAL_CONTENT)
        .header(CONTENT_RANGE, format!("bytes {start}-{end}/{}", file.len()))
        .body(Full::new(file.slice(start..=end)))
        .unwrap()
}

fn planes_file() -> Vec<u8> {
    fs::read(example("planes")).unwrap()
}

/// A path of a signed URL, exactly as it is signed.
const SIGNED: &str = "/a%20b/planes.parquet?token=secret";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_loaded_by_ranges_whatever_else_the_server_lacks() {
    for lacks in [
        Lacks::default(),
        Lacks {
            head: true,
            etags: true,
            ..Lacks::default()
        },
    ] {
        let server = WebServer::start(planes_file(), lacks).await;
        let endpoint = Endpoint::embedded();
        let table = TestTable::create(&endpoint, &[("tailnum", KeyType::S)]).await;
        let items = loaded(Sources::new().with_source(server.url(SIGNED)), &table).await;
        assert_same_items(&items, &table.by_key(rows_of_parquet(&example("planes"))));
        assert!(!server.asked.lock().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_ranges_is_refused() {
    let lacks = Lacks {
        ranges: true,
        ..Lacks::default()
    };
    let server = WebServer::start(planes_file(), lacks).await;
    let error = open(Sources::new().with_source(server.url(SIGNED)))
        .await
        .unwrap_err();
    assert!(error.contains("does not give parts of files"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_signs_a_url_is_in_no_message() {
    let server = WebServer::start(planes_file(), Lacks::default()).await;
    let url = server.url("/none.parquet?token=secret");
    let error = open(Sources::new().with_source(url)).await.unwrap_err();
    assert!(
        error.contains("/none.parquet: there is no such file"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_a_web_server_cannot_be_listed() {
    for path in ["/folder/", "/*.parquet", ""] {
        let url = format!("http://127.0.0.1:9{path}");
        let error = open(Sources::new().with_source(url)).await.unwrap_err();
        assert!(error.contains("does not list its files"), "{error}");
    }
}

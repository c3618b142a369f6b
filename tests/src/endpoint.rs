//! The endpoints that the suite runs against.

use std::env;
use std::io::{Write, stderr};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{Builder, Credentials};
use aws_sdk_dynamodb::operation::delete_table::DeleteTableError;
use aws_sdk_dynamodb::{Client, config};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use dynasink_sim::{EmbeddedStore, Server, ServerHandle};
use futures::FutureExt;

/// The environment variable that names the endpoint to run against beside the embedded store.
pub const ENDPOINT_VARIABLE: &str = "DYNASINK_TEST_ENDPOINT";

/// Where requests go. Clones are the same endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    url: String,
    config: config::Config,
    tables: Arc<Mutex<Vec<String>>>,
    _server: Option<Arc<ServerHandle>>,
}

impl Endpoint {
    /// A new store in memory behind a port of its own.
    pub fn embedded() -> Self {
        Self::served(EmbeddedStore::in_memory().unwrap())
    }

    /// A service of this process behind a port of its own.
    pub fn served(service: impl Into<dynasink_sim::Endpoint>) -> Self {
        let server = Server::bind(([127, 0, 0, 1], 0).into(), service).unwrap();
        let server = server.spawn().unwrap();
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(invented_credentials());
        Self::new(server.url(), config, Some(server))
    }

    /// The endpoint that [`ENDPOINT_VARIABLE`] names. Says on standard error which it is, or that there is none.
    pub async fn named_by_environment() -> Option<Self> {
        static ANNOUNCED: Once = Once::new();
        let url = env::var(ENDPOINT_VARIABLE)
            .ok()
            .filter(|url| !url.is_empty());
        ANNOUNCED.call_once(|| match &url {
            Some(url) => announce(&format!("named_by_environment: running against {url}")),
            None => announce(&format!(
                "named_by_environment: SKIPPED, because {ENDPOINT_VARIABLE} is not set"
            )),
        });
        let url = url?;
        let mut shared = aws_config::defaults(BehaviorVersion::latest());
        if ["AWS_PROFILE", "AWS_ACCESS_KEY_ID"]
            .into_iter()
            .all(|name| env::var_os(name).is_none())
        {
            shared = shared
                .credentials_provider(invented_credentials())
                .region(Region::new(
                    env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned()),
                ));
        }
        let shared = shared.http_client(http_client()).load().await;
        Some(Self::new(url, (&shared).into(), None))
    }

    fn new(url: String, config: Builder, server: Option<ServerHandle>) -> Self {
        let config = config
            .http_client(http_client())
            .retry_config(RetryConfig::disabled())
            .endpoint_url(&url);
        Self {
            url,
            config: config.build(),
            tables: Arc::default(),
            _server: server.map(Arc::new),
        }
    }

    /// Runs `claim` and deletes the tables that it made, whether it holds or not.
    pub async fn check<F: Future<Output = ()>>(self, claim: impl FnOnce(Self) -> F) {
        let checked = AssertUnwindSafe(claim(self.clone())).catch_unwind().await;
        self.delete_tables().await;
        if let Err(panic) = checked {
            resume_unwind(panic);
        }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An ordinary SDK client, without retries of its own.
    pub fn client(&self) -> Client {
        Client::from_conf(self.config.clone())
    }

    /// The settings of [`client`](Self::client), to be changed.
    pub fn sdk_config(&self) -> Builder {
        self.config.to_builder()
    }

    /// A client that reaches this endpoint by another URL.
    pub fn client_by_way_of(&self, url: &str) -> Client {
        Client::from_conf(self.sdk_config().endpoint_url(url).build())
    }

    /// A name that no table has, for a table that is deleted after the claim.
    pub fn fresh_table_name(&self) -> String {
        let name = format!("dynasink-test-{:016x}", fastrand::u64(..));
        self.tables.lock().unwrap().push(name.clone());
        name
    }

    /// Deletes what was made. A table that cannot be deleted is told, and fails nothing.
    async fn delete_tables(&self) {
        let client = self.client();
        let tables = std::mem::take(&mut *self.tables.lock().unwrap());
        for table in tables {
            let deleted = client.delete_table().table_name(&table).send().await;
            if let Err(error) = deleted
                && !error
                    .as_service_error()
                    .is_some_and(DeleteTableError::is_resource_not_found_exception)
            {
                announce(&format!("table {table} at {} is left: {error}", self.url));
            }
        }
    }
}

/// Longest wait for a table to become active.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

fn invented_credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "dynasink-tests")
}

/// Plain HTTP, and TLS for endpoints that want it.
fn http_client() -> config::SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

/// Writes past the test harness, which hides what passing tests print.
pub(crate) fn announce(line: &str) {
    // Where standard error is closed, nobody is there to be told.
    let _told = writeln!(stderr(), "{line}");
}

//! What cannot be loaded ends with an error that says why, and no row is said to be written or dead.

use std::net::TcpListener;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Region};
use dynasink::{
    Cause, DynamoDb, Error, KeyType, Pipeline, RetryPolicy, TableSchema, Transport, WriterError,
};
use dynasink_tests::{Endpoint, OutcomeLog, TestTable};

use crate::load::load;
use crate::real_data::example;

dynasink_tests::claims_about_every_endpoint!(
    a_table_that_does_not_exist_is_named,
    a_table_that_exists_is_not_created_again,
    a_profile_without_credentials_is_an_error_of_credentials,
    an_unsigned_request_is_an_error_of_credentials,
    an_endpoint_that_does_not_answer_is_unreachable,
);

/// The table of airlines under that name, as it is described elsewhere.
fn airlines(name: &str) -> TableSchema {
    let table = TableSchema::builder(name).partition_key("carrier", KeyType::S);
    table.build().unwrap()
}

/// Fails to load the airlines, and says why.
async fn fails_to_load(client: Client, table: &TableSchema) -> Cause {
    let mut retry = RetryPolicy::default();
    retry.failed.max_attempts = 3;
    let log = OutcomeLog::default();
    let pipe = Pipeline::builder(DynamoDb::new(client), table)
        .retry_policy(retry)
        .observer(log.clone());

    let failed = load([example("airlines")], table, pipe).await;

    let Err(Error::Pipe(WriterError::Stopped {
        cause, unresolved, ..
    })) = failed
    else {
        panic!("{failed:?}")
    };
    assert_eq!(unresolved, 16);
    assert!(log.is_empty());
    *cause
}

/// Fails to describe the table, and says why.
async fn fails_to_describe(client: Client, table: &TableSchema) -> Cause {
    let name = table.name().as_str();
    let failed = DynamoDb::new(client).describe_table(name).await;
    let Err(error @ WriterError::Describe { .. }) = failed else {
        panic!("{failed:?}")
    };
    assert!(error.to_string().contains(name), "{error}");
    error.cause().unwrap().clone()
}

async fn a_table_that_does_not_exist_is_named(endpoint: Endpoint) {
    let table = airlines(&endpoint.fresh_table_name());
    let client = endpoint.client();
    assert_eq!(
        fails_to_describe(client.clone(), &table).await,
        Cause::TableMissing
    );
    assert_eq!(fails_to_load(client, &table).await, Cause::TableMissing);
}

async fn a_table_that_exists_is_not_created_again(endpoint: Endpoint) {
    let table = TestTable::create(&endpoint, &[("carrier", KeyType::S)]).await;
    let again = dynasink::create_table(&endpoint.client(), table.schema(), Duration::ZERO).await;
    let Err(WriterError::Create { table: named, .. }) = again else {
        panic!("{again:?}")
    };
    assert_eq!(named, table.name());
}

async fn a_profile_without_credentials_is_an_error_of_credentials(endpoint: Endpoint) {
    let table = TestTable::create(&endpoint, &[("carrier", KeyType::S)]).await;
    let config = endpoint.sdk_config();
    let http_client = config.clone().build().http_client().unwrap();
    let profile = ProfileFileCredentialsProvider::builder()
        .configure(&ProviderConfig::without_region().with_http_client(http_client))
        .profile_name("no-such-profile");
    let client = Client::from_conf(config.credentials_provider(profile.build()).build());
    assert_eq!(
        fails_to_describe(client.clone(), table.schema()).await,
        Cause::Credentials
    );
    assert_eq!(
        fails_to_load(client, table.schema()).await,
        Cause::Credentials
    );
    assert!(table.items().await.is_empty());
}

async fn an_unsigned_request_is_an_error_of_credentials(endpoint: Endpoint) {
    let table = TestTable::create(&endpoint, &[("carrier", KeyType::S)]).await;
    let signing = endpoint.sdk_config().build();
    let unsigned = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(endpoint.url())
        .http_client(signing.http_client().unwrap())
        .allow_no_auth();
    let client = Client::from_conf(unsigned.build());
    assert_eq!(
        fails_to_describe(client.clone(), table.schema()).await,
        Cause::Credentials
    );
    assert_eq!(
        fails_to_load(client, table.schema()).await,
        Cause::Credentials
    );
    assert!(table.items().await.is_empty());
}

async fn an_endpoint_that_does_not_answer_is_unreachable(endpoint: Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = endpoint.client_by_way_of(&nowhere);
    let table = airlines("dynasink-test-unreachable");
    assert_eq!(
        fails_to_describe(client.clone(), &table).await,
        Cause::Unreachable
    );
    assert_eq!(fails_to_load(client, &table).await, Cause::Unreachable);
}

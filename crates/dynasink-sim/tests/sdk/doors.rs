//! Both doors give the same answer to the same request.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_smithy_types::body::SdkBody;
use dynasink_sim::{EmbeddedStore, Server, ServerHandle};

use crate::orders::{ORDERS, create_orders, order, put, read, write};

/// A client of each door, each of its own store.
struct Doors {
    in_process: Client,
    over_http: Client,
    _server: ServerHandle,
}

impl Doors {
    fn open() -> Self {
        let server = Server::bind(
            ([127, 0, 0, 1], 0).into(),
            EmbeddedStore::in_memory().unwrap(),
        )
        .unwrap()
        .spawn()
        .unwrap();
        Self {
            in_process: EmbeddedStore::in_memory().unwrap().client(),
            over_http: http_client(&server.url()),
            _server: server,
        }
    }

    fn both(&self) -> [&Client; 2] {
        [&self.in_process, &self.over_http]
    }
}

/// An ordinary SDK client on plain HTTP.
pub(crate) fn http_client(url: &str) -> Client {
    let settings = EmbeddedStore::in_memory().unwrap().sdk_config();
    Client::from_conf(
        settings
            .endpoint_url(url)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build(),
    )
}

/// Sends `body` as it is to the operation `target`: the status and the error's type, if any.
async fn answer(client: &Client, target: &'static str, body: &'static str) -> (u16, String) {
    let answered = client
        .list_tables()
        .customize()
        .mutate_request(move |request| {
            *request.body_mut() = SdkBody::from(body);
            let headers = request.headers_mut();
            headers.insert("x-amz-target", target);
            headers.insert("content-length", body.len().to_string());
        })
        .send()
        .await;
    let Err(refused) = answered else {
        return (200, String::new());
    };
    let response = refused.raw_response().unwrap();
    assert_eq!(
        response.headers().get("content-type"),
        Some("application/x-amz-json-1.0")
    );
    let body: serde_json::Value = serde_json::from_slice(response.body().bytes().unwrap()).unwrap();
    (
        response.status().as_u16(),
        body["__type"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn a_table_and_its_items_are_the_same() {
    let doors = Doors::open();
    let mut answers = Vec::new();
    for client in doors.both() {
        let created = create_orders(client)
            .await
            .unwrap()
            .table_description
            .unwrap();
        let written = write(client, (0..25).map(order).map(put).collect())
            .await
            .unwrap();
        let again = write(client, vec![put(order(3))]).await.unwrap();
        answers.push((
            created.attribute_definitions().to_vec(),
            created.key_schema().to_vec(),
            created.table_arn,
            written.consumed_capacity,
            written.unprocessed_items,
            again.consumed_capacity,
            read(client, 24).await.unwrap(),
            client.list_tables().send().await.unwrap().table_names,
        ));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].6, order(24));
}

#[tokio::test]
async fn a_refused_request_is_the_same() {
    let doors = Doors::open();
    let mut answers = Vec::new();
    for client in doors.both() {
        let missing = write(client, vec![put(order(1))]).await.unwrap_err();
        create_orders(client).await.unwrap();
        let exists = create_orders(client).await.unwrap_err();
        let twice = write(client, vec![put(order(1)), put(order(1))])
            .await
            .unwrap_err();
        let many = write(client, (0..26).map(order).map(put).collect())
            .await
            .unwrap_err();
        let mut keyless = order(1);
        keyless.remove("number");
        let keyless = write(client, vec![put(keyless)]).await.unwrap_err();
        answers.push(
            [
                missing.meta(),
                exists.meta(),
                twice.meta(),
                many.meta(),
                keyless.meta(),
            ]
            .map(|meta| {
                (
                    meta.code().unwrap().to_owned(),
                    meta.message().unwrap().to_owned(),
                )
            }),
        );
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(
        answers[0].each_ref().map(|(code, _)| code.as_str()),
        [
            "ResourceNotFoundException",
            "ResourceInUseException",
            "ValidationException",
            "ValidationException",
            "ValidationException",
        ]
    );
}

const PUT: &str = "DynamoDB_20120810.PutItem";
const BATCH: &str = "DynamoDB_20120810.BatchWriteItem";
const CREATE: &str = "DynamoDB_20120810.CreateTable";

const ACCEPTED: (u16, &str) = (200, "");
const SERIALIZATION: (u16, &str) = (400, "com.amazon.coral.service#SerializationException");
const VALIDATION: (u16, &str) = (400, "com.amazon.coral.validate#ValidationException");

/// Malformed requests, and the status and error type with which the service answers them.
const MALFORMED: &[(&str, &str, (u16, &str))] = &[
    (PUT, "", SERIALIZATION),
    (PUT, "{", SERIALIZATION),
    (PUT, "[]", VALIDATION),
    (PUT, "{}", VALIDATION),
    (PUT, "null", VALIDATION),
    (PUT, r#"{"TableName":5,"Item":{}}"#, SERIALIZATION),
    (PUT, r#"{"TableName":"orders","Item":[]}"#, SERIALIZATION),
    (
        PUT,
        r#"{"TableName":"orders","Item":{"customer":{"S":"a"},"number":{"N":5}}}"#,
        SERIALIZATION,
    ),
    (
        PUT,
        r#"{"TableName":"orders","Item":{"customer":{"S":"a"},"number":{"N":"x"}}}"#,
        VALIDATION,
    ),
    (
        PUT,
        r#"{"TableName":"orders","Item":{"customer":{"S":"a"},"number":{}}}"#,
        VALIDATION,
    ),
    (
        PUT,
        r#"{"TableName":"orders","Item":{"customer":{"S":"a"},"number":{"N":"1","S":"1"}}}"#,
        VALIDATION,
    ),
    (
        PUT,
        r#"{"TableName":"orders","Item":{"customer":{"S":"a"},"number":{"N":"1"},"b":{"B":"?"}}}"#,
        SERIALIZATION,
    ),
    (
        PUT,
        r#"{"TableName":"orders","Item":{"customer":{"S":"a"},"number":{"N":"1"},"s":{"SS":[]}}}"#,
        VALIDATION,
    ),
    (
        PUT,
        r#"{"TableName":"orders","Item":{"customer":{"S":"a"},"number":{"N":"1"},"n":{"NULL":false}}}"#,
        VALIDATION,
    ),
    (
        PUT,
        r#"{"TableName":"orders","Item":{"customer":{"S":"a"},"number":{"N":"1"},"x":{"X":"1"}}}"#,
        VALIDATION,
    ),
    (
        PUT,
        r#"{"TableName":"orders","Item":{"customer":{"S":"a"},"number":{"N":"1"},"b":{"BOOL":"yes"}}}"#,
        ACCEPTED,
    ),
    (BATCH, "{}", VALIDATION),
    (BATCH, r#"{"RequestItems":{}}"#, VALIDATION),
    (BATCH, r#"{"RequestItems":[]}"#, SERIALIZATION),
    (BATCH, r#"{"RequestItems":{"orders":[]}}"#, VALIDATION),
    (BATCH, r#"{"RequestItems":{"orders":[{}]}}"#, VALIDATION),
    (
        BATCH,
        r#"{"RequestItems":{"orders":[{"PutRequest":{}}]}}"#,
        VALIDATION,
    ),
    (
        BATCH,
        r#"{"RequestItems":{"orders":[{"PutRequest":{"Item":{"customer":{"S":""},"number":{"N":"1"}}}}]}}"#,
        VALIDATION,
    ),
    (
        BATCH,
        r#"{"RequestItems":{"orders":[{"PutRequest":{"Item":{"customer":{"N":"1"},"number":{"N":"1"}}}}]}}"#,
        VALIDATION,
    ),
    (
        BATCH,
        r#"{"RequestItems":{"orders":[{"PutRequest":{"Item":{"customer":{"S":"a"},"number":{"N":"1e200"}}}}]}}"#,
        VALIDATION,
    ),
    (
        BATCH,
        r#"{"RequestItems":{"orders":[{"DeleteRequest":{"Key":{"customer":{"S":"a"}}}}]}}"#,
        VALIDATION,
    ),
    (CREATE, "{}", VALIDATION),
    (
        CREATE,
        r#"{"TableName":"t","KeySchema":[],"AttributeDefinitions":[]}"#,
        VALIDATION,
    ),
    (
        "DynamoDB_20120810.Query",
        r#"{"TableName":"orders"}"#,
        VALIDATION,
    ),
    (
        "DynamoDB_20120810.ExecuteStatement",
        r#"{"Statement":"SELECT"}"#,
        VALIDATION,
    ),
];

#[tokio::test]
async fn a_malformed_request_is_refused_with_the_type_that_the_service_gives_it() {
    let doors = Doors::open();
    for client in doors.both() {
        create_orders(client).await.unwrap();
        for &(target, body, expected) in MALFORMED {
            let (status, kind) = answer(client, target, body).await;
            assert_eq!((status, kind.as_str()), expected, "{target} {body}");
        }
    }
}

#[tokio::test]
async fn an_item_nested_past_what_the_parser_follows_is_a_validation_error() {
    let deep: &'static str = format!(
        r#"{{"RequestItems":{{"{ORDERS}":[{{"PutRequest":{{"Item":{{"customer":{{"S":"a"}},"number":{{"N":"1"}},"d":{}{{"NULL":true}}{}}}}}}}]}}}}"#,
        r#"{"L":["#.repeat(70),
        "]}".repeat(70)
    )
    .leak();
    let doors = Doors::open();
    for client in doors.both() {
        create_orders(client).await.unwrap();
        assert_eq!(
            answer(client, "DynamoDB_20120810.BatchWriteItem", deep).await,
            (
                400,
                "com.amazon.coral.validate#ValidationException".to_owned()
            )
        );
    }
}

#[tokio::test]
async fn an_unknown_operation_is_refused() {
    let doors = Doors::open();
    for client in doors.both() {
        for target in [
            "DynamoDB_20120810.FormatDisk",
            "DynamoDB_20120810.DescribeLimits",
            "PutItem",
            "",
        ] {
            assert_eq!(
                answer(client, target, "{}").await,
                (
                    400,
                    "com.amazon.coral.service#UnknownOperationException".to_owned()
                ),
                "{target}"
            );
        }
    }
}

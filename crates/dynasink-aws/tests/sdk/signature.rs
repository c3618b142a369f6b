//! The request as it leaves: the body is ours, and the signature is that of our body.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::date_time::{DateTime, Format};
use dynasink_aws::Transport;

use crate::endpoint::{
    ACCESS_KEY, Endpoint, REGION, Reply, SECRET_KEY, batch, key_only, put, table,
};

/// Sends a request with two tables, puts and a delete, and gives it as it left.
async fn captured() -> HttpRequest {
    let endpoint = Endpoint::new(Reply::json(200, r#"{"UnprocessedItems":{}}"#));
    let (users, orders) = (table("users"), table("orders"));
    let delete = users.delete(&key_only(&users, 3)).unwrap();
    let request = batch([put(&users, 1), put(&orders, 1), delete]);
    endpoint.transport().batch_write(&request).await.unwrap();
    let mut requests = endpoint.requests();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> &'r str {
    request.headers().get(name).unwrap()
}

/// The text after `name=` in the authorization header.
fn authorization<'r>(request: &'r HttpRequest, name: &str) -> &'r str {
    let value = header(request, "authorization");
    let (_, value) = value.split_once(name).unwrap();
    value.split(',').next().unwrap().trim()
}

/// Signs what `request` says that it has signed, with `body` in the place of its own.
fn signature(request: &HttpRequest, body: &[u8]) -> String {
    let date = header(request, "x-amz-date");
    let (day, time) = (date.get(..8).unwrap(), date.get(9..15).unwrap());
    let part = |text: &str, from: usize, to: usize| text.get(from..to).unwrap().to_owned();
    let date_time = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(day, 0, 4),
        part(day, 4, 6),
        part(day, 6, 8),
        part(time, 0, 2),
        part(time, 2, 4),
        part(time, 4, 6)
    );
    let date_time = DateTime::from_str(&date_time, Format::DateTime).unwrap();
    let identity = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("dynamodb")
        .time(SystemTime::try_from(date_time).unwrap())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let signed: Vec<&str> = authorization(request, "SignedHeaders=")
        .split(';')
        .collect();
    let headers = request
        .headers()
        .iter()
        .filter(|(name, _)| signed.contains(name) && *name != "x-amz-date");
    let signable = SignableRequest::new(
        request.method(),
        request.uri(),
        headers,
        SignableBody::Bytes(body),
    );
    let (_, signature) = sign(signable.unwrap(), &params).unwrap().into_parts();
    signature
}

#[tokio::test]
async fn the_body_is_the_encoded_batch() {
    let request = captured().await;
    let body = request.body().bytes().unwrap();
    let expected = concat!(
        r#"{"ReturnConsumedCapacity":"INDEXES","RequestItems":{"#,
        r#""users":[{"PutRequest":{"Item":{"id":{"N":"1"},"name":{"S":"Zoë \"Z\""}}}},{"DeleteRequest":{"Key":{"id":{"N":"3"}}}}],"#,
        r#""orders":[{"PutRequest":{"Item":{"id":{"N":"1"},"name":{"S":"Zoë \"Z\""}}}}]}}"#,
    );
    assert_eq!(std::str::from_utf8(body).unwrap(), expected);
    serde_json::from_slice::<serde_json::Value>(body).unwrap();
    assert_eq!(
        header(&request, "content-length"),
        expected.len().to_string()
    );
    let lengths = request.headers().get_all("content-length").count();
    assert_eq!(lengths, 1);
    assert_eq!(
        header(&request, "x-amz-target"),
        "DynamoDB_20120810.BatchWriteItem"
    );
    assert_eq!(
        header(&request, "content-type"),
        "application/x-amz-json-1.0"
    );
    assert_eq!(request.method(), "POST");
    assert_eq!(
        request.uri(),
        "https://dynamodb.eu-central-1.amazonaws.com/"
    );
}

#[tokio::test]
async fn the_signature_is_that_of_the_body_that_leaves() {
    let request = captured().await;
    let body = request.body().bytes().unwrap();
    let sent = authorization(&request, "Signature=");
    assert_eq!(sent, signature(&request, body));

    let mut changed = body.to_vec();
    *changed.last_mut().unwrap() = b' ';
    assert_ne!(sent, signature(&request, &changed));
    let what_the_sdk_wrote = br#"{"RequestItems":{"users":[]}}"#;
    assert_ne!(sent, signature(&request, what_the_sdk_wrote));
    assert_ne!(sent, signature(&request, b""));

    let signed = authorization(&request, "SignedHeaders=");
    for name in [
        "content-length",
        "content-type",
        "host",
        "x-amz-date",
        "x-amz-target",
    ] {
        assert!(signed.split(';').any(|header| header == name), "{signed}");
    }
    let credential = authorization(&request, "Credential=");
    assert!(credential.starts_with(ACCESS_KEY), "{credential}");
    assert!(
        credential.ends_with("/eu-central-1/dynamodb/aws4_request"),
        "{credential}"
    );
}

/// A request twice as long as what the SDK would compress, split or stream.
#[tokio::test]
async fn a_body_of_many_megabytes_leaves_whole() {
    let endpoint = Endpoint::new(Reply::json(200, r#"{"UnprocessedItems":{}}"#));
    let users = table("users");
    let payload = "x".repeat(399_000);
    let ops = (0..25).map(|id| {
        let item = users.item(|item| {
            item.attribute("id")?.integer(id)?;
            item.attribute("payload")?.string(&payload)
        });
        users.put(item.unwrap()).unwrap()
    });
    let request = batch(ops);
    endpoint.transport().batch_write(&request).await.unwrap();
    let sent = endpoint.requests().remove(0);
    let body = sent.body().bytes().unwrap();
    assert!(body.len() > 9_900_000, "{}", body.len());
    assert!(body.len() <= request.wire_len());
    assert_eq!(header(&sent, "content-length"), body.len().to_string());
    assert_eq!(authorization(&sent, "Signature="), signature(&sent, body));
}

use std::time::Duration;

use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::{Client, config};

use crate::connector::sdk_config;
use crate::exchange::Delivery;
use crate::scripted::{always, client, no_tables, over_http, reply, scripted, serve};
use dynasink_core::limits::MAX_REQUEST_BYTES;

/// What an SDK client makes of a delivery.
#[derive(Debug, PartialEq)]
enum Seen {
    Answered,
    /// The connection failed.
    Io,
    /// The reply with this status could not be read.
    Unreadable(u16),
    /// An error of the service.
    Error(u16),
    Timeout,
}

async fn seen(client: &Client) -> Seen {
    match client.list_tables().send().await {
        Ok(_) => Seen::Answered,
        Err(SdkError::DispatchFailure(failure)) if failure.is_io() => Seen::Io,
        Err(SdkError::ResponseError(error)) => Seen::Unreadable(error.raw().status().as_u16()),
        Err(SdkError::ServiceError(error)) => Seen::Error(error.raw().status().as_u16()),
        Err(SdkError::TimeoutError(_)) => Seen::Timeout,
        Err(other) => panic!("{other:?}"),
    }
}

async fn through_both_doors(
    delivery: Delivery,
    settings: impl Fn(config::Builder) -> config::Builder,
) -> [Seen; 2] {
    let endpoint = always(delivery);
    let in_process = client(settings(sdk_config(endpoint.clone())));
    let server = serve(endpoint);
    let over_http = client(settings(over_http(&server)));
    [seen(&in_process).await, seen(&over_http).await]
}

#[tokio::test]
async fn a_delivery_is_the_same_to_the_sdk_through_both_doors() {
    let deliveries = [
        (Delivery::Whole(no_tables()), Seen::Answered),
        (Delivery::Whole(reply(200, "")), Seen::Answered),
        (Delivery::Whole(reply(503, "<html>")), Seen::Error(503)),
        (
            Delivery::Slow(no_tables(), Duration::from_millis(1)),
            Seen::Answered,
        ),
        (Delivery::Truncated(no_tables()), Seen::Unreadable(200)),
        (Delivery::Truncated(reply(500, "{}")), Seen::Unreadable(500)),
        (Delivery::Refused, Seen::Io),
        (Delivery::Reset, Seen::Io),
    ];
    for (delivery, expected) in deliveries {
        let [in_process, over_http] =
            through_both_doors(delivery.clone(), |settings| settings).await;
        assert_eq!(in_process, expected, "in process: {delivery:?}");
        assert_eq!(over_http, expected, "over HTTP: {delivery:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_never_answered_is_ended_by_the_clients_timeout() {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(20))
        .build();

    let seen = through_both_doors(Delivery::Never(None), |settings| {
        settings.timeout_config(timeouts.clone())
    });

    assert_eq!(seen.await, [Seen::Timeout, Seen::Timeout]);
}

/// `ListTables` with `body` in place of the SDK's: the status of the answer.
async fn status(client: &Client, body: Vec<u8>) -> u16 {
    let answered = client
        .list_tables()
        .customize()
        .mutate_request(move |request| {
            let length = body.len().to_string();
            *request.body_mut() = body.clone().into();
            request.headers_mut().insert("content-length", length);
        })
        .send()
        .await;
    match answered {
        Ok(_) => 200,
        Err(error) => error.raw_response().unwrap().status().as_u16(),
    }
}

#[tokio::test]
async fn a_request_arrives_as_the_sdk_sent_it() {
    let endpoint = scripted(|request| async move {
        assert!(request.signed);
        assert_eq!(request.target, "DynamoDB_20120810.ListTables");
        assert_eq!(request.body, r#"{"Limit":7}"#);
        Delivery::Whole(no_tables())
    });
    let server = serve(endpoint.clone());
    for client in [client(sdk_config(endpoint)), client(over_http(&server))] {
        client.list_tables().limit(7).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_body_over_16_mib_is_refused_before_the_service_sees_it() {
    let endpoint = always(Delivery::Never(None));
    let server = serve(endpoint.clone());
    for client in [client(sdk_config(endpoint)), client(over_http(&server))] {
        assert_eq!(
            status(&client, vec![b' '; MAX_REQUEST_BYTES + 1]).await,
            413
        );
    }
}

#[tokio::test]
async fn a_reply_has_the_headers_of_the_service() {
    let endpoint = always(Delivery::Whole(reply(500, "123456789")));
    let server = serve(endpoint.clone());
    let mut ids = Vec::new();
    for client in [client(sdk_config(endpoint)), client(over_http(&server))] {
        let error = client.list_tables().send().await.unwrap_err();
        let headers = error.raw_response().unwrap().headers();
        // The check value of CRC-32.
        assert_eq!(headers.get("x-amz-crc32"), Some("3421780262"));
        assert_eq!(headers.get("content-length"), Some("9"));
        assert_eq!(
            headers.get("content-type"),
            Some("application/x-amz-json-1.0")
        );
        ids.push(headers.get("x-amzn-requestid").unwrap().to_owned());
    }
    assert!(ids.iter().all(|id| id.len() == 52));
    assert_ne!(ids[0], ids[1]);
}

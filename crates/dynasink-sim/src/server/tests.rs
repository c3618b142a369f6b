use std::future;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};

use super::*;
use crate::exchange::Delivery;
use crate::scripted::{always, bind, no_tables, reply, scripted, serve};
use dynasink_core::limits::MAX_REQUEST_BYTES;

/// A request of one operation, on a connection that is kept.
fn request(body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nauthorization: AWS4-HMAC-SHA256\r\n\
         content-type: application/x-amz-json-1.0\r\nx-amz-target: DynamoDB_20120810.ListTables\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// A client that sees what is on the wire.
struct Wire(BufReader<TcpStream>);

impl Wire {
    fn to(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).unwrap()))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// The next response's head, and the length that it gives its body.
    fn head(&mut self) -> io::Result<(String, usize)> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        Ok((head, length))
    }

    /// The next response.
    fn response(&mut self) -> io::Result<(String, String)> {
        let (head, length) = self.head()?;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((head, String::from_utf8(body).unwrap()))
    }

    fn rest(&mut self) -> io::Result<String> {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest)?;
        Ok(rest)
    }
}

/// What `bytes` are answered with by a server of `endpoint`.
fn answer(endpoint: Endpoint, bytes: &[u8]) -> io::Result<(String, String)> {
    let server = serve(endpoint);
    let mut client = Wire::to(server.local_addr());
    client.send(bytes);
    client.response()
}

#[test]
fn a_connection_that_fails_is_reset_before_anything_is_sent() {
    for delivery in [Delivery::Reset, Delivery::Refused] {
        let error = answer(always(delivery), &request(b"{}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn a_truncated_reply_is_announced_whole_and_ends_after_half() {
    let server = serve(always(Delivery::Truncated(reply(200, "0123456789"))));
    let mut client = Wire::to(server.local_addr());
    client.send(&request(b"{}"));

    let (head, length) = client.head().unwrap();

    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(length, 10);
    assert_eq!(client.rest().unwrap(), "01234");
}

#[test]
fn the_head_of_a_slow_reply_is_sent_before_its_body() {
    let hour = Duration::from_hours(1);
    let server = serve(always(Delivery::Slow(no_tables(), hour)));
    let mut client = Wire::to(server.local_addr());
    client.send(&request(b"{}"));

    let (head, _) = client.head().unwrap();

    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let server = serve(always(Delivery::Whole(no_tables())));
    let mut client = Wire::to(server.local_addr());
    for _ in 0..3 {
        client.send(&request(b"{}"));
        let (head, body) = client.response().unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!(body, no_tables().body);
    }
}

#[test]
fn a_body_of_16_mib_is_taken_and_a_larger_one_is_read_and_refused() {
    let server = serve(always(Delivery::Whole(no_tables())));
    let mut client = Wire::to(server.local_addr());
    let body = vec![b' '; MAX_REQUEST_BYTES + 1];
    // The connection is kept in both cases.
    for (length, status) in [
        (MAX_REQUEST_BYTES, 200),
        (MAX_REQUEST_BYTES + 1, 413),
        (2, 200),
    ] {
        client.send(&request(&body[..length]));
        let (head, _) = client.response().unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    }
}

#[tokio::test]
async fn a_request_that_is_never_answered_does_not_hold_up_shutdown() {
    let (ask, mut asked) = mpsc::channel(1);
    let server = bind(scripted(move |_request| {
        let ask = ask.clone();
        async move {
            ask.send(()).await.unwrap();
            Delivery::Never(None)
        }
    }));
    let mut client = Wire::to(server.local_addr());
    client.send(&request(b"{}"));

    server
        .run(async move { asked.recv().await.unwrap() })
        .await
        .unwrap();

    assert_eq!(client.rest().unwrap(), "");
}

#[tokio::test]
async fn shutdown_waits_for_the_request_under_way_and_for_no_idle_connection() {
    let (ask, mut asked) = mpsc::channel(1);
    let go_on = Arc::new(Notify::new());
    let endpoint = scripted({
        let go_on = Arc::clone(&go_on);
        move |_request| {
            let (ask, go_on) = (ask.clone(), Arc::clone(&go_on));
            async move {
                ask.send(()).await.unwrap();
                go_on.notified().await;
                Delivery::Whole(no_tables())
            }
        }
    });
    let server = bind(endpoint);
    let _idle = Wire::to(server.local_addr());
    let mut client = Wire::to(server.local_addr());
    client.send(&request(b"{}"));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { drop(stopped.await) }));
    asked.recv().await.unwrap();

    drop(stop);
    tokio::task::yield_now().await;
    go_on.notify_one();
    running.await.unwrap().unwrap();

    let (head, _) = client.response().unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
}

#[tokio::test]
async fn a_client_that_goes_away_drops_the_answer_to_its_request() {
    let (held, dropped) = oneshot::channel::<()>();
    let held = Arc::new(Mutex::new(Some(held)));
    let (ask, mut asked) = mpsc::channel(1);
    let endpoint = scripted(move |_request| {
        let (held, ask) = (held.lock().unwrap().take(), ask.clone());
        async move {
            ask.send(()).await.unwrap();
            future::pending::<()>().await;
            drop(held);
            Delivery::Never(None)
        }
    });
    let server = serve(endpoint);
    let mut client = Wire::to(server.local_addr());
    client.send(&request(b"{}"));
    asked.recv().await.unwrap();

    drop(client);

    assert!(dropped.await.is_err());
}

#[test]
fn what_is_no_operation_is_answered_as_the_service_does() {
    let requests = [
        (
            "GET / HTTP/1.1",
            "200 OK",
            "healthy: dynamodb.us-east-1.amazonaws.com ",
        ),
        (
            "GET /favicon.ico HTTP/1.1",
            "404 Not Found",
            "<UnknownOperationException/>\n",
        ),
        (
            "PUT / HTTP/1.1",
            "404 Not Found",
            "<UnknownOperationException/>\n",
        ),
        (
            "OPTIONS / HTTP/1.1",
            "404 Not Found",
            "<UnknownOperationException/>\n",
        ),
        (
            "POST / HTTP/1.1\r\ncontent-type: text/plain",
            "404 Not Found",
            "<UnknownOperationException/>\n",
        ),
    ];
    for (asked, status, expected) in requests {
        let bytes = format!("{asked}\r\nhost: localhost\r\n\r\n");
        let (head, body) = answer(always(Delivery::Never(None)), bytes.as_bytes()).unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{asked}: {head}"
        );
        assert_eq!(body, expected, "{asked}");
    }
}

#[test]
fn a_reply_has_the_media_type_of_its_request() {
    for (sent, replied) in [
        ("application/x-amz-json-1.0", "application/x-amz-json-1.0"),
        ("Application/JSON ; charset=utf-8", "application/json"),
    ] {
        let bytes = format!("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: {sent}\r\n\r\n");
        let (head, _) = answer(always(Delivery::Whole(no_tables())), bytes.as_bytes()).unwrap();
        assert!(
            head.contains(&format!("content-type: {replied}\r\n")),
            "{head}"
        );
    }
}

#[test]
fn a_web_page_may_send_requests_and_read_replies() {
    let preflight = b"OPTIONS / HTTP/1.1\r\nhost: localhost\r\norigin: http://page\r\n\
        access-control-request-method: POST\r\naccess-control-request-headers: x-amz-target\r\n\r\n";
    let (allowed, _) = answer(always(Delivery::Never(None)), preflight).unwrap();
    let health = b"GET / HTTP/1.1\r\nhost: localhost\r\norigin: http://page\r\n\r\n";
    let (healthy, _) = answer(always(Delivery::Never(None)), health).unwrap();

    for header in [
        "access-control-allow-origin: *\r\n",
        "access-control-allow-methods: POST\r\n",
        "access-control-allow-headers: x-amz-target\r\n",
        "access-control-max-age: 172800\r\n",
    ] {
        assert!(allowed.contains(header), "{allowed}");
    }
    assert!(allowed.starts_with("HTTP/1.1 200 OK\r\n"), "{allowed}");
    assert!(
        healthy.contains("access-control-allow-origin: *\r\n"),
        "{healthy}"
    );
}

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use dynasink_sim::{EmbeddedStore, Error, Server};

use crate::doors::http_client;
use crate::orders::{create_orders, order, put, read, write};

fn loopback() -> std::net::SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

#[tokio::test]
async fn a_store_is_served_while_it_is_used_in_process() {
    let store = EmbeddedStore::in_memory().unwrap();
    let server = Server::bind(loopback(), store.clone())
        .unwrap()
        .spawn()
        .unwrap();
    let (inside, outside) = (store.client(), http_client(&server.url()));

    create_orders(&inside).await.unwrap();
    write(&outside, vec![put(order(1))]).await.unwrap();

    assert_eq!(read(&inside, 1).await, Some(order(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn run_ends_at_shutdown() {
    let server = Server::bind(loopback(), EmbeddedStore::in_memory().unwrap()).unwrap();
    let client = http_client(&server.url());
    let (shutdown, requested) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { requested.await.unwrap() }));
    create_orders(&client).await.unwrap();

    shutdown.send(()).unwrap();

    running.await.unwrap().unwrap();
    assert!(client.list_tables().send().await.is_err());
}

#[tokio::test]
async fn a_stopped_server_has_let_go_of_file_and_port() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.db");
    let server = Server::bind(loopback(), EmbeddedStore::open(&file).unwrap())
        .unwrap()
        .spawn()
        .unwrap();
    let address = server.local_addr();
    let client = http_client(&server.url());
    create_orders(&client).await.unwrap();

    server.stop().unwrap();

    assert!(!directory.path().join("orders.db-wal").exists());
    assert!(client.list_tables().send().await.is_err());
    Server::bind(address, EmbeddedStore::open(&file).unwrap()).unwrap();
}

#[test]
fn a_client_that_sent_half_a_request_does_not_hold_up_stop() {
    let server = Server::bind(loopback(), EmbeddedStore::in_memory().unwrap())
        .unwrap()
        .spawn()
        .unwrap();
    let mut client = TcpStream::connect(server.local_addr()).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    assert!(client.read(&mut [0; 1024]).unwrap() > 0);
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n")
        .unwrap();
    // The server asks for the body: it is in the middle of the request.
    assert!(client.read(&mut [0; 1024]).unwrap() > 0);

    server.stop().unwrap();
}

#[test]
fn an_address_in_use_is_named_in_the_error() {
    let store = EmbeddedStore::in_memory().unwrap();
    let first = Server::bind(loopback(), store.clone()).unwrap();

    let error = Server::bind(first.local_addr(), store).unwrap_err();

    assert!(matches!(error, Error::Bind { address, .. } if address == first.local_addr()));
    assert!(error.to_string().contains(&first.local_addr().to_string()));
}

#[test]
fn the_url_of_an_unspecified_address_can_be_connected_to() {
    let store = EmbeddedStore::in_memory().unwrap();
    let server = Server::bind(([0, 0, 0, 0], 0).into(), store).unwrap();

    assert_eq!(
        server.url(),
        format!("http://127.0.0.1:{}", server.local_addr().port())
    );
}

//! The HTTP door: an endpoint for the AWS CLI, boto3, NoSQL Workbench and any other client.

mod connection;
mod cors;
mod request;

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};

/// How long a stopping [`ServerHandle`] waits for requests under way. One request takes
/// milliseconds; a client that sent half a request never ends.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait before the next connection is accepted when the system has no file
/// descriptor or no memory for it.
const EXHAUSTED: Duration = Duration::from_secs(1);

/// An [`Endpoint`] on an address, listening, not yet answering.
///
/// Any region and any credentials are accepted, but a request must be signed. `GET /` answers
/// that the server is healthy. Bind it to the loopback address unless others may read and write
/// what is behind it.
///
/// # Runtime
///
/// The server runs on real time and sockets: do not pause tokio's clock where it runs.
/// [`spawn`](Self::spawn) gives it a thread and a runtime of its own, so that a program that is
/// busy does not make it slow. [`run`](Self::run) suits a process that only serves.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    endpoint: Endpoint,
}

impl Server {
    /// Listens on `address` for requests to `endpoint`: an
    /// [`EmbeddedStore`](crate::EmbeddedStore) or a [`Simulator`](crate::Simulator). Port 0 takes a free one: see
    /// [`local_addr`](Self::local_addr). Connections wait until the server runs.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`] if the address is in use, not of this machine or not permitted.
    pub fn bind(address: SocketAddr, endpoint: impl Into<Endpoint>) -> Result<Self> {
        let listen = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listen().map_err(|source| Error::Bind { address, source })?;
        Ok(Self {
            listener,
            address,
            endpoint: endpoint.into(),
        })
    }

    /// The address it listens on, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint URL for clients on this machine.
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// Answers requests until `shutdown` is ready, then accepts no more, closes idle connections
    /// and returns when the requests under way are answered. A client that has sent half a
    /// request holds it up: put a timeout around it if that matters. Dropping the future closes
    /// every connection.
    ///
    /// It must run inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Serve`] if the runtime does not take the socket.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self {
            listener,
            address,
            endpoint,
        } = self;
        let listener =
            tokio::net::TcpListener::from_std(listener).map_err(|error| Error::Serve {
                address,
                source: error.into(),
            })?;
        let (stop, stopping) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = connections.join_next() => report_panic(ended),
                stream = accept(&listener) => {
                    connections.spawn(connection::serve(stream, endpoint.clone(), stopping.clone()));
                }
            }
        }
        drop((listener, stop));
        while let Some(ended) = connections.join_next().await {
            report_panic(ended);
        }
        Ok(())
    }

    /// Answers requests on a thread with a runtime of its own, until the handle is stopped or
    /// dropped.
    ///
    /// ```
    /// use dynasink_sim::{EmbeddedStore, Server};
    ///
    /// # fn main() -> dynasink_sim::Result<()> {
    /// let store = EmbeddedStore::in_memory()?;
    /// let server = Server::bind(([127, 0, 0, 1], 0).into(), store)?.spawn()?;
    /// assert!(server.url().starts_with("http://127.0.0.1:"));
    /// server.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Serve`] if the thread or its runtime cannot be made.
    pub fn spawn(self) -> Result<ServerHandle> {
        let address = self.address;
        let failed = |source: io::Error| Error::Serve {
            address,
            source: source.into(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (stop, stopped) = watch::channel(());
        let thread = thread::Builder::new()
            .name("dynasink-server".to_owned())
            .spawn(move || runtime.block_on(self.run_until(stopped)))
            .map_err(failed)?;
        Ok(ServerHandle {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Runs until the sender of `stopped` is gone, and at most [`GRACE`] longer.
    async fn run_until(self, stopped: watch::Receiver<()>) -> Result<()> {
        let address = self.address;
        let serving = self.run(closed(stopped.clone()));
        let out_of_grace = async {
            closed(stopped).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            served = serving => served,
            () = out_of_grace => {
                tracing::warn!(%address, "the server stopped with requests under way");
                Ok(())
            }
        }
    }
}

/// A running [`Server`] on a thread of its own. Dropping it stops the server.
#[derive(Debug)]
#[must_use = "dropping the handle stops the server"]
pub struct ServerHandle {
    address: SocketAddr,
    /// Dropped to stop the server.
    stop: Option<watch::Sender<()>>,
    /// Taken when joined.
    thread: Option<JoinHandle<Result<()>>>,
}

impl ServerHandle {
    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint URL for clients on this machine.
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// Stops the server and waits for its thread: for requests under way, at most 2 seconds.
    /// The server has let go of the store when this returns. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Serve`] if the server had failed before.
    pub fn stop(mut self) -> Result<()> {
        self.join()
    }

    fn join(&mut self) -> Result<()> {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        thread.join().unwrap_or_else(|_panic| {
            Err(Error::Serve {
                address: self.address,
                source: "its thread panicked".into(),
            })
        })
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        if let Err(error) = self.join() {
            tracing::warn!(address = %self.address, %error, "the server had failed before it was dropped");
        }
    }
}

/// The next connection. A client that left before it was accepted is nobody's failure.
async fn accept(listener: &tokio::net::TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted for now");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection ended in a panic");
    }
}

/// Ready when the sender is gone.
async fn closed(mut receiver: watch::Receiver<()>) {
    while receiver.changed().await.is_ok() {}
}

/// An unspecified address is one to listen on, not one to connect to.
fn url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

#[cfg(test)]
mod tests;

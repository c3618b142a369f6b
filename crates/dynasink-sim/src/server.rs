//! The HTTP door: the store for the AWS CLI, boto3, NoSQL Workbench and any other client.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;

use crate::embedded::EmbeddedStore;
use crate::error::{BoxError, Error, Result};

/// How long a stopping [`ServerHandle`] waits for requests under way. One request takes
/// milliseconds; a client that sent half a request never ends.
const GRACE: Duration = Duration::from_secs(2);

/// An [`EmbeddedStore`] on an address, listening, not yet answering.
///
/// Any region and any credentials are accepted, but a request must be signed. `GET /` answers
/// that the server is healthy. Bind it to the loopback address unless others may read and write
/// the store.
///
/// # Runtime
///
/// Requests run `SQLite` on the runtime's worker threads, one at a time. A server that shares a
/// process with a loader needs a thread and a runtime of its own: [`spawn`](Self::spawn) gives
/// it one. [`run`](Self::run) suits a process that only serves.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    store: EmbeddedStore,
}

impl Server {
    /// Listens on `address`. Port 0 takes a free one: see [`local_addr`](Self::local_addr).
    /// Connections wait until the server runs.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`] if the address is in use, not of this machine or not permitted.
    pub fn bind(address: SocketAddr, store: EmbeddedStore) -> Result<Self> {
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
            store,
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
    /// request holds it up: put a timeout around it if that matters.
    ///
    /// It must run inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Serve`] if the runtime does not take the socket or the server fails.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self {
            listener,
            address,
            store,
        } = self;
        let failed = |source: BoxError| Error::Serve { address, source };
        let listener =
            tokio::net::TcpListener::from_std(listener).map_err(|error| failed(error.into()))?;
        dynoxide::server::serve_with_shutdown(listener, store.database().clone(), shutdown)
            .await
            .map_err(|error| failed(error.into()))
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

//! What can go wrong before a request is answered. A refused request is not an [`Error`]: it is
//! an answer, and reaches the client as the service would send it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A cause from the store or the server beneath.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A local endpoint that could not be opened, bound or kept running.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store's file cannot be opened or created, or is not a store.
    #[error(
        "cannot open the embedded store `{}`: give a file in an existing, writable directory that \
         is new or was made by this store",
        path.display()
    )]
    Open {
        /// The file, or `:memory:`.
        path: PathBuf,
        /// What `SQLite` or the operating system said.
        source: BoxError,
    },

    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: choose a free port (0 takes any) and an address of this machine"
    )]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },

    /// The server could not start on its socket, or stopped by itself.
    #[error("the server on {address} failed: start it again; what was written is in the store")]
    Serve {
        /// The address it was bound to.
        address: SocketAddr,
        /// What stopped it.
        source: BoxError,
    },
}

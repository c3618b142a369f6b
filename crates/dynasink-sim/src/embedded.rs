//! The store: tables and items in one file, or in memory.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::{Client, config};
use dynoxide::Database;

use crate::connector;
use crate::error::{Error, Result};
use crate::exchange::{Delivery, Request, Service};
use crate::operation::{self, Reply};

/// The name `SQLite` gives a database without a file.
const IN_MEMORY: &str = ":memory:";

/// A DynamoDB-compatible store inside this process.
///
/// Clones share one store. It is closed when the last clone, the last client made from it and
/// the last [`Server`](crate::Server) over it are gone.
///
/// # Concurrency
///
/// One lock guards the store, so requests run one after another. They run on tokio's blocking
/// threads ([`tokio::task::spawn_blocking`]). They cannot be cancelled: a
/// request whose future was dropped or timed out may still be applied, and later than a request
/// that was sent after it.
///
/// # Durability
///
/// A store in a file does not wait for the disk after each item (`SQLite`'s `synchronous = OFF`).
/// A store that waits takes 224 items/s on the machine where this was measured, and about
/// 9,500 items/s without.
///
/// - The process ends or is killed: every acknowledged write is in the file.
/// - The machine loses power or the operating system crashes: the last writes may be missing,
///   and `SQLite`'s documentation says that the file may be damaged. Load again into a new file.
/// - The store is closed: the file is brought up to date and synced to the disk.
///
/// # Memory
///
/// A store in a file caches up to 64 MB of pages and maps up to 256 MB of the file; the mapped
/// part counts as resident memory. A store in memory holds all its items.
///
/// # Two programs on one file
///
/// Nothing prevents it: a second process opens the same file without an error. It sees the
/// items of the first, and both can write, one at a time (a write waits up to 5 seconds for the
/// other process, then fails with `InternalServerError`). Each remembers the definitions of the
/// tables it has used: a table that the other process deleted is still described, and writes to
/// it fail. Change and delete tables while no other process has the file open.
#[derive(Clone)]
pub struct EmbeddedStore {
    opened: Arc<Opened>,
}

struct Opened {
    database: Database,
    /// `None` in memory.
    file: Option<PathBuf>,
}

impl EmbeddedStore {
    /// Opens the store in the file `path`, or creates it. `SQLite` keeps two more files beside it
    /// while it is open (`-wal`, `-shm`).
    ///
    /// Blocks for file access. See [Durability](Self#durability) for what a power cut costs.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the directory does not exist or cannot be written, if the file is not
    /// a `SQLite` database, or if a newer version of the store made it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let open = || {
            // SQLite gives `:memory:`, `file:` and the empty name a meaning. An absolute path is
            // only ever a file.
            let absolute = std::path::absolute(path)?;
            let name = absolute.to_str().ok_or("the path is not valid Unicode")?;
            let database = Database::new(name)?;
            database.enable_bulk_loading()?;
            Ok((database, absolute))
        };
        let (database, file) = open().map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::new(database, Some(file)))
    }

    /// A new, empty store in memory. It is gone when the last clone is.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if `SQLite` cannot set it up.
    pub fn in_memory() -> Result<Self> {
        let database = Database::memory().map_err(|source| Error::Open {
            path: IN_MEMORY.into(),
            source: source.into(),
        })?;
        Ok(Self::new(database, None))
    }

    fn new(database: Database, file: Option<PathBuf>) -> Self {
        Self {
            opened: Arc::new(Opened { database, file }),
        }
    }

    /// The file the store is in, as an absolute path; `None` in memory.
    pub fn path(&self) -> Option<&Path> {
        self.opened.file.as_deref()
    }

    /// The in-process door: an HTTP client for [`aws_sdk_dynamodb::config::Builder::http_client`]
    /// that hands each request to this store. No socket is opened, credentials are not checked.
    ///
    /// It needs a tokio runtime, and works under paused tokio time. There is no connection for
    /// the SDK's connect timeout; its read, attempt and operation timeouts apply, but see
    /// [Concurrency](Self#concurrency) for what they leave behind.
    pub fn http_client(&self) -> SharedHttpClient {
        connector::http_client(self.clone().into())
    }

    /// An SDK configuration for this store, to be changed or built: the in-process door, a
    /// region, invented credentials, the latest behaviour version.
    ///
    /// SDK retries are off, because the caller owns retries. SDK timeouts are off, because the
    /// store always answers, and a request given up on would still be applied.
    pub fn sdk_config(&self) -> config::Builder {
        connector::sdk_config(self.clone().into())
    }

    /// An SDK client for this store, with [`sdk_config`](Self::sdk_config).
    pub fn client(&self) -> Client {
        Client::from_conf(self.sdk_config().build())
    }
}

impl EmbeddedStore {
    /// Answers on this thread. Blocks.
    pub(crate) fn answer_here(&self, request: &Request) -> Reply {
        operation::answer(&self.opened.database, request)
    }
}

impl Service for EmbeddedStore {
    async fn answer(&self, request: Request) -> Delivery {
        let store = self.clone();
        let answered = tokio::task::spawn_blocking(move || store.answer_here(&request));
        Delivery::Whole(
            answered
                .await
                .unwrap_or_else(|error| Reply::internal_server_error(&error)),
        )
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("path", &self.path().unwrap_or_else(|| Path::new(IN_MEMORY)))
            .finish_non_exhaustive()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SQLite syncs the file as it closes only if syncing is on by then.
        if let Some(file) = &self.file
            && let Err(error) = self.database.disable_bulk_loading()
        {
            tracing::warn!(
                file = %file.display(),
                %error,
                "the embedded store closes without a sync: its last writes may be lost in a power cut"
            );
        }
    }
}

//! Local DynamoDB endpoints: a store that takes everything, and a simulator that throttles and fails.
//!
//! ```text
//!  Writer ──▶ Transport ───────────────────────┐   in process, no SDK
//!                                              ├──▶ Simulator ──▶ tables in memory
//!  aws_sdk_dynamodb::Client ──▶ http_client ───┤   in process     │
//!                                              │                  ▼
//!  AWS CLI, boto3, Workbench ─▶ Server ────────┴──▶ EmbeddedStore ──▶ SQLite, in memory or in FILE
//! ```
//!
//! [`EmbeddedStore`] is `dynoxide` (MIT OR Apache-2.0): DynamoDB's API over `SQLite`. It checks
//! requests as the service does and reports consumed capacity. It never throttles: no request is
//! refused for capacity and `UnprocessedItems` is always empty.
//!
//! [`Simulator`] has capacity, latency and faults, by seed and in virtual time if so wanted, and an
//! [`Audit`] of all that really happened.
//!
//! The SDK's whole path is the real one through the doors that it takes: serialization, signing,
//! interceptors, timeouts, error parsing.
//!
//! ```
//! use dynasink_sim::EmbeddedStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = EmbeddedStore::in_memory()?;
//! let tables = store.client().list_tables().send().await?;
//! assert!(tables.table_names().is_empty());
//! # Ok(())
//! # }
//! ```

mod audit;
mod capacity;
mod connector;
mod described;
mod embedded;
mod endpoint;
mod error;
mod exchange;
mod fault;
mod footprint;
mod operation;
#[cfg(test)]
mod scripted;
mod server;
mod simulator;
mod store;
mod table;
mod wire;

pub use audit::{Audit, Decision, RequestRecord, Resource, Totals, Verdict, WriteRecord};
pub use capacity::{Admit, CapacityModel, Limit, Refusal};
pub use embedded::EmbeddedStore;
pub use endpoint::Endpoint;
pub use error::{BoxError, Error, Result};
pub use fault::{Change, Fault, Faults, Latency, ParseError};
pub use server::{Server, ServerHandle};
pub use simulator::{Simulator, SimulatorBuilder};
pub use table::SimulatedTable;

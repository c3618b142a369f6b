//! What the end-to-end tests share: endpoints to run against, tables to write to, and readings of tables and of
//! Parquet files that owe nothing to the code under test.
//!
//! The suite is `tests/end_to_end`. Every claim of it runs over HTTP against the embedded store, and also against
//! the endpoint that [`ENDPOINT_VARIABLE`] names, if it is set:
//!
//! ```text
//! DYNASINK_TEST_ENDPOINT=http://127.0.0.1:8000 cargo test -p dynasink-tests --test end_to_end
//! ```
//!
//! With `AWS_PROFILE` or `AWS_ACCESS_KEY_ID` set, these credentials sign; else invented ones do. The region is that
//! of the environment, or `us-east-1`. Tables have fresh names that start with `dynasink-test-`, and are deleted
//! after each claim. At AWS this costs a few tens of thousands of on-demand write units a run.
//!
//! `tests/differential` sends one script of requests to the simulator, to the embedded store and to that endpoint, and
//! compares what they answer.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "fixtures of tests fail by panicking"
)]

mod endpoint;
mod lossy_network;
mod outcome_log;
mod parquet_rows;
mod table;
mod value;

pub use endpoint::{ENDPOINT_VARIABLE, Endpoint};
pub use lossy_network::{Fate, LossyNetwork};
pub use outcome_log::OutcomeLog;
pub use parquet_rows::rows_of_parquet;
pub use table::TestTable;
pub use value::{Decimal, Item, Items, Value, assert_same_items, item_of_json};

/// The library example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;

/// The examples of the guide to sources compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/sources.md")]
#[derive(Debug)]
pub struct SourcesGuide;

/// The example of the guide to mappings compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/mapping.md")]
#[derive(Debug)]
pub struct MappingGuide;

/// The example of the guide to rows compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/rows.md")]
#[derive(Debug)]
pub struct RowsGuide;

/// The examples of the guide to the simulator hold.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/simulator.md")]
#[derive(Debug)]
pub struct SimulatorGuide;

/// Runs each claim, an `async fn(Endpoint)`, against the embedded store and against the endpoint of the environment.
#[macro_export]
macro_rules! claims_about_every_endpoint {
    ($($claim:ident),+ $(,)?) => {
        mod embedded {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    $crate::Endpoint::embedded().check(super::$claim).await;
                }
            )+
        }

        mod named_by_environment {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    if let Some(endpoint) = $crate::Endpoint::named_by_environment().await {
                        endpoint.check(super::$claim).await;
                    }
                }
            )+
        }
    };
}

//! The project's own pipe, and the control laws of other bulk writers, to be held against it on the same tables.
//!
//! Each of those is its source's algorithm with its source's constants, on one table. What a source leaves to its user is
//! set as a careful user would, and where it does not say what happens, the reading is taken that favours it; each module
//! says which. Three things are favoured for all of them alike:
//!
//! - A request that the service must reject, with a key twice or of more than 16 MB, is cut before the operation that
//!   spoils it.
//! - Operations that a peer loses with an error are counted as given up, and the load goes on with the next ones, where
//!   in truth the program may have ended.
//! - Encoding, threads and garbage collection cost nothing.

mod boto3;
mod emr;
mod feldera;
mod flink;
mod own;
mod pydynox;
mod request;
mod sdk_retries;
#[cfg(test)]
mod tests;

pub use boto3::Boto3;
pub use emr::EmrConnector;
pub use feldera::Feldera;
pub use flink::Flink;
pub use own::Dynasink;
pub use pydynox::Pydynox;

use crate::policy::Policy;

/// All of them, the project's own first.
pub fn all() -> Vec<Box<dyn Policy>> {
    vec![
        Box::new(Dynasink),
        Box::new(Boto3),
        Box::new(Pydynox),
        Box::new(Flink),
        Box::new(EmrConnector),
        Box::new(Feldera),
    ]
}

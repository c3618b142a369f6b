//! The errors of this crate.

use std::time::Duration;

use aws_sdk_dynamodb::error::BoxError;
use dynasink_core::StageError;

use crate::classify::Cause;

/// Why a table could not be described, created or changed, or why a writer has stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A table could not be described.
    #[error("table {table:?} could not be described: {}", advice(cause))]
    Describe {
        /// The table.
        table: String,
        /// What the failure means.
        cause: Box<Cause>,
        /// The SDK's error.
        source: BoxError,
    },

    /// A table's description is not one that can be written to.
    #[error("table {table:?} cannot be used: {reason}")]
    UnusableTable {
        /// The table.
        table: String,
        /// Why.
        reason: String,
    },

    /// A table could not be created.
    #[error("table {table:?} could not be created: {}", advice(cause))]
    Create {
        /// The table.
        table: String,
        /// What the failure means.
        cause: Box<Cause>,
        /// The SDK's error.
        source: BoxError,
    },

    /// A table could not be changed.
    #[error(
        "the {what} of table {table:?} could not be changed: {}",
        advice(cause)
    )]
    Change {
        /// The table.
        table: String,
        /// What of it.
        what: &'static str,
        /// What the failure means.
        cause: Box<Cause>,
        /// The SDK's error.
        source: BoxError,
    },

    /// The service has taken a change of a table, and the table is not so.
    #[error(
        "the {what} of table {table:?} is not what was asked for, though the change was taken: see what else changes it, such as auto scaling, and try again"
    )]
    NotAsAsked {
        /// The table.
        table: String,
        /// What of it.
        what: &'static str,
    },

    /// A table is being made or changed, and is not ready in time.
    #[error(
        "table {table:?} is being made or changed, and is not ready after {waited:?}: run again once it is ACTIVE"
    )]
    NotActive {
        /// The table.
        table: String,
        /// How long it was waited for.
        waited: Duration,
    },

    /// Items could not be read.
    #[error("items of table {table:?} could not be read: {}", advice(cause))]
    Read {
        /// The table.
        table: String,
        /// What the failure means.
        cause: Box<Cause>,
        /// The failure of the last request.
        source: BoxError,
    },

    /// The service refuses every request, or cannot be reached. Operations without an outcome were not acknowledged.
    #[error(
        "writing has stopped with {unresolved} operations without an outcome: {}",
        advice(cause)
    )]
    Stopped {
        /// What the failure means.
        cause: Box<Cause>,
        /// Operations that the writer had accepted and that have no outcome: some may have been written.
        unresolved: usize,
        /// The failure of the last request.
        source: BoxError,
    },

    /// The writer's task has ended before its time: the runtime shuts down, or an observer or the transport
    /// panicked.
    #[error(
        "the writer's task has ended with {unresolved} operations without an outcome: look for a panic in the log, and run again"
    )]
    Aborted {
        /// Operations that the writer had accepted and that have no outcome: some may have been written.
        unresolved: usize,
    },

    /// A stage of the pipe has failed.
    #[error(transparent)]
    Stage(#[from] StageError),
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What the service's answer meant, if there was one.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Describe { cause, .. }
            | Self::Create { cause, .. }
            | Self::Read { cause, .. }
            | Self::Change { cause, .. }
            | Self::Stopped { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

/// What a failure means for whoever runs the load, and what to do.
fn advice(cause: &Cause) -> &'static str {
    match cause {
        Cause::Throttled(_) => {
            "the service refuses requests for want of capacity; try later or raise the capacity"
        }
        Cause::Conflict => "another region writes the same items; try again",
        Cause::Internal => {
            "the service fails, or is not DynamoDB; check the endpoint URL, or try again later"
        }
        Cause::Unreachable => {
            "the endpoint cannot be reached; check the endpoint URL, the region and the network"
        }
        Cause::Invalid => {
            "the service finds the request invalid; see what it says, and check the table's keys and indexes"
        }
        Cause::ItemCollectionFull => {
            "an item collection has reached 10 GB; delete items of its partition key, or drop the local indexes"
        }
        Cause::TableMissing => {
            "there is no such table in this region and account; check its name and the region, or create it"
        }
        Cause::TableInUse => {
            "there is such a table already, or it is being changed; use it as it is, wait, or choose another name"
        }
        Cause::AccessDenied => {
            "these credentials may not do this; check the IAM policy and the profile"
        }
        Cause::Credentials => {
            "there are no valid credentials; check the profile or the environment, or log in again"
        }
        Cause::Misconfigured => {
            "the client cannot make a request; set a region, and check that the endpoint is a URL such as http://localhost:8000"
        }
        Cause::Rejected => {
            "the service refuses such requests; see what it says, and check that the endpoint is DynamoDB"
        }
    }
}

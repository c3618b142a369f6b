//! The table over the course of a load: made, looked at, changed, and put back.

mod changes;
mod creation;
mod index_file;
mod notices;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use dynasink::{Cause, NewTable, TableState, WriteUnits, WriterError, describe_state, warm_up};

use crate::failure::Failure;
pub(crate) use changes::{Aftermath, ChangedTable, RESTORE_PATIENCE, check_raise};
pub(crate) use creation::{Creation, new_table};
pub(crate) use notices::{notices, show};

/// How long a table may take to become active.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Creates the table if it is `new`, or warms up the one that is there, and says what it is like before rows are written.
///
/// # Errors
///
/// A refusal leaves no table that was not there.
pub(crate) async fn ready(
    client: &Client,
    name: &str,
    new: Option<NewTable>,
    warm_write: Option<WriteUnits>,
) -> Result<TableState, Failure> {
    let refused = |error: WriterError| Failure::refused(&error);
    match (new, warm_write) {
        (Some(new), warm_write) => {
            tracing::info!(table = name, "creating the table");
            let new = match warm_write {
                Some(warm_write) => new.warm_write(warm_write),
                None => new,
            };
            if let Err(error) = new.create(client, PATIENCE).await {
                return Err(match describe_state(client, name).await {
                    Err(missing) if matches!(missing.cause(), Some(Cause::TableMissing)) => {
                        refused(error)
                    }
                    // It may be there, or come yet.
                    _ => Failure::stopped(&error),
                });
            }
            // Nothing is refused from here on without a trace: the table is there.
            let described = describe_state(client, name).await;
            return described.map_err(|error| Failure::stopped(&error));
        }
        (None, Some(warm_write)) => {
            warm_up(client, name, warm_write, PATIENCE)
                .await
                .map_err(refused)?;
        }
        (None, None) => {}
    }
    describe_state(client, name).await.map_err(refused)
}

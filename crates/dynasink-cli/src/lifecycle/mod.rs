//! The table over the course of a load: made, looked at, changed, and put back.

mod changes;
mod creation;
mod index_file;
mod notices;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use dynasink::{
    NewTable, TableSchema, TableState, WriteUnits, WriterError, describe_state, warm_up,
};

use crate::failure::Failure;
pub(crate) use changes::{Aftermath, ChangedTable, RESTORE_PATIENCE};
pub(crate) use creation::{Creation, new_table};
pub(crate) use notices::{notices, show};

/// How long a table may take to become active.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Creates the table if it is `new`, or warms up the one that is there, and says what it is like before rows are written.
pub(crate) async fn ready(
    client: &Client,
    table: &TableSchema,
    new: Option<NewTable>,
    warm_write: Option<WriteUnits>,
) -> Result<TableState, Failure> {
    let refused = |error: WriterError| Failure::refused(&error);
    let name = table.name().as_str();
    match (new, warm_write) {
        (Some(new), warm_write) => {
            tracing::info!(table = name, "creating the table");
            let new = match warm_write {
                Some(warm_write) => new.warm_write(warm_write),
                None => new,
            };
            new.create(client, PATIENCE).await.map_err(refused)?;
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

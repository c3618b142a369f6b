//! Waiting for a table that is being made or changed.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{IndexStatus, TableDescription, TableStatus};
use tokio::time::{Instant, sleep};

use super::describe::fetch;
use crate::classify::Cause;
use crate::error::{Error, Result};

/// Time between two looks at a table that is being made or changed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Waits for a table that is being made, and says what it is then.
pub(super) async fn wait_until_active(
    client: &Client,
    table: &str,
    patience: Duration,
) -> Result<TableDescription> {
    wait_until(client, table, patience, |description| {
        description.table_status() == Some(&TableStatus::Active)
    })
    .await
}

/// Waits until neither the table nor any of its global indexes is being changed, and says what it is then.
pub(super) async fn wait_until_settled(
    client: &Client,
    table: &str,
    patience: Duration,
) -> Result<TableDescription> {
    wait_until(client, table, patience, is_settled).await
}

/// Whether a change would not be refused for another one.
pub(super) fn is_settled(description: &TableDescription) -> bool {
    let mut indexes = description.global_secondary_indexes().iter();
    matches!(description.table_status(), None | Some(TableStatus::Active))
        && indexes.all(|index| matches!(index.index_status(), None | Some(IndexStatus::Active)))
}

async fn wait_until(
    client: &Client,
    table: &str,
    patience: Duration,
    is_ready: impl Fn(&TableDescription) -> bool + Send,
) -> Result<TableDescription> {
    let start = Instant::now();
    loop {
        match fetch(client, table).await {
            Ok(description) if is_ready(&description) => return Ok(description),
            // A table that was just created may not be seen by every node yet.
            Ok(_) => {}
            Err(Error::Describe { cause, .. }) if matches!(*cause, Cause::TableMissing) => {}
            Err(error) => return Err(error),
        }
        if start.elapsed() >= patience {
            return Err(Error::NotActive {
                table: table.to_owned(),
                waited: patience,
            });
        }
        sleep(POLL_INTERVAL).await;
    }
}

//! Waiting for a table that is being made or changed.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TableStatus;
use tokio::time::{Instant, sleep};

use super::describe::fetch;
use crate::classify::Cause;
use crate::error::{Error, Result};

/// Time between two looks at a table that is being made or changed.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(500);

pub(super) async fn wait_until_active(
    client: &Client,
    table: &str,
    patience: Duration,
) -> Result<()> {
    let start = Instant::now();
    loop {
        match fetch(client, table).await {
            Ok(description) if description.table_status() == Some(&TableStatus::Active) => {
                return Ok(());
            }
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

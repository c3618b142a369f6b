//! What a table can be read at.

use aws_sdk_dynamodb::Client;

use crate::classify::classify;
use crate::error::{Error, Result};
use crate::preflight::Preflight;
use crate::refusal::said_by_the_service;

/// The read capacity units per second that the description of `table` names: those provisioned, or the maximum of an
/// on-demand table. None if it has no maximum.
///
/// # Errors
///
/// [`Error::Describe`].
pub async fn read_capacity(client: &Client, table: &str) -> Result<Option<f64>> {
    let request = client.describe_table().table_name(table);
    let sent = request.customize().interceptor(Preflight).send().await;
    let output = sent.map_err(|error| Error::Describe {
        table: table.to_owned(),
        cause: Box::new(classify(&error)),
        source: said_by_the_service(error),
    })?;
    let Some(description) = output.table() else {
        return Ok(None);
    };
    let provisioned = description
        .provisioned_throughput()
        .and_then(|provisioned| provisioned.read_capacity_units());
    let maximum = description
        .on_demand_throughput()
        .and_then(|maximum| maximum.max_read_request_units());
    // A table on demand is described with zero provisioned units, and one without a maximum with -1.
    let units = [provisioned, maximum].into_iter().flatten();
    Ok(units
        .filter(|units| *units > 0)
        .map(|units| units as f64)
        .next())
}

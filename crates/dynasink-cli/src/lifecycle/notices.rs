//! What is to be known of a table before rows are written to it.

use std::io::{Write, stderr};

use aws_sdk_dynamodb::types::TableStatus;
use dynasink::{PointInTimeRecovery, StreamView, TableSchema, TableState, WriteUnits};

/// What `table` costs, changes or cannot undo when it is written to; for a new one, what it has not taken of what was
/// asked for.
pub(crate) fn notices(state: &TableState, wanted: &TableSchema, is_new: bool) -> Vec<String> {
    let mut notices = Vec::new();
    if is_new {
        notices.extend(not_taken(state, wanted));
    } else {
        notices.extend(of_contents(state));
    }
    if state.status == TableStatus::Updating {
        notices
            .push("it is being changed (UPDATING): writes may be slower until it is done".into());
    }
    for index in &state.indexes_in_change {
        notices.push(format!(
            "index {index:?} is being made or removed: each write draws on it too, and may be slower"
        ));
    }
    if let Some(view) = state.stream {
        let view = match view {
            StreamView::KeysOnly => "keys",
            StreamView::NewImage => "new items",
            StreamView::OldImage => "old items",
            StreamView::NewAndOldImages => "new and old items",
            StreamView::Other => "changes",
        };
        notices.push(format!(
            "it has a stream of {view}: each write goes to it, and to whoever reads it, such as Lambda functions"
        ));
    }
    if !state.replicas.is_empty() {
        notices.push(format!(
            "it is replicated to {}: each replica is charged for each write as well",
            state.replicas.join(", ")
        ));
    }
    notices
}

fn of_contents(state: &TableState) -> Vec<String> {
    let mut notices = Vec::new();
    if state.items > 0 {
        notices.push(format!(
            "it has {} items of {} bytes already, as counted some hours ago: those with the keys of rows are overwritten",
            state.items, state.bytes
        ));
    }
    match state.point_in_time_recovery {
        PointInTimeRecovery::On => notices.push(
            "it has point-in-time recovery: what is written adds to the backups, which are paid for by size".into(),
        ),
        PointInTimeRecovery::Off => notices.push(
            "it has no point-in-time recovery: there is no way back from items that are overwritten".into(),
        ),
        PointInTimeRecovery::NotKnown => {}
    }
    if let Some(attribute) = &state.ttl_attribute {
        notices.push(format!(
            "its items expire by the attribute {attribute:?}: rows whose time is over are deleted soon after they are written"
        ));
    }
    notices
}

/// What an endpoint does not know it may pass over.
fn not_taken(state: &TableState, wanted: &TableSchema) -> Vec<String> {
    let mut notices = Vec::new();
    if let Some(warm) = wanted.warm_throughput()
        && state.warm_write.map(WriteUnits::new) < Some(warm)
    {
        notices.push(format!(
            "the endpoint has passed over --warm-throughput {}: the table's is {}",
            warm.get(),
            state
                .warm_write
                .map_or_else(|| "not known".to_owned(), |units| units.to_string()),
        ));
    }
    if let Some(attribute) = wanted.ttl_attribute()
        && state.ttl_attribute.as_deref() != Some(attribute)
    {
        notices.push("the endpoint has passed over --ttl-attribute".into());
    }
    notices
}

/// Shows them on stderr.
pub(crate) fn show(table: &str, notices: &[String]) {
    for notice in notices {
        // Where stderr is closed, there is nobody to be told.
        let _shown = writeln!(stderr(), "notice: table {table}: {notice}");
    }
}

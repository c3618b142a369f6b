//! What is to be known of a table before rows are written to it.

use std::io::{Write, stderr};

use aws_sdk_dynamodb::types::TableStatus;
use dynasink::{PointInTimeRecovery, StreamView, TableSchema, TableState, WriteUnits};

/// What a table costs, changes or cannot undo when it is written to; and what the endpoint has not taken of what was asked
/// for: that it takes `warm_write` at once, and of a new one its time to live.
pub(crate) fn notices(
    state: &TableState,
    wanted: &TableSchema,
    is_new: bool,
    warm_write: Option<WriteUnits>,
) -> Vec<String> {
    let mut notices = Vec::new();
    // What an endpoint does not know it may pass over.
    if let Some(warm) = warm_write
        && state.warm_write.map(WriteUnits::new) < Some(warm)
    {
        let now = state.warm_write;
        notices.push(format!(
            "the endpoint has passed over --warm-throughput {}: the table's is {}",
            warm.get(),
            now.map_or_else(|| "not known".to_owned(), |units| units.to_string()),
        ));
    }
    if !is_new {
        notices.extend(of_contents(state));
    } else if let Some(attribute) = wanted.ttl_attribute()
        && state.ttl_attribute.as_deref() != Some(attribute)
    {
        notices.push("the endpoint has passed over --ttl-attribute".into());
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

/// Shows them on stderr.
pub(crate) fn show(table: &str, notices: &[String]) {
    for notice in notices {
        // Where stderr is closed, there is nobody to be told.
        let _shown = writeln!(stderr(), "notice: table {table}: {notice}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dynasink::{CapacitySettings, KeyType, TableCapacity};

    use super::*;

    fn wanted() -> TableSchema {
        let table = TableSchema::builder("users").partition_key("id", KeyType::S);
        table.ttl_attribute("expires").build().unwrap()
    }

    /// A table of which nothing is to be said.
    fn plain() -> TableState {
        TableState {
            name: "users".to_owned(),
            arn: None,
            id: None,
            status: TableStatus::Active,
            capacity: CapacitySettings {
                table: TableCapacity::OnDemand {
                    max_read: None,
                    max_write: None,
                },
                indexes: BTreeMap::new(),
            },
            stream: None,
            point_in_time_recovery: PointInTimeRecovery::NotKnown,
            replicas: Vec::new(),
            deletion_protection: true,
            ttl_attribute: None,
            items: 0,
            bytes: 0,
            warm_write: None,
            indexes_in_change: Vec::new(),
        }
    }

    #[test]
    fn what_costs_or_cannot_be_undone_is_told_and_nothing_else() {
        assert!(notices(&plain(), &wanted(), false, None).is_empty());
        let state = TableState {
            status: TableStatus::Updating,
            stream: Some(StreamView::NewImage),
            point_in_time_recovery: PointInTimeRecovery::Off,
            replicas: vec!["eu-west-1".to_owned(), "us-east-1".to_owned()],
            ttl_attribute: Some("expires".to_owned()),
            items: 7,
            indexes_in_change: vec!["by-mail".to_owned()],
            ..plain()
        };
        let told = notices(&state, &wanted(), false, None).join("\n");
        for part in [
            "7 items",
            "no point-in-time recovery",
            "\"expires\"",
            "UPDATING",
            "\"by-mail\"",
            "a stream of new items",
            "eu-west-1, us-east-1",
        ] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
    }

    #[test]
    fn what_an_endpoint_has_passed_over_is_told() {
        let warm = Some(WriteUnits::new(9_000));
        let told = notices(&plain(), &wanted(), true, warm).join("\n");
        assert!(told.contains("--warm-throughput 9000"), "{told}");
        assert!(told.contains("--ttl-attribute"), "{told}");
        let taken = TableState {
            warm_write: Some(9_000),
            ttl_attribute: Some("expires".to_owned()),
            ..plain()
        };
        assert!(notices(&taken, &wanted(), true, warm).is_empty());
    }
}

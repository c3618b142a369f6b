//! What a load changes about its table: capacity that is raised while it runs, and indexes that are made after it.

use std::io::{Write, stderr};
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use dynasink::{
    Checkpoint, NewIndex, TableCapacity, TableChanges, TableState, WriteUnits, WriterError,
    add_index, describe_state, set_capacity,
};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::PATIENCE;
use crate::failure::{Failure, describe};
use crate::signals::Signals;

/// How long it is tried to put the capacity back. The service lets it be lowered once an hour when the day's decreases
/// are used up, and that is not waited for.
pub(crate) const RESTORE_PATIENCE: Duration = Duration::from_mins(3);

/// The same for somebody who has interrupted twice.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);

/// How long an index may take to hold all items of the largest tables.
const INDEX_PATIENCE: Duration = Duration::from_hours(72);

/// Time between two lines about an index that is being made.
const INDEX_LINES: Duration = Duration::from_secs(30);

/// How a load ended, as far as its table is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// Every row has its outcome.
    Complete,
    /// Some rows have none.
    Unfinished,
    /// The same, and whoever runs the load does not want to wait.
    Aborted,
}

/// A table that is changed for a load.
#[derive(Debug)]
pub(crate) struct ChangedTable {
    client: Client,
    table: String,
    changes: TableChanges,
    checkpoint: Option<Checkpoint>,
}

/// Refuses to raise what has no limit, which is known before the table is made.
pub(crate) fn check_raise(
    table: &str,
    capacity: TableCapacity,
    raise_to: Option<WriteUnits>,
) -> Result<(), Failure> {
    match raise_to {
        Some(write) if capacity.raised_to(write).is_none() => Err(nothing_to_raise(table)),
        _ => Ok(()),
    }
}

fn nothing_to_raise(table: &str) -> Failure {
    Failure::refused_because(format!(
        "--raise-capacity: table {table} is on demand without a maximum, so that there is nothing to raise: leave it out, or have the table warmed up by --warm-throughput"
    ))
}

impl ChangedTable {
    /// A table, there or still to be made, that is to have `deferred_indexes` in the end. They are written down, and
    /// nothing is changed yet.
    ///
    /// Where an earlier run of the load has written to the checkpoint what it found, that is what holds.
    pub(crate) async fn of(
        client: Client,
        table: &str,
        deferred_indexes: Vec<NewIndex>,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Self, Failure> {
        let recorded = checkpoint.as_ref().and_then(Checkpoint::table_changes);
        let changes = recorded.unwrap_or(TableChanges {
            before: None,
            deferred_indexes,
        });
        let table_of_load = Self {
            client,
            table: table.to_owned(),
            changes,
            checkpoint,
        };
        table_of_load.record().await?;
        Ok(table_of_load)
    }

    /// The table of a load that has ended, as its checkpoint says.
    ///
    /// # Errors
    ///
    /// One that only has its name, such as in another region, is refused.
    pub(crate) async fn recorded(client: Client, checkpoint: &Checkpoint) -> Result<Self, Failure> {
        let table = checkpoint.identity().table.name;
        let state = describe_state(&client, &table).await;
        let state = state.map_err(|error| Failure::refused(&error))?;
        let checked = checkpoint.check_table(&(&state).into());
        checked.map_err(|error| Failure::refused(&error))?;
        Ok(Self {
            client,
            table,
            changes: checkpoint.table_changes().unwrap_or_default(),
            checkpoint: Some(checkpoint.clone()),
        })
    }

    /// Raises the capacity from what it is `now` to at least `raise_to`, if that is given, and waits for it. What is
    /// interrupted is put back.
    pub(crate) async fn raise(
        &mut self,
        now: &TableState,
        raise_to: Option<WriteUnits>,
        signals: &Signals,
    ) -> Result<(), Failure> {
        let Some(write) = raise_to else {
            return Ok(());
        };
        let raised = now.capacity.raised_to(write);
        let raised = raised.ok_or_else(|| nothing_to_raise(&self.table))?;
        let changes = &mut self.changes;
        changes.before.get_or_insert_with(|| now.capacity.clone());
        self.record().await?;
        tell(&format!("raising the capacity of table {}", self.table));
        let error = tokio::select! {
            biased;
            () = signals.first() => Failure::interrupted("interrupted before any row was written"),
            raised = set_capacity(&self.client, &self.table, &raised, PATIENCE) => match raised {
                Ok(_) => return Ok(()),
                Err(error) => Failure::refused(&error),
            },
        };
        match self.restore(RESTORE_PATIENCE, &signals.later()).await {
            Ok(_) => Err(error),
            Err(still_raised) => Err(still_raised.besides(&error.shown())),
        }
    }

    /// Puts the capacity back, and makes the deferred indexes if all rows are written. What is left to be done is returned.
    ///
    /// The first signal from now on ends it.
    pub(crate) async fn end(
        &mut self,
        aftermath: Aftermath,
        signals: &Signals,
    ) -> Result<Vec<String>, Failure> {
        let signals = signals.later();
        let patience = match aftermath {
            Aftermath::Aborted => SHORT_PATIENCE,
            Aftermath::Complete | Aftermath::Unfinished => RESTORE_PATIENCE,
        };
        self.restore(patience, &signals).await?;
        if aftermath == Aftermath::Complete {
            self.add_indexes(&signals).await?;
        }
        Ok(self.left().into_iter().collect())
    }

    /// What is still to be done to the table by a load that goes on.
    pub(crate) fn left(&self) -> Option<String> {
        let indexes = self.changes.deferred_indexes.iter();
        let names: Vec<&str> = indexes.map(|index| index.name.as_str()).collect();
        (!names.is_empty()).then(|| {
            format!(
                "the indexes that were deferred are not made: {}. They are made at the end of a load that comes to it: go on with this one by --resume",
                names.join(", ")
            )
        })
    }

    /// Puts the capacity back, unless a signal comes. Whether it was another is returned.
    pub(crate) async fn restore(
        &mut self,
        patience: Duration,
        signals: &Signals,
    ) -> Result<bool, Failure> {
        let Some(before) = &self.changes.before else {
            return Ok(false);
        };
        let restored = tokio::select! {
            biased;
            () = signals.first() => Err("interrupted".to_owned()),
            restored = set_capacity(&self.client, &self.table, before, patience) => {
                restored.map_err(|error: WriterError| describe(&error))
            }
        };
        let changed = restored.map_err(|problem| {
            let path = self.checkpoint.as_ref().map(Checkpoint::path);
            let path = path.map_or_else(|| "FILE".into(), Path::to_string_lossy);
            Failure::stopped_because(format!(
                "table {} still has the raised capacity, which is paid for: run `dynasink restore --checkpoint {path}` until it succeeds\n  caused by: {problem}",
                self.table
            ))
        })?;
        if changed {
            tell(&format!(
                "the capacity of table {} is as before",
                self.table
            ));
        }
        self.changes.before = None;
        self.record().await?;
        Ok(changed)
    }

    /// Writes down what is still to be undone or done, so that another process can do it.
    async fn record(&self) -> Result<(), Failure> {
        let Some(checkpoint) = &self.checkpoint else {
            return Ok(());
        };
        let left = Some(self.changes.clone()).filter(|changes| *changes != TableChanges::default());
        if left == checkpoint.table_changes() {
            return Ok(());
        }
        let set = checkpoint.set_table_changes(left).await;
        set.map_err(|error| Failure::stopped(&error))
    }

    /// One at a time: the service makes no two at once.
    async fn add_indexes(&mut self, signals: &Signals) -> Result<(), Failure> {
        let indexes = self.changes.deferred_indexes.clone();
        for (number, index) in (1..).zip(&indexes) {
            let name = &index.name;
            tell(&format!(
                "making index {name}, {number} of {}",
                indexes.len()
            ));
            let start = Instant::now();
            let mut lines = interval_at(start + INDEX_LINES, INDEX_LINES);
            lines.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut adding =
                std::pin::pin!(add_index(&self.client, &self.table, index, INDEX_PATIENCE));
            let added = loop {
                tokio::select! {
                    biased;
                    added = &mut adding => break added,
                    () = signals.first() => {
                        return Err(Failure::interrupted(&format!(
                            "index {name} may still be being made, and those after it are not: resume the load to make them"
                        )));
                    }
                    _ = lines.tick() => tell(&format!("index {name} has been being made for {:.0?}", start.elapsed())),
                }
            };
            added.map_err(|error| Failure::stopped(&error))?;
            tell(&format!("index {name} is ready"));
        }
        self.changes.deferred_indexes.clear();
        self.record().await
    }
}

fn tell(text: &str) {
    // Where stderr is closed, the table is changed all the same.
    let _shown = writeln!(stderr(), "{text}");
}

//! What a load changes about its table: capacity that is raised while it runs, and indexes that are made after it.

use std::io::{Write, stderr};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use dynasink::{
    CapacitySettings, TableChanges, TableState, WriteUnits, WriterError, add_index, set_capacity,
};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::PATIENCE;
use crate::failure::{Failure, describe};
use crate::signals::Signals;

/// How long it is tried to put the capacity back. The service lets it be lowered once an hour when the day's decreases
/// are used up, and that is not waited for.
const RESTORE_PATIENCE: Duration = Duration::from_mins(3);

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
    /// What its capacity is set to while rows are written.
    raised: Option<CapacitySettings>,
    changes: TableChanges,
}

impl ChangedTable {
    /// A table that is to have at least `raise_to` write units per second, if that is given, and nothing changed yet.
    ///
    /// `recorded` is what an earlier run has found, which is what it is put back to.
    pub(crate) fn of(
        client: Client,
        state: &TableState,
        raise_to: Option<WriteUnits>,
        recorded: TableChanges,
    ) -> Result<Self, Failure> {
        let mut changes = recorded;
        let mut raised = None;
        if let Some(write) = raise_to {
            let now = &state.capacity;
            raised = Some(now.raised_to(write).ok_or_else(|| {
                Failure::refused_because(format!(
                    "--raise-capacity: table {} is on demand without a maximum, so that there is nothing to raise: leave it out, or have it warmed up by --warm-throughput",
                    state.name
                ))
            })?);
            changes.before.get_or_insert_with(|| now.clone());
        }
        Ok(Self {
            client,
            table: state.name.clone(),
            raised,
            changes,
        })
    }

    /// What is to be kept before anything is changed.
    pub(crate) fn changes(&self) -> &TableChanges {
        &self.changes
    }

    /// Raises the capacity, if it is to be raised, and waits for it. What is interrupted is put back.
    pub(crate) async fn raise(&self) -> Result<(), Failure> {
        let Some(raised) = &self.raised else {
            return Ok(());
        };
        tell(&format!("raising the capacity of table {}", self.table));
        let signals = Signals::listen();
        let error = tokio::select! {
            biased;
            () = signals.first() => Failure::interrupted("interrupted before any row was written"),
            raised = set_capacity(&self.client, &self.table, raised, PATIENCE) => match raised {
                Ok(_) => return Ok(()),
                Err(error) => Failure::refused(&error),
            },
        };
        self.restore(RESTORE_PATIENCE).await?;
        Err(error)
    }

    /// Puts the capacity back, and makes the deferred indexes if all rows are written. What is left to be done is returned.
    pub(crate) async fn end(&self, aftermath: Aftermath) -> Result<Vec<String>, Failure> {
        let mut left = Vec::new();
        let patience = match aftermath {
            Aftermath::Aborted => SHORT_PATIENCE,
            Aftermath::Complete | Aftermath::Unfinished => RESTORE_PATIENCE,
        };
        self.restore(patience).await?;
        let indexes = &self.changes.deferred_indexes;
        if aftermath == Aftermath::Complete {
            self.add_indexes().await?;
        } else if !indexes.is_empty() {
            let names: Vec<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
            left.push(format!(
                "the indexes that were deferred are not made: {}. They are made at the end of a load that comes to it: resume this one",
                names.join(", ")
            ));
        }
        Ok(left)
    }

    async fn restore(&self, patience: Duration) -> Result<(), Failure> {
        let Some(before) = &self.changes.before else {
            return Ok(());
        };
        let signals = Signals::listen();
        let restored = tokio::select! {
            biased;
            () = signals.first() => Err("interrupted".to_owned()),
            restored = set_capacity(&self.client, &self.table, before, patience) => {
                restored.map_err(|error: WriterError| describe(&error))
            }
        };
        match restored {
            Ok(true) => tell(&format!(
                "the capacity of table {} is as before",
                self.table
            )),
            Ok(false) => {}
            Err(problem) => {
                return Err(Failure::stopped_because(format!(
                    "table {} still has the raised capacity, which is paid for: run `dynasink restore --checkpoint FILE` until it succeeds\n  {problem}",
                    self.table
                )));
            }
        }
        Ok(())
    }

    /// One at a time: the service makes no two at once.
    async fn add_indexes(&self) -> Result<(), Failure> {
        let indexes = &self.changes.deferred_indexes;
        for (number, index) in (1..).zip(indexes) {
            let name = &index.name;
            tell(&format!(
                "making index {name}, {number} of {}",
                indexes.len()
            ));
            let start = Instant::now();
            let mut lines = interval_at(start + INDEX_LINES, INDEX_LINES);
            lines.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let signals = Signals::listen();
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
        Ok(())
    }
}

fn tell(text: &str) {
    // Where stderr is closed, the table is changed all the same.
    let _shown = writeln!(stderr(), "{text}");
}

//! Which table a load goes into, and what it has changed about it.

use dynasink_aws::TableChanges;

use super::{Checkpoint, TableIdentity};
use crate::error::Result;

impl Checkpoint {
    /// Whether the table was still to be made when this was written: nothing is known of it but its name
    /// ([`TableIdentity::to_be_made`]), and no row was read.
    pub fn awaits_table(&self) -> bool {
        let state = self.state();
        !state.identity.table.is_known() && !state.progress.is_begun()
    }

    /// Compares `table` with the one that the load goes into.
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointOfAnotherLoad`](crate::Error::CheckpointOfAnotherLoad) if it is another, even if it has its name.
    pub fn check_table(&self, table: &TableIdentity) -> Result<()> {
        match self.state().identity.table.change_to(table) {
            Some(change) => Err(self.of_another_load(change)),
            None => Ok(()),
        }
    }

    /// Notes which table the load goes into, once it is there, and writes that down at once.
    ///
    /// # Errors
    ///
    /// As [`check_table`](Self::check_table), and [`Error::CheckpointFile`](crate::Error::CheckpointFile).
    pub async fn set_table(&self, table: TableIdentity) -> Result<()> {
        self.check_table(&table)?;
        if self.state().identity.table.is_known() {
            return Ok(());
        }
        self.state().identity.table = table;
        self.save().await
    }

    /// What has been changed about the table for the time of the load.
    pub fn table_changes(&self) -> Option<TableChanges> {
        self.state().table_changes.clone()
    }

    /// Notes what is about to be changed of the table, or that it is as it was, and writes it down at once.
    ///
    /// # Errors
    ///
    /// [`Error::CheckpointFile`](crate::Error::CheckpointFile).
    pub async fn set_table_changes(&self, changes: Option<TableChanges>) -> Result<()> {
        self.state().table_changes = changes;
        self.save().await
    }
}

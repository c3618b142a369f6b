//! `dynasink restore`.

use std::io::Write;
use std::process::ExitCode;

use dynasink::Checkpoint;

use crate::args::RestoreArgs;
use crate::failure::{ALL_WRITTEN, Failure};
use crate::lifecycle::{ChangedTable, RESTORE_PATIENCE};
use crate::output::print;
use crate::signals::Signals;
use crate::target;

pub(crate) async fn run(args: &RestoreArgs) -> Result<ExitCode, Failure> {
    let checkpoint =
        Checkpoint::open(&args.checkpoint).map_err(|error| Failure::refused(&error))?;
    let table = checkpoint.identity().table.name.clone();
    let raised = checkpoint
        .table_changes()
        .is_some_and(|changes| changes.before.is_some());
    if !raised {
        print(|out| {
            writeln!(
                out,
                "the capacity of table {table} is not raised by that load"
            )
        })?;
        return Ok(ALL_WRITTEN.into());
    }
    let client = target::connect(&args.target).await?;
    let mut changed = ChangedTable::recorded(client, &checkpoint).await?;
    let signals = Signals::listen();
    let was_another = changed.restore(RESTORE_PATIENCE, &signals).await?;
    print(|out| {
        if was_another {
            writeln!(out, "the capacity of table {table} is put back")?;
        } else {
            writeln!(
                out,
                "the capacity of table {table} was as before the load already"
            )?;
        }
        match changed.left() {
            Some(left) => writeln!(out, "{left}"),
            None => Ok(()),
        }
    })?;
    Ok(ALL_WRITTEN.into())
}

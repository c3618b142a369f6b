//! Which row of a key counts, as the command line and the mapping say it.

use dynasink::{KeptRow, Mapping};

use crate::args::DedupArg;
use crate::failure::Failure;

/// The policy that was asked for, else the one that the mapping calls for.
///
/// # Errors
///
/// The greatest version is to be kept, and the mapping names none.
pub(crate) fn policy(asked: Option<DedupArg>, mapping: &Mapping) -> Result<DedupArg, Failure> {
    match asked {
        Some(DedupArg::KeepGreatest) if !mapping.has_versions() => Err(Failure::refused_because(
            "--dedup keep-greatest needs the version of each row: name its column in the mapping, as `version = { column = \"...\" }`",
        )),
        Some(policy) => Ok(policy),
        None if mapping.has_versions() => Ok(DedupArg::KeepGreatest),
        None => Ok(DedupArg::KeepLast),
    }
}

/// The row of each key that is in the table after a load by `policy`.
pub(crate) fn kept_row(policy: DedupArg) -> KeptRow {
    match policy {
        DedupArg::KeepLast | DedupArg::Off => KeptRow::Last,
        // Where a second row is an error, the load stops there, and what it has written is the first.
        DedupArg::KeepFirst | DedupArg::Error => KeptRow::First,
        DedupArg::KeepGreatest => KeptRow::Greatest,
    }
}

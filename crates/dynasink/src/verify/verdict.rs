//! What a row and the item of its key are to each other.

use std::collections::HashMap;
use std::time::SystemTime;

use bytes::Bytes;
use dynasink_aws::StoredItem;
use dynasink_core::{NotAnItem, PrimaryKey, WriteAction, WriteOp, differing_paths};

use super::expiry::has_expired;

/// Most differing values of one item that are named.
const MOST_PATHS: usize = 10;

/// What the table holds, compared with what a row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The table holds what the row says: the item, or none where the row deletes it.
    Equal,
    /// The item is not there, and its time to live has ended.
    Expired,
    /// The item is not there.
    Missing,
    /// There is another item, or one that the row deletes.
    Different {
        /// The first values that differ; none where the row deletes the item.
        paths: Vec<String>,
        /// What the table holds.
        stored: Bytes,
    },
}

/// Compares each of `ops` with the item of its key among `stored`. `now` is when the items were read.
pub(super) fn compare(
    ops: Vec<WriteOp>,
    stored: Vec<StoredItem>,
    now: SystemTime,
) -> Result<Vec<(WriteOp, Verdict)>, NotAnItem> {
    let mut stored: HashMap<PrimaryKey, Bytes> = stored
        .into_iter()
        .map(|item| (item.key, item.json))
        .collect();
    let compared = ops.into_iter().map(|op| {
        let verdict = verdict(&op, stored.remove(op.key()), now)?;
        Ok((op, verdict))
    });
    compared.collect()
}

fn verdict(op: &WriteOp, stored: Option<Bytes>, now: SystemTime) -> Result<Verdict, NotAnItem> {
    Ok(match (op.action(), stored) {
        (WriteAction::Delete, None) => Verdict::Equal,
        (WriteAction::Delete, Some(stored)) => Verdict::Different {
            paths: Vec::new(),
            stored,
        },
        (WriteAction::Put, None) if has_expired(op, now) => Verdict::Expired,
        (WriteAction::Put, None) => Verdict::Missing,
        (WriteAction::Put, Some(stored)) => {
            let paths = differing_paths(op.item().json(), &stored, MOST_PATHS)?;
            if paths.is_empty() {
                Verdict::Equal
            } else {
                Verdict::Different { paths, stored }
            }
        }
    })
}

//! What a load has done, for people and for machines.

pub(crate) mod file;
mod page;
pub(crate) mod record;

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use dynasink::{Counts, ItemCollectionSize, limits::MAX_ITEM_COLLECTION_GB};
use serde::Serialize;

/// How a load ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    /// All rows have their outcome.
    Complete,
    /// A signal stopped the reading. With a checkpoint, a part of what was read may be left to a load that goes on.
    Interrupted,
    /// The load took as long as it may; of what was read the same holds.
    TimeIsUp,
    /// More rows were dead or not read than allowed; of what was read the same holds.
    TooManyErrors,
    /// Reading or writing failed.
    Failed,
}

/// The report of a load. Its JSON form is what `--json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) table: &'a str,
    pub(crate) end: End,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// Whether the load went on from a checkpoint: the counts are of all its runs, the time is that of the last.
    pub(crate) resumed: bool,
    /// Items that earlier runs had written.
    #[serde(skip)]
    pub(crate) written_before: u64,
    /// Rows that were read and have no outcome.
    pub(crate) unresolved: u64,
    pub(crate) elapsed_seconds: f64,
    /// The file of the dead letters, if there are any.
    pub(crate) dead_letters: Option<&'a Path>,
    /// Why the first dead row died, or the first part was not read.
    pub(crate) first_dead: Option<String>,
    /// The largest item collections, if their sizes were asked for.
    pub(crate) item_collections: Vec<ItemCollection>,
    pub(crate) error: Option<&'a str>,
    /// What was to be known of the table before rows were written.
    pub(crate) notices: &'a [String],
}

/// The items of one partition key, which may have 10 GB with what the local indexes hold of them.
#[derive(Debug, Serialize)]
pub(crate) struct ItemCollection {
    partition_key: String,
    /// Lower and upper estimate.
    size_gb: [f64; 2],
}

impl ItemCollection {
    pub(crate) fn of(sizes: &[ItemCollectionSize]) -> Vec<Self> {
        let sizes = sizes.iter().map(|size| Self {
            partition_key: size.partition_key.clone(),
            size_gb: [size.lower_gb, size.upper_gb],
        });
        sizes.collect()
    }
}

impl Report<'_> {
    pub(crate) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    pub(crate) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let counts = &self.counts;
        let ending = match self.end {
            End::Complete => "",
            End::Interrupted => ", interrupted",
            End::TimeIsUp => ", time is up",
            End::TooManyErrors => match (counts.dead, counts.unread) {
                (_, 0) => ", stopped for too many dead rows",
                (0, _) => ", stopped for too many rows that were not read",
                (_, _) => ", stopped for too many rows that are dead or were not read",
            },
            End::Failed => ", failed",
        };
        let elapsed = Duration::from_secs_f64(self.elapsed_seconds);
        writeln!(
            out,
            "table {}: {} rows read{} in {elapsed:.1?}{ending}",
            self.table,
            counts.rows_read,
            if self.resumed {
                " by all runs, the last"
            } else {
                ""
            }
        )?;
        let of_this_run = counts.items_written.saturating_sub(self.written_before);
        let rate = of_this_run as f64 / self.elapsed_seconds.max(0.001);
        writeln!(
            out,
            "  written      {} ({rate:.0} items/s)",
            counts.items_written
        )?;
        if counts.items_deleted > 0 {
            writeln!(out, "  deleted      {}", counts.items_deleted)?;
        }
        writeln!(out, "  superseded   {}", counts.superseded)?;
        if counts.skipped > 0 {
            writeln!(out, "  skipped      {}", counts.skipped)?;
        }
        writeln!(out, "  dead         {}", counts.dead)?;
        if counts.unread > 0 {
            writeln!(
                out,
                "  not read     {} parts of files, {} rows as far as known",
                counts.unread, counts.unread_rows
            )?;
        }
        if let Some(first) = &self.first_dead {
            writeln!(out, "    first: {first}")?;
        }
        if let Some(file) = self.dead_letters {
            writeln!(out, "    all: {}", file.display())?;
        }
        if self.unresolved > 0 {
            writeln!(
                out,
                "  unresolved   {} (each may have been written or not)",
                self.unresolved
            )?;
        }
        writeln!(
            out,
            "  requests     {} ({} operations sent again, {} refused for capacity)",
            counts.requests, counts.retried_ops, counts.throttled_ops
        )?;
        if counts.throttled_ops > 0 {
            writeln!(out, "    refused: {}", counts.refused)?;
        }
        let failed = &counts.failed_requests;
        if failed.total() > 0 {
            writeln!(out, "    failed: {} requests ({failed})", failed.total())?;
        }
        writeln!(out, "  consumed     {} WCU", counts.consumed_write_units)?;
        if !self.item_collections.is_empty() {
            writeln!(
                out,
                "  the largest item collections, of {MAX_ITEM_COLLECTION_GB} GB at most:"
            )?;
        }
        for collection in &self.item_collections {
            let [lower, upper] = collection.size_gb;
            let key = &collection.partition_key;
            writeln!(out, "    {lower} to {upper} GB  {}", key.escape_debug())?;
        }
        Ok(())
    }
}

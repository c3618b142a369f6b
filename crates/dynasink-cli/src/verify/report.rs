//! What a verification has found, for people and for machines.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use dynasink::{Counts, ReadUsage, VerifyCounts};
use serde::Serialize;

use crate::failure::{ALL_WRITTEN, Failure, INTERRUPTED, SOME_DEAD, STOPPED};
use crate::output::print;
use crate::report::End;

/// What has become of a verification.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) table: String,
    pub(super) end: End,
    pub(super) error: Option<String>,
    pub(super) counts: VerifyCounts,
    /// Whether the table was scanned for items that no row has.
    pub(super) scans: bool,
    pub(super) first_dead: Option<String>,
    /// What was written to repair, if that was asked for.
    pub(super) repaired: Option<Counts>,
    pub(super) usage: ReadUsage,
    pub(super) elapsed: Duration,
    /// The file of the differences, if there are any.
    pub(super) differences: Option<PathBuf>,
    /// The file of the dead letters of a repair, if there are any.
    pub(super) dead_letters: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    table: &'a str,
    end: End,
    rows_read: u64,
    #[serde(flatten)]
    counts: VerifyCounts,
    /// Not known without a scan.
    extra: Option<u64>,
    scanned: Option<u64>,
    repaired: Option<u64>,
    consumed_read_units: f64,
    read_requests: u64,
    throttled_read_requests: u64,
    elapsed_seconds: f64,
    differences: Option<&'a PathBuf>,
    dead_letters: Option<&'a PathBuf>,
    first_dead: Option<&'a str>,
    error: Option<&'a str>,
}

impl Verified {
    /// Items that were written or deleted to repair.
    fn repaired_items(&self) -> Option<u64> {
        self.repaired
            .map(|counts| counts.items_written + counts.items_deleted)
    }

    pub(super) fn print(&self, json: bool) -> Result<(), Failure> {
        print(|out| {
            if json {
                self.write_json(out)
            } else {
                self.write_text(out)
            }
        })
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let report = Json {
            table: &self.table,
            end: self.end,
            rows_read: self.counts.rows(),
            counts: self.counts,
            extra: self.scans.then_some(self.counts.extra),
            scanned: self.scans.then_some(self.counts.scanned),
            repaired: self.repaired_items(),
            consumed_read_units: self.usage.read_units,
            read_requests: self.usage.requests,
            throttled_read_requests: self.usage.throttled_requests,
            elapsed_seconds: self.elapsed.as_secs_f64(),
            differences: self.differences.as_ref(),
            dead_letters: self.dead_letters.as_ref(),
            first_dead: self.first_dead.as_deref(),
            error: self.error.as_deref(),
        };
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let counts = &self.counts;
        let seconds = self.elapsed.as_secs_f64();
        let (table, compared) = (&self.table, counts.compared);
        writeln!(
            out,
            "table {table}: {compared} keys compared in {seconds:.1} s"
        )?;
        let lines = [
            ("equal", counts.equal, true),
            ("missing", counts.missing, true),
            ("different", counts.different, true),
            ("extra", counts.extra, counts.scanned > 0),
            ("expired", counts.expired, counts.expired > 0),
            ("superseded", counts.superseded, counts.superseded > 0),
            ("not sampled", counts.not_sampled, counts.not_sampled > 0),
            ("skipped", counts.skipped, counts.skipped > 0),
            ("dead", counts.dead, counts.dead > 0),
            ("unread", counts.unread, counts.unread > 0),
        ];
        for (name, count, _) in lines.into_iter().filter(|(_, _, shown)| *shown) {
            writeln!(out, "  {name:12} {count}")?;
        }
        if let Some(repaired) = self.repaired_items() {
            writeln!(out, "  {:12} {repaired}", "repaired")?;
        }
        let (units, requests) = (self.usage.read_units, self.usage.requests);
        writeln!(out, "  {units} read units in {requests} requests")?;
        if let Some(first) = &self.first_dead {
            writeln!(out, "  first dead: {first}")?;
        }
        if let Some(path) = &self.differences {
            writeln!(out, "  differences are in {}", path.display())?;
        }
        if let Some(path) = &self.dead_letters {
            writeln!(out, "  dead letters are in {}", path.display())?;
        }
        Ok(())
    }

    /// The exit status.
    ///
    /// # Errors
    ///
    /// Why it could not go on, if so.
    pub(super) fn exit_code(&self) -> Result<ExitCode, Failure> {
        if let Some(error) = &self.error {
            return Err(Failure::stopped_because(error.as_str()));
        }
        let status = match self.end {
            End::Complete if self.is_all_well() => ALL_WRITTEN,
            End::Complete => SOME_DEAD,
            End::Interrupted | End::TimeIsUp => INTERRUPTED,
            End::TooManyErrors | End::Failed => STOPPED,
        };
        Ok(status.into())
    }

    /// Whether source and table are equal now.
    fn is_all_well(&self) -> bool {
        let left = self
            .counts
            .differences()
            .saturating_sub(self.repaired_items().unwrap_or_default());
        left == 0 && self.counts.dead == 0 && self.counts.unread == 0
    }
}

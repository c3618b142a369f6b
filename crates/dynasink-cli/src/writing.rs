//! A pipe that writes: what stops it early, what is shown of it, and how it ended.

use std::future::Future;
use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use dynasink::{
    Counts, DeadLetterFile, DriveEnd, ErrorBudget, LatencyQuantiles, LoadReport, Pipeline,
    TableName, Tally, Timeline, TimelinePoint,
};
use tokio::time::Instant;

use crate::failure::{self, ALL_WRITTEN, Failure, INTERRUPTED, SOME_DEAD, STOPPED};
use crate::output::print;
use crate::progress::Progress;
use crate::report::file::ReportFiles;
use crate::report::record::{Record, Settings};
use crate::report::{End, ItemCollection, Report};
use crate::signals::Signals;

/// A pipe that is about to write.
#[derive(Debug)]
pub(crate) struct Writing {
    tally: Tally,
    timeline: Timeline,
    budget: ErrorBudget,
    dead_letters: DeadLetterFile,
    progress: Progress,
    signals: Signals,
}

/// What has become of it.
#[derive(Debug)]
pub(crate) struct Written {
    end: End,
    error: Option<String>,
    counts: Counts,
    elapsed_seconds: f64,
    /// The file of the dead letters, if there are any.
    dead_letters: Option<PathBuf>,
    tally: Tally,
    points: Vec<TimelinePoint>,
    latency: Option<LatencyQuantiles>,
    started: SystemTime,
}

impl Writing {
    /// Signals count from now on.
    pub(crate) fn by(
        pipeline: &Pipeline,
        budget: ErrorBudget,
        dead_letters: DeadLetterFile,
        total_rows: u64,
        logs: bool,
    ) -> Self {
        let tally = pipeline.tally();
        let progress = Progress::new(tally.clone(), pipeline.limiter(), total_rows, logs);
        Self {
            tally,
            timeline: pipeline.timeline(),
            budget,
            dead_letters,
            progress,
            signals: Signals::listen(),
        }
    }

    /// Ready when no more is to be read.
    pub(crate) fn asked_to_stop(&self) -> impl Future<Output = ()> + Send + use<> {
        let (budget, signals, tally) = (
            self.budget.clone(),
            self.signals.clone(),
            self.tally.clone(),
        );
        async move {
            tokio::select! {
                biased;
                () = budget.exceeded() => {}
                () = signals.first() => {
                    // A second signal aborts, so whoever sent the first one should know that it was heard.
                    let rows = tally.counts().unresolved();
                    let _shown = writeln!(stderr(), "interrupted: writing the {rows} rows that were read; once more to abort");
                }
            }
        }
    }

    /// Runs `load` to its end, or until a second signal.
    ///
    /// # Errors
    ///
    /// Dead letters that cannot be kept. What else goes wrong is told by what has become of the load.
    pub(crate) async fn until_done(
        self,
        load: impl Future<Output = dynasink::Result<LoadReport>>,
    ) -> Result<Written, Failure> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a report says on which day a load began"
        )]
        let started = SystemTime::now();
        let start = Instant::now();
        let loaded = tokio::select! {
            biased;
            loaded = self.progress.beside(load) => Some(loaded),
            () = self.signals.second() => None,
        };
        let elapsed_seconds = start.elapsed().as_secs_f64();
        let (points, whole) = (self.timeline.points(), self.timeline.whole());
        let latency = whole.latencies.quantiles();
        let has_dead_letters = self
            .dead_letters
            .finish()
            .map_err(|error| Failure::stopped(&error))?;
        let (end, error) = match &loaded {
            // The rows that exceed the budget may be the last ones, and then nothing is left to be shut down.
            Some(Ok(_)) if self.budget.is_exceeded() => (End::TooManyErrors, None),
            Some(Ok(report)) => match report.end {
                DriveEnd::Exhausted => (End::Complete, None),
                DriveEnd::Shutdown => (End::Interrupted, None),
            },
            Some(Err(error)) => (End::Failed, Some(failure::describe(error))),
            None => (End::Failed, Some("aborted by a second signal".to_owned())),
        };
        Ok(Written {
            end,
            error,
            counts: self.tally.counts(),
            elapsed_seconds,
            dead_letters: has_dead_letters.then(|| self.dead_letters.path().to_owned()),
            tally: self.tally,
            points,
            latency,
            started,
        })
    }
}

impl Written {
    /// Prints the report.
    pub(crate) fn print(&self, table: &TableName, json: bool) -> Result<(), Failure> {
        let report = self.report(table);
        print(|out| {
            if json {
                report.write_json(out)
            } else {
                report.write_text(out)
            }
        })
    }

    /// Writes what happened to `files`, if there are any.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub(crate) fn write_files(
        &self,
        files: &ReportFiles,
        table: &TableName,
        settings: &Settings,
    ) -> Result<(), Failure> {
        if files.is_empty() {
            return Ok(());
        }
        files.write(&Record {
            dynasink: env!("CARGO_PKG_VERSION"),
            started: humantime::format_rfc3339_seconds(self.started).to_string(),
            settings,
            summary: self.report(table),
            refused_by_index: self.tally.refused_by_index().into_iter().collect(),
            latency: self.latency,
            timeline: &self.points,
        })
    }

    fn report<'a>(&'a self, table: &'a TableName) -> Report<'a> {
        Report {
            table: table.as_str(),
            end: self.end,
            counts: self.counts,
            unresolved: self.counts.unresolved(),
            elapsed_seconds: self.elapsed_seconds,
            dead_letters: self.dead_letters.as_deref(),
            first_dead: self.tally.first_dead(),
            item_collections: ItemCollection::of(&self.tally.largest_item_collections()),
            error: self.error.as_deref(),
        }
    }

    /// The exit status.
    ///
    /// # Errors
    ///
    /// Why writing failed, if it did.
    pub(crate) fn exit_code(&self) -> Result<ExitCode, Failure> {
        if let Some(error) = &self.error {
            return Err(Failure::stopped_because(error.as_str()));
        }
        let status = match self.end {
            End::Complete if self.counts.dead == 0 && self.counts.unread == 0 => ALL_WRITTEN,
            End::Complete => SOME_DEAD,
            End::Interrupted => INTERRUPTED,
            End::TooManyErrors | End::Failed => STOPPED,
        };
        Ok(status.into())
    }
}

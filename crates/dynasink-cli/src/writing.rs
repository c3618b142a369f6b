//! A pipe that writes: what stops it early, what is shown of it, and how it ended.

use std::future::{Future, pending};
use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use dynasink::{
    Checkpoint, Counts, DeadLetterFile, DriveEnd, ErrorBudget, LatencyQuantiles, LoadReport,
    Pipeline, RateLimiter, TableName, Tally, Timeline, TimelinePoint,
};
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::failure::{self, ALL_WRITTEN, Failure, INTERRUPTED, SOME_DEAD, STOPPED};
use crate::lifecycle::Aftermath;
use crate::output::print;
use crate::progress::Progress;
use crate::report::file::ReportFiles;
use crate::report::record::{Record, Settings};
use crate::report::{End, ItemCollection, Report};
use crate::signals::Signals;

/// What holds while a pipe writes.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) table: TableName,
    /// What was asked for, for the reports.
    pub(crate) settings: Settings,
    /// What was said of the table before.
    pub(crate) notices: Vec<String>,
    pub(crate) total_rows: u64,
    pub(crate) dead_letters: DeadLetterFile,
    /// What says how far it has come, if it can go on in another process.
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) budget: ErrorBudget,
    pub(crate) control: Control,
    pub(crate) max_duration: Option<Duration>,
    /// What earlier runs had done, if the load goes on.
    pub(crate) before: Option<Counts>,
    /// Whether log lines are shown too.
    pub(crate) logs: bool,
}

/// A pipe that is about to write.
#[derive(Debug)]
pub(crate) struct Writing {
    terms: Terms,
    tally: Tally,
    timeline: Timeline,
    limiter: RateLimiter,
    progress: Progress,
    signals: Signals,
    stopped: Arc<OnceLock<StopReason>>,
}

/// Why no more was read before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StopReason {
    /// More rows were dead or not read than allowed.
    TooManyErrors,
    /// Somebody interrupted the load.
    Signal,
    /// It has taken as long as it may.
    TimeIsUp,
}

/// What has become of it.
#[derive(Debug)]
pub(crate) struct Written {
    table: TableName,
    settings: Settings,
    notices: Vec<String>,
    end: End,
    /// Whether a second signal ended it.
    is_aborted: bool,
    error: Option<String>,
    counts: Counts,
    before: Option<Counts>,
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
    pub(crate) fn by(pipeline: &Pipeline, terms: Terms) -> Self {
        let (tally, limiter) = (pipeline.tally(), pipeline.limiter());
        let progress = Progress::new(tally.clone(), limiter.clone(), terms.total_rows, terms.logs);
        Self {
            terms,
            tally,
            timeline: pipeline.timeline(),
            limiter,
            progress,
            signals: Signals::listen(),
            stopped: Arc::default(),
        }
    }

    /// Ready when no more is to be read.
    pub(crate) fn asked_to_stop(&self) -> impl Future<Output = ()> + Send + use<> {
        let (budget, signals, tally) = (
            self.terms.budget.clone(),
            self.signals.clone(),
            self.tally.clone(),
        );
        let (limiter, max_duration) = (self.limiter.clone(), self.terms.max_duration);
        let stopped = Arc::clone(&self.stopped);
        async move {
            let time_is_up = async {
                match max_duration {
                    Some(max_duration) => sleep(max_duration).await,
                    None => pending().await,
                }
            };
            let reason = tokio::select! {
                biased;
                () = budget.exceeded() => StopReason::TooManyErrors,
                () = signals.first() => {
                    // A second signal aborts, so whoever sent the first one should know that it was heard.
                    let rows = tally.counts().unresolved();
                    let _shown = writeln!(stderr(), "interrupted: writing the {rows} rows that were read; once more to abort");
                    StopReason::Signal
                }
                () = time_is_up => {
                    let rows = tally.counts().unresolved();
                    let _shown = writeln!(stderr(), "time is up: writing the {rows} rows that were read");
                    StopReason::TimeIsUp
                }
            };
            stopped.get_or_init(|| reason);
            // What was read could not be written in a pause.
            limiter.resume();
        }
    }

    /// Runs `load` to its end, or until a second signal. What goes wrong is told by what has become of it.
    pub(crate) async fn until_done(
        self,
        load: impl Future<Output = dynasink::Result<LoadReport>>,
    ) -> Written {
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
            never = self.terms.control.keep() => match never {},
        };
        let elapsed_seconds = start.elapsed().as_secs_f64();
        let (points, whole) = (self.timeline.points(), self.timeline.whole());
        let latency = whole.latencies.quantiles();
        let kept = keep(self.terms.checkpoint.as_ref(), &self.terms.dead_letters).await;
        let (end, error) = match &loaded {
            // The rows that exceed the budget may be the last ones, and then nothing is left to be shut down.
            Some(Ok(_)) if self.terms.budget.is_exceeded() => (End::TooManyErrors, None),
            Some(Ok(report)) => match report.end {
                DriveEnd::Exhausted => (End::Complete, None),
                DriveEnd::Shutdown => match self.stopped.get() {
                    Some(StopReason::TimeIsUp) => (End::TimeIsUp, None),
                    Some(StopReason::TooManyErrors) => (End::TooManyErrors, None),
                    Some(StopReason::Signal) | None => (End::Interrupted, None),
                },
            },
            Some(Err(error)) => (End::Failed, Some(failure::describe(error))),
            None => (End::Failed, Some("aborted by a second signal".to_owned())),
        };
        let (end, error) = match kept {
            Ok(()) => (end, error),
            // Why the load has failed says more.
            Err(unkept) => (
                End::Failed,
                error.or_else(|| Some(failure::describe(&unkept))),
            ),
        };
        let dead_letters = &self.terms.dead_letters;
        let dead_letters = (!dead_letters.is_empty()).then(|| dead_letters.path().to_owned());
        Written {
            table: self.terms.table,
            settings: self.terms.settings,
            notices: self.terms.notices,
            end,
            is_aborted: loaded.is_none(),
            error,
            counts: self.tally.counts(),
            before: self.terms.before,
            elapsed_seconds,
            dead_letters,
            tally: self.tally,
            points,
            latency,
            started,
        }
    }
}

/// Makes sure that what is kept of a load stays.
async fn keep(
    checkpoint: Option<&Checkpoint>,
    dead_letters: &DeadLetterFile,
) -> dynasink::Result<()> {
    if let Some(checkpoint) = checkpoint {
        // A load that was aborted had no time for its last one.
        checkpoint.save().await?;
        if !checkpoint.is_complete() {
            // Its dead letters stay where the next run looks for them, even if there are none yet.
            return Ok(());
        }
    }
    dead_letters.finish().map(drop)
}

impl Written {
    /// What is due to the table after it.
    pub(crate) fn aftermath(&self) -> Aftermath {
        match self.end {
            End::Complete => Aftermath::Complete,
            _ if self.is_aborted => Aftermath::Aborted,
            _ => Aftermath::Unfinished,
        }
    }

    pub(crate) fn table(&self) -> &TableName {
        &self.table
    }

    /// Adds what is to be said of the table after it.
    pub(crate) fn add_notices(&mut self, notices: &[String]) {
        self.notices.extend_from_slice(notices);
    }

    /// Prints the report.
    pub(crate) fn print(&self, json: bool) -> Result<(), Failure> {
        let report = self.report();
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
    pub(crate) fn write_files(&self, files: &ReportFiles) -> Result<(), Failure> {
        if files.is_empty() {
            return Ok(());
        }
        files.write(&Record {
            dynasink: env!("CARGO_PKG_VERSION"),
            started: humantime::format_rfc3339_seconds(self.started).to_string(),
            settings: &self.settings,
            summary: self.report(),
            refused_by_index: self.tally.refused_by_index().into_iter().collect(),
            latency: self.latency,
            timeline: &self.points,
        })
    }

    fn report(&self) -> Report<'_> {
        Report {
            table: self.table.as_str(),
            end: self.end,
            counts: self.counts,
            resumed: self.before.is_some(),
            written_before: self.before.map_or(0, |before| before.items_written),
            unresolved: self.counts.unresolved(),
            elapsed_seconds: self.elapsed_seconds,
            dead_letters: self.dead_letters.as_deref(),
            first_dead: self.tally.first_dead(),
            item_collections: ItemCollection::of(&self.tally.largest_item_collections()),
            error: self.error.as_deref(),
            notices: &self.notices,
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
            End::Interrupted | End::TimeIsUp => INTERRUPTED,
            End::TooManyErrors | End::Failed => STOPPED,
        };
        Ok(status.into())
    }
}

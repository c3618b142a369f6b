//! A pipe that writes: what stops it early, what is shown of it, and how it ended.

use std::future::{Future, pending};
use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use dynasink::{
    Checkpoint, Counts, DeadLetterFile, DriveEnd, ErrorBudget, LatencyQuantiles, LoadReport,
    Pipeline, TableName, Tally, Timeline, TimelinePoint,
};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
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
    /// The first stops it cleanly, the second at once.
    pub(crate) signals: Signals,
    pub(crate) max_duration: Option<Duration>,
    /// How long what was read may be written after a stop; none if all of it must be.
    pub(crate) drain: Option<Duration>,
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
    progress: Progress,
    stop: Shared<BoxFuture<'static, StopReason>>,
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

/// How a load came to its end.
enum Ending {
    /// By itself.
    Loaded(Result<DriveEnd, Box<dynasink::Error>>),
    /// What it had read was not all written in the time for that, and is left to a load that goes on.
    Left,
    /// By a second signal.
    Aborted,
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
    pub(crate) fn by(pipeline: &Pipeline, terms: Terms) -> Self {
        let (tally, limiter) = (pipeline.tally(), pipeline.limiter());
        let progress = Progress::new(tally.clone(), limiter, terms.total_rows, terms.logs);
        Self {
            stop: stop(&terms, &tally).boxed().shared(),
            terms,
            tally,
            timeline: pipeline.timeline(),
            progress,
        }
    }

    /// Ready when no more is to be read.
    pub(crate) fn asked_to_stop(&self) -> impl Future<Output = ()> + Send + use<> {
        self.stop.clone().map(drop)
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
        // A load that has read everything looks for no reason to stop any more, and may yet be paused: the control does.
        let stopped = self.stop.clone().map(drop);
        let (stop, drain) = (self.stop.clone(), self.terms.drain);
        let drained_enough = async move {
            stop.await;
            match drain {
                Some(drain) => sleep(drain).await,
                None => pending().await,
            }
        };
        let ending = tokio::select! {
            biased;
            loaded = self.progress.beside(load) => {
                Ending::Loaded(loaded.map(|report| report.end).map_err(Box::new))
            }
            () = self.terms.signals.second() => Ending::Aborted,
            () = drained_enough => Ending::Left,
            never = self.terms.control.keep(stopped) => match never {},
        };
        let elapsed_seconds = start.elapsed().as_secs_f64();
        let (points, whole) = (self.timeline.points(), self.timeline.whole());
        let latency = whole.latencies.quantiles();
        let kept = keep(self.terms.checkpoint.as_ref(), &self.terms.dead_letters).await;
        let stopped = match self.stop.peek() {
            Some(StopReason::TimeIsUp) => End::TimeIsUp,
            Some(StopReason::TooManyErrors) => End::TooManyErrors,
            Some(StopReason::Signal) | None => End::Interrupted,
        };
        let (end, error) = match &ending {
            // The rows that exceed the budget may be the last ones, and then nothing is left to be shut down.
            Ending::Loaded(Ok(_)) if self.terms.budget.is_exceeded() => (End::TooManyErrors, None),
            Ending::Loaded(Ok(end)) => match end {
                DriveEnd::Exhausted => (End::Complete, None),
                DriveEnd::Shutdown => (stopped, None),
            },
            Ending::Loaded(Err(error)) => (End::Failed, Some(failure::describe(&**error))),
            Ending::Left => (stopped, None),
            Ending::Aborted => (End::Failed, Some("aborted by a second signal".to_owned())),
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
            is_aborted: matches!(ending, Ending::Aborted),
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

/// Ready with the reason when no more is to be read.
fn stop(terms: &Terms, tally: &Tally) -> impl Future<Output = StopReason> + Send + use<> {
    let (budget, signals, tally) = (terms.budget.clone(), terms.signals.clone(), tally.clone());
    let max_duration = terms.max_duration;
    let at_most = terms.drain.map_or_else(String::new, |drain| {
        format!(" for {} at most", humantime::format_duration(drain))
    });
    async move {
        let time_is_up = async {
            match max_duration {
                Some(max_duration) => sleep(max_duration).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = budget.exceeded() => StopReason::TooManyErrors,
            () = signals.first() => {
                // A second signal aborts, so whoever sent the first one should know that it was heard.
                let rows = tally.counts().unresolved();
                let _shown = writeln!(stderr(), "interrupted: writing the {rows} rows that were read{at_most}; once more to abort");
                StopReason::Signal
            }
            () = time_is_up => {
                let rows = tally.counts().unresolved();
                let _shown = writeln!(stderr(), "time is up: writing the {rows} rows that were read{at_most}");
                StopReason::TimeIsUp
            }
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

    /// Says on stderr what to do about rows that are not written, if the load has not come to its end.
    pub(crate) fn tell_how_to_go_on(&self, has_checkpoint: bool) {
        if self.end == End::Complete {
            return;
        }
        let advice = if has_checkpoint {
            "run it again with --resume"
        } else {
            "run it again from the start, which writes rows twice and does no harm; with --checkpoint it could be resumed"
        };
        // Where stderr is closed, there is nobody to be told.
        let _shown = writeln!(stderr(), "to go on: {advice}");
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

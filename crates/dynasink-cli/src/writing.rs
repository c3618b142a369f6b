//! A pipe that writes: what stops it early, what is shown of it, and how it ended.

use std::future::{Future, pending};
use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dynasink::{
    Counts, DeadLetterFile, DriveEnd, ErrorBudget, LoadReport, Pipeline, RateLimiter, TableName,
    Tally,
};
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::failure::{self, ALL_WRITTEN, Failure, INTERRUPTED, SOME_DEAD, STOPPED};
use crate::lifecycle::Aftermath;
use crate::output::print;
use crate::progress::Progress;
use crate::report::{End, ItemCollection, Report};
use crate::signals::Signals;

/// A pipe that is about to write.
#[derive(Debug)]
pub(crate) struct Writing {
    tally: Tally,
    budget: ErrorBudget,
    dead_letters: DeadLetterFile,
    progress: Progress,
    signals: Signals,
    control: Control,
    limiter: RateLimiter,
    max_duration: Option<Duration>,
    stopped: Arc<OnceLock<StopReason>>,
    /// What earlier runs had done, if the load goes on.
    before: Option<Counts>,
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
}

impl Writing {
    /// Signals count from now on.
    pub(crate) fn by(
        pipeline: &Pipeline,
        budget: ErrorBudget,
        dead_letters: DeadLetterFile,
        total_rows: u64,
        logs: bool,
        control: Control,
        max_duration: Option<Duration>,
    ) -> Self {
        let tally = pipeline.tally();
        let progress = Progress::new(tally.clone(), pipeline.limiter(), total_rows, logs);
        Self {
            tally,
            budget,
            dead_letters,
            progress,
            signals: Signals::listen(),
            control,
            limiter: pipeline.limiter(),
            max_duration,
            stopped: Arc::default(),
            before: None,
        }
    }

    /// The same for a load that goes on after `before`, if that is what it does.
    pub(crate) fn going_on(mut self, before: Option<Counts>) -> Self {
        self.before = before;
        self
    }

    /// Ready when no more is to be read.
    pub(crate) fn asked_to_stop(&self) -> impl Future<Output = ()> + Send + use<> {
        let (budget, signals, tally) = (
            self.budget.clone(),
            self.signals.clone(),
            self.tally.clone(),
        );
        let (limiter, max_duration) = (self.limiter.clone(), self.max_duration);
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

    /// Runs `load` to its end, or until a second signal.
    ///
    /// # Errors
    ///
    /// Dead letters that cannot be kept. What else goes wrong is told by what has become of the load.
    pub(crate) async fn until_done(
        self,
        load: impl Future<Output = dynasink::Result<LoadReport>>,
    ) -> Result<Written, Failure> {
        let start = Instant::now();
        let loaded = tokio::select! {
            biased;
            loaded = self.progress.beside(load) => Some(loaded),
            () = self.signals.second() => None,
            never = self.control.keep() => match never {},
        };
        let elapsed_seconds = start.elapsed().as_secs_f64();
        let has_dead_letters = self
            .dead_letters
            .finish()
            .map_err(|error| Failure::stopped(&error))?;
        let (end, error) = match &loaded {
            // The rows that exceed the budget may be the last ones, and then nothing is left to be shut down.
            Some(Ok(_)) if self.budget.is_exceeded() => (End::TooManyErrors, None),
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
        Ok(Written {
            end,
            is_aborted: loaded.is_none(),
            error,
            counts: self.tally.counts(),
            before: self.before,
            elapsed_seconds,
            dead_letters: has_dead_letters.then(|| self.dead_letters.path().to_owned()),
            tally: self.tally,
        })
    }
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

    /// Prints the report.
    pub(crate) fn print(
        &self,
        table: &TableName,
        notices: &[String],
        json: bool,
    ) -> Result<(), Failure> {
        let report = Report {
            table: table.as_str(),
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
            notices,
        };
        print(|out| {
            if json {
                report.write_json(out)
            } else {
                report.write_text(out)
            }
        })
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

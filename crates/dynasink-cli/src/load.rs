//! `dynasink load`.

use std::io::{Write, stderr};
use std::process::ExitCode;
use std::sync::Arc;

use dynasink::{DriveEnd, ErrorBudget, Pipeline, UnreadObserver};
use tokio::time::Instant;

use crate::args::LoadArgs;
use crate::failure::{self, ALL_WRITTEN, Failure, INTERRUPTED, SOME_DEAD, STOPPED};
use crate::output::print;
use crate::plan::LoadPlan;
use crate::progress::Progress;
use crate::report::{End, ItemCollection, Report};
use crate::signals::Signals;

pub(crate) async fn run(args: &LoadArgs, logs: bool) -> Result<ExitCode, Failure> {
    let plan = LoadPlan::of(args).await?;
    let budget = ErrorBudget::new(plan.max_dead.unwrap_or(u64::MAX));
    let pipeline = Pipeline::builder(plan.transport, &plan.table)
        .rate(plan.rate)
        .concurrency(plan.concurrency)
        .dedup(plan.dedup)
        .observer(plan.dead_letters.clone())
        .observer(budget.clone())
        .build()
        .map_err(|error| Failure::refused(&error))?;
    let tally = pipeline.tally();
    let progress = Progress::new(
        tally.clone(),
        pipeline.limiter(),
        plan.source.total_rows(),
        logs,
    );

    let signals = Signals::listen();
    let shutdown = async {
        tokio::select! {
            () = budget.exceeded() => {}
            () = signals.first() => {
                // A second signal aborts, so whoever sent the first one should know that it was heard.
                let rows = tally.counts().unresolved();
                let _shown = writeln!(stderr(), "interrupted: writing the {rows} rows that were read; once more to abort");
            }
        }
    };
    tracing::info!(rows = plan.source.total_rows(), table = %plan.table.name(), "loading");
    let start = Instant::now();
    let observers: [Arc<dyn UnreadObserver>; 3] = [
        Arc::new(plan.dead_letters.clone()),
        Arc::new(tally.clone()),
        Arc::new(budget.clone()),
    ];
    let stream = args.source.reading.stream_options(&plan.mapping, observers);
    let load = pipeline.load(plan.source.stream_with(&stream), plan.mapping, shutdown);
    let loaded = tokio::select! {
        biased;
        loaded = progress.beside(load) => Some(loaded),
        () = signals.second() => None,
    };
    let elapsed_seconds = start.elapsed().as_secs_f64();

    let has_dead_letters = plan
        .dead_letters
        .finish()
        .map_err(|error| Failure::stopped(&error))?;
    let counts = tally.counts();
    let (end, error) = match &loaded {
        // The rows that exceed the budget may be the last ones, and then nothing is left to be shut down.
        Some(Ok(_)) if budget.is_exceeded() => (End::TooManyErrors, None),
        Some(Ok(report)) => match report.end {
            DriveEnd::Exhausted => (End::Complete, None),
            DriveEnd::Shutdown => (End::Interrupted, None),
        },
        Some(Err(error)) => (End::Failed, Some(failure::describe(error))),
        None => (End::Failed, Some("aborted by a second signal".to_owned())),
    };
    let report = Report {
        table: plan.table.name().as_str(),
        end,
        counts,
        unresolved: counts.unresolved(),
        elapsed_seconds,
        dead_letters: has_dead_letters.then(|| plan.dead_letters.path()),
        first_dead: tally.first_dead(),
        item_collections: ItemCollection::of(&tally.largest_item_collections()),
        error: error.as_deref(),
    };
    print(|out| {
        if args.json {
            report.write_json(out)
        } else {
            report.write_text(out)
        }
    })?;
    if let Some(error) = &error {
        return Err(Failure::stopped_because(error.as_str()));
    }
    Ok(match end {
        End::Complete if counts.dead == 0 && counts.unread == 0 => ALL_WRITTEN,
        End::Complete => SOME_DEAD,
        End::Interrupted => INTERRUPTED,
        End::TooManyErrors | End::Failed => STOPPED,
    }
    .into())
}

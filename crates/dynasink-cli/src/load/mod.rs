//! `dynasink load`.

mod prepare;

use std::process::ExitCode;
use std::sync::Arc;

use dynasink::{ErrorBudget, Pipeline, UnreadObserver, describe_table};

use crate::args::LoadArgs;
use crate::control::Control;
use crate::failure::Failure;
use crate::lifecycle::{self, Aftermath};
use crate::report::record::{Settings, SourceRows};
use crate::writing::{Terms, Writing, Written};
use prepare::PreparedLoad;

pub(crate) async fn run(args: &LoadArgs, logs: bool) -> Result<ExitCode, Failure> {
    let reports = args.report.files()?;
    let (load, changed) = PreparedLoad::of(args).await?;
    changed.raise().await?;
    let written = write(args, logs, load).await;
    let aftermath = written.as_ref().map(Written::aftermath);
    let ended = changed
        .end(aftermath.unwrap_or(Aftermath::Unfinished))
        .await;
    let mut written = written?;
    if let Ok(left) = &ended {
        lifecycle::show(written.table().as_str(), left);
        written.add_notices(left);
    }
    written.print(args.json)?;
    written.write_files(&reports)?;
    ended?;
    written.exit_code()
}

async fn write(args: &LoadArgs, logs: bool, load: PreparedLoad) -> Result<Written, Failure> {
    let mut subject = load.subject;
    if args.raise_capacity.is_some() {
        // The rate starts at what the table has now.
        subject.table = describe_table(&load.client, &args.table)
            .await
            .map_err(|error| Failure::refused(&error))?;
    }
    let budget = ErrorBudget::new(load.max_dead.unwrap_or(u64::MAX));
    let pipeline = Pipeline::builder(load.transport, &subject.table)
        .rate(args.pace.rate())
        .concurrency(args.pace.concurrency())
        .dedup(load.dedup)
        .observer(load.dead_letters.clone())
        .observer(budget.clone())
        .build()
        .map_err(|error| Failure::refused(&error))?;
    let rows = subject.source.total_rows();
    let observers: [Arc<dyn UnreadObserver>; 3] = [
        Arc::new(load.dead_letters.clone()),
        Arc::new(pipeline.tally()),
        Arc::new(budget.clone()),
    ];
    let order = args
        .source
        .reading
        .stream_options(&subject.mapping, observers);
    let batches = subject.source.stream_with(&order);

    tracing::info!(rows, table = %subject.table.name(), "loading");
    let control = Control::of(
        pipeline.limiter(),
        args.pace.rate(),
        &subject.table,
        args.control.control.clone(),
    )?;
    let writing = Writing::by(
        &pipeline,
        Terms {
            table: subject.table.name().clone(),
            settings: Settings::of(
                "load",
                &args.pace,
                load.policy,
                SourceRows::of(&subject.source),
            ),
            notices: load.notices,
            total_rows: rows,
            dead_letters: load.dead_letters,
            budget,
            control,
            max_duration: args.control.max_duration,
            logs,
        },
    );
    let loading = pipeline.load(batches, subject.mapping, writing.asked_to_stop());
    writing.until_done(loading).await
}

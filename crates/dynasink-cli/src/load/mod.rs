//! `dynasink load`.

mod prepare;

use std::process::ExitCode;
use std::sync::Arc;

use dynasink::{ErrorBudget, Pipeline, UnreadObserver};

use crate::args::LoadArgs;
use crate::control::Control;
use crate::failure::Failure;
use crate::writing::Writing;
use prepare::PreparedLoad;

pub(crate) async fn run(args: &LoadArgs, logs: bool) -> Result<ExitCode, Failure> {
    let load = PreparedLoad::of(args).await?;
    let subject = load.subject;
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
    let max_duration = args.control.max_duration;
    let writing = Writing::by(
        &pipeline,
        budget,
        load.dead_letters,
        rows,
        logs,
        control,
        max_duration,
    );
    let loading = pipeline.load(batches, subject.mapping, writing.asked_to_stop());
    let written = writing.until_done(loading).await?;
    written.print(subject.table.name(), &load.notices, args.json)?;
    written.exit_code()
}

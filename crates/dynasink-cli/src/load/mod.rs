//! `dynasink load`.

mod checkpoint;
mod prepare;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use dynasink::{Checkpoint, Counts, ErrorBudget, Pipeline, UnreadObserver, describe_table};
use serde::Serialize;

use crate::args::LoadArgs;
use crate::control::Control;
use crate::failure::{ALL_WRITTEN, Failure, SOME_DEAD};
use crate::lifecycle::{self, Aftermath, ChangedTable};
use crate::output::print;
use crate::report::End;
use crate::report::record::{Settings, SourceRows};
use crate::target;
use crate::writing::{Terms, Writing, Written};
use prepare::PreparedLoad;

pub(crate) async fn run(args: &LoadArgs, logs: bool) -> Result<ExitCode, Failure> {
    let reports = args.report.files()?;
    let found = checkpoint::found(&args.checkpoint)?;
    if let Some(complete) = found.as_ref().filter(|found| found.is_complete()) {
        finish_changes(args, complete).await?;
        return nothing_left(complete, args.json);
    }
    let (load, mut changed) = PreparedLoad::of(args, found).await?;
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

/// Does what a load that has written everything had still to do about its table when it was ended.
async fn finish_changes(args: &LoadArgs, complete: &Checkpoint) -> Result<(), Failure> {
    if complete.table_changes().is_none() {
        return Ok(());
    }
    let client = target::connect(&args.target).await?;
    let mut changed = ChangedTable::recorded(client, complete);
    changed.end(Aftermath::Complete).await?;
    Ok(())
}

async fn write(args: &LoadArgs, logs: bool, load: PreparedLoad) -> Result<Written, Failure> {
    let mut subject = load.subject;
    if args.raise_capacity.is_some() || args.warm_throughput.is_some() {
        // The rate starts at what the table has now.
        subject.table = describe_table(&load.client, &args.table)
            .await
            .map_err(|error| Failure::refused(&error))?;
    }
    let before = load
        .checkpoint
        .as_ref()
        .map(Checkpoint::counts)
        .unwrap_or_default();
    let budget = ErrorBudget::new(load.max_dead.unwrap_or(u64::MAX))
        .starting_at(before.dead + before.unread_rows);
    let pipeline = Pipeline::builder(load.transport, &subject.table)
        .rate(args.pace.rate())
        .concurrency(args.pace.concurrency())
        .dedup(load.dedup)
        .observer(budget.clone());
    // With a checkpoint, dead letters are written by it, at the moment at which it takes note of their rows.
    let (pipeline, letters): (_, Arc<dyn UnreadObserver>) = match &load.checkpoint {
        Some(checkpoint) => (
            pipeline.checkpoint(checkpoint),
            Arc::new(checkpoint.clone()),
        ),
        None => (
            pipeline.observer(load.dead_letters.clone()),
            Arc::new(load.dead_letters.clone()),
        ),
    };
    let pipeline = pipeline.build().map_err(|error| Failure::refused(&error))?;
    let rows = subject.source.total_rows();
    let observers: [Arc<dyn UnreadObserver>; 3] = [
        letters,
        Arc::new(pipeline.tally()),
        Arc::new(budget.clone()),
    ];
    let order = args
        .source
        .reading
        .stream_options(&subject.mapping, observers);
    let order = match &load.checkpoint {
        Some(checkpoint) => checkpoint.reading(order),
        None => order,
    };
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
            checkpoint: load.checkpoint,
            budget,
            control,
            max_duration: args.control.max_duration,
            before: args.checkpoint.resume.then_some(before),
            logs,
        },
    );
    let loading = pipeline.load(batches, subject.mapping, writing.asked_to_stop());
    Ok(writing.until_done(loading).await)
}

/// Tells of a load that was complete when it ended, with the status that it ended with.
fn nothing_left(checkpoint: &Checkpoint, json: bool) -> Result<ExitCode, Failure> {
    let counts = checkpoint.counts();
    let path = checkpoint.path();
    let dead_letters = checkpoint.dead_letters_path();
    let dead_letters = dead_letters.filter(|_| counts.dead + counts.unread > 0);
    print(|out| {
        if json {
            let left = NothingLeft {
                end: End::Complete,
                counts,
                resumed: true,
                checkpoint: path,
                dead_letters: dead_letters.as_deref(),
            };
            serde_json::to_writer(&mut *out, &left)?;
            return writeln!(out);
        }
        let (path, rows, dead) = (path.display(), counts.rows_read, counts.dead);
        writeln!(
            out,
            "nothing is left to do: the load of {path} is complete, {rows} rows of which {dead} are dead"
        )
    })?;
    let all_written = counts.dead == 0 && counts.unread == 0;
    Ok(if all_written { ALL_WRITTEN } else { SOME_DEAD }.into())
}

/// The report of a load that was complete before.
#[derive(Serialize)]
struct NothingLeft<'a> {
    end: End,
    #[serde(flatten)]
    counts: Counts,
    resumed: bool,
    checkpoint: &'a Path,
    dead_letters: Option<&'a Path>,
}

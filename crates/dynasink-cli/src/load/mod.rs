//! `dynasink load`.

mod files;
mod prepare;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use dynasink::{Checkpoint, ErrorBudget, Pipeline, UnreadObserver, WriteUnits, describe_table};

use crate::args::LoadArgs;
use crate::control::Control;
use crate::failure::{ALL_WRITTEN, Failure, SOME_DEAD};
use crate::lifecycle::{self, Aftermath, ChangedTable};
use crate::output::print;
use crate::report::file::ReportFiles;
use crate::report::record::{Settings, SourceRows};
use crate::report::{End, Report};
use crate::signals::Signals;
use crate::target;
use crate::writing::{Terms, Writing, Written};
use files::LoadFiles;
use prepare::PreparedLoad;

pub(crate) async fn run(args: &LoadArgs, logs: bool) -> Result<ExitCode, Failure> {
    let reports = args.report.files()?;
    let found = files::found(&args.checkpoint)?;
    if let Some(complete) = found.as_ref().filter(|found| found.is_complete()) {
        finish_changes(args, complete).await?;
        return nothing_left(complete, args.json);
    }
    let (load, mut changed) = PreparedLoad::of(args, found).await?;
    let files = load.files.clone();
    let signals = Signals::listen();
    let raise_to = args.raise_capacity.map(WriteUnits::new);
    if let Err(failure) = changed.raise(&load.state, raise_to, &signals).await {
        return Err(files.after(failure));
    }
    let written = write(args, logs, load, &signals).await;
    let aftermath = written.as_ref().map(Written::aftermath);
    let ended = changed
        .end(aftermath.unwrap_or(Aftermath::Unfinished), &signals)
        .await;
    // Capacity that is still raised is paid for: whatever fails besides, this is told at once.
    let ended = ended.map_err(Failure::shown);
    let told = match written {
        Ok(written) => tell(
            written,
            ended.as_deref().unwrap_or_default(),
            args,
            &reports,
        ),
        Err(failure) if ended.is_ok() && failure.is_refusal() => Err(files.after(failure)),
        Err(failure) => Err(failure),
    };
    match (told, ended) {
        (told, Ok(_)) => told,
        (Ok(_), Err(of_table)) => Err(of_table),
        (Err(failure), Err(of_table)) => Err(failure.besides(&of_table)),
    }
}

/// Reports on what was written, and on what is `left` to be done to the table.
fn tell(
    mut written: Written,
    left: &[String],
    args: &LoadArgs,
    reports: &ReportFiles,
) -> Result<ExitCode, Failure> {
    lifecycle::show(written.table().as_str(), left);
    written.add_notices(left);
    let printed = written.print(args.json);
    written.tell_how_to_go_on(args.checkpoint.checkpoint.is_some());
    written.write_files(reports)?;
    printed?;
    written.exit_code()
}

/// Does what a load that has written everything had still to do about its table when it was ended.
async fn finish_changes(args: &LoadArgs, complete: &Checkpoint) -> Result<(), Failure> {
    if complete.table_changes().is_none() {
        return Ok(());
    }
    let client = target::connect(&args.target).await?;
    let mut changed = ChangedTable::recorded(client, complete).await?;
    changed.end(Aftermath::Complete, &Signals::listen()).await?;
    Ok(())
}

async fn write(
    args: &LoadArgs,
    logs: bool,
    load: PreparedLoad,
    signals: &Signals,
) -> Result<Written, Failure> {
    let LoadFiles {
        checkpoint,
        dead_letters,
        ..
    } = load.files;
    let mut subject = load.subject;
    if args.raise_capacity.is_some() || args.warm_throughput.is_some() {
        // The rate starts at what the table has now.
        subject.table = describe_table(&load.client, &args.table)
            .await
            .map_err(|error| Failure::refused(&error))?;
    }
    let before = checkpoint
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
    let (pipeline, letters): (_, Arc<dyn UnreadObserver>) = match &checkpoint {
        Some(checkpoint) => (
            pipeline.checkpoint(checkpoint),
            Arc::new(checkpoint.clone()),
        ),
        None => (
            pipeline.observer(dead_letters.clone()),
            Arc::new(dead_letters.clone()),
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
    let order = match &checkpoint {
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
            dead_letters,
            checkpoint,
            budget,
            control,
            signals: signals.clone(),
            max_duration: args.control.max_duration,
            drain: args.checkpoint.drain(),
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
            return Report {
                table: &checkpoint.identity().table.name,
                end: End::Complete,
                counts,
                resumed: true,
                written_before: counts.items_written,
                unresolved: counts.unresolved(),
                elapsed_seconds: 0.0,
                dead_letters: dead_letters.as_deref(),
                first_dead: None,
                item_collections: Vec::new(),
                error: None,
                notices: &[],
            }
            .write_json(out);
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

//! `dynasink replay`.

mod prepare;

use std::process::ExitCode;
use std::sync::Arc;

use dynasink::{
    Dedup, DedupWindow, DynamoDb, ErrorBudget, Pipeline, ReadLimiter, Reader, RetryPolicy,
    RowsAgain, UnreadObserver,
};

use crate::args::{DedupArg, ReplayArgs};
use crate::control::Control;
use crate::failure::Failure;
use crate::report::record::{Settings, SourceRows};
use crate::signals::Signals;
use crate::writing::{Terms, Writing};
use prepare::{Again, PreparedReplay};

pub(crate) async fn run(args: &ReplayArgs, logs: bool) -> Result<ExitCode, Failure> {
    let reports = args.report.files()?;
    let replay = PreparedReplay::of(args).await?;
    let transport = DynamoDb::new(replay.client);
    let letters = replay.letters;
    let rows = letters.ops() + replay.again.as_ref().map_or(0, |again| again.rows);
    let read = SourceRows {
        file: args.letters.display().to_string(),
        rows,
    };
    let budget = ErrorBudget::new(args.dead_letters.max_dead(rows).unwrap_or(u64::MAX));
    let pipeline = Pipeline::builder(transport.clone(), &replay.table)
        .rate(args.pace.rate())
        .concurrency(args.pace.concurrency())
        // Letters have no versions, and the last of a key is what stays.
        .dedup(Dedup::keep_last(DedupWindow::default()))
        .observer(replay.dead_letters.clone())
        .observer(budget.clone())
        .build()
        .map_err(|error| Failure::refused(&error))?;
    let observers: [Arc<dyn UnreadObserver>; 3] = [
        Arc::new(replay.dead_letters.clone()),
        Arc::new(pipeline.tally()),
        Arc::new(budget.clone()),
    ];
    let again = replay.again.map(
        |Again {
             source,
             mapping,
             selection,
             ..
         }| {
            let order = args.source.reading.stream_options(&mapping, observers);
            RowsAgain::of(&source, mapping, &order.with_rows(selection))
        },
    );
    let only_absent = args.only_absent.then(|| {
        // A replayed row may have been written by a load just before.
        let (consistent, limiter) = (true, ReadLimiter::unlimited());
        Reader::new(transport, consistent, limiter, RetryPolicy::default())
    });

    tracing::info!(rows, table = %replay.table.name(), "replaying");
    let control = Control::of(
        pipeline.limiter(),
        args.pace.rate(),
        &replay.table,
        args.control.control.clone(),
    )?;
    let writing = Writing::by(
        &pipeline,
        Terms {
            table: replay.table.name().clone(),
            settings: Settings::of("replay", &args.pace, DedupArg::KeepLast, vec![read]),
            notices: Vec::new(),
            total_rows: rows,
            dead_letters: replay.dead_letters,
            checkpoint: None,
            budget,
            control,
            signals: Signals::listen(),
            max_duration: args.control.max_duration,
            drain: None,
            before: None,
            logs,
        },
    );
    let replaying = pipeline.replay(
        &letters,
        &replay.table,
        again,
        only_absent,
        writing.asked_to_stop(),
    );
    let written = writing.until_done(replaying).await;
    written.print(args.json)?;
    written.write_files(&reports)?;
    written.exit_code()
}

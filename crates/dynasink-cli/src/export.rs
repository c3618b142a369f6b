//! `dynasink export`.

use std::io::{Write, stderr};
use std::process::ExitCode;
use std::sync::Arc;

use dynasink::{
    BadRowCounts, BadRows, DeadLetterFile, DecodeExt, Decoder, DriveEnd, DriveError, Export,
    ExportOrigin, Exported, IndexKind, Outcomes, Survey, UnreadObserver, drive,
};
use serde::Serialize;

use crate::args::{DedupArg, ExportArgs};
use crate::failure::{ALL_WRITTEN, Failure, INTERRUPTED, SOME_DEAD};
use crate::kept;
use crate::output::print;
use crate::signals::Signals;
use crate::subject::Subject;

pub(crate) async fn run(args: &ExportArgs) -> Result<ExitCode, Failure> {
    let refused = |error: dynasink::Error| Failure::refused(&error);
    args.source.reading.check_for_two_readings("export")?;
    let source = args.source.open().await?;
    // A table that an import creates is not there yet.
    let target = args.keys.partition_key.is_none().then_some(&args.target);
    let mapping = args.mapping.as_deref();
    let subject = Subject::of(source, mapping, target, &args.table, &args.keys).await?;
    let policy = kept::policy(args.dedup, &subject.mapping)?;
    warn_of_local_indexes(&subject);
    let signals = Signals::listen();

    let Some(survey) = first_reading(args, &subject, policy, &signals).await? else {
        return Ok(INTERRUPTED.into());
    };
    let expected_bytes = survey.measured().import_bytes;
    let Some(choice) = survey.into_choice() else {
        return Err(Failure::stopped_because("the keys were not counted"));
    };
    let export = Export::create(
        &args.output,
        &subject.table,
        choice,
        expected_bytes,
        args.options(),
    )
    .map_err(refused)?;
    let dead_letters =
        DeadLetterFile::create(args.dead_letters.path(&args.table)).map_err(refused)?;
    let exported = second_reading(args, &subject, export, &dead_letters, &signals).await;
    let has_dead_letters = dead_letters
        .finish()
        .map_err(|error| Failure::stopped(&error))?;
    let Some((exported, bad)) = exported? else {
        return Ok(INTERRUPTED.into());
    };

    let report = ExportReport {
        table: subject.table.name().as_str(),
        rows_dead: bad.dead,
        rows_skipped: bad.skipped,
        unread: bad.unread,
        dead_letters: has_dead_letters.then(|| dead_letters.path().display().to_string()),
        exported,
    };
    print(|out| {
        if args.json {
            report.write_json(out)
        } else {
            report.write_text(out)
        }
    })?;
    let all_well = bad.dead == 0 && bad.unread == 0;
    Ok(if all_well { ALL_WRITTEN } else { SOME_DEAD }.into())
}

fn warn_of_local_indexes(subject: &Subject) {
    for index in subject.table.indexes() {
        if index.kind() == IndexKind::Local {
            // Where stderr is closed, there is nobody to be warned.
            let _shown = writeln!(
                stderr(),
                "warning: ImportTable makes no local indexes: {} will be missing in a table that it makes",
                index.name()
            );
        }
    }
}

/// Counts keys and bytes. None if a signal came.
async fn first_reading(
    args: &ExportArgs,
    subject: &Subject,
    policy: DedupArg,
    signals: &Signals,
) -> Result<Option<Survey>, Failure> {
    let bad = BadRows::new(0);
    let observers: [Arc<dyn UnreadObserver>; 1] = [Arc::new(bad.clone())];
    let order = args
        .source
        .reading
        .stream_options(&subject.mapping, observers);
    let mut survey = Survey::new(&subject.table, kept::kept_row(policy));
    let decoder = Decoder::new(subject.mapping.clone()).with_outcomes(Outcomes::of(bad.clone()));
    let batches = subject.source.stream_with(&order);
    let report = drive(batches, (&mut survey).decoded(decoder))
        .until(signals.first())
        .await
        .map_err(|error| match error {
            DriveError::Sink { source, .. } => Failure::stopped(&source),
            DriveError::Stream { source, .. } => Failure::stopped(&source),
        })?;
    if report.end == DriveEnd::Shutdown {
        return Ok(None);
    }
    let repeated = survey.measured().keys.map_or(0, |keys| keys.superseded);
    if policy == DedupArg::Error && repeated > 0 {
        return Err(Failure::refused_because(format!(
            "{repeated} rows have the key of an earlier row: remove them, or choose which to keep with --dedup"
        )));
    }
    let (dead, max_dead) = (
        bad.counts().dead,
        args.dead_letters.max_dead(subject.source.total_rows()),
    );
    if max_dead.is_some_and(|most| dead > most) {
        return Err(Failure::stopped_because(format!(
            "{dead} rows cannot be written, which is more than --max-errors allows: dynasink plan shows them"
        )));
    }
    Ok(Some(survey))
}

/// Writes the items. None if a signal came.
async fn second_reading(
    args: &ExportArgs,
    subject: &Subject,
    mut export: Export,
    dead_letters: &DeadLetterFile,
    signals: &Signals,
) -> Result<Option<(Exported, BadRowCounts)>, Failure> {
    let bad = BadRows::new(0);
    let observers: [Arc<dyn UnreadObserver>; 2] =
        [Arc::new(dead_letters.clone()), Arc::new(bad.clone())];
    let order = args
        .source
        .reading
        .stream_options(&subject.mapping, observers);
    let outcomes = Outcomes::to([
        Arc::new(dead_letters.clone()) as _,
        Arc::new(bad.clone()) as _,
    ]);
    let decoder = Decoder::new(subject.mapping.clone()).with_outcomes(outcomes);
    let batches = subject.source.stream_with(&order);
    let report = drive(batches, (&mut export).decoded(decoder))
        .until(signals.first())
        .await
        .map_err(|error| match error {
            DriveError::Sink { source, .. } => Failure::stopped(&source),
            DriveError::Stream { source, .. } => Failure::stopped(&source),
        })?;
    if report.end == DriveEnd::Shutdown {
        return Ok(None);
    }
    let origin = ExportOrigin::of(&subject.source, &subject.mapping);
    let exported = export
        .finish(Some(&origin))
        .map_err(|error| Failure::stopped(&error))?;
    Ok(Some((exported, bad.counts())))
}

/// What an export has done. Its JSON form is what `--json` prints.
#[derive(Debug, Serialize)]
struct ExportReport<'a> {
    table: &'a str,
    rows_dead: u64,
    rows_skipped: u64,
    /// Files and parts of row groups that could not be read.
    unread: u64,
    /// The file of the dead letters, if there are any.
    dead_letters: Option<String>,
    #[serde(flatten)]
    exported: Exported,
}

impl ExportReport<'_> {
    fn write_json(&self, out: &mut impl Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    fn write_text(&self, out: &mut impl Write) -> std::io::Result<()> {
        let (counts, files) = (&self.exported.counts, &self.exported.files);
        let compressed: u64 = files.iter().map(|file| file.bytes).sum();
        writeln!(
            out,
            "table {}: {} items in {} files, {} bytes ({compressed} compressed)",
            self.table,
            counts.items,
            files.len(),
            counts.bytes
        )?;
        writeln!(out, "  superseded   {}", counts.superseded)?;
        if counts.deletes > 0 {
            writeln!(
                out,
                "  deletes      {} (they leave nothing to be exported)",
                counts.deletes
            )?;
        }
        if self.rows_skipped > 0 {
            writeln!(out, "  skipped      {}", self.rows_skipped)?;
        }
        writeln!(out, "  dead         {}", self.rows_dead)?;
        if self.unread > 0 {
            writeln!(out, "  not read     {} parts of files", self.unread)?;
        }
        if let Some(file) = &self.dead_letters {
            writeln!(out, "    all: {file}")?;
        }
        let script = self.exported.folder.join("import-table.sh");
        writeln!(out, "  to import    sh {}", script.display())
    }
}

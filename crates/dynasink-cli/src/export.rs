//! `dynasink export`.

use std::fs;
use std::io::{Write, stderr};
use std::process::ExitCode;
use std::sync::Arc;

use dynasink::{
    BadRowCounts, BadRows, DeadLetterFile, DecodeExt, Decoder, Export, ExportOrigin, Exported,
    IndexKind, Outcomes, Survey, UnreadObserver,
};
use serde::Serialize;

use crate::args::{DedupArg, ExportArgs};
use crate::failure::{ALL_WRITTEN, Failure, SOME_DEAD};
use crate::kept;
use crate::output::print;
use crate::progress::ReadingProgress;
use crate::read_through::read_through;
use crate::signals::Signals;
use crate::subject::Subject;

pub(crate) async fn run(args: &ExportArgs, logs: bool) -> Result<ExitCode, Failure> {
    let refused = |error: dynasink::Error| Failure::refused(&error);
    args.source.reading.check_for_two_readings("export")?;
    let source = args.source.open().await?;
    // A table that an import creates is not there yet.
    let target = args.keys.partition_key.is_none().then_some(&args.target);
    let mapping = args.mapping.as_deref();
    let subject = Subject::of(source, mapping, target, &args.table, &args.keys).await?;
    let policy = kept::policy(args.dedup, &subject.mapping)?;
    let state = subject.state().await?;
    warn_of_import(&subject);
    let signals = Signals::listen();

    let progress = |reading| ReadingProgress::begin(reading, subject.source.total_rows(), logs);

    let first = progress("reading 1 of 2");
    let survey = first_reading(args, &subject, policy, first, &signals).await?;
    let expected_bytes = survey.measured().import_bytes;
    let Some(choice) = survey.into_choice() else {
        return Err(Failure::stopped_because("the keys were not counted"));
    };
    let export = Export::create(
        &args.output,
        &subject.table,
        choice,
        expected_bytes,
        match state {
            Some(state) => args.options().existing(state.capacity),
            None => args.options(),
        },
    )
    .map_err(refused)?;
    let dead_letters =
        DeadLetterFile::create(args.dead_letters.path(&args.table)).map_err(refused)?;
    let second = progress("reading 2 of 2").with_files(export.progress());
    let exported = second_reading(args, &subject, export, &dead_letters, second, &signals).await;
    let has_dead_letters = dead_letters
        .finish()
        .map_err(|error| Failure::stopped(&error))?;
    if exported.is_err() && has_dead_letters {
        // Where it cannot be removed, the next export says that it is in the way.
        let _left = fs::remove_file(dead_letters.path());
    }
    let (exported, bad) = exported?;

    let report = ExportReport {
        table: subject.table.name().as_str(),
        table_exists: subject.exists,
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

/// What an import would not do that a load does.
fn warn_of_import(subject: &Subject) {
    if subject.exists {
        // Where stderr is closed, there is nobody to be warned.
        let _shown = writeln!(
            stderr(),
            "warning: table {} is there, and ImportTable makes a new one: give import-table.sh the name of that",
            subject.table.name()
        );
    }
    for index in subject.table.indexes() {
        if index.kind() == IndexKind::Local {
            let _shown = writeln!(
                stderr(),
                "warning: ImportTable makes no local indexes: {} will be missing in a table that it makes",
                index.name()
            );
        }
    }
}

/// Counts keys and bytes.
async fn first_reading(
    args: &ExportArgs,
    subject: &Subject,
    policy: DedupArg,
    progress: ReadingProgress,
    signals: &Signals,
) -> Result<Survey, Failure> {
    let bad = BadRows::new(0);
    let observers: [Arc<dyn UnreadObserver>; 1] = [Arc::new(bad.clone())];
    let order = args
        .source
        .reading
        .stream_options(&subject.mapping, observers);
    let mut survey = Survey::new(&subject.table, kept::kept_row(policy));
    let decoder = Decoder::new(subject.mapping.clone()).with_outcomes(Outcomes::of(bad.clone()));
    let batches = subject.source.stream_with(&order);
    let sink = (&mut survey).decoded(decoder);
    read_through(batches, sink, progress, signals).await?;
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
    Ok(survey)
}

/// Writes the items.
async fn second_reading(
    args: &ExportArgs,
    subject: &Subject,
    mut export: Export,
    dead_letters: &DeadLetterFile,
    progress: ReadingProgress,
    signals: &Signals,
) -> Result<(Exported, BadRowCounts), Failure> {
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
    let sink = (&mut export).decoded(decoder);
    read_through(batches, sink, progress, signals).await?;
    let origin = ExportOrigin::of(&subject.source, &subject.mapping);
    let exported = export
        .finish(Some(&origin))
        .map_err(|error| Failure::stopped(&error))?;
    Ok((exported, bad.counts()))
}

/// What an export has done. Its JSON form is what `--json` prints.
#[derive(Debug, Serialize)]
struct ExportReport<'a> {
    table: &'a str,
    /// An import makes a new table, which has another name then.
    table_exists: bool,
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
            "table {}: {} items in {}, {} bytes ({compressed} compressed)",
            self.table,
            counts.items,
            match files.len() {
                1 => "1 file".to_owned(),
                files => format!("{files} files"),
            },
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
        let script = script.display();
        if self.table_exists {
            writeln!(
                out,
                "  to import    sh {script} NEW-TABLE (ImportTable makes a new table, and {} is there)",
                self.table
            )
        } else {
            writeln!(out, "  to import    sh {script}")
        }
    }
}

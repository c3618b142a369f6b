//! How far a command has come that reads rows and writes none to a table.

use std::future::Future;
use std::io::{Write, stderr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dynasink::ExportProgress;
use tokio::time::Instant;

use super::display::Display;

/// Rows that were read so far. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadRows(Arc<AtomicU64>);

impl ReadRows {
    pub(crate) fn add(&self, rows: usize) {
        self.0.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Shows how a reading of a source goes, beside it.
#[derive(Debug)]
pub(crate) struct ReadingProgress {
    reading: &'static str,
    rows: ReadRows,
    export: Option<ExportProgress>,
    display: Display,
}

impl ReadingProgress {
    /// Shows the way to `total_rows` of a `reading`, and says at once that it has begun. With `logs` on stderr too, a bar
    /// would be torn by them.
    pub(crate) fn begin(reading: &'static str, total_rows: u64, logs: bool) -> Self {
        // Where stderr is closed, nobody looks.
        let _shown = writeln!(stderr(), "{reading}: {total_rows} rows");
        Self {
            reading,
            rows: ReadRows::default(),
            export: None,
            display: Display::new(total_rows, logs),
        }
    }

    /// Shows too what of it is in files.
    pub(crate) fn with_files(mut self, export: ExportProgress) -> Self {
        self.export = Some(export);
        self
    }

    /// What counts the rows that are read.
    pub(crate) fn rows(&self) -> ReadRows {
        self.rows.clone()
    }

    /// Runs `reading` and shows its progress until it is done.
    pub(crate) async fn beside<F: Future>(mut self, reading: F) -> F::Output {
        let mut ticks = self.display.ticks();
        let mut reading = pin!(reading);
        let mut last = (Instant::now(), 0);
        let done = loop {
            tokio::select! {
                biased;
                done = &mut reading => break done,
                now = ticks.tick() => {
                    let rows = self.rows.count();
                    let elapsed = now.saturating_duration_since(last.0);
                    let message = self.describe();
                    self.display.draw(rows, rows - last.1, elapsed, message);
                    last = (now, rows);
                }
            }
        };
        self.display.clear();
        done
    }

    fn describe(&self) -> String {
        let Some(export) = &self.export else {
            return self.reading.to_owned();
        };
        let files = match export.files() {
            1 => "1 file".to_owned(),
            files => format!("{files} files"),
        };
        format!(
            "{}, {} items written to {files}",
            self.reading,
            export.items()
        )
    }
}

//! A file as one reader gives it: the lines of a process of its own.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use dynasink_tests::{Item, item_of_json};
use futures::{StreamExt, stream};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::expected::Table;
use crate::files::{CorpusFile, announce};

/// Longest that reading one file may take. A file that hangs the reader takes for ever.
const PATIENCE: Duration = Duration::from_mins(5);

/// A row, as an item or with the code of the reason why it is none.
pub(crate) type Row = Result<Item, String>;

/// What a reader made of a file.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) rows: Vec<Row>,
    /// How the reader ended early: a short name of the error, and all that it said.
    pub(crate) refused: Option<(String, String)>,
    /// The most memory that it took, in bytes.
    pub(crate) peak: u64,
}

impl Reading {
    fn of_lines(lines: &str) -> Self {
        let mut reading = Self {
            rows: Vec::new(),
            refused: None,
            peak: 0,
        };
        for line in lines.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| line[name].as_str().map(str::to_owned);
            if let Some(item) = line.get("item") {
                reading.rows.push(Ok(item_of_json(item)));
            } else if let Some(code) = text("error") {
                reading.rows.push(Err(code));
            } else if let Some(refused) = text("refused") {
                let message = text("message").unwrap_or_else(|| refused.clone());
                reading.refused = Some((refused, message));
            } else {
                reading.peak = line["peak"].as_u64().unwrap();
            }
        }
        reading
    }

    fn ended_badly(how: &str, message: String) -> Self {
        Self {
            rows: Vec::new(),
            refused: Some((how.to_owned(), message)),
            peak: 0,
        }
    }
}

/// Reads each file in a process of its own, as many at once as there are cores.
pub(crate) async fn read_by_dynasink(files: &[CorpusFile]) -> Vec<Reading> {
    let cores = std::thread::available_parallelism().unwrap().get();
    let readings = stream::iter(files).map(read_one);
    readings.buffered(cores).collect().await
}

async fn read_one(file: &CorpusFile) -> Reading {
    let mut command = Command::new(env!("CARGO_BIN_EXE_items_of_file"));
    command.arg(&file.path).args(file.keys());
    let reading = command.kill_on_drop(true).output();
    let Ok(output) = timeout(PATIENCE, reading).await else {
        return Reading::ended_badly("hangs", format!("it has no end after {PATIENCE:?}"));
    };
    let output = output.unwrap();
    if output.status.success() {
        return Reading::of_lines(std::str::from_utf8(&output.stdout).unwrap());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Reading::ended_badly("panics", format!("{}: {said}", output.status))
}

/// pyarrow.
#[derive(Debug)]
pub(crate) struct Oracle {
    python: OsString,
}

impl Oracle {
    /// The one that the environment names.
    pub(crate) fn find() -> Option<Self> {
        let python = env::var_os("DYNASINK_ORACLE_PYTHON");
        if python.is_none() {
            announce("SKIPPED the comparison with pyarrow: DYNASINK_ORACLE_PYTHON names no Python");
        }
        Some(Self { python: python? })
    }

    /// Reads the files, except those that it must not be asked for.
    pub(crate) async fn read(&self, files: &[CorpusFile], table: &Table) -> Vec<Option<Reading>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/items.py");
        let folder = TempDir::new().unwrap();
        let asked: Vec<bool> = files
            .iter()
            .map(|file| table.pyarrow_is_asked(file))
            .collect();
        let paths = files.iter().zip(&asked).filter(|(_, asked)| **asked);
        let ended = Command::new(&self.python)
            .arg(script)
            .arg(folder.path())
            .args(paths.map(|(file, _)| &file.path))
            .stdin(Stdio::null())
            .status();
        assert!(ended.await.unwrap().success(), "the oracle failed");
        let mut number = 0;
        let mut readings = Vec::new();
        for asked in asked {
            readings.push(asked.then(|| {
                let lines = std::fs::read_to_string(folder.path().join(number.to_string()));
                number += 1;
                Reading::of_lines(&lines.unwrap())
            }));
        }
        readings
    }
}

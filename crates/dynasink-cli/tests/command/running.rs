//! A load that runs while the test does something to it.

use std::io::{BufRead, BufReader, Lines, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

use arrow_array::{Float64Array, Int64Array};
use serde_json::Value;

use crate::workplace::{Workplace, column};

/// Rows of the file that is loaded.
pub(crate) const ROWS: i64 = 20_000;

/// Columns that nothing is wrong with, and one that is null in the last row.
fn days(workplace: &Workplace) -> PathBuf {
    let path = workplace.path("days.parquet");
    if path.exists() {
        // A load that goes on knows its file by the time of its modification, too.
        return path;
    }
    let of = |value: fn(i64) -> i64| column(Int64Array::from_iter_values((0..ROWS).map(value)));
    let mean = (0..ROWS).map(|row| (row + 1 < ROWS).then_some(0.5));
    let columns = vec![
        ("id", of(|row| row)),
        ("month", of(|row| row % 12)),
        ("day", of(|row| row % 31)),
        ("mean", column(mean.collect::<Float64Array>())),
    ];
    workplace.parquet("days.parquet", 500, columns)
}

pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Running {
    /// Loads a file into the table `days` of the embedded store `store.db`.
    pub(crate) fn start(workplace: &Workplace, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dynasink"))
            .current_dir(workplace.path(""))
            .args(["load", "--json", "--table", "days"])
            .args(["--embedded", "store.db"])
            .args(args)
            .arg(days(workplace))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line on stderr that says this.
    #[track_caller]
    pub(crate) fn says(&mut self, part: &str) -> String {
        let mut passed = Vec::new();
        for line in &mut self.lines {
            let line = line.unwrap();
            if line.contains(part) {
                return line;
            }
            passed.push(line);
        }
        panic!("no line says {part:?}, only {passed:?}");
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Ends it as a crash does.
    pub(crate) fn crash(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// How it ended: its status, its report, and what it said since it was last asked.
    #[track_caller]
    pub(crate) fn end(mut self) -> (i32, Value, String) {
        let mut report = String::new();
        let mut stdout = self.child.stdout.take().unwrap();
        let said: Vec<String> = self.lines.by_ref().map(Result::unwrap).collect();
        stdout.read_to_string(&mut report).unwrap();
        let status = self.child.wait().unwrap().code().unwrap();
        let report = serde_json::from_str(&report).unwrap_or(Value::Null);
        (status, report, said.join("\n"))
    }
}

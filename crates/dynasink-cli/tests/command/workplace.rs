//! The command under test, and files for it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use assert_cmd::Command;
use assert_cmd::assert::Assert;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

/// A folder in which the command runs, alone with its files and without the AWS settings of whoever runs the test.
pub(crate) struct Workplace(TempDir);

impl Workplace {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a Parquet file of these columns, in row groups of `rows_per_group`.
    pub(crate) fn parquet(
        &self,
        name: &str,
        rows_per_group: usize,
        columns: Vec<(&str, ArrayRef)>,
    ) -> PathBuf {
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns
                .into_iter()
                .map(|(name, column)| (name, column, true)),
        )
        .unwrap();
        let path = self.path(name);
        let mut writer =
            ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = rows_per_group.min(batch.num_rows() - start);
            writer.write(&batch.slice(start, rows)).unwrap();
            writer.flush().unwrap();
            start += rows;
        }
        writer.close().unwrap();
        path
    }

    pub(crate) fn dynasink(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dynasink"));
        command.current_dir(self.0.path()).args(args).env_clear();
        // No credentials, no configuration, and no look-up of either on the network.
        command
            .env("HOME", self.0.path())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Loads `files` into the table `things` of an embedded store, with more arguments.
    pub(crate) fn load(&self, files: &[&Path], more: &[&str]) -> Command {
        let mut command = self.dynasink(&["load"]);
        command
            .args(files)
            .args(["--embedded", "store.db", "--table", "things"])
            .args(more);
        command
    }

    /// The names of the files that are there.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A real file of the examples.
pub(crate) fn real(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/data")
        .join(name)
}

pub(crate) fn column<A: arrow_array::Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

pub(crate) fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// The refusals of a command: exit status 2, nothing on stdout, and a message that holds all of `parts`.
#[track_caller]
pub(crate) fn assert_refused(mut command: Command, parts: &[&str]) {
    let assert = command.assert().code(2);
    let message = stderr(&assert);
    assert!(assert.get_output().stdout.is_empty());
    // What reads first says so.
    let said = message.lines().find(|line| !line.starts_with("reading"));
    assert!(said.unwrap().starts_with("error: "), "{message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

//! The files that reports are written to.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::page;
use super::record::Record;
use crate::failure::Failure;

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Html,
    Json,
}

/// A file for a report, in the format that its extension names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReportFile {
    path: PathBuf,
    format: Format,
}

impl ReportFile {
    /// The file at `path`.
    ///
    /// # Errors
    ///
    /// Another extension than those of the formats that there are.
    pub(crate) fn at(path: PathBuf) -> Result<Self, String> {
        let extension = path.extension().and_then(OsStr::to_str);
        let extension = extension.map(str::to_ascii_lowercase);
        let format = match extension.as_deref() {
            Some("html") => Format::Html,
            Some("json") => Format::Json,
            _ => return Err("a report is a FILE.html or a FILE.json".to_owned()),
        };
        Ok(Self { path, format })
    }

    /// A new file beside the path, to take its place when it is whole.
    fn beside(&self) -> io::Result<NamedTempFile> {
        if self.path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let folder = self.path.parent().filter(|folder| *folder != Path::new(""));
        let mut file = tempfile::Builder::new();
        file.prefix(".dynasink-report-");
        // Others may read it as far as they may read any new file.
        #[cfg(unix)]
        file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        file.tempfile_in(folder.unwrap_or(Path::new(".")))
    }

    fn write(&self, record: &Record<'_>) -> io::Result<()> {
        let mut file = self.beside()?;
        match self.format {
            Format::Html => file.write_all(page::of(record)?.as_bytes())?,
            Format::Json => {
                serde_json::to_writer(io::BufWriter::new(&mut file), record)?;
                writeln!(file)?;
            }
        }
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// The files that a report is wanted in. They could be written when this was made.
#[derive(Debug)]
pub(crate) struct ReportFiles(Vec<ReportFile>);

impl ReportFiles {
    /// Looks whether `files` can be written.
    ///
    /// # Errors
    ///
    /// The first that cannot, as a refusal: nothing has been written to the table yet.
    pub(crate) fn to(files: Vec<ReportFile>) -> Result<Self, Failure> {
        for file in &files {
            file.beside().map_err(|error| {
                let path = file.path.display();
                Failure::refused_because(format!("the report {path} cannot be written: {error}"))
            })?;
        }
        Ok(Self(files))
    }

    /// Whether no report is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes `record` to all of them, also to those after one that fails.
    ///
    /// # Errors
    ///
    /// The first that cannot be written.
    pub(crate) fn write(&self, record: &Record<'_>) -> Result<(), Failure> {
        let mut result = Ok(());
        for file in &self.0 {
            let written = file.write(record).map_err(|error| {
                let path = file.path.display();
                Failure::stopped_because(format!(
                    "the rows are as the report says, but it cannot be written to {path}: {error}"
                ))
            });
            result = result.and(written);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_says_what_is_written() {
        for (name, format) in [("a.html", Format::Html), ("b/a.JSON", Format::Json)] {
            assert_eq!(
                ReportFile::at(name.into()).map(|file| file.format),
                Ok(format)
            );
        }
        for name in ["a", "a.txt", "html", ".json", "a.html.gz", ""] {
            assert!(ReportFile::at(name.into()).is_err(), "{name:?}");
        }
    }
}

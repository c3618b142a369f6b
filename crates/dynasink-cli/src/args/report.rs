//! What a command leaves behind of what happened.

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::failure::Failure;
use crate::report::file::{ReportFile, ReportFiles};

/// What is left of a load for later
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Report")]
pub(crate) struct ReportArgs {
    /// Write a report of what happened over time: a page with charts for FILE.html, the same data for FILE.json
    ///
    /// It may be given more than once. The page needs no network and no script. It is written at the end, also of a load
    /// that is interrupted or fails, and replaces a file of that name.
    #[arg(long = "report", value_name = "FILE.html|FILE.json", value_parser = PathBufValueParser::new().try_map(ReportFile::at))]
    reports: Vec<ReportFile>,
}

impl ReportArgs {
    /// The files, which can be written now.
    ///
    /// # Errors
    ///
    /// A file that cannot.
    pub(crate) fn files(&self) -> Result<ReportFiles, Failure> {
        ReportFiles::to(self.reports.clone())
    }
}

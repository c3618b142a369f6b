//! What is written down of a load: JSON that a person can read.

use std::path::PathBuf;

use dynasink_aws::TableChanges;
use serde::{Deserialize, Serialize};

use super::identity::LoadIdentity;
use crate::line_log::WholeLines;
use crate::tally::Counts;

/// The format that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// A checkpoint as it stands in its file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) format: u32,
    /// The program that wrote it, for a person.
    pub(super) written_by: String,
    /// Whether every row of the source has its outcome.
    pub(super) complete: bool,
    pub(super) load: LoadIdentity,
    /// What all runs have done together. `rows_read` are the rows with an outcome.
    pub(super) counts: Counts,
    pub(super) dead_letters: Option<KeptLetters>,
    pub(super) table_changes: Option<TableChanges>,
    /// Whether rows of one key were ever handed out in another order than that of the source.
    pub(super) in_any_order: bool,
    /// The files that were begun.
    pub(super) progress: Vec<FileDocument>,
}

/// The dead letters that belong to a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptLetters {
    pub(super) path: PathBuf,
    /// The letters at the moment of the checkpoint: what comes after them belongs to rows that come again.
    #[serde(flatten)]
    pub(super) letters: WholeLines,
}

/// How far a file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileDocument {
    pub(super) file: String,
    /// Whether no more of it is to be read than rows without an outcome.
    pub(super) ended: bool,
    /// Row groups all of whose rows have an outcome: from and to, the latter not among them.
    pub(super) finished_row_groups: Vec<[u32; 2]>,
    pub(super) begun_row_groups: Vec<RowGroupDocument>,
}

/// How far a row group was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RowGroupDocument {
    pub(super) row_group: u32,
    /// Rows below it were handed out, or passed over by a row filter.
    pub(super) read_to: u64,
    /// Whether no row is left behind those.
    pub(super) ended: bool,
    /// The rows below it that have no outcome: from and to, the latter not among them.
    pub(super) without_outcome: Vec<[u64; 2]>,
}

/// The least that must be known of a document before the rest is looked at.
#[derive(Deserialize)]
struct Versioned {
    format: u32,
}

impl Document {
    pub(super) fn of(load: LoadIdentity) -> Self {
        Self {
            format: FORMAT,
            written_by: concat!("dynasink ", env!("CARGO_PKG_VERSION")).to_owned(),
            complete: false,
            load,
            counts: Counts::default(),
            dead_letters: None,
            table_changes: None,
            in_any_order: false,
            progress: Vec::new(),
        }
    }

    /// Understands the content of a file, or says what is wrong with it.
    pub(super) fn parse(content: &[u8]) -> Result<Self, String> {
        if content.is_empty() {
            return Err("it is empty: the load was stopped before it read anything".to_owned());
        }
        let damaged = |error: serde_json::Error| format!("it is damaged ({error})");
        let versioned: Versioned = serde_json::from_slice(content).map_err(damaged)?;
        if versioned.format != FORMAT {
            return Err(format!(
                "it has the format {}, and this version of dynasink knows the format {FORMAT}",
                versioned.format
            ));
        }
        serde_json::from_slice(content).map_err(damaged)
    }

    pub(super) fn content(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut content = serde_json::to_vec_pretty(self)?;
        content.push(b'\n');
        Ok(content)
    }
}

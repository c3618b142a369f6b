//! The files that do not end in the same rows at both readers, and why: `expected.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::agreement::Found;
use crate::files::{Corpora, CorpusFile};

/// Most memory that reading a file may take, if the table does not say otherwise: some tens of megabytes are the
/// program itself.
const PEAK_MEGABYTES: u64 = 128;

const MEGABYTE: u64 = 1024 * 1024;

/// What the table says of each file.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Table(BTreeMap<String, Expected>);

/// How a file is expected to end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// How it ends here: `3 rows`, or the variant of the error.
    ours: String,
    /// How it ends at pyarrow: `3 rows`, `refused`, or `not asked`.
    pyarrow: String,
    /// The rows that differ, where both read them.
    #[serde(default)]
    rows: Vec<usize>,
    /// The memory that it takes, if it is more than others take.
    peak_megabytes: Option<u64>,
    /// Why.
    reason: String,
}

impl Table {
    /// The committed table.
    pub(crate) fn load() -> Self {
        toml::from_str(include_str!("expected.toml")).unwrap()
    }

    /// Whether the file is to be given to pyarrow.
    pub(crate) fn pyarrow_is_asked(&self, file: &CorpusFile) -> bool {
        let expected = self.0.get(&file.name);
        expected.is_none_or(|expected| expected.pyarrow != "not asked")
    }

    /// What is wrong with how a file ended.
    pub(crate) fn contradiction(&self, file: &CorpusFile, found: &Found) -> Option<String> {
        let entry = self.0.get(&file.name);
        let peak = entry.and_then(|entry| entry.peak_megabytes);
        let as_expected = match entry {
            Some(entry) => {
                let by_pyarrow = found.theirs.as_ref();
                !entry.reason.is_empty()
                    && entry.ours == found.ours
                    && by_pyarrow.is_none_or(|found| entry.pyarrow == *found)
                    && (by_pyarrow.is_none() || entry.rows == found.differing)
                    && !entry.says_nothing()
            }
            None => found.both_read_the_same(),
        };
        if as_expected && found.peak <= peak.unwrap_or(PEAK_MEGABYTES) * MEGABYTE {
            return None;
        }
        let said = if entry.is_some() {
            "is in the table, but ended as"
        } else {
            "is not in the table, and ended as"
        };
        let theirs = found.theirs.as_deref().unwrap_or("not known here");
        Some(format!(
            "{name} {said}\n[{name:?}]\nours = {:?}\npyarrow = {theirs:?}\nrows = {:?}\npeak_megabytes = {}\n{}",
            found.ours,
            found.differing,
            found.peak.div_ceil(MEGABYTE),
            found.details,
            name = file.name,
        ))
    }

    /// What is wrong with the names of the table.
    pub(crate) fn files_that_are_not_there(&self, corpora: &Corpora) -> Vec<String> {
        let missing = self.0.keys().filter(|name| {
            corpora.holds_all_like(name) && !corpora.files().iter().any(|file| file.name == **name)
        });
        missing
            .map(|name| format!("{name} is in the table, and there is no such file"))
            .collect()
    }
}

impl Expected {
    /// Whether it expects what is expected of any file.
    fn says_nothing(&self) -> bool {
        self.ours == self.pyarrow && self.rows.is_empty() && self.peak_megabytes.is_none()
    }
}

impl Found {
    fn both_read_the_same(&self) -> bool {
        let read = self.ours.ends_with(" rows");
        read && self.differing.is_empty()
            && self
                .theirs
                .as_ref()
                .is_none_or(|theirs| *theirs == self.ours)
    }
}

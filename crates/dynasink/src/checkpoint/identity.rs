//! What must be the same when a load goes on.

use dynasink_arrow::{FileIdentity, FileSource, Mapping, SourceIdentity};
use dynasink_aws::TableState;
use dynasink_sink::Dedup;
use serde::{Deserialize, Serialize};

/// Which load a checkpoint is of: what is read, what becomes of it, and where it goes. The endpoint is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadIdentity {
    /// What is read.
    pub source: SourceIdentity,
    /// [`Mapping::fingerprint`].
    pub mapping: String,
    /// The table.
    pub table: TableIdentity,
    /// [`Dedup::name`], or `off`.
    pub dedup: String,
}

/// One table, and not another that had its name before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableIdentity {
    /// Its name.
    pub name: String,
    /// Its ARN; some endpoints give none.
    pub arn: Option<String>,
    /// The id that it has had since it was created; some endpoints give none.
    pub id: Option<String>,
}

impl TableIdentity {
    /// A table that is not there yet, of which only the name is known.
    pub fn to_be_made(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            arn: None,
            id: None,
        }
    }

    /// Whether more of it is known than its name.
    pub(super) fn is_known(&self) -> bool {
        self.arn.is_some() || self.id.is_some()
    }

    /// What tells `now` from it.
    pub(super) fn change_to(&self, now: &Self) -> Option<LoadChange> {
        let differ = |was: &Option<String>, is: &Option<String>, what: &str| match (was, is) {
            (Some(was), Some(is)) if was != is => {
                Some(format!("its {what} was {was}, and is {is}"))
            }
            _ => None,
        };
        let name = (self.name != now.name).then(|| format!("that was {}", self.name));
        let what = name
            .or_else(|| differ(&self.arn, &now.arn, "ARN"))
            .or_else(|| differ(&self.id, &now.id, "id"))?;
        Some(LoadChange::Table {
            name: now.name.clone(),
            what,
        })
    }
}

impl From<&TableState> for TableIdentity {
    fn from(state: &TableState) -> Self {
        Self {
            name: state.name.clone(),
            arn: state.arn.clone(),
            id: state.id.clone(),
        }
    }
}

/// What of a load is not as it was when the checkpoint was written, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadChange {
    /// A file has been written since.
    #[error(
        "{file} has changed ({what}): put back what it was, or start anew with another checkpoint"
    )]
    FileChanged {
        /// The file.
        file: String,
        /// What of it is not as it was.
        what: &'static str,
    },

    /// A file is not among the sources any more.
    #[error("{file} is not among the sources any more: name the sources as before")]
    FileMissing {
        /// The file.
        file: String,
    },

    /// A file was not among the sources.
    #[error("{file} was not among the sources: load it by itself afterwards")]
    FileAdded {
        /// The file.
        file: String,
    },

    /// The files come in another order, which decides about rows of one key.
    #[error("the sources come in another order, {file} first of those: name them as before")]
    FileOrder {
        /// The first file that is not where it was.
        file: String,
    },

    /// Something else is read of the files.
    #[error("{what} {was}, and now {is}: read the sources as before")]
    Reading {
        /// What is chosen.
        what: &'static str,
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },

    /// Columns become something else.
    #[error(
        "the mapping makes other items than before, by its file or by what the table is like: use that of before, or start anew with another checkpoint"
    )]
    Mapping,

    /// It is another table.
    #[error(
        "table {name} is not the one that was loaded into ({what}): name that one, or start anew with another checkpoint"
    )]
    Table {
        /// The table's name.
        name: String,
        /// What tells it from the other.
        what: String,
    },

    /// Other rows of one key are kept.
    #[error("rows of one key were treated by {was}, and now by {is}: choose as before")]
    Dedup {
        /// The policy that was.
        was: String,
        /// The policy that is.
        is: String,
    },
}

impl LoadIdentity {
    /// The identity of a load of `source` by `mapping` into `table`, by `dedup` if rows of one key are looked at.
    pub fn new(
        source: &FileSource,
        mapping: &Mapping,
        table: TableIdentity,
        dedup: Option<&Dedup>,
    ) -> Self {
        Self {
            source: source.identity(),
            mapping: mapping.fingerprint(),
            table,
            dedup: dedup.map_or("off", Dedup::name).to_owned(),
        }
    }

    /// A file that is read twice, if there is one.
    pub(super) fn file_twice(&self) -> Option<&str> {
        let mut names: Vec<_> = self.source.files.iter().map(|file| &file.name).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        twice.map(|pair| pair[0].as_str())
    }

    /// What `now` has that is not as it was.
    pub(super) fn change_to(&self, now: &Self) -> Option<LoadChange> {
        self.table
            .change_to(&now.table)
            .or_else(|| file_change(&self.source, &now.source))
            .or_else(|| reading_change(&self.source, &now.source))
            .or_else(|| (self.mapping != now.mapping).then_some(LoadChange::Mapping))
            .or_else(|| {
                (self.dedup != now.dedup).then(|| LoadChange::Dedup {
                    was: self.dedup.clone(),
                    is: now.dedup.clone(),
                })
            })
    }
}

fn file_change(was: &SourceIdentity, is: &SourceIdentity) -> Option<LoadChange> {
    let name = |file: &FileIdentity| file.name.clone();
    let has = |files: &[FileIdentity], name: &str| files.iter().any(|file| file.name == name);
    if was.files.len() == is.files.len() {
        for (was, is) in was.files.iter().zip(&is.files) {
            if was.name == is.name && !was.is_still(is) {
                return Some(LoadChange::FileChanged {
                    file: name(is),
                    what: what_changed(was, is),
                });
            }
        }
    }
    let missing = was.files.iter().find(|file| !has(&is.files, &file.name));
    if let Some(missing) = missing {
        return Some(LoadChange::FileMissing {
            file: name(missing),
        });
    }
    if let Some(added) = is.files.iter().find(|file| !has(&was.files, &file.name)) {
        return Some(LoadChange::FileAdded { file: name(added) });
    }
    let mut pairs = was.files.iter().zip(&is.files);
    if let Some((_, moved)) = pairs.find(|(was, is)| was.name != is.name) {
        return Some(LoadChange::FileOrder { file: name(moved) });
    }
    let unread = |identity: &SourceIdentity, other: &SourceIdentity| {
        let mut names = identity.unread_files.iter();
        names
            .find(|name| !other.unread_files.contains(name))
            .cloned()
    };
    if let Some(file) = unread(was, is) {
        return Some(LoadChange::FileMissing { file });
    }
    unread(is, was).map(|file| LoadChange::FileAdded { file })
}

fn what_changed(was: &FileIdentity, is: &FileIdentity) -> &'static str {
    if was.bytes != is.bytes {
        "its size is another"
    } else if was.footer != is.footer || was.format != is.format {
        "its footer is another"
    } else if was.etag.is_some() && is.etag.is_some() {
        "its entity tag is another"
    } else {
        "it was written since, by its time of modification"
    }
}

fn reading_change(was: &SourceIdentity, is: &SourceIdentity) -> Option<LoadChange> {
    let listed = |names: &[String]| match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    let columns = |columns: &Option<Vec<String>>| match columns {
        Some(columns) => listed(columns),
        None => "all".to_owned(),
    };
    let filter = |filter: &Option<String>| filter.clone().unwrap_or_else(|| "none".to_owned());
    let unreadable = |skips: bool| if skips { "passed over" } else { "an error" }.to_owned();
    let compared = [
        (
            "the columns that are read were",
            columns(&was.columns),
            columns(&is.columns),
        ),
        (
            "the condition for rows was",
            filter(&was.filter),
            filter(&is.filter),
        ),
        (
            "the columns from folders were",
            listed(&was.partition_columns),
            listed(&is.partition_columns),
        ),
        (
            "what cannot be read was",
            unreadable(was.skips_unreadable),
            unreadable(is.skips_unreadable),
        ),
    ];
    let mut compared = compared.into_iter();
    let (what, was, is) = compared.find(|(_, was, is)| was != is)?;
    Some(LoadChange::Reading { what, was, is })
}

#[cfg(test)]
mod tests;

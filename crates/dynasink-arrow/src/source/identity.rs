//! What tells a source from another, and from what it was before.

use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};

use super::{FileSource, SourceFile, Unreadable};

/// What is read, by which a later reading can tell whether it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceIdentity {
    /// The files in their order.
    pub files: Vec<FileIdentity>,
    /// The files that could not be opened and are passed over.
    pub unread_files: Vec<String>,
    /// The columns that are read, if not all.
    pub columns: Option<Vec<String>>,
    /// The row filter, as it was written.
    pub filter: Option<String>,
    /// The columns that come from folders, each as `name: type`.
    pub partition_columns: Vec<String>,
    /// Whether files and row groups that cannot be read are passed over.
    pub skips_unreadable: bool,
}

/// One state of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// What positions and errors call it.
    pub name: String,
    /// How it is read.
    pub format: FileFormat,
    /// Its size in bytes.
    pub bytes: u64,
    /// The entity tag that an object store gave it.
    pub etag: Option<String>,
    /// When it was written last, by RFC 3339 to the nanosecond.
    pub modified: Option<String>,
    /// SHA-256 of its footer, in hexadecimal; of Arrow IPC that of its schema and of where its messages are.
    pub footer: String,
}

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FileFormat {
    /// Row group by row group.
    Parquet,
    /// As a whole: its record batches, in place of row groups, are read one after the other.
    Arrow,
}

impl FileIdentity {
    /// Whether `now` is the same state of the same file. Where both have an entity tag, that decides, and else the time
    /// when it was written; its size and its footer are the same in any case.
    pub fn is_still(&self, now: &Self) -> bool {
        let same_version = match (&self.etag, &now.etag) {
            (Some(then), Some(now)) => then == now,
            _ => self.modified == now.modified,
        };
        let same_content = (&self.name, self.format, self.bytes, &self.footer)
            == (&now.name, now.format, now.bytes, &now.footer);
        same_version && same_content
    }
}

impl SourceFile {
    /// What tells it from another file, and from what it was before.
    pub fn identity(&self) -> FileIdentity {
        let version = self.located.version();
        let modified = version.modified.as_ref();
        FileIdentity {
            name: self.name().to_owned(),
            format: self.format,
            bytes: self.located.size(),
            etag: version.etag.clone(),
            modified: modified.map(|at| at.to_rfc3339_opts(SecondsFormat::Nanos, true)),
            footer: self.footer.to_string(),
        }
    }
}

impl FileSource {
    /// What tells it from another source, and from what it was before.
    pub fn identity(&self) -> SourceIdentity {
        let opened = &self.0;
        let filter = opened.options.filter();
        let folders = opened.folder_fields.iter();
        SourceIdentity {
            files: opened.files.iter().map(SourceFile::identity).collect(),
            unread_files: opened
                .unread
                .iter()
                .map(|unread| unread.file.to_string())
                .collect(),
            columns: opened.options.columns().map(<[String]>::to_vec),
            filter: filter.map(|filter| filter.text().to_owned()),
            partition_columns: folders
                .map(|field| format!("{}: {}", field.name(), field.data_type()))
                .collect(),
            skips_unreadable: opened.options.unreadable() == Unreadable::Skip,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_by_its_tag_or_else_by_its_time() {
        let file = FileIdentity {
            name: "a.parquet".to_owned(),
            format: FileFormat::Parquet,
            bytes: 10,
            etag: Some("x".to_owned()),
            modified: Some("2024-01-31T00:00:00.000000000Z".to_owned()),
            footer: "00".to_owned(),
        };
        let touched = FileIdentity {
            modified: None,
            ..file.clone()
        };
        assert!(file.is_still(&touched));
        let untagged = |file: &FileIdentity| FileIdentity {
            etag: None,
            ..file.clone()
        };
        assert!(file.is_still(&untagged(&file)));
        assert!(!untagged(&file).is_still(&untagged(&touched)));
        let other = FileIdentity {
            footer: "01".to_owned(),
            ..file.clone()
        };
        assert!(!file.is_still(&other));
    }
}

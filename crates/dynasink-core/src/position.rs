//! Where a row came from.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The place of a row in its source: what a dead letter, an error and a checkpoint point to.
///
/// It serializes as `{"file": …, "row_group": …, "row": …}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePosition {
    file: Arc<str>,
    row_group: u32,
    row: u64,
}

impl SourcePosition {
    /// The `row`th row of `row_group` of `file`, both counted from zero.
    pub fn new(file: Arc<str>, row_group: u32, row: u64) -> Self {
        Self {
            file,
            row_group,
            row,
        }
    }

    /// The file's path or URL.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The row group in the file, from zero; zero for sources that have none.
    pub fn row_group(&self) -> u32 {
        self.row_group
    }

    /// The row in its row group, from zero.
    pub fn row(&self) -> u64 {
        self.row
    }

    /// The position `rows` further in the same row group.
    #[must_use]
    pub fn offset_by(&self, rows: u64) -> Self {
        Self {
            file: Arc::clone(&self.file),
            row_group: self.row_group,
            row: self.row + rows,
        }
    }
}

impl fmt::Display for SourcePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, row group {}, row {}",
            self.file, self.row_group, self.row
        )
    }
}

impl Serialize for SourcePosition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("SourcePosition", 3)?;
        fields.serialize_field("file", self.file())?;
        fields.serialize_field("row_group", &self.row_group)?;
        fields.serialize_field("row", &self.row)?;
        fields.end()
    }
}

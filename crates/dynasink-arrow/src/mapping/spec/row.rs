//! What a row does, and which of the rows of a key wins.

use std::fmt;

use serde::Serialize;

use super::words::{Word, setters, words};

/// The column that says what a row does. It is left out of the items unless its own entry has `drop = false`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OperationSpec {
    /// The column: strings, integers or booleans, by their canonical text.
    pub column: String,
    /// Values of a tool that is known; the lists below come on top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<OperationPreset>,
    /// Values of rows that are put.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub put: Vec<String>,
    /// Values of rows whose key is deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<String>,
    /// Values of rows that say nothing of the item as it is to be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
    /// What a null means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<NullOperation>,
}

words! {
    /// How tools that capture changes name them.
    pub enum OperationPreset {
        /// AWS DMS: `I` and `U` put, `D` deletes, null (a full load) puts.
        Dms = "dms",
        /// Debezium: `c`, `r` and `u` put, `d` deletes.
        Debezium = "debezium",
        /// Delta Lake's change data feed: `insert` and `update_postimage` put, `delete` deletes, `update_preimage` is passed over.
        DeltaCdf = "delta-cdf",
        /// Iceberg: `INSERT` and `UPDATE_AFTER` put, `DELETE` deletes, `UPDATE_BEFORE` is passed over.
        Iceberg = "iceberg",
        /// Flink: `+I` and `+U` put, `-D` deletes, `-U` is passed over.
        Flink = "flink",
        /// Hudi's `_hoodie_is_deleted`: `true` deletes, `false` and null put.
        Hudi = "hudi",
        /// `insert` and `update` put, `delete` deletes, in any case.
        Plain = "plain",
    }
}

words! {
    /// What a null in the operation column means.
    pub enum NullOperation {
        /// It rejects the row.
        Error = "error",
        /// The row is put.
        Put = "put",
    }
}

impl OperationSpec {
    /// The operations that `column` tells by the values that are listed.
    pub fn new(column: impl Into<String>) -> Self {
        Self {
            column: column.into(),
            preset: None,
            put: Vec::new(),
            delete: Vec::new(),
            skip: Vec::new(),
            null: None,
        }
    }

    setters! {
        /// Values of a tool that is known.
        preset(preset: OperationPreset) => preset = Some(preset);
        /// Values of rows that are put.
        put(values: impl IntoIterator<Item = impl Into<String>>) => put = values.into_iter().map(Into::into).collect();
        /// Values of rows whose key is deleted.
        delete(values: impl IntoIterator<Item = impl Into<String>>) => delete = values.into_iter().map(Into::into).collect();
        /// Values of rows that are passed over.
        skip(values: impl IntoIterator<Item = impl Into<String>>) => skip = values.into_iter().map(Into::into).collect();
        /// What a null means.
        null(null: NullOperation) => null = Some(null);
    }
}

/// The column whose greatest value wins among the rows of a key; of equal ones the later row does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VersionSpec {
    /// The column: integers, decimals, dates, timestamps or strings.
    pub column: String,
}

impl VersionSpec {
    /// The version that `column` is.
    pub fn new(column: impl Into<String>) -> Self {
        Self {
            column: column.into(),
        }
    }
}

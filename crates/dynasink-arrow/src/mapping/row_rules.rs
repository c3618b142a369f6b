//! What a mapping says of a row as a whole: what it does, and which version of its item it is.

use arrow_array::RecordBatch;
use dynasink_core::{Error, TableName, Version};

use super::address::{Columns, Place};
use super::error::{KeyPath, MappingError, MappingProblem};
use super::spec::MappingSpec;
use crate::column_values::{RefusedValue, Unfit};
use crate::encode::ValueError;
use crate::operation::{Operations, RowOperation, RowOperations};
use crate::version::{VersionColumn, Versions};

/// What a mapping says of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowRules {
    operation: Option<(Operations, Place)>,
    version: Option<(VersionColumn, Place)>,
}

/// The same for the rows of one batch.
#[derive(Debug)]
pub(crate) struct BatchRules {
    operations: Option<RowOperations>,
    versions: Option<Versions>,
}

/// Which column of a mapping a batch does not have as it was.
#[derive(Debug)]
pub(crate) struct OtherType(pub(crate) String);

impl RowRules {
    pub(super) fn new(spec: &MappingSpec, columns: &Columns<'_>) -> Result<Self, MappingError> {
        let operation = match &spec.operation {
            None => None,
            Some(spec) => {
                let keys = KeyPath::of(["operation"]);
                let (place, found) = columns.one_value(&keys.key("column"), &spec.column)?;
                let operations = Operations::new(spec, &found);
                Some((operations.map_err(|unfit| keys.unfit(unfit))?, place))
            }
        };
        let version = match &spec.version {
            None => None,
            Some(spec) => {
                let keys = KeyPath::of(["version"]);
                let (place, found) = columns.one_value(&keys.key("column"), &spec.column)?;
                let version = VersionColumn::new(&found);
                Some((version.map_err(|unfit| keys.unfit(unfit))?, place))
            }
        };
        Ok(Self { operation, version })
    }

    pub(super) fn has_version(&self) -> bool {
        self.version.is_some()
    }

    /// Those of a batch that has the columns of the mapping's schema.
    pub(crate) fn bind(&self, batch: &RecordBatch) -> Result<BatchRules, OtherType> {
        let operations = self.operation.as_ref().map(|(operations, place)| {
            let bound = place.values(batch).and_then(|values| operations.bind(values));
            bound.ok_or_else(|| OtherType(operations.column().to_owned()))
        });
        let versions = self.version.as_ref().map(|(version, place)| {
            let bound = place.values(batch).and_then(|values| version.bind(values));
            bound.ok_or_else(|| OtherType(version.column().to_owned()))
        });
        Ok(BatchRules {
            operations: operations.transpose()?,
            versions: versions.transpose()?,
        })
    }
}

impl BatchRules {
    /// What `row` does; a put where the mapping says nothing of it.
    pub(crate) fn operation(
        &self,
        row: usize,
        table: &TableName,
    ) -> Result<RowOperation, ValueError> {
        match &self.operations {
            None => Ok(RowOperation::Put),
            Some(operations) => operations
                .get(row)
                .map_err(|refused| refused.in_row(table)),
        }
    }

    /// The version of `row`, if the mapping names a column of versions.
    pub(crate) fn version(
        &self,
        row: usize,
        table: &TableName,
    ) -> Result<Option<Version>, ValueError> {
        let version = self.versions.as_ref().map(|versions| versions.get(row));
        version
            .transpose()
            .map_err(|refused| refused.in_row(table))
    }
}

impl RefusedValue {
    /// An error of the row as a whole, since the value becomes no attribute.
    fn in_row(self, table: &TableName) -> ValueError {
        let error = Error::Unsupported {
            table: table.clone(),
            attribute: String::new(),
            message: self.reason.clone(),
        };
        self.error(error)
    }
}

impl KeyPath {
    /// What is wrong with the part of the mapping that stands here.
    pub(super) fn unfit(&self, unfit: Unfit) -> MappingError {
        let keys = self.key(unfit.key);
        let keys = match unfit.index {
            Some(index) => keys.index(index),
            None => keys,
        };
        keys.error(MappingProblem::Unfit {
            reason: unfit.reason,
        })
    }
}

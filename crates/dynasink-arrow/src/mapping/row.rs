//! What is asked of a row as a whole: what it does, and which version of its item it is.

use arrow_array::RecordBatch;
use dynasink_core::Version;

use super::address::Place;
use super::error::KeyPath;
use super::made::unfit;
use super::plan::Plan;
use crate::column_values::{ColumnValues, RefusedValue};
use crate::error::Result;
use crate::operation::{Operations, RowOperation, RowOperations};
use crate::version::{VersionColumn, Versions};

/// The columns that tell it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowSource {
    operations: Option<Told<Operations>>,
    versions: Option<Told<VersionColumn>>,
}

/// Something that is told by a column.
#[derive(Clone, Debug)]
struct Told<T> {
    by: T,
    place: Place,
    column: String,
}

impl<T> Told<T> {
    /// What `bind` makes of the column in `batch`, or the name of the column if it is not what it was.
    fn bind<V>(
        &self,
        batch: &RecordBatch,
        bind: impl FnOnce(&T, ColumnValues) -> Option<V>,
    ) -> Result<V, String> {
        let values = self.place.values(batch);
        let bound = values.and_then(|values| bind(&self.by, values));
        bound.ok_or_else(|| self.column.clone())
    }
}

/// What they tell of the rows of one batch.
#[derive(Debug)]
pub(crate) struct RowValues {
    operations: Option<RowOperations>,
    versions: Option<Versions>,
}

impl RowSource {
    pub(super) fn new(plan: &Plan<'_>) -> Result<Self> {
        let mut source = Self::default();
        if let Some(spec) = &plan.spec.operation {
            let keys = KeyPath::of(["operation"]);
            let (place, field) = plan.value_at(&keys.key("column"), &spec.column)?;
            source.operations = Some(Told {
                by: Operations::new(spec, field).map_err(|error| unfit(&keys, error))?,
                place,
                column: spec.column.clone(),
            });
        }
        if let Some(spec) = &plan.spec.version {
            let keys = KeyPath::of(["version"]);
            let (place, field) = plan.value_at(&keys.key("column"), &spec.column)?;
            source.versions = Some(Told {
                by: VersionColumn::new(spec, field).map_err(|error| unfit(&keys, error))?,
                place,
                column: spec.column.clone(),
            });
        }
        Ok(source)
    }

    /// Whether a column tells versions.
    pub(super) fn has_versions(&self) -> bool {
        self.versions.is_some()
    }

    /// What they tell of `batch`, or the name of a column that is not of the type that it was.
    pub(crate) fn bind(&self, batch: &RecordBatch) -> Result<RowValues, String> {
        let operations = self.operations.as_ref();
        let versions = self.versions.as_ref();
        Ok(RowValues {
            operations: operations
                .map(|told| told.bind(batch, Operations::bind))
                .transpose()?,
            versions: versions
                .map(|told| told.bind(batch, VersionColumn::bind))
                .transpose()?,
        })
    }
}

impl RowValues {
    /// What `row` does.
    pub(crate) fn operation(&self, row: usize) -> Result<RowOperation, RefusedValue> {
        match &self.operations {
            Some(operations) => operations.get(row),
            None => Ok(RowOperation::Put),
        }
    }

    /// The version of `row`, if rows have one.
    pub(crate) fn version(&self, row: usize) -> Result<Option<Version>, RefusedValue> {
        match &self.versions {
            Some(versions) => versions.get(row).map(Some),
            None => Ok(None),
        }
    }
}

//! The values of a column that something other than an attribute is made of.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_cast::cast;
use arrow_ord::cmp::distinct;
use arrow_schema::DataType;
use dynasink_core::{Error, TableName, ValueEncoder};

use crate::encode::{Step, ValueError};

/// The values of a column, or of a field of a struct in one, in a batch.
#[derive(Clone, Debug)]
pub(crate) struct ColumnValues {
    array: ArrayRef,
    nulls: Option<NullBuffer>,
    /// The rows whose value has no place in the type that was asked for.
    changed: Option<BooleanBuffer>,
}

impl ColumnValues {
    /// `array`, null also where a struct around it is.
    pub(crate) fn new(array: ArrayRef, outer_nulls: Option<&NullBuffer>) -> Self {
        let nulls = NullBuffer::union(array.logical_nulls().as_ref(), outer_nulls);
        Self {
            array,
            nulls,
            changed: None,
        }
    }

    /// The same values as `data_type`, or as another type that has the same texts. One that would change is
    /// [absent](Self::absence). None if there is no way from the one type to the other.
    pub(crate) fn of_type(self, data_type: &DataType) -> Option<Self> {
        let wanted = unpacked_type(data_type);
        let found = unpacked_type(self.array.data_type());
        let is_alike = match (wanted, found) {
            (DataType::Timestamp(unit, zone), DataType::Timestamp(found_unit, found_zone)) => {
                unit == found_unit && zone.is_some() == found_zone.is_some()
            }
            _ => wanted == found || (wanted.is_string() && found.is_string()),
        };
        if is_alike {
            return Some(self);
        }
        let array = unpacked(&self.array)?;
        let same = cast(&array, wanted).ok()?;
        let back = cast(&same, array.data_type()).ok()?;
        let changed = distinct(&back, &array).ok()?.values().clone();
        Some(Self {
            array: same,
            nulls: self.nulls,
            changed: (changed.count_set_bits() > 0).then_some(changed),
        })
    }

    pub(crate) fn array(&self) -> &ArrayRef {
        &self.array
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Why the row has no value here, if it has none.
    pub(crate) fn absence(&self, row: usize) -> Option<&'static str> {
        if self.is_null(row) {
            return Some("it is null");
        }
        let changed = self.changed.as_ref();
        changed
            .is_some_and(|changed| changed.value(row))
            .then_some("it has no place in the type that the column has in other files")
    }
}

/// What a part of a mapping says cannot be, for the column that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The key in that part of the mapping, and the place in its list.
    pub(crate) key: &'static str,
    pub(crate) index: Option<usize>,
    /// What is wrong, and what to do.
    pub(crate) reason: String,
}

impl Unfit {
    pub(crate) fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self {
            key,
            index: None,
            reason: reason.into(),
        }
    }
}

/// A value that keeps its row from being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefusedValue {
    /// The column that it is in.
    pub(crate) column: String,
    pub(crate) data_type: DataType,
    pub(crate) reason: String,
}

impl RefusedValue {
    /// Reports it as an error of the attribute that `value` would be.
    pub(crate) fn refuse(self, value: ValueEncoder<'_>) -> ValueError {
        let error = ValueError::from(value.unsupported(self.reason));
        error.of(&self.data_type).within(Step::Field(self.column))
    }

    /// Reports it as an error of a row of `table`.
    pub(crate) fn refuse_row(self, table: &TableName) -> ValueError {
        let error = ValueError::from(Error::Unsupported {
            table: table.clone(),
            attribute: String::new(),
            message: self.reason,
        });
        error.of(&self.data_type).within(Step::Field(self.column))
    }
}

/// What the values of a dictionary or of a run-end encoding are; any other type itself.
pub(crate) fn unpacked_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => unpacked_type(values),
        DataType::RunEndEncoded(_, values) => unpacked_type(values.data_type()),
        other => other,
    }
}

/// The array with the value of each row in its place. None if it cannot be unpacked.
pub(crate) fn unpacked(array: &ArrayRef) -> Option<ArrayRef> {
    let of_values = unpacked_type(array.data_type());
    if of_values == array.data_type() {
        return Some(Arc::clone(array));
    }
    cast(array, of_values).ok()
}

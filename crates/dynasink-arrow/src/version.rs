//! Which of the rows of a key is the newest, by a column.

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Decimal256Type, Int64Type, UInt64Type};
use arrow_array::{ArrayRef, Int64Array, PrimitiveArray, UInt64Array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field};
use dynasink_core::Version;

use crate::column_values::{ColumnValues, RefusedValue, Unfit, unpacked, unpacked_type};
use crate::encode::text::{self, Text};
use crate::instant::{InstantKind, Instants};
use crate::mapping::spec::VersionSpec;

/// Most digits of a decimal in 128 bits.
const MAX_DIGITS: u8 = 38;

/// A column of versions.
#[derive(Clone, Debug)]
pub(crate) struct VersionColumn {
    column: String,
    data_type: DataType,
}

/// The versions of one batch.
pub(crate) struct Versions {
    of: VersionColumn,
    values: ColumnValues,
    reader: Reader,
}

enum Reader {
    Signed(Int64Array),
    Unsigned(UInt64Array),
    Decimal(PrimitiveArray<Decimal128Type>),
    WideDecimal(PrimitiveArray<Decimal256Type>),
    /// By nanoseconds, so that units compare.
    Instant(Instants),
    Text(Box<dyn Text>),
}

impl VersionColumn {
    /// What `spec` says of its column, which is `field`.
    pub(crate) fn new(spec: &VersionSpec, field: &Field) -> Result<Self, Unfit> {
        let data_type = unpacked_type(field.data_type());
        let has_order = data_type.is_integer()
            || data_type.is_decimal()
            || data_type.is_string()
            || InstantKind::of(data_type).is_some();
        if !has_order {
            return Err(Unfit::new(
                "column",
                format!(
                    "column {:?} is {data_type}, which is no version: integers, decimals, dates, timestamps and strings are",
                    spec.column
                ),
            ));
        }
        Ok(Self {
            column: spec.column.clone(),
            data_type: field.data_type().clone(),
        })
    }

    /// Those of a batch. None if the values are not of its type.
    pub(crate) fn bind(&self, values: ColumnValues) -> Option<Versions> {
        let values = values.of_type(&self.data_type)?;
        Some(Versions {
            of: self.clone(),
            reader: Reader::new(values.array())?,
            values,
        })
    }
}

impl Versions {
    /// The version of `row`.
    pub(crate) fn get(&self, row: usize) -> Result<Version, RefusedValue> {
        let refused = |reason: String| RefusedValue {
            column: self.of.column.clone(),
            data_type: self.of.data_type.clone(),
            reason,
        };
        if let Some(absence) = self.values.absence(row) {
            return Err(refused(format!(
                "{absence}, and the version of each row is needed"
            )));
        }
        Ok(match &self.reader {
            Reader::Signed(values) => Version::integer(values.value(row)),
            Reader::Unsigned(values) => Version::integer(values.value(row)),
            Reader::Decimal(values) => Version::integer(values.value(row)),
            Reader::WideDecimal(values) => {
                let (low, high) = values.value(row).to_parts();
                Version::wide(high, low)
            }
            Reader::Instant(instants) => match instants.get(row) {
                Ok(Some(instant)) => Version::integer(instant.nanos()),
                Ok(None) => return Err(refused("it is null".to_owned())),
                Err(refusal) => return Err(refused(refusal.to_string())),
            },
            Reader::Text(texts) => {
                let mut buffer = String::new();
                let text = texts
                    .text(row, &mut buffer)
                    .map_err(|refusal| refused(refusal.to_string()))?;
                Version::text(text)
            }
        })
    }
}

impl fmt::Debug for Versions {
    /// Shows no values: they are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Versions").finish_non_exhaustive()
    }
}

impl Reader {
    fn new(array: &ArrayRef) -> Option<Self> {
        use DataType as D;
        let array = unpacked(array)?;
        let as_type = |data_type: &D| cast(&array, data_type).ok();
        Some(match array.data_type() {
            D::UInt64 => Self::Unsigned(array.as_primitive_opt::<UInt64Type>()?.clone()),
            data_type if data_type.is_integer() => {
                Self::Signed(as_type(&D::Int64)?.as_primitive_opt::<Int64Type>()?.clone())
            }
            // The same scale, so that the digits are the same.
            D::Decimal32(_, scale) | D::Decimal64(_, scale) | D::Decimal128(_, scale) => {
                let array = as_type(&D::Decimal128(MAX_DIGITS, *scale))?;
                Self::Decimal(array.as_primitive_opt::<Decimal128Type>()?.clone())
            }
            D::Decimal256(..) => {
                Self::WideDecimal(array.as_primitive_opt::<Decimal256Type>()?.clone())
            }
            data_type if data_type.is_string() => Self::Text(text::of(&array)?),
            _ => Self::Instant(Instants::of(&array)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        Date32Array, Decimal32Array, Decimal256Array, DictionaryArray, Float64Array, Int8Array,
        StringViewArray, TimestampMicrosecondArray, TimestampSecondArray,
    };
    use arrow_buffer::{NullBuffer, i256};

    use super::*;

    fn column(array: &ArrayRef) -> Result<VersionColumn, Unfit> {
        let spec = VersionSpec {
            column: "v".to_owned(),
        };
        VersionColumn::new(&spec, &Field::new("v", array.data_type().clone(), true))
    }

    fn versions(array: ArrayRef) -> Vec<Version> {
        let rows = array.len();
        let column = column(&array).unwrap();
        let versions = column.bind(ColumnValues::new(array, None)).unwrap();
        (0..rows).map(|row| versions.get(row).unwrap()).collect()
    }

    fn assert_ascending(array: ArrayRef) {
        let versions = versions(array);
        assert!(versions.is_sorted_by(|left, right| left < right));
    }

    #[test]
    fn versions_are_in_the_order_of_the_values() {
        assert_ascending(Arc::new(Int8Array::from(vec![-128, -1, 0, 127])));
        assert_ascending(Arc::new(UInt64Array::from(vec![0, 1 << 63, u64::MAX])));
        assert_ascending(Arc::new(
            Decimal32Array::from(vec![-15, -2, 150])
                .with_precision_and_scale(9, 2)
                .unwrap(),
        ));
        let wide = [i256::MIN, i256::MINUS_ONE, i256::ZERO, i256::MAX];
        assert_ascending(Arc::new(Decimal256Array::from(wide.to_vec())));
        assert_ascending(Arc::new(Date32Array::from(vec![i32::MIN, 0, i32::MAX])));
        let times = vec![i64::MIN, -1, 0, i64::MAX];
        assert_ascending(Arc::new(TimestampSecondArray::from(times.clone())));
        assert_ascending(Arc::new(TimestampMicrosecondArray::from(times)));
        assert_ascending(Arc::new(StringViewArray::from(vec!["", "10", "9", "é"])));
        let words: DictionaryArray<arrow_array::types::Int8Type> =
            vec!["a", "b"].into_iter().collect();
        assert_ascending(Arc::new(words));
    }

    #[test]
    fn times_of_any_unit_compare() {
        let seconds = versions(Arc::new(TimestampSecondArray::from(vec![86_400])));
        let days = versions(Arc::new(Date32Array::from(vec![1])));
        assert_eq!(seconds, days);
    }

    #[test]
    fn a_null_has_no_version_and_a_float_no_order() {
        let array: ArrayRef = Arc::new(Int8Array::from(vec![None, Some(1), Some(1)]));
        let column_of = column(&array).unwrap();
        let outer = NullBuffer::from(vec![true, true, false]);
        let versions = column_of
            .bind(ColumnValues::new(array, Some(&outer)))
            .unwrap();
        assert_eq!(versions.get(0).unwrap_err().column, "v");
        assert!(versions.get(1).is_ok());
        assert!(versions.get(2).is_err());

        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        let unfit = column(&floats).unwrap_err();
        assert!(unfit.reason.contains("is no version"), "{}", unfit.reason);
    }
}

//! Between which values the keys of a row group lie, as far as statistics tell.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    BinaryType, BinaryViewType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, Int8Type,
    Int16Type, Int32Type, Int64Type, LargeBinaryType, LargeUtf8Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type, Utf8Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch, Scalar};
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType, TimeUnit};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::basic::{ColumnOrder, SortOrder, Type as PhysicalType};

use super::constants::Constants;

/// For each column of the key the range of a row group, where it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyRanges(Arc<[Option<KeyRange>]>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct KeyRange {
    class: Class,
    min: Bound,
    max: Bound,
}

/// Types among whose values the same order tells which are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Integer,
    Decimal(i8),
    Date,
    Timestamp(TimeUnit, bool),
    Text,
    Binary,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Integer(i128),
    Bytes(Box<[u8]>),
}

impl KeyRanges {
    /// Whether no key lies in both: there is a column of the key whose ranges are known and apart.
    pub(super) fn are_apart(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0.iter()).any(|pair| match pair {
            (Some(a), Some(b)) => a.class == b.class && (a.max < b.min || b.max < a.min),
            _ => false,
        })
    }

    #[cfg(test)]
    pub(super) fn of_integers(ranges: impl IntoIterator<Item = Option<(i128, i128)>>) -> Self {
        let ranges = ranges.into_iter().map(|range| {
            let (min, max) = range?;
            Some(KeyRange {
                class: Class::Integer,
                min: Bound::Integer(min),
                max: Bound::Integer(max),
            })
        });
        Self(ranges.collect())
    }
}

/// The least and the greatest value of a column of the key, each as an array of one.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    column: String,
    min: ArrayRef,
    max: ArrayRef,
}

/// The bounds of a row group for each column of the key, where its statistics can be relied on.
///
/// Not relied on are statistics in the deprecated form, of columns whose order the file does not define, and of types
/// whose equal values may differ in their key, such as floats.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyBounds(Vec<Option<Bounds>>);

impl KeyBounds {
    /// The bounds of `row_group` for the columns `keys`, some of which may be constants of the file.
    pub(super) fn of(
        metadata: Option<&ArrowReaderMetadata>,
        row_group: usize,
        keys: &[String],
        constants: &Constants,
    ) -> Self {
        let bounds = keys.iter().map(|column| {
            if let Some(value) = constants.value(column) {
                return Bounds::new(column, Arc::clone(value), Arc::clone(value));
            }
            of_statistics(metadata?, row_group, column)
        });
        Self(bounds.collect())
    }

    pub(super) fn ranges(&self) -> KeyRanges {
        KeyRanges(
            self.0
                .iter()
                .map(|bounds| bounds.as_ref()?.range())
                .collect(),
        )
    }

    /// The first column that has a value out of its bounds in `batch`.
    pub(super) fn first_outside(&self, batch: &RecordBatch) -> Result<Option<&str>, ArrowError> {
        for bounds in self.0.iter().flatten() {
            if let Some(values) = batch.column_by_name(&bounds.column)
                && bounds.has_outside(values)?
            {
                return Ok(Some(&bounds.column));
            }
        }
        Ok(None)
    }
}

impl Bounds {
    fn new(column: &str, min: ArrayRef, max: ArrayRef) -> Option<Self> {
        let bounds = Self {
            column: column.to_owned(),
            min,
            max,
        };
        bounds
            .range()
            .is_some_and(|range| range.min <= range.max)
            .then_some(bounds)
    }

    fn range(&self) -> Option<KeyRange> {
        let (class, min) = bound(&self.min)?;
        let (max_class, max) = bound(&self.max)?;
        (class == max_class).then_some(KeyRange { class, min, max })
    }

    fn has_outside(&self, values: &ArrayRef) -> Result<bool, ArrowError> {
        let below = cmp::lt(values, &Scalar::new(&self.min))?;
        let above = cmp::gt(values, &Scalar::new(&self.max))?;
        Ok(below.true_count() + above.true_count() > 0)
    }
}

fn of_statistics(metadata: &ArrowReaderMetadata, row_group: usize, column: &str) -> Option<Bounds> {
    let schema = metadata.schema();
    let (_, field) = schema.column_with_name(column)?;
    class(field.data_type())?;
    let converter = StatisticsConverter::try_new(column, schema, metadata.parquet_schema()).ok()?;
    let leaf = converter.parquet_column_index()?;
    let file = metadata.metadata();
    let about = file.row_groups().get(row_group)?;
    let chunk = about.columns().get(leaf)?;
    let order = file.file_metadata().column_orders()?.get(leaf)?;
    let ordered = matches!(
        order,
        ColumnOrder::TYPE_DEFINED_ORDER(SortOrder::SIGNED | SortOrder::UNSIGNED)
    );
    if !ordered
        || chunk.column_type() == PhysicalType::INT96
        || chunk.statistics()?.is_min_max_deprecated()
    {
        return None;
    }
    Bounds::new(
        column,
        converter.row_group_mins([about]).ok()?,
        converter.row_group_maxes([about]).ok()?,
    )
}

fn class(data_type: &DataType) -> Option<Class> {
    use DataType as D;
    Some(match data_type {
        D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => {
            Class::Integer
        }
        D::Decimal32(_, scale) | D::Decimal64(_, scale) | D::Decimal128(_, scale) => {
            Class::Decimal(*scale)
        }
        D::Date32 => Class::Date,
        D::Timestamp(unit, zone) => Class::Timestamp(*unit, zone.is_some()),
        D::Utf8 | D::LargeUtf8 | D::Utf8View => Class::Text,
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => Class::Binary,
        _ => return None,
    })
}

/// The one value of `array`.
fn bound(array: &ArrayRef) -> Option<(Class, Bound)> {
    use DataType as D;
    let class = class(array.data_type())?;
    if array.len() != 1 || array.is_null(0) {
        return None;
    }
    macro_rules! integer {
        ($kind:ty) => {
            Bound::Integer(array.as_primitive_opt::<$kind>()?.value(0).into())
        };
    }
    let bytes = |bytes: &[u8]| Bound::Bytes(bytes.into());
    let bound = match array.data_type() {
        D::Int8 => integer!(Int8Type),
        D::Int16 => integer!(Int16Type),
        D::Int32 => integer!(Int32Type),
        D::Int64 => integer!(Int64Type),
        D::UInt8 => integer!(UInt8Type),
        D::UInt16 => integer!(UInt16Type),
        D::UInt32 => integer!(UInt32Type),
        D::UInt64 => integer!(UInt64Type),
        D::Date32 => integer!(Date32Type),
        D::Decimal32(..) => integer!(Decimal32Type),
        D::Decimal64(..) => integer!(Decimal64Type),
        D::Decimal128(..) => integer!(Decimal128Type),
        D::Timestamp(TimeUnit::Second, _) => integer!(TimestampSecondType),
        D::Timestamp(TimeUnit::Millisecond, _) => integer!(TimestampMillisecondType),
        D::Timestamp(TimeUnit::Microsecond, _) => integer!(TimestampMicrosecondType),
        D::Timestamp(TimeUnit::Nanosecond, _) => integer!(TimestampNanosecondType),
        D::Utf8 => bytes(array.as_bytes_opt::<Utf8Type>()?.value(0).as_bytes()),
        D::LargeUtf8 => bytes(array.as_bytes_opt::<LargeUtf8Type>()?.value(0).as_bytes()),
        D::Utf8View => bytes(array.as_string_view_opt()?.value(0).as_bytes()),
        D::Binary => bytes(array.as_bytes_opt::<BinaryType>()?.value(0)),
        D::LargeBinary => bytes(array.as_bytes_opt::<LargeBinaryType>()?.value(0)),
        D::BinaryView => bytes(array.as_byte_view_opt::<BinaryViewType>()?.value(0)),
        D::FixedSizeBinary(_) => bytes(array.as_fixed_size_binary_opt()?.value(0)),
        _ => return None,
    };
    Some((class, bound))
}

#[cfg(test)]
mod tests;

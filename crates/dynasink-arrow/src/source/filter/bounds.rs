//! What the statistics of a Parquet file say of its columns, as far as they can be believed.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array, new_null_array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, FieldRef, Schema};
use arrow_select::nullif::nullif;
use arrow_select::take::take;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::{ColumnOrder, ConvertedType, LogicalType, SortOrder, Type as PhysicalType};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use super::bind::BoundColumn;
use super::literal::values_type;
use super::prune::{Bounds, Nulls, Portions};

/// The statistics of a file, and the columns that have one value in all of it.
pub(super) struct FileStatistics<'a> {
    pub(super) metadata: &'a ParquetMetaData,
    /// As the file is read.
    read_as: &'a Schema,
    /// As the statistics are: without what the writer's Arrow schema says.
    stored_as: Option<Schema>,
    constants: Option<&'a RecordBatch>,
}

/// A leaf column of a file that has values for each row.
pub(super) struct Leaf {
    pub(super) index: usize,
    /// As its statistics are stored.
    pub(super) stored: FieldRef,
}

impl<'a> FileStatistics<'a> {
    pub(super) fn new(
        metadata: &'a ArrowReaderMetadata,
        constants: Option<&'a RecordBatch>,
    ) -> Self {
        Self {
            metadata: metadata.metadata(),
            read_as: metadata.schema(),
            stored_as: parquet_to_arrow_schema(metadata.parquet_schema(), None).ok(),
            constants,
        }
    }

    pub(super) fn row_groups(&'a self) -> RowGroups<'a> {
        RowGroups(self)
    }

    /// The leaf of `column`, if it has one whose statistics are in the order of its values.
    pub(super) fn leaf(&self, column: &BoundColumn) -> Option<Leaf> {
        let stored = field_at(self.stored_as.as_ref()?, &column.path)?;
        let read = field_at(self.read_as, &column.path)?;
        if !is_same_value(stored.data_type(), values_type(read.data_type())) {
            return None;
        }
        let parquet = self.metadata.file_metadata().schema_descr();
        let mut found = parquet
            .columns()
            .iter()
            .enumerate()
            .filter(|(_, leaf)| leaf.path().parts() == &*column.path);
        let (index, leaf) = found.next()?;
        if found.next().is_some()
            || leaf.max_rep_level() > 0
            || leaf.physical_type() == PhysicalType::INT96
        {
            return None;
        }
        Some(Leaf {
            index,
            stored: FieldRef::clone(stored),
        })
    }

    /// Whether bounds that are not deprecated are in the order of the values.
    pub(super) fn is_ordered(&self, leaf: &Leaf) -> bool {
        let file = self.metadata.file_metadata();
        let in_order = match file.column_orders() {
            None => false,
            Some(_) => matches!(
                file.column_order(leaf.index),
                ColumnOrder::TYPE_DEFINED_ORDER(SortOrder::SIGNED | SortOrder::UNSIGNED)
            ),
        };
        // Decimals of any length may have been cut, and then they are other numbers.
        in_order && !is_decimal_of_any_length(&self.descriptor(leaf))
    }

    pub(super) fn descriptor(&self, leaf: &Leaf) -> ColumnDescPtr {
        self.metadata
            .file_metadata()
            .schema_descr()
            .column(leaf.index)
    }

    /// The bounds of columns that the file itself does not have.
    pub(super) fn beside_the_file(&self, column: &BoundColumn, count: usize) -> Option<Bounds> {
        if column.missing {
            let unknown = new_null_array(&column.compared_as, count);
            return Some(Bounds {
                min: ArrayRef::clone(&unknown),
                max: unknown,
                nulls: vec![Nulls::All; count],
            });
        }
        let [name] = &*column.path else {
            return None;
        };
        let value = self.constants?.column_by_name(name)?;
        let nulls = if value.is_null(0) {
            Nulls::All
        } else {
            Nulls::None
        };
        let each = take(value, &UInt32Array::from(vec![0; count]), None).ok()?;
        let each = in_type(&each, &column.compared_as)?;
        Some(Bounds {
            min: ArrayRef::clone(&each),
            max: each,
            nulls: vec![nulls; count],
        })
    }
}

/// Bounds in the type that the column is compared as. A bound that the type cannot hold is not known, nor is NaN.
pub(super) fn in_type(bounds: &ArrayRef, compared_as: &DataType) -> Option<ArrayRef> {
    let bounds = cast(bounds, compared_as).ok()?;
    macro_rules! without_nan {
        ($kind:ty) => {{
            let nan = BooleanArray::from_unary(bounds.as_primitive::<$kind>(), |v| v.is_nan());
            nullif(&bounds, &nan).ok()
        }};
    }
    match compared_as {
        DataType::Float16 => without_nan!(Float16Type),
        DataType::Float32 => without_nan!(Float32Type),
        DataType::Float64 => without_nan!(Float64Type),
        _ => Some(bounds),
    }
}

/// Whether what is stored as one type has the same value and order as what is read as the other.
///
/// The Arrow schema that a writer leaves can change the unit of a timestamp, for one, in which the statistics are
/// not.
fn is_same_value(stored: &DataType, read: &DataType) -> bool {
    let is_bytes = |data_type: &DataType| {
        matches!(
            data_type,
            DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
        )
    };
    match (stored, read) {
        (DataType::Timestamp(stored, Some(_)), DataType::Timestamp(read, Some(_))) => {
            stored == read
        }
        (
            DataType::Decimal128(precision, scale),
            DataType::Decimal32(p, s)
            | DataType::Decimal64(p, s)
            | DataType::Decimal128(p, s)
            | DataType::Decimal256(p, s),
        ) => (precision, scale) == (p, s),
        (stored, read) => stored == read || (is_bytes(stored) && is_bytes(read)),
    }
}

fn is_decimal_of_any_length(column: &ColumnDescriptor) -> bool {
    column.physical_type() == PhysicalType::BYTE_ARRAY
        && (column.converted_type() == ConvertedType::DECIMAL
            || matches!(column.logical_type_ref(), Some(LogicalType::Decimal(_))))
}

fn field_at<'a>(schema: &'a Schema, path: &[String]) -> Option<&'a FieldRef> {
    let find = |fields: &'a [FieldRef], name: &String| {
        fields.iter().find(|field: &&FieldRef| field.name() == name)
    };
    let (root, rest) = path.split_first()?;
    rest.iter().try_fold(
        find(schema.fields(), root)?,
        |field, name| match Field::data_type(field) {
            DataType::Struct(fields) => find(fields, name),
            _ => None,
        },
    )
}

/// The row groups of a file.
pub(super) struct RowGroups<'a>(&'a FileStatistics<'a>);

impl RowGroups<'_> {
    fn groups(&self) -> &[RowGroupMetaData] {
        self.0.metadata.row_groups()
    }
}

impl Portions for RowGroups<'_> {
    fn count(&self) -> usize {
        self.groups().len()
    }

    fn bounds(&self, column: &BoundColumn) -> Option<Bounds> {
        if let Some(bounds) = self.0.beside_the_file(column, self.count()) {
            return Some(bounds);
        }
        let leaf = self.0.leaf(column)?;
        let parquet = self.0.metadata.file_metadata().schema_descr();
        let statistics = |group: &RowGroupMetaData| {
            group
                .columns()
                .get(leaf.index)
                .and_then(|chunk| chunk.statistics())
                .cloned()
        };
        let all: Vec<Option<Statistics>> = self.groups().iter().map(statistics).collect();
        let is_ordered = self.0.is_ordered(&leaf);
        let descriptor = self.0.descriptor(&leaf);
        let not_believed: BooleanArray = all
            .iter()
            .map(|statistics| {
                let believed = statistics
                    .as_ref()
                    .is_some_and(|statistics| is_believed(statistics, is_ordered, &descriptor));
                Some(!believed)
            })
            .collect();
        let converter =
            StatisticsConverter::from_column_index(leaf.index, &leaf.stored, parquet).ok()?;
        let of = |bounds: parquet::errors::Result<ArrayRef>| {
            in_type(
                &nullif(&bounds.ok()?, &not_believed).ok()?,
                &column.compared_as,
            )
        };
        let nulls = self.groups().iter().zip(&all).map(|(group, statistics)| {
            let count = statistics.as_ref().and_then(Statistics::null_count_opt);
            Nulls::of(count, u64::try_from(group.num_rows()).unwrap_or(0))
        });
        Some(Bounds {
            min: of(converter.row_group_mins(self.groups()))?,
            max: of(converter.row_group_maxes(self.groups()))?,
            nulls: nulls.collect(),
        })
    }
}

/// Whether the bounds of a column chunk bound its values.
///
/// Source: `parquet.thrift`, `Statistics`: the deprecated `min` and `max` were compared as signed bytes by some
/// writers, so that only plain numbers have them right.
fn is_believed(statistics: &Statistics, is_ordered: bool, column: &ColumnDescriptor) -> bool {
    let is_plain_number = matches!(
        statistics,
        Statistics::Int32(_) | Statistics::Int64(_) | Statistics::Float(_) | Statistics::Double(_)
    );
    if statistics.is_min_max_deprecated() || !is_ordered {
        return is_plain_number && column.sort_order() == SortOrder::SIGNED;
    }
    match statistics {
        // A bound that was cut is another value, but for strings and bytes, which have an order by prefix.
        Statistics::FixedLenByteArray(_) => {
            let len = usize::try_from(column.type_length()).ok();
            let is_whole =
                |bound: Option<&[u8]>| bound.is_none_or(|bound| Some(bound.len()) == len);
            is_whole(statistics.min_bytes_opt()) && is_whole(statistics.max_bytes_opt())
        }
        _ => true,
    }
}

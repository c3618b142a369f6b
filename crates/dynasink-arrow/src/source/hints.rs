//! As which Arrow type each Parquet column is read, where the reader's own choice loses something.

use std::sync::Arc;

use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use parquet::basic::{ConvertedType, LogicalType, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use crate::shape::UUID_EXTENSION;

/// How to read the columns of a file.
pub(super) struct Hints {
    /// The schema to ask the reader for.
    pub(super) schema: Schema,
    /// Top-level columns that hold an INTERVAL, of which the reader drops the months.
    pub(super) intervals: Vec<String>,
}

/// The types to read the columns of `parquet` as, which the reader would read as `inferred`.
///
/// | Parquet | the reader's choice | read as | because |
/// | --- | --- | --- | --- |
/// | INT96 | nanoseconds | microseconds | nanoseconds wrap beyond 2262 |
/// | ENUM | binary | string | it is text by definition |
/// | UUID | 16 bytes | 16 bytes with the extension `arrow.uuid` | it is told apart from other bytes |
/// | strings and binary | 32-bit offsets | views | a value of a dictionary is not copied for each row |
pub(super) fn of(inferred: &Schema, parquet: &SchemaDescriptor) -> Result<Hints, ParquetError> {
    let mut walk = Walk {
        parquet,
        next_leaf: 0,
        interval: false,
    };
    let mut intervals = Vec::new();
    let mut fields = Vec::with_capacity(inferred.fields().len());
    for field in inferred.fields() {
        walk.interval = false;
        fields.push(walk.field(field)?);
        if walk.interval {
            intervals.push(field.name().clone());
        }
    }
    if walk.next_leaf != parquet.num_columns() {
        return Err(mismatch());
    }
    Ok(Hints {
        schema: Schema::new_with_metadata(fields, inferred.metadata().clone()),
        intervals,
    })
}

fn mismatch() -> ParquetError {
    ParquetError::General(
        "the Arrow schema has other leaf columns than the Parquet schema".to_owned(),
    )
}

/// A walk over an Arrow schema, whose leaves are the columns of the Parquet schema in order.
struct Walk<'a> {
    parquet: &'a SchemaDescriptor,
    next_leaf: usize,
    interval: bool,
}

impl Walk<'_> {
    fn field(&mut self, field: &FieldRef) -> Result<FieldRef, ParquetError> {
        let data_type = match field.data_type() {
            DataType::List(element) => DataType::List(self.field(element)?),
            DataType::LargeList(element) => DataType::LargeList(self.field(element)?),
            DataType::ListView(element) => DataType::ListView(self.field(element)?),
            DataType::LargeListView(element) => DataType::LargeListView(self.field(element)?),
            DataType::FixedSizeList(element, len) => {
                DataType::FixedSizeList(self.field(element)?, *len)
            }
            DataType::Struct(fields) => DataType::Struct(self.fields(fields)?),
            DataType::Map(entries, sorted) => DataType::Map(self.field(entries)?, *sorted),
            _ => return self.leaf(field),
        };
        Ok(Arc::new(field.as_ref().clone().with_data_type(data_type)))
    }

    fn fields(&mut self, fields: &Fields) -> Result<Fields, ParquetError> {
        fields.iter().map(|field| self.field(field)).collect()
    }

    fn leaf(&mut self, field: &FieldRef) -> Result<FieldRef, ParquetError> {
        let index = self.next_leaf;
        if index >= self.parquet.num_columns() {
            return Err(mismatch());
        }
        self.next_leaf += 1;
        let column = self.parquet.column(index);
        self.interval |= column.converted_type() == ConvertedType::INTERVAL;
        Ok(match read_as(&column, field.data_type()) {
            Some(data_type) => Arc::new(field.as_ref().clone().with_data_type(data_type)),
            None if is_uuid(&column, field) => Arc::new(with_uuid_extension(field)),
            None => Arc::clone(field),
        })
    }
}

fn read_as(column: &ColumnDescriptor, inferred: &DataType) -> Option<DataType> {
    match inferred {
        DataType::Timestamp(TimeUnit::Nanosecond, zone)
            if column.physical_type() == PhysicalType::INT96 =>
        {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView if is_enum(column) => {
            Some(DataType::Utf8View)
        }
        DataType::Utf8 | DataType::LargeUtf8 => Some(DataType::Utf8View),
        DataType::Binary | DataType::LargeBinary => Some(DataType::BinaryView),
        // A dictionary of few keys, which another writer's pages may exceed.
        DataType::Dictionary(_, values) => {
            let strings = matches!(
                **values,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            );
            strings.then_some(DataType::Utf8View)
        }
        _ => None,
    }
}

fn is_enum(column: &ColumnDescriptor) -> bool {
    matches!(column.logical_type_ref(), Some(LogicalType::Enum))
        || column.converted_type() == ConvertedType::ENUM
}

fn is_uuid(column: &ColumnDescriptor, field: &Field) -> bool {
    matches!(column.logical_type_ref(), Some(LogicalType::Uuid))
        && field.data_type() == &DataType::FixedSizeBinary(16)
}

fn with_uuid_extension(field: &Field) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(
        EXTENSION_TYPE_NAME_KEY.to_owned(),
        UUID_EXTENSION.to_owned(),
    );
    field.clone().with_metadata(metadata)
}

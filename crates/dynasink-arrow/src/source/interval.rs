//! Parquet's INTERVAL, whole.
//!
//! The reader gives either the months or the days and milliseconds of an INTERVAL, and drops the rest. Without the
//! logical type it is twelve bytes, which are read as such and put together here.
//!
//! Source: the Parquet document *Parquet Logical Type Definitions*, INTERVAL: months, days and milliseconds, each
//! as an unsigned number of four bytes, the lowest first.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, IntervalMonthDayNanoArray, RecordBatch, RecordBatchOptions, make_array,
};
use arrow_buffer::IntervalMonthDayNano;
use arrow_schema::{
    ArrowError, DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef,
};
use parquet::basic::{ConvertedType, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::file::metadata::FileMetaData;
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};

const BYTES: i32 = 12;
const NANOS_PER_MILLI: i64 = 1_000_000;
/// What Arrow's writers name the schema that they leave in a file.
const ARROW_SCHEMA: &str = "ARROW:schema";

/// The INTERVAL columns of a file, which come as bytes and are handed on as intervals.
#[derive(Clone, Debug)]
pub(super) struct Intervals {
    schema: SchemaRef,
    /// The crate `parquet` stores negative numbers as they are, though the numbers are unsigned.
    signed: bool,
}

/// The Parquet schema with its INTERVAL columns as bytes; none if there are none.
pub(super) fn as_bytes(
    parquet: &SchemaDescriptor,
) -> Result<Option<SchemaDescriptor>, ParquetError> {
    match without_intervals(parquet.root_schema())? {
        Some(root) => Ok(Some(SchemaDescriptor::new(Arc::new(root)))),
        None => Ok(None),
    }
}

fn is_interval(column: &Type) -> bool {
    column.get_basic_info().converted_type() == ConvertedType::INTERVAL
}

fn without_intervals(part: &Type) -> Result<Option<Type>, ParquetError> {
    let info = part.get_basic_info();
    let id = info.has_id().then(|| info.id());
    if part.is_primitive() {
        if !is_interval(part) || part.get_physical_type() != PhysicalType::FIXED_LEN_BYTE_ARRAY {
            return Ok(None);
        }
        return Type::primitive_type_builder(part.name(), PhysicalType::FIXED_LEN_BYTE_ARRAY)
            .with_repetition(info.repetition())
            .with_length(BYTES)
            .with_id(id)
            .build()
            .map(Some);
    }
    let mut has_some = false;
    let fields: Result<Vec<TypePtr>, ParquetError> = part
        .get_fields()
        .iter()
        .map(|field| {
            let without = without_intervals(field)?;
            has_some |= without.is_some();
            Ok(without.map_or_else(|| Arc::clone(field), Arc::new))
        })
        .collect();
    let fields = fields?;
    if !has_some {
        return Ok(None);
    }
    let mut group = Type::group_type_builder(part.name())
        .with_fields(fields)
        .with_converted_type(info.converted_type())
        .with_logical_type(info.logical_type_ref().cloned())
        .with_id(id);
    if info.has_repetition() {
        group = group.with_repetition(info.repetition());
    }
    group.build().map(Some)
}

impl Intervals {
    /// Those of a file that says `about` itself and whose INTERVAL columns are read as bytes by `read`. `parquet` is
    /// its schema as it is stored.
    pub(super) fn of(read: &Schema, parquet: &SchemaDescriptor, about: &FileMetaData) -> Self {
        let mut leaf = 0;
        let fields = with_intervals(read.fields(), parquet, &mut leaf);
        let entries = about.key_value_metadata().into_iter().flatten();
        Self {
            schema: Arc::new(Schema::new_with_metadata(fields, read.metadata().clone())),
            signed: { entries }.any(|entry| entry.key == ARROW_SCHEMA),
        }
    }

    /// The schema with the intervals.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// A batch of some of the columns with their bytes as intervals.
    pub(super) fn of_bytes(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut fields = Vec::with_capacity(batch.num_columns());
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let whole = self.schema.field_with_name(field.name())?;
            columns.push(self.column(column, field.data_type(), whole.data_type())?);
            fields.push(
                field
                    .as_ref()
                    .clone()
                    .with_data_type(whole.data_type().clone()),
            );
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let schema = Arc::new(Schema::new(fields));
        RecordBatch::try_new_with_options(schema, columns, &options)
    }

    fn column(
        &self,
        column: &ArrayRef,
        read: &DataType,
        whole: &DataType,
    ) -> Result<ArrayRef, ArrowError> {
        if read == whole {
            return Ok(Arc::clone(column));
        }
        if whole == &DataType::Interval(IntervalUnit::MonthDayNano) {
            let intervals: Result<IntervalMonthDayNanoArray, ArrowError> = column
                .as_fixed_size_binary()
                .iter()
                .map(|bytes| bytes.map(|bytes| self.interval(bytes)).transpose())
                .collect();
            return Ok(Arc::new(intervals?));
        }
        let data = column.to_data();
        let parts = children(read).into_iter().zip(children(whole));
        let parts: Result<Vec<_>, ArrowError> = parts
            .zip(data.child_data())
            .map(|((read, whole), part)| {
                let part = make_array(part.clone());
                Ok(self
                    .column(&part, read.data_type(), whole.data_type())?
                    .to_data())
            })
            .collect();
        let data = data
            .into_builder()
            .data_type(whole.clone())
            .child_data(parts?);
        Ok(make_array(data.build()?))
    }

    fn interval(&self, bytes: &[u8]) -> Result<IntervalMonthDayNano, ArrowError> {
        let number = |at: usize| {
            let bytes = bytes
                .get(at..at + 4)
                .and_then(|bytes| bytes.try_into().ok());
            u32::from_le_bytes(bytes.unwrap_or_default())
        };
        let small = |number: u32, of: &str| {
            if self.signed {
                return Ok(number.cast_signed());
            }
            i32::try_from(number).map_err(|_| {
                ArrowError::ArithmeticOverflow(format!(
                    "an INTERVAL of {number} {of} is beyond the range"
                ))
            })
        };
        let millis = number(8);
        let millis = if self.signed {
            i64::from(millis.cast_signed())
        } else {
            i64::from(millis)
        };
        Ok(IntervalMonthDayNano::new(
            small(number(0), "months")?,
            small(number(4), "days")?,
            millis * NANOS_PER_MILLI,
        ))
    }
}

fn children(data_type: &DataType) -> Vec<FieldRef> {
    match data_type {
        DataType::List(inner)
        | DataType::LargeList(inner)
        | DataType::ListView(inner)
        | DataType::LargeListView(inner)
        | DataType::FixedSizeList(inner, _)
        | DataType::Map(inner, _) => vec![Arc::clone(inner)],
        DataType::Struct(fields) => fields.iter().cloned().collect(),
        _ => Vec::new(),
    }
}

/// `fields` with intervals for the leaves that are INTERVAL in `parquet`.
fn with_intervals(fields: &Fields, parquet: &SchemaDescriptor, leaf: &mut usize) -> Fields {
    let mut of = |field: &FieldRef| {
        let mut inner = |field: &FieldRef| {
            let one = with_intervals(&vec![Arc::clone(field)].into(), parquet, leaf);
            one.first().map_or_else(|| Arc::clone(field), Arc::clone)
        };
        let data_type = match field.data_type() {
            DataType::List(part) => DataType::List(inner(part)),
            DataType::LargeList(part) => DataType::LargeList(inner(part)),
            DataType::ListView(part) => DataType::ListView(inner(part)),
            DataType::LargeListView(part) => DataType::LargeListView(inner(part)),
            DataType::FixedSizeList(part, len) => DataType::FixedSizeList(inner(part), *len),
            DataType::Map(part, sorted) => DataType::Map(inner(part), *sorted),
            DataType::Struct(parts) => DataType::Struct(with_intervals(parts, parquet, leaf)),
            other => {
                let column = parquet.columns().get(*leaf);
                *leaf += 1;
                match column.filter(|column| is_interval(column.self_type())) {
                    Some(_) => DataType::Interval(IntervalUnit::MonthDayNano),
                    None => other.clone(),
                }
            }
        };
        Arc::new(Field::clone(field).with_data_type(data_type))
    };
    fields.iter().map(&mut of).collect()
}

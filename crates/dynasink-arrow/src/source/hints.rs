//! As which Arrow type each Parquet column is read, where the reader's own choice loses something.

use std::sync::Arc;

use arrow_schema::extension::{EXTENSION_TYPE_METADATA_KEY, EXTENSION_TYPE_NAME_KEY};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use parquet::basic::{ConvertedType, LogicalType, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type};

use crate::shape::UUID_EXTENSION;

const JSON_EXTENSION: &str = "arrow.json";
const VARIANT_EXTENSION: &str = "arrow.parquet.variant";

/// The schema to read the columns of `parquet` by.
///
/// `inferred` is what the reader would read them as, with what the Arrow schema says that the writer left in the
/// file; `stored` is what they are without it.
///
/// | Parquet | the reader's choice | read as | because |
/// | --- | --- | --- | --- |
/// | INT96 | nanoseconds | microseconds | nanoseconds wrap beyond 2262 |
/// | ENUM | binary | string | it is text by definition |
/// | UUID | 16 bytes | 16 bytes with the extension `arrow.uuid` | it is told apart from other bytes |
/// | JSON | string | string with the extension `arrow.json` | it is told apart from other text |
/// | VARIANT | struct | struct with the extension `arrow.parquet.variant` | it is told apart from other structs |
/// | strings and binary | 32-bit offsets | views | a value of a dictionary is not copied for each row |
/// | any | what the writer's Arrow schema says | what is stored | its unit, scale or zone is another one |
///
/// Extensions that the writer's Arrow schema gives to columns of another type than theirs are left out.
pub(super) fn of(
    inferred: &Schema,
    stored: &Schema,
    parquet: &SchemaDescriptor,
) -> Result<Schema, ParquetError> {
    let mut leaves = Vec::with_capacity(parquet.num_columns());
    collect_leaves(stored.fields(), &mut leaves);
    let mut walk = Walk {
        parquet,
        stored: leaves,
        next_leaf: 0,
    };
    let roots = parquet.root_schema().get_fields();
    let fields = walk.fields(inferred.fields(), Some(roots))?;
    if walk.next_leaf != parquet.num_columns() {
        return Err(mismatch());
    }
    Ok(Schema::new_with_metadata(
        fields,
        inferred.metadata().clone(),
    ))
}

fn mismatch() -> ParquetError {
    ParquetError::General(
        "the Arrow schema has other leaf columns than the Parquet schema".to_owned(),
    )
}

fn collect_leaves(fields: &Fields, leaves: &mut Vec<DataType>) {
    for field in fields {
        match field.data_type() {
            DataType::List(inner)
            | DataType::LargeList(inner)
            | DataType::ListView(inner)
            | DataType::LargeListView(inner)
            | DataType::FixedSizeList(inner, _)
            | DataType::Map(inner, _) => collect_leaves(&vec![Arc::clone(inner)].into(), leaves),
            DataType::Struct(inner) => collect_leaves(inner, leaves),
            leaf => leaves.push(leaf.clone()),
        }
    }
}

/// A walk over an Arrow schema, whose leaves are the columns of the Parquet schema in order.
struct Walk<'a> {
    parquet: &'a SchemaDescriptor,
    stored: Vec<DataType>,
    next_leaf: usize,
}

impl Walk<'_> {
    /// `group` is the Parquet type of the field, as long as there are only structs around it.
    fn field(&mut self, field: &FieldRef, group: Option<&Type>) -> Result<FieldRef, ParquetError> {
        let data_type = match field.data_type() {
            DataType::List(element) => DataType::List(self.field(element, None)?),
            DataType::LargeList(element) => DataType::LargeList(self.field(element, None)?),
            DataType::ListView(element) => DataType::ListView(self.field(element, None)?),
            DataType::LargeListView(element) => DataType::LargeListView(self.field(element, None)?),
            DataType::FixedSizeList(element, len) => {
                DataType::FixedSizeList(self.field(element, None)?, *len)
            }
            DataType::Struct(fields) => {
                let parts = group.filter(|group| group.is_group()).map(Type::get_fields);
                DataType::Struct(self.fields(fields, parts)?)
            }
            DataType::Map(entries, sorted) => DataType::Map(self.field(entries, None)?, *sorted),
            _ => return self.leaf(field),
        };
        let field = field.as_ref().clone().with_data_type(data_type);
        let is_variant = group.is_some_and(|group| {
            matches!(
                group.get_basic_info().logical_type_ref(),
                Some(LogicalType::Variant(_))
            )
        });
        Ok(Arc::new(if is_variant {
            with_extension(field, VARIANT_EXTENSION)
        } else {
            with_fitting_extension(field)
        }))
    }

    fn fields(
        &mut self,
        fields: &Fields,
        groups: Option<&[Arc<Type>]>,
    ) -> Result<Fields, ParquetError> {
        let groups = groups.filter(|groups| groups.len() == fields.len());
        let group = |at: usize| groups.and_then(|groups| groups.get(at)).map(AsRef::as_ref);
        fields
            .iter()
            .enumerate()
            .map(|(at, field)| self.field(field, group(at)))
            .collect()
    }

    fn leaf(&mut self, field: &FieldRef) -> Result<FieldRef, ParquetError> {
        let index = self.next_leaf;
        let stored = self.stored.get(index).ok_or_else(mismatch)?;
        if index >= self.parquet.num_columns() {
            return Err(mismatch());
        }
        self.next_leaf += 1;
        let column = self.parquet.column(index);
        let honest = if may_be_read_as(stored, field.data_type()) {
            field.data_type()
        } else {
            stored
        };
        let data_type = read_as(&column, honest).unwrap_or_else(|| honest.clone());
        let field = field.as_ref().clone().with_data_type(data_type);
        Ok(Arc::new(match column.logical_type_ref() {
            Some(LogicalType::Uuid) if field.data_type() == &DataType::FixedSizeBinary(16) => {
                with_extension(field, UUID_EXTENSION)
            }
            Some(LogicalType::Json) if is_string(field.data_type()) => {
                with_extension(field, JSON_EXTENSION)
            }
            None if column.converted_type() == ConvertedType::JSON
                && is_string(field.data_type()) =>
            {
                with_extension(field, JSON_EXTENSION)
            }
            _ => with_fitting_extension(field),
        }))
    }
}

/// Whether the Arrow schema of a writer can be right that what is stored as one type was another.
///
/// The reader takes its word for units and scales, too, and then numbers are others.
fn may_be_read_as(stored: &DataType, said: &DataType) -> bool {
    match (stored, said) {
        (DataType::Timestamp(stored_unit, stored_zone), DataType::Timestamp(unit, zone)) => {
            stored_unit == unit && stored_zone.is_some() == zone.is_some()
        }
        (
            DataType::Decimal128(stored_precision, stored_scale)
            | DataType::Decimal256(stored_precision, stored_scale),
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale),
        ) => (stored_precision, stored_scale) == (precision, scale),
        (stored, DataType::Dictionary(_, values)) => may_be_read_as(stored, values),
        _ => true,
    }
}

fn is_string(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn is_binary(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView
    )
}

fn read_as(column: &ColumnDescriptor, honest: &DataType) -> Option<DataType> {
    match honest {
        DataType::Timestamp(TimeUnit::Nanosecond, zone)
            if column.physical_type() == PhysicalType::INT96 =>
        {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        binary if is_binary(binary) && is_enum(column) => Some(DataType::Utf8View),
        DataType::Utf8 | DataType::LargeUtf8 => Some(DataType::Utf8View),
        DataType::Binary | DataType::LargeBinary => Some(DataType::BinaryView),
        // A dictionary of few keys, which another writer's pages may exceed.
        DataType::Dictionary(_, values) => {
            read_as(column, values).or_else(|| Some(values.as_ref().clone()))
        }
        _ => None,
    }
}

fn is_enum(column: &ColumnDescriptor) -> bool {
    matches!(column.logical_type_ref(), Some(LogicalType::Enum))
        || column.converted_type() == ConvertedType::ENUM
}

fn with_extension(field: Field, name: &str) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(EXTENSION_TYPE_NAME_KEY.to_owned(), name.to_owned());
    field.with_metadata(metadata)
}

/// The field without an extension whose values have another type.
fn with_fitting_extension(field: Field) -> Field {
    let data_type = field.data_type();
    let fits = match field.extension_type_name() {
        Some(UUID_EXTENSION) => data_type == &DataType::FixedSizeBinary(16),
        Some(JSON_EXTENSION) => is_string(data_type),
        Some("arrow.bool8") => data_type == &DataType::Int8,
        Some(VARIANT_EXTENSION | "arrow.timestamp_with_offset") => {
            matches!(data_type, DataType::Struct(_))
        }
        _ => true,
    };
    if fits {
        return field;
    }
    let mut metadata = field.metadata().clone();
    metadata.remove(EXTENSION_TYPE_NAME_KEY);
    metadata.remove(EXTENSION_TYPE_METADATA_KEY);
    field.with_metadata(metadata)
}

#[cfg(test)]
mod tests {
    use parquet::arrow::{ArrowSchemaConverter, parquet_to_arrow_schema};
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// The type of a column that is stored as `stored` and that the writer says was `said`.
    fn read(stored: DataType, said: DataType) -> DataType {
        let stored = Schema::new(vec![Field::new("c", stored, true)]);
        let parquet = ArrowSchemaConverter::new().convert(&stored).unwrap();
        let stored = parquet_to_arrow_schema(&parquet, None).unwrap();
        let said = Schema::new(vec![Field::new("c", said, true)]);
        let schema = of(&said, &stored, &parquet).unwrap();
        schema.field(0).data_type().clone()
    }

    fn timestamp(unit: TimeUnit, zone: Option<&str>) -> DataType {
        DataType::Timestamp(unit, zone.map(Into::into))
    }

    #[test]
    fn a_writers_schema_cannot_change_units_scales_and_zones() {
        let nanos = timestamp(TimeUnit::Nanosecond, None);
        assert_eq!(
            read(nanos.clone(), timestamp(TimeUnit::Second, None)),
            nanos
        );
        assert_eq!(
            read(nanos.clone(), timestamp(TimeUnit::Nanosecond, Some("UTC"))),
            nanos
        );
        let utc = timestamp(TimeUnit::Millisecond, Some("UTC"));
        let berlin = timestamp(TimeUnit::Millisecond, Some("Europe/Berlin"));
        assert_eq!(read(utc, berlin.clone()), berlin);
        let decimal = DataType::Decimal128(10, 2);
        assert_eq!(read(decimal.clone(), DataType::Decimal256(10, 4)), decimal);
        assert_eq!(
            read(decimal, DataType::Decimal64(10, 2)),
            DataType::Decimal64(10, 2)
        );
        let keys = Box::new(DataType::Int8);
        let dictionary = DataType::Dictionary(keys, Box::new(DataType::Binary));
        assert_eq!(read(DataType::Binary, dictionary), DataType::BinaryView);
    }

    fn of_message(message: &str) -> Schema {
        let parquet = SchemaDescriptor::new(Arc::new(parse_message_type(message).unwrap()));
        let stored = parquet_to_arrow_schema(&parquet, None).unwrap();
        of(&stored, &stored, &parquet).unwrap()
    }

    #[test]
    fn logical_types_are_told_apart_from_what_they_are_stored_as() {
        let schema = of_message(
            "message m {
                required int96 old;
                required binary kind (ENUM);
                required fixed_len_byte_array(16) id (UUID);
                required group a { required binary text (JSON); required binary doc (BSON); }
            }",
        );
        let types: Vec<&DataType> = schema
            .fields()
            .iter()
            .map(|field| field.data_type())
            .collect();
        assert_eq!(types[0], &timestamp(TimeUnit::Microsecond, None));
        assert_eq!(types[1], &DataType::Utf8View);
        assert_eq!(schema.field(2).extension_type_name(), Some(UUID_EXTENSION));
        let DataType::Struct(inner) = types[3] else {
            panic!("{types:?}")
        };
        assert_eq!(inner[0].extension_type_name(), Some(JSON_EXTENSION));
        assert_eq!(inner[1].data_type(), &DataType::BinaryView);
    }

    #[test]
    fn an_extension_of_another_type_is_left_out() {
        let labelled = |data_type: DataType, name: &str| {
            let field = with_extension(Field::new("c", data_type, true), name);
            let name = with_fitting_extension(field);
            name.extension_type_name().map(str::to_owned)
        };
        assert_eq!(labelled(DataType::Int64, UUID_EXTENSION), None);
        assert_eq!(labelled(DataType::FixedSizeBinary(8), UUID_EXTENSION), None);
        assert_eq!(labelled(DataType::Binary, "arrow.bool8"), None);
        assert_eq!(
            labelled(DataType::Int8, "arrow.bool8").as_deref(),
            Some("arrow.bool8")
        );
        let unknown = labelled(DataType::Binary, "geoarrow.wkb");
        assert_eq!(unknown.as_deref(), Some("geoarrow.wkb"));
    }
}

//! What each column of a schema becomes in a table, decided and checked before the first row.

pub(crate) mod rules;
pub mod spec;

use std::collections::HashSet;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use dynasink_core::{AttributeNames, KeyAttribute, KeyType, TableSchema, ValueKind};

use crate::encode::{Encoding, attribute_names};
use crate::error::{ColumnList, Error, Result};
use crate::shape::same_field;
use rules::ValuePath;
use spec::MappingSpec;

/// Which attribute each column becomes, for one schema and one table. Cheap to clone.
///
/// Keys of the table come first, then keys of its indexes, then the other columns in the order of the schema.
///
/// ```
/// use std::sync::Arc;
/// use arrow_schema::{DataType, Field, Schema};
/// use dynasink_arrow::Mapping;
/// use dynasink_core::{KeyType, TableSchema, ValueKind};
///
/// let schema = Arc::new(Schema::new(vec![
///     Field::new("name", DataType::Utf8, true),
///     Field::new("id", DataType::Int64, false),
/// ]));
/// let table = TableSchema::builder("users").partition_key("id", KeyType::S).build()?;
/// let mapping = Mapping::infer(&schema, &table)?;
///
/// let columns: Vec<_> = mapping.columns().iter().map(|column| (column.name(), column.kind())).collect();
/// assert_eq!(columns, [("id", ValueKind::S), ("name", ValueKind::S)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mapping(Arc<Inferred>);

#[derive(Debug)]
struct Inferred {
    table: TableSchema,
    schema: SchemaRef,
    names: AttributeNames,
    columns: Vec<ColumnMapping>,
}

/// One column and the attribute that it becomes.
#[derive(Clone, Debug)]
pub struct ColumnMapping {
    index: usize,
    field: FieldRef,
    encoding: Encoding,
    is_key: bool,
}

impl ColumnMapping {
    /// The name of the column and of the attribute.
    pub fn name(&self) -> &str {
        self.field.name()
    }

    /// The type of the column.
    pub fn data_type(&self) -> &DataType {
        self.field.data_type()
    }

    /// The type of the attribute, where the column is not null.
    pub fn kind(&self) -> ValueKind {
        self.encoding.kind()
    }

    /// Whether the attribute is a key of the table or of one of its indexes.
    pub fn is_key(&self) -> bool {
        self.is_key
    }

    /// Where the column stands in the schema.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn encoding(&self) -> &Encoding {
        &self.encoding
    }
}

/// A key that a column has to serve as.
struct KeyRole<'a> {
    attribute: &'a KeyAttribute,
    name: String,
}

impl Mapping {
    /// The default mapping of every column of `schema` to an attribute of its own name.
    ///
    /// A key column becomes what its key is: strings, numbers and binary as they are, integers and decimals also
    /// as strings and UUIDs also as binary. A column that a key could not tell apart afterwards is refused.
    /// A nullable key column is fine: its null rows are rejected one by one.
    ///
    /// # Errors
    ///
    /// [`Error::KeyColumnMissing`] and [`Error::KeyColumnType`] if the table's keys cannot be filled,
    /// [`Error::UnsupportedType`] for a type that has no form in DynamoDB, [`Error::DuplicateColumn`] and
    /// [`Error::ColumnName`] if the columns cannot name the attributes.
    pub fn infer(schema: &SchemaRef, table: &TableSchema) -> Result<Self> {
        let spec = MappingSpec::default();
        // A name is looked at before it stands in other errors.
        attribute_names(column_names(schema), str::to_owned)?;

        let mut columns = Vec::with_capacity(schema.fields().len());
        let mut mapped = HashSet::new();
        for (role, required) in key_roles(table) {
            let name = role.attribute.name();
            match schema.column_with_name(name) {
                Some((index, field)) => {
                    let encoding = key_encoding(table, &role, field)?;
                    if mapped.insert(index) {
                        columns.push(column(schema, index, encoding, true));
                    }
                }
                None if required => {
                    return Err(Error::KeyColumnMissing {
                        table: table.name().to_string(),
                        column: name.to_owned(),
                        role: if name == table.partition_key().name() {
                            PARTITION_KEY
                        } else {
                            SORT_KEY
                        },
                        available: ColumnList::for_name(name, column_names(schema)),
                    });
                }
                None => {}
            }
        }
        for (index, field) in schema.fields().iter().enumerate() {
            if mapped.insert(index) {
                let encoding = Encoding::new(&ValuePath::column(&spec, field.name()), field)?;
                columns.push(column(schema, index, encoding, false));
            }
        }
        let names = attribute_names(columns.iter().map(ColumnMapping::name), str::to_owned)?;
        Ok(Self(Arc::new(Inferred {
            table: table.clone(),
            schema: Arc::clone(schema),
            names,
            columns,
        })))
    }

    /// The type that a column has as a key by default; none if no key can have it.
    pub fn key_type(field: &Field) -> Option<KeyType> {
        let spec = MappingSpec::default();
        match Encoding::new(&ValuePath::column(&spec, field.name()), field)
            .ok()?
            .kind()
        {
            ValueKind::S => Some(KeyType::S),
            ValueKind::N => Some(KeyType::N),
            ValueKind::B => Some(KeyType::B),
            _ => None,
        }
    }

    /// The table.
    pub fn table(&self) -> &TableSchema {
        &self.0.table
    }

    /// The schema that batches must have.
    pub fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    /// The columns in the order of the attributes of an item.
    pub fn columns(&self) -> &[ColumnMapping] {
        &self.0.columns
    }

    pub(crate) fn names(&self) -> &AttributeNames {
        &self.0.names
    }

    /// The first column that `schema` does not have in its place, alike in all that an item shows.
    pub(crate) fn first_difference(&self, schema: &SchemaRef) -> Option<String> {
        if Arc::ptr_eq(&self.0.schema, schema) {
            return None;
        }
        let (expected, found) = (self.0.schema.fields(), schema.fields());
        let differs = expected.iter().zip(found).find(|(a, b)| !same_field(a, b));
        let missing = expected.iter().skip(found.len());
        let extra = found.iter().skip(expected.len());
        differs
            .map(|(expected, _)| expected)
            .or_else(|| missing.chain(extra).next())
            .map(|field| field.name().clone())
    }
}

const PARTITION_KEY: &str = "partition key";
const SORT_KEY: &str = "sort key";

/// The keys of the table, which must be there, and those of its indexes, which need not.
fn key_roles(table: &TableSchema) -> impl Iterator<Item = (KeyRole<'_>, bool)> {
    let of_table = table
        .keys()
        .zip([PARTITION_KEY, SORT_KEY])
        .map(|(attribute, name)| {
            let name = name.to_owned();
            (KeyRole { attribute, name }, true)
        });
    let of_indexes = table.indexes().iter().flat_map(|index| {
        index.keys().iter().map(|attribute| {
            let name = format!("key of index {:?}", index.name());
            (KeyRole { attribute, name }, false)
        })
    });
    of_table.chain(of_indexes)
}

fn key_encoding(table: &TableSchema, role: &KeyRole<'_>, field: &Field) -> Result<Encoding> {
    let spec = MappingSpec::default();
    let encoding = Encoding::new(&ValuePath::column(&spec, field.name()), field)?;
    let expected = role.attribute.key_type();
    encoding.for_key(field, expected).ok_or_else(|| Error::KeyColumnType {
        table: table.name().to_string(),
        column: field.name().clone(),
        data_type: field.data_type().clone(),
        role: role.name.clone(),
        expected,
        advice: match Mapping::key_type(field) {
            Some(key_type) => format!(
                "cast the column, or use a table whose key is a {key_type}"
            ),
            None => "no key can have this type: choose a column of strings, numbers or binary, or cast it".to_owned(),
        },
    })
}

fn column(schema: &Schema, index: usize, encoding: Encoding, is_key: bool) -> ColumnMapping {
    ColumnMapping {
        index,
        field: Arc::clone(&schema.fields()[index]),
        encoding,
        is_key,
    }
}

fn column_names(schema: &Schema) -> impl Iterator<Item = &str> {
    schema.fields().iter().map(|field| field.name().as_str())
}

#[cfg(test)]
mod tests;

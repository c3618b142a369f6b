//! What each column of a schema becomes in a table, decided and checked before the first row.

mod address;
mod align;
pub(crate) mod attribute;
mod candidate;
mod constant;
mod error;
mod file;
mod fingerprint;
mod key_columns;
mod keys;
mod made;
mod near;
mod outline;
mod plan;
pub(crate) mod row;
pub(crate) mod rules;
mod selection;
pub mod spec;
mod warning;

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, SchemaRef};
use dynasink_core::{AttributeNames, KeyType, TableSchema, ValueKind};

use self::align::{Alignment, Misfit};
use self::attribute::Source;
use self::plan::Plan;
use self::row::RowSource;
use self::rules::ValuePath;
use self::spec::MappingSpec;
use crate::encode::{Encoding, attribute_names};
use crate::error::Result;

pub use self::error::{FilePlace, KeyPath, MappingError, MappingProblem};
pub use self::file::MappingFile;
pub use self::near::Near;
pub use self::warning::MappingWarning;

/// Which attribute each column becomes, for one schema and one table. Cheap to clone.
///
/// Keys of the table come first, then keys of its indexes, then the other columns in the order of the schema, then
/// attributes that are made.
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
/// let attributes = mapping.attributes().iter().map(|attribute| (attribute.name(), attribute.kind()));
/// assert_eq!(attributes.collect::<Vec<_>>(), [("id", ValueKind::S), ("name", ValueKind::S)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mapping(Arc<Planned>);

#[derive(Debug)]
struct Planned {
    table: TableSchema,
    schema: SchemaRef,
    names: AttributeNames,
    attributes: Vec<AttributeMapping>,
    row: RowSource,
    /// What it was made by, each column under its canonical address.
    spec: MappingSpec,
    warnings: Vec<MappingWarning>,
    /// What is known of other schemas that batches came with, the latest last.
    alignments: Mutex<Vec<Arc<Alignment>>>,
}

/// For how many schemas of batches it is remembered where their columns are.
const ALIGNMENTS: usize = 64;

/// One attribute and what becomes it.
#[derive(Clone, Debug)]
pub struct AttributeMapping {
    name: String,
    column: Option<String>,
    data_type: Option<DataType>,
    is_key: bool,
    source: Source,
}

impl AttributeMapping {
    /// The name of the attribute.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The column that becomes it, with the fields in it after dots; none if it is made of others, or of none.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// The type of that column.
    pub fn data_type(&self) -> Option<&DataType> {
        self.data_type.as_ref()
    }

    /// The type of the attribute, where it is not omitted or NULL.
    pub fn kind(&self) -> ValueKind {
        self.source.kind()
    }

    /// Whether the attribute is a key of the table or of one of its indexes.
    pub fn is_key(&self) -> bool {
        self.is_key
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }
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
    /// [`Error::KeyColumnMissing`](crate::Error::KeyColumnMissing) and
    /// [`Error::KeyColumnType`](crate::Error::KeyColumnType) if the table's keys cannot be filled,
    /// [`Error::UnsupportedType`](crate::Error::UnsupportedType) for a type that has no form in DynamoDB,
    /// [`Error::DuplicateColumn`](crate::Error::DuplicateColumn) and [`Error::ColumnName`](crate::Error::ColumnName)
    /// if the columns cannot name the attributes.
    pub fn infer(schema: &SchemaRef, table: &TableSchema) -> Result<Self> {
        Self::new(&MappingSpec::default(), schema, table)
    }

    /// The mapping of `schema` to attributes of `table` by what `spec` says; where it says nothing, as
    /// [`infer`](Self::infer) has it.
    ///
    /// # Errors
    ///
    /// Those of `infer`, and [`Error::Mapping`](crate::Error::Mapping) for what `spec` says and the schema or the
    /// table does not bear out.
    pub fn new(spec: &MappingSpec, schema: &SchemaRef, table: &TableSchema) -> Result<Self> {
        let plan = Plan::new(spec, schema)?;
        let attributes = plan.attributes(table)?;
        let names = attribute_names(attributes.iter().map(AttributeMapping::name), str::to_owned)?;
        Ok(Self(Arc::new(Planned {
            table: table.clone(),
            schema: Arc::clone(schema),
            names,
            warnings: warning::warnings(schema, table, &attributes),
            attributes,
            row: RowSource::new(&plan)?,
            spec: plan.spec,
            alignments: Mutex::default(),
        })))
    }

    /// The type that a column has as a key by default; none if no key can have it.
    pub fn key_type(field: &Field) -> Option<KeyType> {
        let spec = MappingSpec::default();
        let path = ValuePath::column(&spec, field.name());
        keys::key_type_of(Encoding::new(&path, field).ok()?.kind())
    }

    /// The type that a key named `attribute` has by what becomes it in a table that is still to be created; none if
    /// nothing does, or if no key can have it.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new) for what has nothing to do with a table.
    pub fn key_type_of(
        spec: &MappingSpec,
        schema: &SchemaRef,
        attribute: &str,
    ) -> Result<Option<KeyType>> {
        Plan::new(spec, schema)?.key_type(attribute)
    }

    /// The table.
    pub fn table(&self) -> &TableSchema {
        &self.0.table
    }

    /// Whether each row has a version, of which the greatest of a key is to be kept.
    pub fn has_versions(&self) -> bool {
        self.0.row.has_versions()
    }

    /// The schema that it was made for. A batch may lack columns of it, have them in another order, or in another
    /// type that becomes the same attribute.
    pub fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    /// The attributes in the order of an item.
    pub fn attributes(&self) -> &[AttributeMapping] {
        &self.0.attributes
    }

    /// What should be known of it before the first row is written.
    pub fn warnings(&self) -> &[MappingWarning] {
        &self.0.warnings
    }

    pub(crate) fn row(&self) -> &RowSource {
        &self.0.row
    }

    /// How many attributes are keys of the table: they come first.
    pub(crate) fn table_keys(&self) -> usize {
        self.0.table.keys().count()
    }

    pub(crate) fn names(&self) -> &AttributeNames {
        &self.0.names
    }

    /// `batch` with the columns of the mapping's schema in their order, or the name of a column that does not fit.
    pub(crate) fn align(&self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        if Arc::ptr_eq(&self.0.schema, batch.schema_ref()) {
            return Ok(batch.clone());
        }
        let alignment = self
            .alignment(batch.schema_ref())
            .map_err(|Misfit(column)| column)?;
        alignment.align(batch).map_err(|error| error.to_string())
    }

    fn alignment(&self, schema: &SchemaRef) -> Result<Arc<Alignment>, Misfit> {
        let mut known = self
            .0
            .alignments
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(alignment) = known.iter().find(|known| known.is_of(schema)) {
            return Ok(Arc::clone(alignment));
        }
        let alignment = Arc::new(Alignment::new(&self.0.schema, schema, |column| {
            self.is_of_table_key(column)
        })?);
        if known.len() == ALIGNMENTS {
            known.remove(0);
        }
        known.push(Arc::clone(&alignment));
        Ok(alignment)
    }

    /// The columns that keys of the table are made of, so that no row can do without them.
    pub fn needed_columns(&self) -> impl Iterator<Item = &str> {
        let columns = self.schema().fields().iter().enumerate();
        columns
            .filter(|(column, _)| self.is_of_table_key(*column))
            .map(|(_, field)| field.name().as_str())
    }

    /// Whether a key of the table is made of the column, so that no row can do without it.
    fn is_of_table_key(&self, column: usize) -> bool {
        self.0
            .attributes
            .iter()
            .take(self.table_keys())
            .any(|key| key.source.needs(column))
    }
}

#[cfg(test)]
mod tests;

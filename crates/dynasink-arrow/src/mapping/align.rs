//! Batches of another schema than the mapping's, as the mapping's columns in its order.
//!
//! Only the shape is made alike: which columns and which fields of structs there are, and in which order. Values stay
//! as they are, of whatever type they have, since an encoding takes every type that becomes its attribute.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, GenericListArray, GenericListViewArray, MapArray,
    OffsetSizeTrait, RecordBatch, RecordBatchOptions, StructArray, new_null_array,
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};

use crate::shape::{element_of, fits, is_variant};

/// Where the columns of a mapping are in batches of one other schema.
#[derive(Debug)]
pub(super) struct Alignment {
    /// The schema of the batches.
    from: SchemaRef,
    /// The schema of the batches that are made of them.
    to: SchemaRef,
    /// For each column of the mapping, where it is in the batches and as what.
    columns: Vec<Option<(usize, FieldRef)>>,
}

/// A column that is not what the mapping was made for.
#[derive(Debug)]
pub(super) struct Misfit(pub(super) String);

impl Alignment {
    /// `required` tells whether a column of `mapping` must be there.
    pub(super) fn new(
        mapping: &Schema,
        from: &SchemaRef,
        required: impl Fn(usize) -> bool,
    ) -> Result<Self, Misfit> {
        let mut left: Vec<Option<&FieldRef>> = from.fields().iter().map(Some).collect();
        let mut columns = Vec::with_capacity(mapping.fields().len());
        for (index, field) in mapping.fields().iter().enumerate() {
            let misfit = || Misfit(field.name().clone());
            // Columns of one name are told apart by their order.
            let at = left
                .iter()
                .position(|found| found.is_some_and(|found| found.name() == field.name()));
            let Some((at, found)) = at.and_then(|at| Some((at, left[at].take()?))) else {
                if required(index) {
                    return Err(misfit());
                }
                columns.push(None);
                continue;
            };
            if !fits(field, found) {
                return Err(misfit());
            }
            columns.push(Some((at, Arc::new(aligned_field(found, field)))));
        }
        if let Some(extra) = left.into_iter().flatten().next() {
            return Err(Misfit(extra.name().clone()));
        }
        let fields: Fields = columns
            .iter()
            .zip(mapping.fields())
            .map(|(column, field)| match column {
                Some((_, found)) => found.as_ref().clone().with_nullable(true),
                None => field.as_ref().clone().with_nullable(true),
            })
            .collect();
        Ok(Self {
            from: Arc::clone(from),
            to: Arc::new(Schema::new(fields)),
            columns,
        })
    }

    /// Whether it is for batches of `schema`.
    pub(super) fn is_of(&self, schema: &SchemaRef) -> bool {
        Arc::ptr_eq(&self.from, schema)
    }

    /// The columns of the mapping in `batch`; one that it does not have is null in all rows.
    pub(super) fn align(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let rows = batch.num_rows();
        let arrays = self
            .columns
            .iter()
            .zip(self.to.fields())
            .map(|(column, field)| match column {
                Some((at, field)) => aligned(batch.column(*at), field),
                None => Ok(new_null_array(field.data_type(), rows)),
            })
            .collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.to), arrays, &options)
    }
}

/// `found` with the fields that the structs of `mapping` have.
fn aligned_field(found: &Field, mapping: &Field) -> Field {
    if is_variant(found) {
        // Its columns hold its parts, so that one that the mapping's has not is no field to be left out.
        return found.clone();
    }
    let data_type = aligned_type(found.data_type(), mapping.data_type());
    found.clone().with_data_type(data_type)
}

fn aligned_type(found: &DataType, mapping: &DataType) -> DataType {
    use DataType as D;
    let element = |found: &Field, mapping: &DataType| {
        let mapping = element_of(mapping);
        Arc::new(mapping.map_or_else(|| found.clone(), |mapping| aligned_field(found, mapping)))
    };
    match found {
        D::Null => mapping.clone(),
        D::Struct(fields) => match mapping {
            D::Struct(wanted) => D::Struct(
                wanted
                    .iter()
                    .map(|wanted| {
                        let found = fields.iter().find(|field| field.name() == wanted.name());
                        match found {
                            Some(found) => aligned_field(found, wanted),
                            None => wanted.as_ref().clone(),
                        }
                        .with_nullable(true)
                    })
                    .collect(),
            ),
            _ => found.clone(),
        },
        D::List(field) => D::List(element(field, mapping)),
        D::LargeList(field) => D::LargeList(element(field, mapping)),
        D::ListView(field) => D::ListView(element(field, mapping)),
        D::LargeListView(field) => D::LargeListView(element(field, mapping)),
        D::FixedSizeList(field, len) => D::FixedSizeList(element(field, mapping), *len),
        D::Map(entries, sorted) => match (entries.data_type(), mapping) {
            (D::Struct(entry), D::Map(wanted, _)) => {
                let entry: Fields = match (entry.as_ref(), wanted.data_type()) {
                    ([key, value], D::Struct(wanted)) if wanted.len() == 2 => {
                        [Arc::clone(key), Arc::new(aligned_field(value, &wanted[1]))].into()
                    }
                    _ => entry.clone(),
                };
                let entries = entries.as_ref().clone().with_data_type(D::Struct(entry));
                D::Map(Arc::new(entries), *sorted)
            }
            _ => found.clone(),
        },
        _ => found.clone(),
    }
}

/// `array` as `field`, which [`aligned_field`] gave for it.
fn aligned(array: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == field.data_type() {
        return Ok(Arc::clone(array));
    }
    if array.data_type() == &DataType::Null {
        return Ok(new_null_array(field.data_type(), array.len()));
    }
    match field.data_type() {
        DataType::Struct(fields) => {
            let array = array.as_struct();
            let arrays = fields
                .iter()
                .map(|field| match array.column_by_name(field.name()) {
                    Some(array) => aligned(array, field),
                    None => Ok(new_null_array(field.data_type(), array.len())),
                })
                .collect::<Result<_, _>>()?;
            let nulls = array.nulls().cloned();
            let array =
                StructArray::try_new_with_length(fields.clone(), arrays, nulls, array.len());
            Ok(Arc::new(array?))
        }
        DataType::List(field) => list(array.as_list::<i32>(), field),
        DataType::LargeList(field) => list(array.as_list::<i64>(), field),
        DataType::ListView(field) => list_view(array.as_list_view::<i32>(), field),
        DataType::LargeListView(field) => list_view(array.as_list_view::<i64>(), field),
        DataType::FixedSizeList(field, len) => {
            let array = array.as_fixed_size_list();
            let values = aligned(array.values(), field)?;
            let field = Arc::clone(field);
            let nulls = array.nulls().cloned();
            Ok(Arc::new(FixedSizeListArray::try_new(
                field, *len, values, nulls,
            )?))
        }
        DataType::Map(entries_field, sorted) => {
            let array = array.as_map();
            let entries: ArrayRef = Arc::new(array.entries().clone());
            // The names of the entries are those of the batch, so only the values' fields differ.
            let entries = aligned(&entries, entries_field)?;
            let (_, offsets, _, nulls, _) = array.clone().into_parts();
            let entries = entries.as_struct().clone();
            let field = Arc::clone(entries_field);
            Ok(Arc::new(MapArray::try_new(
                field, offsets, entries, nulls, *sorted,
            )?))
        }
        _ => Ok(Arc::clone(array)),
    }
}

fn list<O: OffsetSizeTrait>(
    array: &GenericListArray<O>,
    field: &FieldRef,
) -> Result<ArrayRef, ArrowError> {
    let (_, offsets, values, nulls) = array.clone().into_parts();
    let values = aligned(&values, field)?;
    let array = GenericListArray::try_new(Arc::clone(field), offsets, values, nulls)?;
    Ok(Arc::new(array))
}

fn list_view<O: OffsetSizeTrait>(
    array: &GenericListViewArray<O>,
    field: &FieldRef,
) -> Result<ArrayRef, ArrowError> {
    let (_, offsets, sizes, values, nulls) = array.clone().into_parts();
    let values = aligned(&values, field)?;
    let array = GenericListViewArray::try_new(Arc::clone(field), offsets, sizes, values, nulls)?;
    Ok(Arc::new(array))
}

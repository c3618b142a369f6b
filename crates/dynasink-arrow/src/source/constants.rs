//! Columns that have one value in all rows of a file, such as those that its folders give it.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_schema::{ArrowError, FieldRef, Fields, Schema, SchemaRef};
use arrow_select::take::take;

use super::location::Located;

/// The columns of one file, which are appended to each of its batches.
#[derive(Clone, Debug, Default)]
pub(super) struct Constants {
    columns: Vec<(FieldRef, ArrayRef)>,
    /// The columns as long as the longest batch so far, of which shorter ones take a part.
    repeated: Vec<ArrayRef>,
    rows: usize,
    /// The schema of the last batch with these columns behind it.
    schema: Option<(SchemaRef, SchemaRef)>,
}

impl Constants {
    /// Those columns of `schema` that the folders of `file` give it, where `all` are the columns that folders give.
    pub(super) fn of_folders(file: &Located, all: &Fields, schema: &Schema) -> Self {
        let columns = all.iter().zip(file.partition_values());
        let read = columns.filter(|(field, _)| schema.column_with_name(field.name()).is_some());
        Self {
            columns: read
                .map(|(field, value)| (Arc::clone(field), Arc::clone(value)))
                .collect(),
            ..Self::default()
        }
    }

    /// The columns as one row, if there are some.
    pub(super) fn row(&self) -> Option<RecordBatch> {
        let (fields, values): (Vec<FieldRef>, Vec<ArrayRef>) = self.columns.iter().cloned().unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), values).ok()
    }

    /// The one value of a column.
    pub(super) fn value(&self, column: &str) -> Option<&ArrayRef> {
        let mut columns = self.columns.iter();
        columns.find_map(|(field, value)| (field.name() == column).then_some(value))
    }

    /// `batch` with these columns behind its own.
    pub(super) fn append(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.columns.is_empty() {
            return Ok(batch.clone());
        }
        let rows = batch.num_rows();
        if rows > self.rows || self.repeated.is_empty() {
            let zeros = UInt32Array::from(vec![0; rows]);
            let repeated = self
                .columns
                .iter()
                .map(|(_, value)| take(value, &zeros, None));
            self.repeated = repeated.collect::<Result<_, _>>()?;
            self.rows = rows;
        }
        let schema = self.schema_behind(batch.schema_ref());
        let own = batch.columns().iter().cloned();
        let columns = own.chain(self.repeated.iter().map(|column| column.slice(0, rows)));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema, columns.collect(), &options)
    }

    fn schema_behind(&mut self, own: &SchemaRef) -> SchemaRef {
        match &self.schema {
            Some((before, schema)) if Arc::ptr_eq(before, own) => Arc::clone(schema),
            _ => {
                let added = self.columns.iter().map(|(field, _)| field);
                let fields: Fields = own.fields().iter().chain(added).cloned().collect();
                let schema = Arc::new(Schema::new(fields));
                self.schema = Some((Arc::clone(own), Arc::clone(&schema)));
                schema
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::{Int64Array, StringViewArray};
    use arrow_schema::{DataType, Field};

    use super::*;

    #[test]
    fn every_row_of_every_batch_has_the_value() {
        let value: ArrayRef = Arc::new(StringViewArray::from(vec![Some("eu")]));
        let null: ArrayRef = Arc::new(Int64Array::from(vec![None]));
        let mut constants = Constants {
            columns: vec![
                (
                    Arc::new(Field::new("region", DataType::Utf8View, true)),
                    value,
                ),
                (Arc::new(Field::new("year", DataType::Int64, true)), null),
            ],
            ..Constants::default()
        };
        for rows in [3, 5, 0, 2] {
            let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7; rows]));
            let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
            let appended = constants.append(&batch).unwrap();
            assert_eq!(appended.num_rows(), rows);
            let names: Vec<_> = appended
                .schema_ref()
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect();
            assert_eq!(names, ["n", "region", "year"]);
            assert!(
                appended
                    .column(1)
                    .as_string_view()
                    .iter()
                    .all(|region| region == Some("eu"))
            );
            assert_eq!(appended.column(2).null_count(), rows);
        }
        // A batch without columns of its own has rows all the same.
        let none = RecordBatchOptions::new().with_row_count(Some(4));
        let none =
            RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &none).unwrap();
        assert_eq!(constants.append(&none).unwrap().num_rows(), 4);
    }
}

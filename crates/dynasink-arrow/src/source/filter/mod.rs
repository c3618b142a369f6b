//! Which rows are loaded: a condition in the words of SQL, asked of statistics first and of rows then.

mod bind;
mod bounds;
mod evaluate;
mod exact;
mod instant;
mod literal;
mod pages;
mod parse;
mod predicate;
mod prune;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_arith::boolean::and_not;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::{ArrowError, Schema};
use arrow_select::filter::FilterBuilder;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection};

use crate::error::Result;
use bind::{Bound, Schemas};
use bounds::FileStatistics;
pub(crate) use pages::row_numbers;
pub use predicate::FilterPlace;
use predicate::Predicate;

/// Which rows of a source are loaded, as SQL's `WHERE` says it.
///
/// Columns are compared with literals by `=`, `<>`, `<`, `<=`, `>`, `>=`, `IN`, `BETWEEN`, `LIKE` and `IS NULL`,
/// joined by `AND`, `OR` and `NOT`. A column of booleans is a condition by itself, and `a.b` is the field `b` of
/// the struct `a`. Names are those of the file, upper and lower case as they are there; those with dots, spaces
/// or words of SQL are written in double quotes.
///
/// A literal has the type of its column and exactly one of its values: `1.5` cannot be compared with integers, nor
/// `'2024-01-31T08:15:00.0005'` with milliseconds. Dates and times are written as text, UUIDs too, other bytes as
/// `X'00ff'`, durations as seconds. A row is kept if the condition is true of it, and not if it is false or, since
/// something is null, unknown. A float that is NaN is neither equal to, nor below, nor above any number.
///
/// Row groups and pages in which no row can be kept by what their statistics say are not read.
///
/// ```
/// use dynasink_arrow::Filter;
///
/// let filter = Filter::parse("total >= 5 AND day = '2024-01-31' OR name IS NULL")?;
/// assert!(filter.columns().eq(["day", "name", "total"]));
/// # Ok::<(), dynasink_arrow::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: Arc<str>,
    predicate: Arc<Predicate>,
}

impl Filter {
    /// Understands the text of a filter. Whether its columns are there shows when files are opened.
    ///
    /// # Errors
    ///
    /// [`Error::Filter`](crate::Error::Filter) with the place in the text of what cannot be understood.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self {
            text: text.into(),
            predicate: Arc::new(parse::parse(text)?),
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The top-level columns that it needs, each once, in alphabetical order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let mut columns = BTreeSet::new();
        self.predicate
            .for_each_column(&mut |column| _ = columns.insert(column.root()));
        columns.into_iter()
    }

    /// The filter for the rows of a file with the schema `own`; `united` is that of all files together, with
    /// columns that the file may lack and types that may be wider.
    pub(crate) fn bind(&self, own: &Schema, united: &Schema) -> Result<BoundFilter> {
        let schemas = Schemas { own, united };
        Ok(BoundFilter(Arc::new(schemas.bind(&self.predicate)?)))
    }
}

/// A filter for the rows of one file. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct BoundFilter(Arc<Bound>);

/// The rows of a batch that a filter has kept.
#[derive(Debug)]
pub(crate) struct KeptRows {
    pub(crate) batch: RecordBatch,
    /// The number that each row of `batch` was given with.
    pub(crate) rows: Arc<[u64]>,
}

impl BoundFilter {
    /// Whether each row is kept, without nulls.
    pub(crate) fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let result = self.0.evaluate(batch)?;
        match result.nulls() {
            None => Ok(result),
            Some(nulls) => {
                let unknown = BooleanArray::new(!nulls.inner(), None);
                let known = BooleanArray::new(result.values().clone(), None);
                and_not(&known, &unknown)
            }
        }
    }

    /// The rows of `batch` that are kept, with their numbers, of which `numbers` has one for each row.
    pub(crate) fn keep(
        &self,
        batch: &RecordBatch,
        numbers: &mut impl Iterator<Item = u64>,
    ) -> Result<KeptRows, ArrowError> {
        let kept = self.evaluate(batch)?;
        let rows = kept
            .values()
            .iter()
            .zip(numbers.by_ref().take(batch.num_rows()))
            .filter_map(|(kept, number)| kept.then_some(number))
            .collect();
        let kept = FilterBuilder::new(&kept).optimize().build();
        Ok(KeptRows {
            batch: kept.filter_record_batch(batch)?,
            rows,
        })
    }

    /// Whether each row group of a file may have a row that is kept, by what the footer says.
    ///
    /// `constants` is one row of columns that have one value in the whole file, such as those of a Hive path.
    pub(crate) fn may_match_row_groups(
        &self,
        metadata: &ArrowReaderMetadata,
        constants: Option<&RecordBatch>,
    ) -> Vec<bool> {
        let statistics = FileStatistics::new(metadata, constants);
        self.0.possible(&statistics.row_groups()).yes
    }

    /// The rows of a row group in whose pages a row may be that is kept; none if that is all of them, or if the
    /// file has no page index or it was not loaded.
    pub(crate) fn row_selection(
        &self,
        metadata: &ArrowReaderMetadata,
        row_group: usize,
        constants: Option<&RecordBatch>,
    ) -> Option<RowSelection> {
        let statistics = FileStatistics::new(metadata, constants);
        let pages = statistics.pages(&self.0, row_group)?;
        pages.selection(&self.0.possible(&pages).yes)
    }
}

//! The page index of a row group: which of its pages have to be read.
//!
//! Pages of different columns hold different rows. The rows of a row group are cut wherever a page of any column
//! that the filter needs starts, so that each portion lies within one page of each of them.

use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_select::take::take;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;

use super::bind::{Bound, BoundColumn};
use super::bounds::{FileStatistics, Leaf, in_type};
use super::prune::{Bounds, Nulls, Portions};

/// The portions of a row group.
pub(super) struct Pages<'a> {
    file: &'a FileStatistics<'a>,
    row_group: usize,
    /// The first row of each portion, from zero on, and behind the last one the number of all rows.
    starts: Vec<u64>,
}

impl<'a> FileStatistics<'a> {
    /// The portions of a row group that `filter` tells apart, if there is a page index.
    pub(super) fn pages(&'a self, filter: &Bound, row_group: usize) -> Option<Pages<'a>> {
        let rows = u64::try_from(self.metadata.row_groups().get(row_group)?.num_rows()).ok()?;
        let mut starts = vec![0, rows];
        filter.for_each_column(&mut |column| {
            let leaf = self.leaf(column);
            if let Some(pages) = leaf.and_then(|leaf| self.page_starts(&leaf, row_group)) {
                starts.extend(pages);
            }
        });
        starts.sort_unstable();
        starts.dedup();
        (starts.len() > 2).then_some(Pages {
            file: self,
            row_group,
            starts,
        })
    }

    /// The first row of each page, if the index says so and makes sense.
    fn page_starts(&self, leaf: &Leaf, row_group: usize) -> Option<Vec<u64>> {
        let rows = u64::try_from(self.metadata.row_groups().get(row_group)?.num_rows()).ok()?;
        let (_, offsets) = self.page_index(leaf, row_group)?;
        let starts: Option<Vec<u64>> = offsets
            .page_locations()
            .iter()
            .map(|page| {
                u64::try_from(page.first_row_index)
                    .ok()
                    .filter(|&row| row < rows)
            })
            .collect();
        starts.filter(|starts| starts.first() == Some(&0) && starts.is_sorted_by(|a, b| a < b))
    }

    /// The index of the pages of a column, if there is one for each page and its bounds are in order.
    fn page_index(
        &self,
        leaf: &Leaf,
        row_group: usize,
    ) -> Option<(&ColumnIndexMetaData, &OffsetIndexMetaData)> {
        let columns = self
            .metadata
            .column_index()?
            .get(row_group)?
            .get(leaf.index)?;
        let offsets = self
            .metadata
            .offset_index()?
            .get(row_group)?
            .get(leaf.index)?;
        let pages = u64::try_from(offsets.page_locations().len()).ok()?;
        let is_whole =
            !matches!(columns, ColumnIndexMetaData::NONE) && columns.num_pages() == pages;
        (is_whole && self.is_ordered(leaf) && self.has_whole_bounds(leaf, columns))
            .then_some((columns, offsets))
    }

    fn has_whole_bounds(&self, leaf: &Leaf, columns: &ColumnIndexMetaData) -> bool {
        match columns {
            ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(index) => {
                let len = usize::try_from(self.descriptor(leaf).type_length()).ok();
                index
                    .min_values_iter()
                    .chain(index.max_values_iter())
                    .flatten()
                    .all(|bound| Some(bound.len()) == len)
            }
            _ => true,
        }
    }
}

impl Bound {
    fn for_each_column<'a>(&'a self, visit: &mut impl FnMut(&'a BoundColumn)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.for_each_column(visit);
                }
            }
            Self::Not(part) => part.for_each_column(visit),
            Self::Compare(column, ..) | Self::Like(column, _) | Self::IsNull(column) => {
                visit(column);
            }
            Self::Unknown => {}
        }
    }
}

impl Pages<'_> {
    /// The rows of the portions that are `wanted`; none if all are.
    pub(super) fn selection(&self, wanted: &[bool]) -> Option<RowSelection> {
        if wanted.iter().all(|wanted| *wanted) {
            return None;
        }
        let selectors: Option<Vec<RowSelector>> = self
            .starts
            .windows(2)
            .zip(wanted)
            .map(|(portion, wanted)| {
                let rows = usize::try_from(portion[1] - portion[0]).ok()?;
                Some(if *wanted {
                    RowSelector::select(rows)
                } else {
                    RowSelector::skip(rows)
                })
            })
            .collect();
        Some(selectors?.into())
    }
}

impl Portions for Pages<'_> {
    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    fn bounds(&self, column: &BoundColumn) -> Option<Bounds> {
        if let Some(bounds) = self.file.beside_the_file(column, self.count()) {
            return Some(bounds);
        }
        let leaf = self.file.leaf(column)?;
        let page_starts = self.file.page_starts(&leaf, self.row_group)?;
        let (columns, _) = self.file.page_index(&leaf, self.row_group)?;
        let parquet = self.file.metadata.file_metadata().schema_descr();
        let converter =
            StatisticsConverter::from_column_index(leaf.index, &leaf.stored, parquet).ok()?;
        let column_index = self.file.metadata.column_index()?;
        let offset_index = self.file.metadata.offset_index()?;
        let row_group = [self.row_group];
        let mins = converter
            .data_page_mins(column_index, offset_index, &row_group)
            .ok()?;
        let maxes = converter
            .data_page_maxes(column_index, offset_index, &row_group)
            .ok()?;
        if mins.len() != page_starts.len() || maxes.len() != page_starts.len() {
            return None;
        }

        // For each portion the page that it lies in: the last one that starts before its end.
        let page_of =
            |portion: &[u64]| page_starts.partition_point(|&start| start <= portion[0]) - 1;
        let pages: Vec<usize> = self.starts.windows(2).map(page_of).collect();
        let indices: UInt32Array = pages.iter().map(|&page| u32::try_from(page).ok()).collect();
        let of = |bounds: &ArrayRef| {
            take(bounds, &indices, None)
                .ok()
                .and_then(|bounds| in_type(&bounds, &column.compared_as))
        };
        let rows = self.starts.last().copied().unwrap_or(0);
        let rows_of =
            |page: usize| page_starts.get(page + 1).copied().unwrap_or(rows) - page_starts[page];
        let nulls = pages.iter().map(|&page| {
            let count = columns
                .null_count(page)
                .and_then(|count| u64::try_from(count).ok());
            Nulls::of(count, rows_of(page))
        });
        Some(Bounds {
            min: of(&mins)?,
            max: of(&maxes)?,
            nulls: nulls.collect(),
        })
    }
}

/// The numbers of the rows that are selected, from zero.
pub(crate) fn row_numbers(selection: &RowSelection) -> impl Iterator<Item = u64> + use<> {
    let selectors: Vec<RowSelector> = selection.iter().copied().collect();
    let mut start = 0_u64;
    selectors.into_iter().flat_map(move |selector| {
        let first = start;
        start += u64::try_from(selector.row_count).unwrap_or(0);
        if selector.skip {
            start..start
        } else {
            first..start
        }
    })
}

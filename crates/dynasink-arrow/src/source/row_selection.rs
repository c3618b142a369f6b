//! Which rows of a source are read, where it is not all of them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::SourceFile;

/// Rows of a source by their places: file, row group, and row in the row group.
///
/// A stream with one ([`StreamOptions::with_rows`](crate::StreamOptions::with_rows)) reads these rows and keeps their
/// positions. Row groups of which no row is selected are not read, nor are pages, where a file has a page index, and
/// record batches of Arrow IPC, which stand in the place of row groups.
///
/// ```
/// use dynasink_arrow::RowSelection;
///
/// // All that comes after the first hundred rows of the first row group.
/// let rest = RowSelection::everything().with_rows("a.parquet", 0, [100..u64::MAX]);
/// // Three rows.
/// let few = RowSelection::nothing().with_rows("a.parquet", 7, [3..5, 90..91]);
/// assert_ne!(rest, few);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RowSelection {
    files: BTreeMap<String, FileRows>,
    other_files: bool,
}

/// What is selected of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileRows {
    row_groups: BTreeMap<u32, RowRanges>,
    other_row_groups: bool,
}

/// Rows of a row group: ranges in order that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RowRanges(Vec<Range<u64>>);

impl RowSelection {
    /// Every row. Of a row group that [`with_rows`](Self::with_rows) names, only those that it names.
    pub fn everything() -> Self {
        Self::with_others(true)
    }

    /// No row but those that [`with_rows`](Self::with_rows) names.
    pub fn nothing() -> Self {
        Self::with_others(false)
    }

    fn with_others(other_files: bool) -> Self {
        Self {
            files: BTreeMap::new(),
            other_files,
        }
    }

    /// Selects these rows of a row group, besides those of it that were named before, and no other. Without any, none
    /// of the row group.
    pub fn with_rows(
        mut self,
        file: &str,
        row_group: u32,
        rows: impl IntoIterator<Item = Range<u64>>,
    ) -> Self {
        let ranges = self.file(file).row_groups.entry(row_group).or_default();
        rows.into_iter().for_each(|rows| ranges.add(rows));
        self
    }

    /// Selects whole row groups of a file.
    pub fn with_row_groups(self, file: &str, row_groups: Range<u32>) -> Self {
        row_groups.fold(self, |selection, row_group| {
            selection.with_rows(file, row_group, [0..u64::MAX])
        })
    }

    /// Selects none of the rows of a file but those that were named and will be.
    pub fn without_file(mut self, file: &str) -> Self {
        self.file(file).other_row_groups = false;
        self
    }

    fn file(&mut self, file: &str) -> &mut FileRows {
        let other_row_groups = self.other_files;
        self.files
            .entry(file.to_owned())
            .or_insert_with(|| FileRows {
                row_groups: BTreeMap::new(),
                other_row_groups,
            })
    }

    /// What is selected of the `rows` rows of a row group; none if it is all of them.
    pub(super) fn of_row_group(
        &self,
        file: &str,
        row_group: usize,
        rows: u64,
    ) -> Option<Vec<Range<u64>>> {
        let nothing = |others: bool| (!others).then(Vec::new);
        let Some(of_file) = self.files.get(file) else {
            return nothing(self.other_files);
        };
        let row_group = u32::try_from(row_group).ok();
        match row_group.and_then(|row_group| of_file.row_groups.get(&row_group)) {
            None => nothing(of_file.other_row_groups),
            Some(ranges) => Some(ranges.within(rows)).filter(|ranges| *ranges != [0..rows]),
        }
    }

    /// Whether a file may have rows that are selected, as far as is known without its footer.
    pub(super) fn has_some_of(&self, file: &SourceFile) -> bool {
        let Some(rows) = self.files.get(file.name()) else {
            return self.other_files;
        };
        let has_others = rows.row_groups.len() < file.row_groups();
        let mut named = rows.row_groups.values();
        rows.other_row_groups && has_others || named.any(|ranges| !ranges.0.is_empty())
    }

    /// Whether a part of a source that could not be opened is asked for.
    pub(super) fn has_unopened(&self, file: &str) -> bool {
        let rows = self.files.get(file);
        rows.map_or(self.other_files, |rows| {
            rows.other_row_groups || !rows.row_groups.is_empty()
        })
    }
}

impl RowRanges {
    fn add(&mut self, rows: Range<u64>) {
        if rows.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if rows.start < last.start => {
                self.0.push(rows);
                self.put_in_order();
            }
            Some(last) if rows.start <= last.end => last.end = last.end.max(rows.end),
            _ => self.0.push(rows),
        }
    }

    fn put_in_order(&mut self) {
        let mut ranges = std::mem::take(&mut self.0);
        ranges.sort_unstable_by_key(|rows| rows.start);
        for rows in ranges {
            match self.0.last_mut() {
                Some(last) if rows.start <= last.end => last.end = last.end.max(rows.end),
                _ => self.0.push(rows),
            }
        }
    }

    fn within(&self, rows: u64) -> Vec<Range<u64>> {
        let cut = self.0.iter().map(|range| range.start..range.end.min(rows));
        cut.filter(|range| !range.is_empty()).collect()
    }
}

/// How many rows `ranges` have.
pub(super) fn row_count(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_put_together_in_whatever_order_they_come() {
        let selection = RowSelection::nothing()
            .with_rows("a", 1, [8..9, 2..4, 4..6])
            .with_rows("a", 1, [0..1, 5..7, 3..3]);
        let rows = |rows| selection.of_row_group("a", 1, rows);
        assert_eq!(rows(100), Some(vec![0..1, 2..7, 8..9]));
        assert_eq!(rows(6), Some(vec![0..1, 2..6]));
        assert_eq!(rows(1), None);
        assert_eq!(row_count(&rows(100).unwrap()), 7);
    }

    #[test]
    fn what_is_not_named_is_as_the_selection_began() {
        let rest = RowSelection::everything()
            .with_rows("a", 0, [])
            .with_rows("a", 1, [5..u64::MAX])
            .without_file("b");
        assert_eq!(rest.of_row_group("a", 0, 10), Some(vec![]));
        assert_eq!(rest.of_row_group("a", 1, 10), Some(vec![5..10]));
        assert_eq!(rest.of_row_group("a", 2, 10), None);
        assert_eq!(rest.of_row_group("b", 0, 10), Some(vec![]));
        assert_eq!(rest.of_row_group("c", 0, 10), None);
        let few = RowSelection::nothing().with_row_groups("a", 2..4);
        assert_eq!(few.of_row_group("a", 3, 10), None);
        assert_eq!(few.of_row_group("a", 4, 10), Some(vec![]));
        assert_eq!(few.of_row_group("b", 0, 10), Some(vec![]));
        assert!(!few.has_unopened("b") && rest.has_unopened("c") && !rest.has_unopened("b"));
    }
}

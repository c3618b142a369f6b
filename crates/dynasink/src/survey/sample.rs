//! A part of a source that stands for all of it.

use dynasink_arrow::{FileSource, RowSelection};

use super::{BadRowCounts, Measured};

/// Rows next to each other that are read at once: few enough to be spread well, and about what a page of a column holds.
const RUN_ROWS: u64 = 200;

/// Rows spread evenly over the files and row groups of a source.
///
/// They are the same each time. How many rows a row group has is not asked for: those of a file are taken to be equal.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveySample {
    selection: RowSelection,
    selected: u64,
}

/// A row group, as far as its file tells.
struct RowGroup<'s> {
    file: &'s str,
    number: u32,
    rows: u64,
}

impl SurveySample {
    /// About `rows` rows of `source`; none if that is all of it.
    pub fn of(source: &FileSource, rows: u64) -> Option<Self> {
        let total = source.total_rows();
        if rows >= total {
            return None;
        }
        let row_groups = source.files().iter().flat_map(|file| {
            let count = file.row_groups().max(1) as u64;
            (0..u32::MAX)
                .take(file.row_groups())
                .map(move |number| RowGroup {
                    file: file.name(),
                    number,
                    rows: file.rows() / count,
                })
        });
        Some(Self::spread(row_groups, rows, total))
    }

    /// Runs at equal distances over all rows, one after the other.
    #[expect(
        single_use_lifetimes,
        reason = "an anonymous lifetime is not stable here"
    )]
    fn spread<'s>(row_groups: impl Iterator<Item = RowGroup<'s>>, rows: u64, total: u64) -> Self {
        let runs = rows.div_ceil(RUN_ROWS).max(1);
        let run_rows = rows.div_ceil(runs).max(1);
        let mut starts = (0..runs).map(|run| rank(run, runs, total)).peekable();
        let mut sample = Self {
            selection: RowSelection::nothing(),
            selected: 0,
        };
        let mut first = 0;
        for row_group in row_groups {
            let end = first + row_group.rows;
            let mut ranges = Vec::new();
            while let Some(start) = starts.next_if(|start| *start < end) {
                let start = start.saturating_sub(first);
                let range = start..(start + run_rows).min(row_group.rows);
                sample.selected += range.end - range.start;
                ranges.push(range);
            }
            if !ranges.is_empty() {
                let selection = sample.selection;
                sample.selection = selection.with_rows(row_group.file, row_group.number, ranges);
            }
            first = end;
        }
        sample
    }

    /// The rows.
    pub fn selection(&self) -> RowSelection {
        self.selection.clone()
    }

    /// How many these are, about.
    pub fn selected(&self) -> u64 {
        self.selected
    }
}

/// Where the run of that number starts among `total` rows.
fn rank(run: u64, runs: u64, total: u64) -> u64 {
    let start = u128::from(run) * u128::from(total) / u128::from(runs);
    u64::try_from(start).unwrap_or(total)
}

impl Measured {
    /// What would have been measured of `times` as many rows. Sizes stay, and so do shares; keys were not counted.
    #[must_use]
    pub fn scaled(mut self, times: f64) -> Self {
        let scale = |count: &mut u64| *count = scaled(*count, times);
        scale(&mut self.puts);
        scale(&mut self.deletes);
        scale(&mut self.import_bytes);
        scale(&mut self.item_bytes.items);
        scale(&mut self.item_bytes.total);
        self.item_bytes
            .histogram
            .iter_mut()
            .for_each(|bucket| scale(&mut bucket.items));
        scale(&mut self.units.items);
        scale(&mut self.units.table);
        scale(&mut self.units.total);
        for index in &mut self.units.indexes {
            scale(&mut index.entries);
            scale(&mut index.units);
        }
        for key in &mut self.heavy_keys {
            scale(&mut key.units);
            scale(&mut key.at_least);
        }
        scale(&mut self.heavy_keys_error);
        self.keys = None;
        self
    }
}

impl BadRowCounts {
    /// What would have been counted of `times` as many rows.
    #[must_use]
    pub fn scaled(mut self, times: f64) -> Self {
        self.dead = 0;
        for rows in self.by_code.values_mut() {
            *rows = scaled(*rows, times);
            self.dead += *rows;
        }
        self.skipped = scaled(self.skipped, times);
        self
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to integer casts saturate, and nothing here is negative"
)]
fn scaled(count: u64, times: f64) -> u64 {
    (count as f64 * times).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(row_groups: &[(&'static str, u32, u64)], rows: u64) -> SurveySample {
        let total = row_groups.iter().map(|(_, _, rows)| rows).sum();
        let row_groups = row_groups.iter().map(|(file, number, rows)| RowGroup {
            file,
            number: *number,
            rows: *rows,
        });
        SurveySample::spread(row_groups, rows, total)
    }

    #[test]
    fn runs_stand_at_equal_distances_over_all_files() {
        let sample = sample(&[("a", 0, 10_000), ("a", 1, 10_000), ("b", 0, 20_000)], 800);
        let expected = RowSelection::nothing()
            .with_rows("a", 0, [0..200])
            .with_rows("a", 1, [0..200])
            .with_rows("b", 0, [0..200, 10_000..10_200]);
        assert_eq!((sample.selected(), sample.selection()), (800, expected));
    }

    #[test]
    fn a_run_ends_with_its_row_group_and_few_rows_are_one_run() {
        let sample = sample(&[("a", 0, 100), ("a", 1, 100), ("a", 2, 100)], 150);
        let expected = RowSelection::nothing().with_rows("a", 0, [0..100]);
        assert_eq!((sample.selected(), sample.selection()), (100, expected));
    }
}

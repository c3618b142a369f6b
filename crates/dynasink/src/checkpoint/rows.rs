//! The rows of one row group that were handed out, and those of them that have no outcome yet.

use std::collections::VecDeque;
use std::ops::Range;

/// Rows that a word has a bit for.
const WORD: u64 = 64;

/// Which rows of a row group were read, and which of these have no outcome. A row on its way costs a bit, and so do those
/// between it and the last that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadRows {
    /// Rows below it were handed out, or passed over by a row filter.
    read_to: u64,
    /// The row of the first bit, a multiple of a word.
    start: u64,
    /// A bit is set while its row has no outcome.
    open: VecDeque<u64>,
}

impl ReadRows {
    /// Rows below `read_to` were read, and `open` of these have no outcome.
    pub(super) fn new(read_to: u64, open: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut rows = Self::default();
        for range in open {
            rows.read(range);
        }
        rows.read_to = read_to;
        rows
    }

    /// Rows below it were handed out, or passed over by a row filter.
    pub(super) fn read_to(&self) -> u64 {
        self.read_to
    }

    /// Takes note of rows that are handed out. Those that were read before are on their way already, and those that are
    /// left out between are passed over.
    pub(super) fn read(&mut self, rows: Range<u64>) {
        let rows = rows.start.max(self.read_to)..rows.end;
        if rows.is_empty() {
            return;
        }
        if self.open.is_empty() {
            self.start = rows.start / WORD * WORD;
        }
        self.read_to = rows.end;
        let mut row = rows.start;
        while row < rows.end {
            let (word, bit) = ((row - self.start) / WORD, (row - self.start) % WORD);
            let bits = (rows.end - row).min(WORD - bit);
            // As many bits as that, from `bit` on.
            let mask = (u64::MAX >> (WORD - bits)) << bit;
            let word = usize::try_from(word).unwrap_or(usize::MAX);
            while self.open.len() <= word {
                self.open.push_back(0);
            }
            if let Some(open) = self.open.get_mut(word) {
                *open |= mask;
            }
            row += bits;
        }
    }

    /// Whether a row was read and has no outcome.
    pub(super) fn is_open(&self, row: u64) -> bool {
        let word = row.checked_sub(self.start).map(|offset| offset / WORD);
        let word = word.and_then(|word| usize::try_from(word).ok());
        let open = word.and_then(|word| self.open.get(word));
        open.is_some_and(|open| open & (1 << (row % WORD)) != 0)
    }

    /// Takes note of the outcome of a row. Whether it had none is returned.
    pub(super) fn resolve(&mut self, row: u64) -> bool {
        let Some(offset) = row.checked_sub(self.start) else {
            return false;
        };
        let mask = 1 << (offset % WORD);
        let word = usize::try_from(offset / WORD).ok();
        let Some(word) = word.and_then(|word| self.open.get_mut(word)) else {
            return false;
        };
        let had_none = *word & mask != 0;
        *word &= !mask;
        // Rows that are read later may have bits in the last word.
        while self.open.len() > 1 && self.open.front() == Some(&0) {
            self.open.pop_front();
            self.start += WORD;
        }
        had_none
    }

    /// The rows without an outcome.
    pub(super) fn without_outcome(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let mut start = self.start;
        for word in &self.open {
            let mut bits = *word;
            while bits != 0 {
                let first = u64::from(bits.trailing_zeros());
                let run = u64::from((bits >> first).trailing_ones());
                let rows = start + first..start + first + run;
                match ranges.last_mut() {
                    Some(last) if last.end == rows.start => last.end = rows.end,
                    _ => ranges.push(rows),
                }
                bits &= !((u64::MAX >> (WORD - run)) << first);
            }
            start += WORD;
        }
        ranges
    }

    /// The rows with an outcome, and those that were passed over.
    pub(super) fn with_outcome(&self, end: u64) -> Vec<Range<u64>> {
        let mut start = 0;
        let mut ranges = Vec::new();
        for open in self.without_outcome() {
            ranges.push(start..open.start);
            start = open.end;
        }
        ranges.push(start..end);
        ranges.retain(|range| !range.is_empty());
        ranges
    }

    /// Whether every row that was read has its outcome.
    pub(super) fn is_settled(&self) -> bool {
        self.open.iter().all(|word| *word == 0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fastrand::Rng;

    use super::*;

    fn ranges(rows: &BTreeSet<u64>) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for row in rows {
            match ranges.last_mut() {
                Some(last) if last.end == *row => last.end += 1,
                _ => ranges.push(*row..row + 1),
            }
        }
        ranges
    }

    #[test]
    fn rows_without_an_outcome_are_known_in_whatever_order_outcomes_come() {
        for seed in 0..200 {
            let mut rng = Rng::with_seed(seed);
            let mut rows = ReadRows::default();
            let mut open = BTreeSet::new();
            let mut next = rng.u64(..200);
            for _ in 0..rng.usize(1..60) {
                let end = next + rng.u64(1..150);
                rows.read(next..end);
                open.extend(next..end);
                assert_eq!(rows.read_to(), end);
                // A row filter passes over some.
                next = end + if rng.bool() { rng.u64(..300) } else { 0 };
                for _ in 0..rng.usize(..120) {
                    let Some(row) = rng.choice(open.iter().copied().collect::<Vec<_>>()) else {
                        break;
                    };
                    assert!(rows.is_open(row), "seed {seed}: {row}");
                    assert!(rows.resolve(row), "seed {seed}: {row}");
                    assert!(!rows.is_open(row), "seed {seed}: {row}");
                    assert!(!rows.resolve(row), "seed {seed}: {row}");
                    open.remove(&row);
                }
                assert_eq!(rows.without_outcome(), ranges(&open), "seed {seed}");
                assert_eq!(rows.is_settled(), open.is_empty());
                let again = ReadRows::new(rows.read_to(), rows.without_outcome());
                assert_eq!(again.without_outcome(), ranges(&open), "seed {seed}");
                let all: u64 = rows
                    .with_outcome(rows.read_to())
                    .iter()
                    .map(|r| r.end - r.start)
                    .sum();
                assert_eq!(all + open.len() as u64, rows.read_to(), "seed {seed}");
            }
        }
    }

    #[test]
    fn memory_is_bounded_by_what_is_on_its_way() {
        let mut rows = ReadRows::default();
        for batch in 0..10_000 {
            rows.read(batch * 100..batch * 100 + 100);
            for row in batch * 100..batch * 100 + 100 {
                assert!(rows.resolve(row));
            }
            assert!(rows.open.len() <= 4, "{}", rows.open.len());
        }
        assert!(rows.is_settled());
    }

    #[test]
    fn rows_that_were_never_read_have_no_outcome_to_get() {
        let mut rows = ReadRows::new(200, [100..110]);
        assert!(!rows.resolve(5) && !rows.resolve(150) && !rows.resolve(1_000_000));
        // Rows that are on their way come once more.
        rows.read(100..110);
        assert_eq!(rows.without_outcome(), [100..110]);
        rows.read(105..205);
        assert_eq!(rows.without_outcome(), [100..110, 200..205]);
    }
}

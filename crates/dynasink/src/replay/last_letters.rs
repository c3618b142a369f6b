//! Which operation of each key comes last, of letters that have one and of rows that are read again.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use dynasink_core::{Outcome, PrimaryKey, SourcePosition, WriteOp};
use dynasink_sink::Fingerprints;

use super::file_numbers::FileNumbers;

/// Of each key the last of its letters that have an operation, so that nothing older takes its place.
///
/// The order of two letters is that of their rows where both are in one file, and else that of the letters: a load has
/// one operation of a key on its way at a time, so that those of one key die in their order. Letters of rows that never
/// became an operation stand out of this order, since these die as they are read. Such a row is compared by its place
/// only: the file, where files come in the order of the source, or of their names if the source has not both; the row
/// group; the row.
///
/// It costs about 56 to 112 bytes for each key.
#[derive(Debug)]
pub(crate) struct LastLetters {
    fingerprints: Fingerprints,
    last: HashMap<u128, Place>,
    files: FileNumbers,
    /// The files of the source have the numbers below.
    source_files: u32,
}

/// Where a letter is, and its row if it has a position.
#[derive(Clone, Copy, Debug)]
struct Place {
    line: u64,
    row: Option<RowInFile>,
}

#[derive(Clone, Copy, Debug)]
struct RowInFile {
    file: u32,
    row_group: u32,
    row: u64,
}

impl RowInFile {
    fn place_in_file(self) -> (u32, u64) {
        (self.row_group, self.row)
    }
}

impl LastLetters {
    /// No letters yet, where rows are read again of `source_files`, in this order.
    pub(super) fn new(source_files: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut files = FileNumbers::default();
        for file in source_files {
            files.number_of(file.as_ref());
        }
        Self {
            fingerprints: Fingerprints::new(),
            last: HashMap::new(),
            source_files: files.count(),
            files,
        }
    }

    /// Takes note of the letter at `line`, the next that has an operation.
    pub(super) fn note(&mut self, key: &PrimaryKey, line: u64, position: Option<&SourcePosition>) {
        let place = Place {
            line,
            row: position.map(|position| RowInFile {
                file: self.files.number_of(position.file()),
                row_group: position.row_group(),
                row: position.row(),
            }),
        };
        let last = self.last.entry(self.fingerprints.of(key)).or_insert(place);
        let is_earlier = match (place.row, last.row) {
            (Some(row), Some(last)) if row.file == last.file => {
                row.place_in_file() < last.place_in_file()
            }
            _ => false,
        };
        if !is_earlier {
            *last = place;
        }
    }

    /// What becomes of `op`, of the letter at `line`, if another letter of its key comes after it.
    pub(super) fn supersede_letter(&self, op: &WriteOp, line: u64) -> Option<Outcome> {
        let last = self.last.get(&self.fingerprints.of(op.key()))?;
        (last.line != line).then(|| self.superseded_by(last))
    }

    /// What becomes of `op`, of a row that was read again, if a letter of its key comes after it.
    pub(crate) fn supersede_row(&self, op: &WriteOp) -> Option<Outcome> {
        let last = self.last.get(&self.fingerprints.of(op.key()))?;
        let (position, row) = (op.position()?, last.row?);
        let file = self.files.get(position.file())?;
        let order = self.order_of_files(row.file, file).then_with(|| {
            row.place_in_file()
                .cmp(&(position.row_group(), position.row()))
        });
        order.is_gt().then(|| self.superseded_by(last))
    }

    fn order_of_files(&self, one: u32, other: u32) -> Ordering {
        if one == other || one.max(other) < self.source_files {
            one.cmp(&other)
        } else {
            self.files.name(one).cmp(&self.files.name(other))
        }
    }

    fn superseded_by(&self, place: &Place) -> Outcome {
        let position = place.row.and_then(|row| {
            let file = Arc::clone(self.files.name(row.file)?);
            Some(SourcePosition::new(file, row.row_group, row.row))
        });
        Outcome::Superseded { by: position }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_table::put;

    fn op(file: &str, row_group: u32, row: u64) -> WriteOp {
        put(1, json!({})).at(SourcePosition::new(file.into(), row_group, row))
    }

    /// The letters of these operations of one key, in the lines from one on.
    fn letters(source_files: &[&str], ops: &[WriteOp]) -> LastLetters {
        let mut letters = LastLetters::new(source_files);
        for (line, op) in (1..).zip(ops) {
            letters.note(op.key(), line, op.position());
        }
        letters
    }

    /// The lines whose operations are written.
    fn written(ops: &[WriteOp]) -> Vec<u64> {
        let letters = letters(&[], ops);
        let lines = (1..).zip(ops);
        lines
            .filter(|(line, op)| letters.supersede_letter(op, *line).is_none())
            .map(|(line, _)| line)
            .collect()
    }

    #[test]
    fn of_letters_of_one_key_the_last_row_of_a_file_is_written() {
        assert_eq!(written(&[op("a", 0, 1), op("a", 0, 2)]), [2]);
        assert_eq!(written(&[op("a", 0, 2), op("a", 0, 1)]), [1]);
        assert_eq!(written(&[op("a", 1, 0), op("a", 0, 9)]), [1]);
        // One row died twice.
        assert_eq!(written(&[op("a", 0, 2), op("a", 0, 2)]), [2]);
    }

    #[test]
    fn letters_of_several_files_or_of_no_place_go_by_their_lines() {
        assert_eq!(written(&[op("b", 0, 2), op("a", 0, 3)]), [2]);
        assert_eq!(written(&[op("b", 0, 2), put(1, json!({}))]), [2]);
        assert_eq!(written(&[put(1, json!({})), put(2, json!({}))]), [1, 2]);
    }

    #[test]
    fn a_row_that_is_read_again_takes_the_place_of_earlier_letters_only() {
        let last = op("a", 1, 5);
        let letters = letters(&[], std::slice::from_ref(&last));
        let by = last.position().cloned();
        let superseded = Some(Outcome::Superseded { by });
        for earlier in [op("a", 0, 9), op("a", 1, 4)] {
            assert_eq!(letters.supersede_row(&earlier), superseded);
        }
        for later in [op("a", 1, 5), op("a", 1, 6), op("a", 2, 0)] {
            assert_eq!(letters.supersede_row(&later), None);
        }
        let other_key = put(2, json!({})).at(SourcePosition::new("a".into(), 0, 0));
        assert_eq!(letters.supersede_row(&other_key), None);
    }

    #[test]
    fn files_come_in_the_order_of_the_source_or_else_of_their_names() {
        let is_superseded = |source_files: &[&str], letter: WriteOp, row: WriteOp| {
            letters(source_files, &[letter])
                .supersede_row(&row)
                .is_some()
        };
        assert!(is_superseded(&["b", "a"], op("a", 0, 0), op("b", 7, 7)));
        assert!(!is_superseded(&["b", "a"], op("b", 7, 7), op("a", 0, 0)));
        assert!(is_superseded(&["a"], op("b", 0, 0), op("a", 7, 7)));
        assert!(!is_superseded(&["b"], op("a", 7, 7), op("b", 0, 0)));
    }
}

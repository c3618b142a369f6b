//! How far the files of a source have been read, and which rows of them have no outcome yet.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use dynasink_arrow::{FileFormat, RowSelection, SourceBatch, SourceIdentity};
use dynasink_core::{SourcePosition, Unread};

use super::document::{FileDocument, RowGroupDocument};
use super::rows::ReadRows;
use crate::replay::Letter;

/// More than files have, so that a number gone wrong does not fill the memory.
const MOST_ROW_GROUPS: u32 = 1 << 22;

/// The files of a source in their order.
#[derive(Debug)]
pub(super) struct Progress {
    files: Vec<ReadFile>,
    by_name: HashMap<String, usize>,
    /// The file of the last row: the next is mostly of the same.
    last: usize,
}

/// What was read of a file.
#[derive(Debug)]
struct ReadFile {
    name: String,
    format: FileFormat,
    /// Whether no more of it is to be read than rows without an outcome.
    is_ended: bool,
    row_groups: BTreeMap<u32, ReadRowGroup>,
}

#[derive(Clone, Debug, Default)]
struct ReadRowGroup {
    rows: ReadRows,
    /// Whether no row is left behind those that were read.
    is_ended: bool,
}

impl ReadRowGroup {
    fn is_finished(&self) -> bool {
        self.is_ended && self.rows.is_settled()
    }
}

impl Progress {
    /// Nothing of the files was read.
    pub(super) fn of(source: &SourceIdentity) -> Self {
        let named = source.files.iter().map(|file| (&file.name, file.format));
        // How a file is read that could not be opened is of no account.
        let unread = source.unread_files.iter();
        let unread = unread.map(|name| (name, FileFormat::Parquet));
        let files: Vec<_> = named
            .chain(unread)
            .map(|(name, format)| ReadFile {
                name: name.clone(),
                format,
                is_ended: false,
                row_groups: BTreeMap::new(),
            })
            .collect();
        let by_name = files.iter().enumerate();
        Self {
            by_name: by_name.map(|(at, file)| (file.name.clone(), at)).collect(),
            files,
            last: 0,
        }
    }

    fn file(&mut self, name: &str) -> Option<&mut ReadFile> {
        if self
            .files
            .get(self.last)
            .is_none_or(|file| file.name != name)
        {
            self.last = *self.by_name.get(name)?;
        }
        self.files.get_mut(self.last)
    }

    /// Takes note of rows that are handed out. Whether their places are known is returned.
    pub(super) fn read(&mut self, batch: &SourceBatch) -> bool {
        let Some(position) = batch.position() else {
            return false;
        };
        let Some(file) = self.file(position.file()) else {
            return false;
        };
        let row_group = file.row_groups.entry(position.row_group()).or_default();
        for rows in batch.row_ranges() {
            row_group.rows.read(rows);
        }
        true
    }

    /// Takes note of the outcome of a row. Whether it was on its way is returned.
    pub(super) fn resolve(&mut self, position: &SourcePosition) -> bool {
        let file = self.file(position.file());
        let row_group = file.and_then(|file| file.row_groups.get_mut(&position.row_group()));
        row_group.is_some_and(|row_group| row_group.rows.resolve(position.row()))
    }

    /// Takes note that the last row of a row group was handed out.
    pub(super) fn finish(&mut self, name: &str, row_group: u32) {
        let Some(file) = self.file(name) else {
            return;
        };
        match file.format {
            FileFormat::Parquet => {
                let row_group = file.row_groups.entry(row_group).or_default();
                row_group.is_ended = true;
            }
            // It is read as a whole.
            _ => file.is_ended = true,
        }
    }

    /// Takes note of a part that cannot be read, and is not tried again.
    pub(super) fn pass_over(&mut self, unread: &Unread) {
        match unread.row_group {
            Some(row_group) => self.finish(&unread.file, row_group),
            None => {
                if let Some(file) = self.file(&unread.file) {
                    file.is_ended = true;
                }
            }
        }
    }

    /// Whether what a dead letter is about is to be read: its row has no outcome, or its part was not passed over.
    pub(super) fn has_left(&self, letter: &Letter) -> bool {
        match letter {
            Letter::Op { position, .. } => position
                .as_ref()
                .is_some_and(|position| self.has_left_row(position)),
            Letter::Row(position) => self.has_left_row(position),
            Letter::Unread { file, row_group } => self.named(file).is_some_and(|file| {
                let row_group = row_group.and_then(|number| file.row_groups.get(&number));
                !file.is_ended && row_group.is_none_or(|row_group| !row_group.is_ended)
            }),
        }
    }

    /// Whether a row is to be read.
    pub(super) fn has_left_row(&self, position: &SourcePosition) -> bool {
        let Some(file) = self.named(position.file()) else {
            return false;
        };
        let Some(row_group) = file.row_groups.get(&position.row_group()) else {
            return !file.is_ended;
        };
        let is_unread = position.row() >= row_group.rows.read_to();
        row_group.rows.is_open(position.row())
            || (is_unread && !row_group.is_ended && !file.is_ended)
    }

    fn named(&self, name: &str) -> Option<&ReadFile> {
        self.by_name.get(name).and_then(|at| self.files.get(*at))
    }

    /// The places of the files in their order, by name.
    pub(super) fn order(&self) -> &HashMap<String, usize> {
        &self.by_name
    }

    /// Whether anything was read.
    pub(super) fn is_begun(&self) -> bool {
        let begun = |file: &ReadFile| file.is_ended || !file.row_groups.is_empty();
        self.files.iter().any(begun)
    }

    /// The rows that are to be read: those without an outcome, and those that were not read.
    pub(super) fn left(&self) -> RowSelection {
        let mut left = RowSelection::everything();
        for file in &self.files {
            if file.is_ended {
                left = left.without_file(&file.name);
            }
            for (number, row_group) in &file.row_groups {
                let mut rows = row_group.rows.without_outcome();
                if !row_group.is_ended && !file.is_ended {
                    rows.push(row_group.rows.read_to()..u64::MAX);
                }
                left = left.with_rows(&file.name, *number, rows);
            }
        }
        left
    }

    /// The rows that have an outcome, with those that a row filter passes over.
    pub(super) fn with_outcome(&self) -> RowSelection {
        self.selected(|row_group| {
            let end = if row_group.is_ended {
                u64::MAX
            } else {
                row_group.rows.read_to()
            };
            row_group.rows.with_outcome(end)
        })
    }

    /// The rows that were read and have no outcome.
    pub(super) fn without_outcome(&self) -> RowSelection {
        self.selected(|row_group| row_group.rows.without_outcome())
    }

    fn selected(&self, rows: impl Fn(&ReadRowGroup) -> Vec<Range<u64>>) -> RowSelection {
        let mut selection = RowSelection::nothing();
        for file in &self.files {
            for (number, row_group) in &file.row_groups {
                selection = selection.with_rows(&file.name, *number, rows(row_group));
            }
        }
        selection
    }

    /// As it is written down: row groups that are finished as ranges, so that it stays short.
    pub(super) fn documents(&self) -> Vec<FileDocument> {
        let begun = |file: &&ReadFile| file.is_ended || !file.row_groups.is_empty();
        self.files
            .iter()
            .filter(begun)
            .map(ReadFile::document)
            .collect()
    }

    /// What was written down of `source`, or what is wrong with it.
    pub(super) fn read_back(
        source: &SourceIdentity,
        documents: &[FileDocument],
    ) -> Result<Self, String> {
        let mut progress = Self::of(source);
        for document in documents {
            let file = progress
                .file(&document.file)
                .ok_or_else(|| format!("{} is no file of the source", document.file))?;
            file.read_back(document)
                .ok_or_else(|| format!("what it says of {} makes no sense", document.file))?;
        }
        Ok(progress)
    }
}

impl ReadFile {
    fn document(&self) -> FileDocument {
        let mut finished: Vec<[u32; 2]> = Vec::new();
        let mut begun = Vec::new();
        for (&number, row_group) in &self.row_groups {
            if row_group.is_finished() {
                match finished.last_mut() {
                    Some([_, end]) if *end == number => *end += 1,
                    _ => finished.push([number, number + 1]),
                }
                continue;
            }
            let open = row_group.rows.without_outcome();
            begun.push(RowGroupDocument {
                row_group: number,
                read_to: row_group.rows.read_to(),
                ended: row_group.is_ended,
                without_outcome: open.iter().map(|rows| [rows.start, rows.end]).collect(),
            });
        }
        FileDocument {
            file: self.name.clone(),
            ended: self.is_ended,
            finished_row_groups: finished,
            begun_row_groups: begun,
        }
    }

    fn read_back(&mut self, document: &FileDocument) -> Option<()> {
        self.is_ended = document.ended;
        for &[start, end] in &document.finished_row_groups {
            let known = u32::try_from(self.row_groups.len()).ok()?;
            if start >= end || end - start > MOST_ROW_GROUPS.checked_sub(known)? {
                return None;
            }
            for number in start..end {
                let finished = ReadRowGroup {
                    is_ended: true,
                    ..ReadRowGroup::default()
                };
                self.row_groups.insert(number, finished);
            }
        }
        for begun in &document.begun_row_groups {
            let mut end = 0;
            for &[from, to] in &begun.without_outcome {
                if from < end || from >= to || to > begun.read_to {
                    return None;
                }
                end = to;
            }
            let open = begun.without_outcome.iter().map(|&[from, to]| from..to);
            let row_group = ReadRowGroup {
                rows: ReadRows::new(begun.read_to, open),
                is_ended: begun.ended,
            };
            let known = self.row_groups.insert(begun.row_group, row_group);
            if known.is_some() {
                return None;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;

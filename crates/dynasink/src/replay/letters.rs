//! A dead-letter file, read back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dynasink_arrow::{FileSource, RowSelection};
use dynasink_core::{
    DeadReason, Error as ItemError, ItemEncoder, OutcomeEvent, Outcomes, SourcePosition,
    StageError, TableSchema, WriteOp,
};
use futures::{Stream, stream};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};

use super::file_numbers::FileNumbers;
use super::last_letters::LastLetters;
use super::letter::{Letter, LetterAction};
use crate::error::{Error, Result};
use crate::tally::Tally;

/// The letters of a file, which was read through once and has no damaged line.
///
/// It holds no letter but the places of the rows that have to be read again, about 24 bytes each.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    path: PathBuf,
    ops: u64,
    /// Rows that never became an operation: the number of the file, the row group and the row.
    rows: Vec<(u32, u32, u64)>,
    /// Row groups that were not read to their end.
    row_groups: BTreeSet<(String, u32)>,
    /// Files that were not read at all.
    whole_files: BTreeSet<String>,
    /// The files that `rows` are in.
    files: FileNumbers,
}

impl DeadLetters {
    /// Reads the file through.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableLetters`] if it cannot be read, [`Error::DamagedLetter`] for the first line that is not a dead
    /// letter.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let mut letters = Self {
            path: path.into(),
            ops: 0,
            rows: Vec::new(),
            row_groups: BTreeSet::new(),
            whole_files: BTreeSet::new(),
            files: FileNumbers::default(),
        };
        let mut lines = LetterLines::open(&letters.path).await?;
        while let Some(letter) = lines.next().await? {
            letters.note(letter);
        }
        letters.rows.sort_unstable();
        Ok(letters)
    }

    fn note(&mut self, letter: Letter) {
        match letter {
            Letter::Op { .. } => self.ops += 1,
            Letter::Row(position) => {
                let file = self.files.number_of(position.file());
                self.rows.push((file, position.row_group(), position.row()));
            }
            Letter::Unread {
                file,
                row_group: Some(row_group),
            } => {
                self.row_groups.insert((file, row_group));
            }
            Letter::Unread {
                file,
                row_group: None,
            } => {
                self.whole_files.insert(file);
            }
        }
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Letters that have an operation in them.
    pub fn ops(&self) -> u64 {
        self.ops
    }

    /// Letters whose rows never became an operation, and have to be read again.
    pub fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Letters of row groups and files that could not be read, and have to be read again.
    pub fn unread(&self) -> u64 {
        (self.row_groups.len() + self.whole_files.len()) as u64
    }

    /// The files in which something has to be read again, in the order of their names.
    pub fn files(&self) -> BTreeSet<&str> {
        let row_groups = self.row_groups.iter().map(|(file, _)| file);
        let unread = row_groups.chain(&self.whole_files).map(String::as_str);
        self.files.names().chain(unread).collect()
    }

    /// What has to be read again of `source`. Of a row group that was not read to its end it is all of it, since the
    /// letter does not say how far reading came: rows that were written then are written again.
    ///
    /// # Errors
    ///
    /// [`Error::LettersOfOtherFile`] if one of the files is not in `source`.
    pub fn rows_of(&self, source: &FileSource) -> Result<RowSelection> {
        let known = source.files();
        for file in self.files() {
            if known.iter().all(|known| known.name() != file) {
                return Err(Error::LettersOfOtherFile {
                    path: self.path.clone(),
                    file: file.to_owned(),
                });
            }
        }
        let mut selection = RowSelection::nothing();
        for (file, row_group, row) in &self.rows {
            if let Some(file) = self.files.name(*file) {
                let row = std::iter::once(*row..*row + 1);
                selection = selection.with_rows(file, *row_group, row);
            }
        }
        for (file, row_group) in &self.row_groups {
            selection = selection.with_row_groups(file, *row_group..*row_group + 1);
        }
        for file in known
            .iter()
            .filter(|file| self.whole_files.contains(file.name()))
        {
            let row_groups = u32::try_from(file.row_groups()).unwrap_or(u32::MAX);
            selection = selection.with_row_groups(file.name(), 0..row_groups);
        }
        Ok(selection)
    }

    /// Which letter of each key is the last, of those that have an operation on `table`. Rows are read again of
    /// `source_files`, in this order.
    ///
    /// The file is read through for it.
    pub(crate) async fn last_on(
        &self,
        table: &TableSchema,
        source_files: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<LastLetters> {
        let mut last = LastLetters::new(source_files);
        let mut letters = OpLetters::open(self, table).await?;
        while let Some(letter) = letters.next().await? {
            // One that the table would refuse takes no place.
            if let Ok(op) = &letter.op {
                last.note(op.key(), letter.line, letter.position.as_ref());
            }
        }
        Ok(last)
    }

    /// The operations of the letters that have one, as operations on `table`, with their positions: of each key the
    /// `last`, and the others are superseded.
    ///
    /// One that `table` would refuse is a dead letter again, by `outcomes`. All are counted as rows by `tally`.
    pub(crate) async fn ops_on(
        &self,
        table: &TableSchema,
        last: Arc<LastLetters>,
        outcomes: Outcomes,
        tally: Tally,
    ) -> Result<impl Stream<Item = Result<WriteOp>> + Send + use<>> {
        let replayed = ReplayedOps {
            letters: OpLetters::open(self, table).await?,
            last,
            outcomes,
            tally,
        };
        Ok(stream::try_unfold(replayed, |mut replayed| async move {
            let next = replayed.next().await?;
            Ok(next.map(|op| (op, replayed)))
        }))
    }
}

/// Operations out of letters, one after the other.
struct ReplayedOps {
    letters: OpLetters,
    last: Arc<LastLetters>,
    outcomes: Outcomes,
    tally: Tally,
}

impl ReplayedOps {
    async fn next(&mut self) -> Result<Option<WriteOp>> {
        while let Some(letter) = self.letters.next().await? {
            self.tally.count_rows(1);
            let settled = match letter.op {
                Ok(op) => match self.last.supersede_letter(&op, letter.line) {
                    None => return Ok(Some(op)),
                    Some(outcome) => {
                        let observed = self.outcomes.observe(&OutcomeEvent::of(&op, &outcome));
                        observed.map_err(StageError::from)
                    }
                },
                Err(error) => {
                    let reason = DeadReason::of(&error);
                    self.outcomes.bury(letter.position.as_ref(), None, reason)
                }
            };
            settled.map_err(|error| Error::Pipe(error.into()))?;
        }
        Ok(None)
    }
}

/// The letters of a file that have an operation.
struct OpLetters {
    lines: LetterLines,
    encoder: ItemEncoder,
    table: TableSchema,
}

/// A letter that has an operation, or an item that the table would refuse.
struct OpLetter {
    line: u64,
    position: Option<SourcePosition>,
    op: Result<WriteOp, ItemError>,
}

impl OpLetters {
    async fn open(letters: &DeadLetters, table: &TableSchema) -> Result<Self> {
        Ok(Self {
            lines: LetterLines::open(&letters.path).await?,
            encoder: ItemEncoder::new(table),
            table: table.clone(),
        })
    }

    async fn next(&mut self) -> Result<Option<OpLetter>> {
        while let Some(letter) = self.lines.next().await? {
            let Letter::Op {
                position,
                action,
                item,
            } = letter
            else {
                continue;
            };
            let op = self.op(action, item.get()).map(|op| match &position {
                Some(position) => op.at(position.clone()),
                None => op,
            });
            return Ok(Some(OpLetter {
                line: self.lines.line,
                position,
                op,
            }));
        }
        Ok(None)
    }

    fn op(&mut self, action: LetterAction, item: &str) -> Result<WriteOp, ItemError> {
        let item = self.encoder.item_of_dynamodb_json(item)?;
        match action {
            LetterAction::Put => self.table.put(item),
            LetterAction::Delete => self.table.delete(&item),
        }
    }
}

/// The letters of a file, line by line.
struct LetterLines {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    line: u64,
}

impl LetterLines {
    async fn open(path: &Path) -> Result<Self> {
        match File::open(path).await {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                lines: BufReader::new(file).lines(),
                line: 0,
            }),
            Err(source) => Err(Error::UnreadableLetters {
                path: path.to_owned(),
                source,
            }),
        }
    }

    async fn next(&mut self) -> Result<Option<Letter>> {
        let line = self.lines.next_line().await;
        let line = line.map_err(|source| Error::UnreadableLetters {
            path: self.path.clone(),
            source,
        })?;
        let Some(line) = line else { return Ok(None) };
        self.line += 1;
        let letter = Letter::parse(&line).map_err(|reason| Error::DamagedLetter {
            path: self.path.clone(),
            line: self.line,
            reason,
        })?;
        Ok(Some(letter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(text: &str) -> Result<DeadLetters> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dead.jsonl");
        std::fs::write(&path, text).unwrap();
        DeadLetters::open(path).await
    }

    #[tokio::test]
    async fn letters_are_told_apart_by_what_has_to_be_done_for_them() {
        let letters = open(concat!(
            r#"{"position":{"file":"b","row_group":0,"row":7},"code":"number","reason":"","attempts":0}"#,
            "\n",
            r#"{"position":null,"code":"invalid","reason":"","attempts":3,"table":"t","action":"put","item":{"id":{"S":"a"}}}"#,
            "\n",
            r#"{"unread":{"file":"a","row_group":3,"offset":null,"rows":9},"code":"unreadable","reason":""}"#,
            "\n",
            r#"{"unread":{"file":"c","row_group":null,"offset":null,"rows":null},"code":"unreadable","reason":""}"#,
            "\n",
        ))
        .await
        .unwrap();
        assert_eq!((letters.ops(), letters.rows(), letters.unread()), (1, 1, 2));
        assert_eq!(
            letters.files().into_iter().collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
    }

    #[tokio::test]
    async fn the_first_damaged_line_is_named() {
        let good = r#"{"position":{"file":"b","row_group":0,"row":7},"code":"number"}"#;
        for bad in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"code":"invalid"}"#,
            r#"{"code":"invalid","item":{"id":{"S":"a"}}}"#,
            r#"{"code":"invalid","action":"put","item":[]}"#,
            r#"{"code":"invalid","action":"merge","item":{}}"#,
        ] {
            let error = open(&format!("{good}\n{bad}\n{good}\n")).await.unwrap_err();
            assert!(
                matches!(error, Error::DamagedLetter { line: 2, .. }),
                "{bad}: {error}"
            );
        }
    }
}

//! One line of a dead-letter file, read back.

use dynasink_core::SourcePosition;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What a line is about.
#[derive(Debug)]
pub(crate) enum Letter {
    /// An operation that could not be written.
    Op {
        position: Option<SourcePosition>,
        action: LetterAction,
        item: Box<RawValue>,
    },
    /// A row that never became an operation.
    Row(SourcePosition),
    /// A part of a source that could not be read: what was left of a row group, or a whole file.
    Unread {
        file: String,
        row_group: Option<u32>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LetterAction {
    Put,
    Delete,
}

#[derive(Deserialize)]
struct Line {
    unread: Option<UnreadPart>,
    position: Option<Position>,
    action: Option<LetterAction>,
    item: Option<Box<RawValue>>,
    // Every letter has one, and other JSON lines do not.
    #[serde(rename = "code")]
    _code: String,
}

#[derive(Deserialize)]
struct UnreadPart {
    file: String,
    row_group: Option<u32>,
}

#[derive(Deserialize)]
struct Position {
    file: String,
    row_group: u32,
    row: u64,
}

impl Letter {
    /// Reads a line, or says what is wrong with it.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if let Some(UnreadPart { file, row_group }) = line.unread {
            return Ok(Self::Unread { file, row_group });
        }
        let position = line.position.map(
            |Position {
                 file,
                 row_group,
                 row,
             }| { SourcePosition::new(file.into(), row_group, row) },
        );
        match (line.item, line.action, position) {
            (Some(item), Some(action), position) if item.get().starts_with('{') => Ok(Self::Op {
                position,
                action,
                item,
            }),
            (Some(_), Some(_), _) => Err("its item is not a JSON object".to_owned()),
            (Some(_), None, _) => Err("it has an item but no action".to_owned()),
            (None, _, Some(position)) => Ok(Self::Row(position)),
            (None, _, None) => Err(
                "it has neither an item nor a position, so that its row cannot be found again"
                    .to_owned(),
            ),
        }
    }
}

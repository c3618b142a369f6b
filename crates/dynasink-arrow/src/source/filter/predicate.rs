//! What a filter says, as it was written: columns by name, literals without a type.

use std::fmt;

/// Where something is in the text of a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilterPlace {
    /// From one; zero if it is not known.
    pub(super) line: u64,
    /// In characters, from one.
    pub(super) character: u64,
}

impl fmt::Display for FilterPlace {
    /// What follows the word `filter` in an error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => Ok(()),
            1 => write!(f, ", character {}", self.character),
            line => write!(f, ", line {line}, character {}", self.character),
        }
    }
}

/// A condition on one row, which is true, false or unknown.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Predicate {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(ColumnRef, Comparison, Literal),
    Like(ColumnRef, Literal),
    IsNull(ColumnRef),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison that is true of `b` and `a` whenever this one is of `a` and `b`.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// A column, or a field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnRef {
    /// The top-level column, and the fields to go into. Never empty.
    pub(super) path: Vec<String>,
    pub(super) place: FilterPlace,
}

impl ColumnRef {
    /// As it was written, but for quotes.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }

    /// The top-level column.
    pub(super) fn root(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }
}

/// A literal and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) value: LiteralValue,
    pub(super) place: FilterPlace,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LiteralValue {
    /// With its sign, as it was written.
    Number(String),
    Text(String),
    Bytes(Vec<u8>),
    Boolean(bool),
    Null,
}

impl fmt::Display for LiteralValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Bytes(bytes) => {
                f.write_str("X'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Null => f.write_str("NULL"),
        }
    }
}

impl Predicate {
    /// Hands every column that the predicate names to `visit`.
    pub(super) fn for_each_column<'a>(&'a self, visit: &mut impl FnMut(&'a ColumnRef)) {
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
        }
    }
}

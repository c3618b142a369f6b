//! Why a mapping means nothing for a schema and a table, and where in it that stands.

use std::fmt;

use arrow_schema::DataType;
use dynasink_core::{KeyType, ValueKind};

use super::near::Near;

/// What is wrong with a mapping, and where.
#[derive(Debug, thiserror::Error)]
pub struct MappingError {
    keys: KeyPath,
    place: Option<FilePlace>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    problem: MappingProblem,
}

impl MappingError {
    pub(crate) fn new(keys: KeyPath, problem: MappingProblem) -> Self {
        Self {
            keys,
            place: None,
            source: None,
            problem,
        }
    }

    /// The keys of the mapping, from the outside in, that lead to what is wrong.
    pub fn keys(&self) -> &KeyPath {
        &self.keys
    }

    /// Where it stands in the file, if the mapping is from one.
    pub fn place(&self) -> Option<&FilePlace> {
        self.place.as_ref()
    }

    /// What is wrong.
    pub fn problem(&self) -> &MappingProblem {
        &self.problem
    }
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: ")?,
            None => f.write_str("mapping: ")?,
        }
        if !self.keys.is_root() {
            write!(f, "{}: ", self.keys)?;
        }
        write!(f, "{}", self.problem)
    }
}

/// A place in a file, for people: both numbers start at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for FilePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Keys of a mapping from the outside in, such as `columns.price.as` or `defaults.include[1]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<KeyStep>);

/// One step of a [`KeyPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyStep {
    Key(String),
    Index(usize),
}

impl KeyPath {
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` arguments cannot elide it yet"
    )]
    pub(crate) fn of<'k>(keys: impl IntoIterator<Item = &'k str>) -> Self {
        let key = |key: &str| KeyStep::Key(key.to_owned());
        Self(keys.into_iter().map(key).collect())
    }

    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(KeyStep::Key(key.to_owned()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(KeyStep::Index(index))
    }

    fn with(&self, step: KeyStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(crate) fn steps(&self) -> &[KeyStep] {
        &self.0
    }

    fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// An error here.
    pub(crate) fn error(&self, problem: MappingProblem) -> MappingError {
        MappingError::new(self.clone(), problem)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                KeyStep::Index(index) => write!(f, "[{index}]")?,
                KeyStep::Key(key) => {
                    if at > 0 {
                        f.write_str(".")?;
                    }
                    if is_bare(key) {
                        f.write_str(key)?;
                    } else {
                        write!(f, "{key:?}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether TOML takes the key without quotes.
pub(super) fn is_bare(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// What can be wrong with a mapping.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MappingProblem {
    /// A column that the schema does not have.
    #[error("no column is named {column:?}: {available}")]
    UnknownColumn {
        /// The column.
        column: String,
        /// The columns that there are.
        available: Near,
    },

    /// A name that several columns have.
    #[error("{count} columns are named {column:?}: say which, by its place, such as {example:?}")]
    AmbiguousColumn {
        /// The name.
        column: String,
        /// How many have it.
        count: usize,
        /// The first of them by its place.
        example: String,
    },

    /// A field that a struct does not have.
    #[error("{within} has no field {field:?}: {available}")]
    UnknownField {
        /// The struct.
        within: String,
        /// The field.
        field: String,
        /// The fields that there are.
        available: Near,
    },

    /// A part of a value that has no parts.
    #[error("{within} is {data_type}, which has no part {part:?}")]
    NoParts {
        /// The value.
        within: String,
        /// Its type.
        data_type: DataType,
        /// The part that was asked for.
        part: String,
    },

    /// A part that a row may have many of, where one value is needed.
    #[error(
        "{path:?} is inside a list, a map or a dictionary, of which a row has not one value: name the column, or a field of a struct"
    )]
    ManyValues {
        /// The part.
        path: String,
    },

    /// One column under two names.
    #[error("it is the same column as {other}: say all of it in one place")]
    SaidTwice {
        /// The other entry.
        other: String,
    },

    /// Two sources of one attribute.
    #[error(
        "attribute {attribute:?} comes from {first} already: rename one of them, or drop the column"
    )]
    TwoSources {
        /// The attribute.
        attribute: String,
        /// The other source.
        first: String,
    },

    /// A glob that cannot be understood.
    #[error("{glob:?} is not a glob: {reason}")]
    Glob {
        /// The glob.
        glob: String,
        /// Why.
        reason: String,
    },

    /// A glob that no column matches.
    #[error("no column matches {glob:?}: {available}")]
    GlobMatchesNothing {
        /// The glob.
        glob: String,
        /// The columns that there are.
        available: Near,
    },

    /// A name that no attribute can have.
    #[error("{name:?} cannot name an attribute: {reason}")]
    AttributeName {
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },

    /// Fields of something that is no struct.
    #[error("only a struct can be flattened, and {column} is {data_type}")]
    FlattenNoStruct {
        /// The column.
        column: String,
        /// Its type.
        data_type: DataType,
    },

    /// A word that means nothing beside another.
    #[error("it means nothing {reason}: leave it out")]
    Meaningless {
        /// Beside what, or without what.
        reason: String,
    },

    /// A key of another type than the table has.
    #[error("attribute {attribute:?} is a {found} by it, but the {role} is a {expected}")]
    KeyType {
        /// The attribute.
        attribute: String,
        /// What it is.
        found: ValueKind,
        /// Which key it is: `partition key`, `sort key` or a key of an index.
        role: String,
        /// The type of the key.
        expected: KeyType,
    },

    /// A constant that DynamoDB does not take.
    #[error("the constant cannot be written: {reason}")]
    Constant {
        /// Why.
        reason: String,
    },
}

//! Why a mapping means nothing for a schema and a table, and where in it that stands.

use std::fmt;

use arrow_schema::DataType;
use dynasink_core::{KeyType, ValueKind};

use super::near::Near;

/// What is wrong with a mapping, and where.
#[derive(Debug, thiserror::Error)]
pub struct MappingError(Box<Wrong>);

#[derive(Debug)]
struct Wrong {
    keys: KeyPath,
    place: Option<FilePlace>,
    problem: MappingProblem,
}

impl MappingError {
    pub(crate) fn new(keys: KeyPath, problem: MappingProblem) -> Self {
        Self(Box::new(Wrong {
            keys,
            place: None,
            problem,
        }))
    }

    /// The same, at `place` in a file.
    pub(crate) fn at(mut self, place: FilePlace) -> Self {
        self.0.place = Some(place);
        self
    }

    /// The keys of the mapping, from the outside in, that lead to what is wrong.
    pub fn keys(&self) -> &KeyPath {
        &self.0.keys
    }

    /// Where it stands in the file, if the mapping is from one.
    pub fn place(&self) -> Option<&FilePlace> {
        self.0.place.as_ref()
    }

    /// What is wrong.
    pub fn problem(&self) -> &MappingProblem {
        &self.0.problem
    }
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wrong {
            keys,
            place,
            problem,
        } = self.0.as_ref();
        match place {
            Some(place) => write!(f, "{place}: ")?,
            None => f.write_str("mapping: ")?,
        }
        if !keys.is_root() {
            write!(f, "{keys}: ")?;
        }
        write!(f, "{problem}")
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
enum KeyStep {
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

    /// The path to what this is in.
    pub(crate) fn outer(&self) -> Option<Self> {
        let (_, outer) = self.0.split_last()?;
        Some(Self(outer.to_vec()))
    }

    pub(crate) fn is_root(&self) -> bool {
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
    /// Text that is no TOML.
    #[error("this is not TOML: {message}")]
    Syntax {
        /// What the reader of TOML said.
        message: String,
    },

    /// A key that means nothing here.
    #[error("there is no such key here: {known}")]
    UnknownKey {
        /// The keys that there are.
        known: Near,
    },

    /// A key that has to be there.
    #[error("the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },

    /// A word that means nothing here.
    #[error("there is no word {word:?} here: {known}")]
    UnknownWord {
        /// The word.
        word: String,
        /// The words that there are.
        known: Near,
    },

    /// A value of another type of TOML.
    #[error("it has to be {expected}, not {found}", found = Article(found))]
    WrongType {
        /// What it has to be.
        expected: &'static str,
        /// The type of what it is.
        found: &'static str,
    },

    /// An attribute of nothing.
    #[error(
        "an attribute is made of one of `template`, `constant`, `column`, `ttl` and `source`: say which"
    )]
    NoSource,

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

    /// A key of the table that nothing becomes.
    #[error("nothing becomes {attribute:?}, the {role} of table {table}: {available}")]
    KeyMissing {
        /// The key.
        attribute: String,
        /// Which key it is: `partition key` or `sort key`.
        role: String,
        /// The table.
        table: String,
        /// The attributes that there are.
        available: Near,
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

    /// A template that is not well-formed, or does not fit its columns.
    #[error("{reason} (byte {position} of the template)")]
    Template {
        /// Where in the template: bytes from its start.
        position: usize,
        /// What is wrong, and what to do.
        reason: String,
    },

    /// What does not fit the column that it is said of.
    #[error("{reason}")]
    Unfit {
        /// What is wrong, and what to do.
        reason: String,
    },

    /// A constant that DynamoDB does not take.
    #[error("the constant cannot be written: {reason}")]
    Constant {
        /// Why.
        reason: String,
    },
}

impl MappingProblem {
    /// Whether it is the last key that is wrong, and not its value.
    pub(crate) fn is_of_key(&self) -> bool {
        matches!(
            self,
            Self::UnknownKey { .. } | Self::Meaningless { .. } | Self::TwoSources { .. }
        )
    }
}

/// A type of TOML with the article that it has in a sentence.
struct Article<'a>(&'a str);

impl fmt::Display for Article<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = if self.0.starts_with(['a', 'i']) {
            "an"
        } else {
            "a"
        };
        write!(f, "{article} {}", self.0)
    }
}

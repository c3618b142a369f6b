//! The one error of this crate: why a table description, a value, an item or an operation is not valid.

use std::fmt;

use crate::NumberError;
use crate::limits::{
    MAX_ATTRIBUTE_NAME_BYTES, MAX_ITEM_BYTES, MAX_KEY_NAME_BYTES, MAX_NESTED_CONTAINERS,
    MAX_REQUEST_BYTES,
};
use crate::table::{KeyType, TableName};

/// Why something could not become a valid write operation.
///
/// Each variant names the table, the attribute and what was found. None is worth a retry: the input itself
/// has to change. Values never appear in messages, so that logs do not leak data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A table description that DynamoDB would not accept.
    #[error("table {table:?} is not a valid table description: {reason}")]
    InvalidTable {
        /// The name as it was given.
        table: String,
        /// What is wrong with it.
        reason: String,
    },

    /// An item has no value for a key attribute.
    #[error("table {table}: the item has no key attribute {attribute:?}")]
    MissingKey {
        /// The table.
        table: TableName,
        /// The key attribute.
        attribute: String,
    },

    /// A key attribute, of the table or of one of its indexes, has a value of another type.
    #[error("table {table}: attribute {attribute:?} is a {found} but the key of {owner} is a {expected}", owner = KeyOwner(index.as_deref()))]
    KeyType {
        /// The table.
        table: TableName,
        /// The index whose key it is, if it is not the table's own.
        index: Option<String>,
        /// The key attribute.
        attribute: String,
        /// The type of the key schema.
        expected: KeyType,
        /// The type of the value.
        found: ValueKind,
    },

    /// A key attribute, of the table or of one of its indexes, is an empty string or empty binary.
    #[error("table {table}: attribute {attribute:?} is an empty {kind} but is a key of {owner}", owner = KeyOwner(index.as_deref()))]
    EmptyKey {
        /// The table.
        table: TableName,
        /// The index whose key it is, if it is not the table's own.
        index: Option<String>,
        /// The key attribute.
        attribute: String,
        /// Its type.
        kind: KeyType,
    },

    /// A key value is longer than DynamoDB allows.
    #[error("table {table}: attribute {attribute:?} is a {kind} of {bytes} bytes but the key of {owner} may have {max}", owner = KeyOwner(index.as_deref()))]
    KeyTooLong {
        /// The table.
        table: TableName,
        /// The index whose key it is, if it is not the table's own.
        index: Option<String>,
        /// The key attribute.
        attribute: String,
        /// Its type.
        kind: KeyType,
        /// Bytes of the value.
        bytes: usize,
        /// Most bytes that it may have.
        max: usize,
    },

    /// The item is larger than 400 KB.
    #[error(
        "table {table}: the item has {bytes} bytes, more than the {MAX_ITEM_BYTES} that an item may have"
    )]
    ItemTooLarge {
        /// The table.
        table: TableName,
        /// Its size by DynamoDB's rule.
        bytes: u64,
    },

    /// The operation does not fit into a request, however small its item is by DynamoDB's rule.
    #[error(
        "table {table}: the operation needs {bytes} bytes of JSON, more than the {MAX_REQUEST_BYTES} of a request"
    )]
    OpTooLarge {
        /// The table.
        table: TableName,
        /// Bytes on the wire.
        bytes: usize,
    },

    /// A number that DynamoDB cannot hold exactly.
    #[error("table {table}: attribute {attribute:?} is not a valid number")]
    Number {
        /// The table.
        table: TableName,
        /// The top-level attribute.
        attribute: String,
        /// Why.
        source: NumberError,
    },

    /// A set without members.
    #[error(
        "table {table}: attribute {attribute:?} is an empty {kind}, and a set must have a member"
    )]
    EmptySet {
        /// The table.
        table: TableName,
        /// The top-level attribute.
        attribute: String,
        /// The kind of set.
        kind: ValueKind,
    },

    /// A set with one member twice.
    #[error("table {table}: attribute {attribute:?} is a {kind} with a member twice")]
    DuplicateSetMember {
        /// The table.
        table: TableName,
        /// The top-level attribute.
        attribute: String,
        /// The kind of set.
        kind: ValueKind,
    },

    /// Lists and maps inside one another, too deep.
    #[error(
        "table {table}: attribute {attribute:?} nests more than {MAX_NESTED_CONTAINERS} lists and maps in one another"
    )]
    NestingTooDeep {
        /// The table.
        table: TableName,
        /// The top-level attribute.
        attribute: String,
    },

    /// An item or a map names one attribute twice.
    #[error("table {table}: attribute {attribute:?} appears twice in one map")]
    DuplicateAttribute {
        /// The table.
        table: TableName,
        /// The name that stands twice.
        attribute: String,
    },

    /// An attribute name that is empty or too long.
    #[error(
        "an attribute name has {bytes} bytes, and it must have 1 to {MAX_ATTRIBUTE_NAME_BYTES} ({MAX_KEY_NAME_BYTES} for keys)"
    )]
    AttributeName {
        /// Bytes of the name.
        bytes: usize,
    },

    /// A value that has no counterpart in DynamoDB, as a serializer reports it.
    #[error("table {table}: {}{message}", OfAttribute(attribute))]
    Unsupported {
        /// The table.
        table: TableName,
        /// The top-level attribute, empty if the item as a whole is meant.
        attribute: String,
        /// What is not supported.
        message: String,
    },
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The attribute of a key, of the table or of an index, that is to blame.
    pub fn key_attribute(&self) -> Option<&str> {
        match self {
            Self::MissingKey { attribute, .. }
            | Self::KeyType { attribute, .. }
            | Self::EmptyKey { attribute, .. }
            | Self::KeyTooLong { attribute, .. } => Some(attribute),
            _ => None,
        }
    }

    /// A short name of the kind of error for dead letters, metrics and logs; it never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidTable { .. } => "invalid_table",
            Self::MissingKey { .. } => "missing_key",
            Self::KeyType { .. } => "key_type",
            Self::EmptyKey { .. } => "empty_key",
            Self::KeyTooLong { .. } => "key_too_long",
            Self::ItemTooLarge { .. } => "item_too_large",
            Self::OpTooLarge { .. } => "op_too_large",
            Self::Number { .. } => "number",
            Self::EmptySet { .. } => "empty_set",
            Self::DuplicateSetMember { .. } => "duplicate_set_member",
            Self::NestingTooDeep { .. } => "nesting_too_deep",
            Self::DuplicateAttribute { .. } => "duplicate_attribute",
            Self::AttributeName { .. } => "attribute_name",
            Self::Unsupported { .. } => "unsupported_value",
        }
    }
}

struct KeyOwner<'a>(Option<&'a str>);

impl fmt::Display for KeyOwner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("the table"),
            Some(index) => write!(f, "index {index:?}"),
        }
    }
}

struct OfAttribute<'a>(&'a str);

impl fmt::Display for OfAttribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            attribute => write!(f, "attribute {attribute:?}: "),
        }
    }
}

/// The types of DynamoDB values.
///
/// Source: *Supported data types and naming rules in Amazon DynamoDB*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
    /// Boolean.
    Bool,
    /// Null.
    Null,
    /// List.
    L,
    /// Map.
    M,
    /// String set.
    Ss,
    /// Number set.
    Ns,
    /// Binary set.
    Bs,
}

impl ValueKind {
    /// The type descriptor of DynamoDB JSON.
    pub const fn descriptor(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
            Self::L => "L",
            Self::M => "M",
            Self::Ss => "SS",
            Self::Ns => "NS",
            Self::Bs => "BS",
        }
    }

    pub(crate) fn from_descriptor(descriptor: &[u8]) -> Option<Self> {
        [
            Self::S,
            Self::N,
            Self::B,
            Self::Bool,
            Self::Null,
            Self::L,
            Self::M,
            Self::Ss,
            Self::Ns,
            Self::Bs,
        ]
        .into_iter()
        .find(|kind| kind.descriptor().as_bytes() == descriptor)
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::S => "string (S)",
            Self::N => "number (N)",
            Self::B => "binary (B)",
            Self::Bool => "boolean (BOOL)",
            Self::Null => "null (NULL)",
            Self::L => "list (L)",
            Self::M => "map (M)",
            Self::Ss => "string set (SS)",
            Self::Ns => "number set (NS)",
            Self::Bs => "binary set (BS)",
        })
    }
}

//! Attributes that are made rather than taken from the column of their name.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::column::ColumnSpec;
use super::is_default;
use super::words::{Word, setters, words};

/// An attribute that is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum AttributeSpec {
    /// A template, as a bare string: `"USER#{id}"`.
    Template(String),
    /// A template with a policy.
    TemplateWith(TemplateSpec),
    /// The same value in every item.
    Constant {
        /// The value.
        constant: Constant,
    },
    /// A column once more, in whatever form.
    Column(Box<ColumnCopySpec>),
    /// Seconds since 1970 for DynamoDB's time to live.
    Ttl(TtlSpec),
    /// Where the row came from.
    Source {
        /// Which part of it.
        source: SourcePart,
    },
}

impl AttributeSpec {
    /// The same value in every item.
    pub fn constant(value: impl Into<Constant>) -> Self {
        Self::Constant {
            constant: value.into(),
        }
    }

    /// Where the row came from.
    pub fn source(source: SourcePart) -> Self {
        Self::Source { source }
    }
}

impl From<&str> for AttributeSpec {
    /// A template.
    fn from(template: &str) -> Self {
        Self::Template(template.to_owned())
    }
}

impl From<TemplateSpec> for AttributeSpec {
    fn from(template: TemplateSpec) -> Self {
        Self::TemplateWith(template)
    }
}

impl From<ColumnCopySpec> for AttributeSpec {
    fn from(copy: ColumnCopySpec) -> Self {
        Self::Column(Box::new(copy))
    }
}

impl From<TtlSpec> for AttributeSpec {
    fn from(ttl: TtlSpec) -> Self {
        Self::Ttl(ttl)
    }
}

/// A template: text with columns in it. `{{` and `}}` are braces.
///
/// `{id}` is the canonical text of a column, `{id:010}` a non-negative integer padded with zeros, `{date:%Y-%m-%d}` a
/// date or timestamp by [strftime](chrono::format::strftime), `{name|lower}`, `{name|upper}`, `{id|sha256(8)}` (so many hexadecimal digits) and
/// `{id|shard(16)}` (a stable number below 16) are filters, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TemplateSpec {
    /// The template.
    pub template: String,
    /// What to do with a value that holds the text which follows its placeholder, so that two rows could have one key.
    #[serde(skip_serializing_if = "is_default")]
    pub separator_in_value: SeparatorInValue,
}

impl TemplateSpec {
    /// A template that refuses values which hold the text that follows them.
    pub fn new(template: impl Into<String>) -> Self {
        Self {
            template: template.into(),
            separator_in_value: SeparatorInValue::default(),
        }
    }

    setters! {
        /// What to do with a value that holds the text which follows its placeholder.
        separator_in_value(policy: SeparatorInValue) => separator_in_value = policy;
    }
}

words! {
    /// A value in a template that holds the text which follows its placeholder.
    #[derive(Default)]
    pub enum SeparatorInValue {
        /// It rejects the row.
        #[default]
        Error = "error",
        /// The separator and `%` are percent-encoded in it.
        Percent = "percent",
        /// It stays, and the template does not tell all rows apart.
        Allow = "allow",
    }
}

/// A constant by its TOML type: string S, integer and float N, boolean BOOL, array L, table M.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Constant {
    /// BOOL.
    Bool(bool),
    /// N.
    Integer(i64),
    /// N, by its shortest text.
    Float(FiniteFloat),
    /// S.
    String(String),
    /// L.
    List(Vec<Self>),
    /// M.
    Map(BTreeMap<String, Self>),
}

impl From<bool> for Constant {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Constant {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<FiniteFloat> for Constant {
    fn from(value: FiniteFloat) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Constant {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

/// A float that is a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(into = "f64")]
pub struct FiniteFloat(f64);

impl Eq for FiniteFloat {}

impl TryFrom<f64> for FiniteFloat {
    type Error = &'static str;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        if value.is_finite() {
            Ok(Self(value))
        } else {
            Err("a constant cannot be NaN or infinite")
        }
    }
}

impl From<FiniteFloat> for f64 {
    fn from(value: FiniteFloat) -> Self {
        value.0
    }
}

/// A column once more, under another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ColumnCopySpec {
    /// The column, as [`MappingSpec::columns`](super::MappingSpec::columns) names it.
    pub column: String,
    /// What becomes of it; `rename`, `drop` and `flatten` mean nothing here.
    #[serde(flatten)]
    pub spec: ColumnSpec,
}

impl ColumnCopySpec {
    /// `column` once more, as `spec` says.
    pub fn new(column: impl Into<String>, spec: ColumnSpec) -> Self {
        Self {
            column: column.into(),
            spec,
        }
    }
}

/// Seconds since 1970 from a column, for the attribute of a table's time to live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TtlSpec {
    /// A column of dates or timestamps.
    pub ttl: String,
    /// How long after it an item expires, such as `90d`, `12h` or `-5m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl TtlSpec {
    /// The time that `column` tells.
    pub fn new(column: impl Into<String>) -> Self {
        Self {
            ttl: column.into(),
            after: None,
        }
    }

    setters! {
        /// How long after it an item expires.
        after(after: impl Into<String>) => after = Some(after.into());
    }
}

words! {
    /// Where a row came from.
    pub enum SourcePart {
        /// The file, a string.
        File = "file",
        /// The row group in the file, a number.
        RowGroup = "row_group",
        /// The row in its row group, a number.
        Row = "row",
    }
}

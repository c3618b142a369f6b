//! What a mapping says, in the words of its file: data alone, the same for the TOML and for the builder.

mod attribute;
mod column;
mod row;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;

use self::words::{policy_setters, setters};

pub use self::attribute::{
    AttributeSpec, ColumnCopySpec, Constant, FiniteFloat, SeparatorInValue, SourcePart,
    TemplateSpec, TtlSpec,
};
pub use self::column::{ColumnSpec, Policies};
pub use self::row::{NullOperation, OperationPreset, OperationSpec, VersionSpec};
pub(crate) use self::words::Word;
pub use self::words::{
    BinaryAsString, EmptyString, EncodeAs, Json, Lists, Nonfinite, Nulls, NumberOverflow,
    TemporalOverflow, Timestamps, UnknownExtension, Unnamed,
};

/// What becomes of columns and values, where it is not the default. An empty one is the default mapping.
///
/// It knows no schema and no table: [`Mapping::new`](super::Mapping::new) holds it against both. The methods say the
/// same as a file does:
///
/// ```
/// use dynasink_arrow::spec::{AttributeSpec, ColumnSpec, EncodeAs, MappingSpec};
///
/// let spec = MappingSpec::new()
///     .column("id", ColumnSpec::new().rename("pk").encode_as(EncodeAs::S))
///     .column("internal", ColumnSpec::new().drop(true))
///     .attribute("kind", AttributeSpec::constant("user"));
/// let same = MappingSpec::from_toml("users.toml", r#"
///     [columns]
///     id = { rename = "pk", as = "S" }
///     internal = { drop = true }
///     [attributes]
///     kind = { constant = "user" }
/// "#)?;
/// assert_eq!(spec, same);
/// # Ok::<(), dynasink_arrow::MappingError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MappingSpec {
    /// What holds for every column that does not say otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub defaults: Defaults,
    /// Columns by name. A name that is no column and starts with `/` is a path into one: `/address/zip` is a field
    /// of a struct, `/lines/*/price` one of each element. `#3` is the column at that place, from zero.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, ColumnSpec>,
    /// Attributes that are made rather than taken from the column of their name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeSpec>,
    /// The column that says what a row does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationSpec>,
    /// The column whose greatest value wins among the rows of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionSpec>,
}

impl MappingSpec {
    /// The default mapping.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// What holds for every column that does not say otherwise.
        defaults(defaults: Defaults) => defaults = defaults;
        /// The column that says what a row does.
        operation(operation: OperationSpec) => operation = Some(operation);
        /// The column whose greatest value wins among the rows of a key.
        version(version: VersionSpec) => version = Some(version);
    }

    /// What becomes of a column, or of a part of one; see [`columns`](Self::columns) for how to address it.
    #[must_use]
    pub fn column(mut self, address: impl Into<String>, column: ColumnSpec) -> Self {
        self.columns.insert(address.into(), column);
        self
    }

    /// An attribute that is made. A string is a template.
    #[must_use]
    pub fn attribute(
        mut self,
        name: impl Into<String>,
        attribute: impl Into<AttributeSpec>,
    ) -> Self {
        self.attributes.insert(name.into(), attribute.into());
        self
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What holds for every column that does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Defaults {
    /// Whether columns that the mapping does not name become attributes of their own names.
    #[serde(skip_serializing_if = "is_default")]
    pub unnamed: Unnamed,
    /// Globs of top-level columns without an entry of their own; only those that match one are taken. All, if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Globs of top-level columns without an entry of their own that are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// How timestamps and dates are written.
    #[serde(skip_serializing_if = "is_default")]
    pub timestamps: Timestamps,
    /// What lists become.
    #[serde(skip_serializing_if = "is_default")]
    pub lists: Lists,
    /// What columns of JSON texts become.
    #[serde(skip_serializing_if = "is_default")]
    pub json: Json,
    /// Whether binary columns without a logical type are text.
    #[serde(skip_serializing_if = "is_default")]
    pub binary_as_string: BinaryAsString,
    /// What columns become whose Arrow extension is not known.
    #[serde(skip_serializing_if = "is_default")]
    pub unknown_extension: UnknownExtension,
    /// What values become that have no exact place.
    #[serde(flatten)]
    pub policies: Policies,
}

impl Defaults {
    /// Those of the default mapping.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Whether columns that the mapping does not name become attributes.
        unnamed(unnamed: Unnamed) => unnamed = unnamed;
        /// Globs of the columns that are taken.
        include(globs: impl IntoIterator<Item = impl Into<String>>) => include = globs.into_iter().map(Into::into).collect();
        /// Globs of the columns that are left out.
        exclude(globs: impl IntoIterator<Item = impl Into<String>>) => exclude = globs.into_iter().map(Into::into).collect();
        /// How timestamps and dates are written.
        timestamps(timestamps: Timestamps) => timestamps = timestamps;
        /// What lists become.
        lists(lists: Lists) => lists = lists;
        /// What columns of JSON texts become.
        json(json: Json) => json = json;
        /// Whether binary columns without a logical type are text.
        binary_as_string(as_string: BinaryAsString) => binary_as_string = as_string;
        /// What columns become whose Arrow extension is not known.
        unknown_extension(unknown: UnknownExtension) => unknown_extension = unknown;
    }
    policy_setters!();
}

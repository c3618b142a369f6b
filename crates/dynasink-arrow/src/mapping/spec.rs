//! What a mapping says, in the words of its file: data alone, the same for the TOML and for the builder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What becomes of columns and values, where it is not the default. An empty one is the default mapping.
///
/// It knows no schema and no table: [`Mapping::new`](super::Mapping::new) holds it against both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
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

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What holds for every column that does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Defaults {
    /// Whether columns that the mapping does not name become attributes of their own names.
    #[serde(skip_serializing_if = "is_default")]
    pub unnamed: Unnamed,
    /// Globs of top-level columns; only those that match one are taken. All, if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Globs of top-level columns that are left out.
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
    /// What values become that have no exact place.
    #[serde(flatten)]
    pub policies: Policies,
}

/// What values become that have no exact place. Each is that of the column, else that of the defaults, else the
/// default that is named first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Policies {
    /// Nulls of columns and of fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nulls: Option<Nulls>,
    /// NaN and infinities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonfinite: Option<Nonfinite>,
    /// Numbers of more than 38 digits, or beyond the range that DynamoDB has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_overflow: Option<NumberOverflow>,
    /// Dates and timestamps of years that ISO 8601 has no four digits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporal_overflow: Option<TemporalOverflow>,
    /// Empty strings and empty binary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_string: Option<EmptyString>,
}

impl Policies {
    /// These, and those of `defaults` where these say nothing.
    #[must_use]
    pub fn or(self, defaults: Self) -> Self {
        Self {
            nulls: self.nulls.or(defaults.nulls),
            nonfinite: self.nonfinite.or(defaults.nonfinite),
            number_overflow: self.number_overflow.or(defaults.number_overflow),
            temporal_overflow: self.temporal_overflow.or(defaults.temporal_overflow),
            empty_string: self.empty_string.or(defaults.empty_string),
        }
    }
}

/// One column, or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ColumnSpec {
    /// The attribute's name, if it is not the column's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
    /// Leaves the column out of the item; templates and others may use it all the same. Of a column that says what
    /// a row does, `false` keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop: Option<bool>,
    /// What the values become, if not the default of their type.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub encode_as: Option<EncodeAs>,
    /// For `decimal`: digits behind the point, to which values are rounded half to even.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<i8>,
    /// For `SS` of a string: what its members are separated by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// For a timestamp without a time zone: the zone that it is in, such as `Europe/Berlin` or `+01:00`. It is then
    /// written in UTC; a local time that a clock change made twice, or not at all, rejects the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assume_zone: Option<String>,
    /// For a struct: its fields become attributes of their own, named by the struct's name, this, and the field's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flatten: Option<String>,
    /// What values become that have no exact place.
    #[serde(flatten)]
    pub policies: Policies,
}

/// What values become: a type of DynamoDB, or one of the forms in which a type can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EncodeAs {
    /// String: text as it is, all else by its canonical text; decimals with all digits of their scale.
    #[serde(rename = "S")]
    S,
    /// Number: numbers as they are, strings if they are one, booleans as 0 and 1.
    #[serde(rename = "N")]
    N,
    /// Binary: bytes as they are, strings by their UTF-8.
    #[serde(rename = "B")]
    B,
    /// Boolean: strings `true` and `false`, numbers 0 and 1.
    #[serde(rename = "BOOL")]
    Bool,
    /// String set, of a list or of a string with a `separator`.
    #[serde(rename = "SS")]
    Ss,
    /// Number set, of a list.
    #[serde(rename = "NS")]
    Ns,
    /// Binary set, of a list.
    #[serde(rename = "BS")]
    Bs,
    /// List.
    #[serde(rename = "L")]
    L,
    /// Map.
    #[serde(rename = "M")]
    M,
    /// NULL, whatever the value is.
    #[serde(rename = "NULL")]
    Null,
    /// A set of whatever the elements of a list are.
    Set,
    /// ISO 8601, as a string.
    Iso,
    /// A timestamp in ISO 8601 with the offset that its own zone has there.
    Zoned,
    /// Seconds since 1970 as a number. A fraction is dropped towards the past, since this word asks for seconds.
    EpochS,
    /// Seconds since 1970 as a number, with the fraction.
    EpochSFraction,
    /// Milliseconds since 1970 as a number; finer timestamps must be whole ones.
    EpochMs,
    /// Microseconds since 1970 as a number; finer timestamps must be whole ones.
    EpochUs,
    /// Nanoseconds since 1970 as a number.
    EpochNs,
    /// Days since 1970 as a number.
    EpochDays,
    /// A date as the number 20130131.
    Yyyymmdd,
    /// A duration or a time of day as a number of seconds, with the fraction.
    Seconds,
    /// The integer that a time, duration or timestamp is stored as.
    Raw,
    /// A decimal's digits as an integer, without its point.
    Scaled,
    /// A float in 32 or 16 bits by its exact value rather than its shortest text.
    F64,
    /// A number rounded half to even to `scale` digits behind the point.
    Decimal,
    /// 16 bytes as a UUID, a string.
    Uuid,
    /// Bytes as a string of hexadecimal digits.
    Hex,
    /// Bytes as a string in base64.
    Base64,
    /// A string of hexadecimal digits as binary.
    FromHex,
    /// A string in base64 as binary.
    FromBase64,
    /// Any value as JSON text.
    Json,
    /// A JSON text as what it says: maps, lists, strings, numbers, booleans and nulls.
    Document,
    /// A text of DynamoDB JSON, such as `{"S":"a"}`, as what it says.
    DynamodbJson,
    /// A list of floats of a fixed length as binary, each in little-endian order.
    Packed,
    /// A map as a list of maps with `key` and `value`.
    Entries,
    /// A union's value in a map, under the name of its type.
    Tagged,
}

macro_rules! policy {
    ($(#[$doc:meta])* $name:ident { $(#[$first_doc:meta])* $first:ident, $($(#[$variant_doc:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum $name {
            $(#[$first_doc])*
            #[default]
            $first,
            $($(#[$variant_doc])* $variant,)+
        }
    };
}

policy! {
    /// Whether columns that the mapping does not name become attributes.
    Unnamed {
        /// They do, under their own names.
        Keep,
        /// They are left out.
        Drop,
    }
}

policy! {
    /// Nulls of columns and of struct fields. In lists and as values of maps they are always NULL, and a key
    /// of an index is always omitted.
    Nulls {
        /// There is no attribute.
        Omit,
        /// The attribute is NULL.
        Null,
    }
}

policy! {
    /// NaN and infinities, which DynamoDB has no numbers for.
    Nonfinite {
        /// They reject the row.
        Error,
        /// NULL.
        Null,
        /// As a null: by `nulls`.
        Omit,
        /// The strings `NaN`, `Infinity` and `-Infinity`.
        String,
    }
}

policy! {
    /// Numbers that DynamoDB cannot hold exactly.
    NumberOverflow {
        /// They reject the row.
        Error,
        /// Their text, as a string.
        String,
        /// Rounded half to even to 38 digits; what is out of range still rejects the row.
        Round,
    }
}

policy! {
    /// Dates and timestamps outside of the years 0000 to 9999.
    TemporalOverflow {
        /// They reject the row.
        Error,
        /// NULL.
        Null,
        /// The integer that is stored, as a number.
        Raw,
    }
}

policy! {
    /// Empty strings and empty binary, where they are no key.
    EmptyString {
        /// They stay empty.
        Keep,
        /// There is no attribute; in lists and maps NULL.
        Omit,
        /// NULL.
        Null,
    }
}

policy! {
    /// How dates and timestamps are written.
    Timestamps {
        /// ISO 8601, as strings.
        Iso,
        /// As [`EncodeAs::EpochS`].
        EpochS,
        /// As [`EncodeAs::EpochMs`].
        EpochMs,
        /// As [`EncodeAs::EpochUs`].
        EpochUs,
        /// As [`EncodeAs::EpochNs`].
        EpochNs,
    }
}

policy! {
    /// What lists become.
    Lists {
        /// L.
        List,
        /// SS, NS or BS; an empty list is omitted and a null element rejects the row.
        Set,
    }
}

policy! {
    /// What columns of JSON texts become.
    Json {
        /// The text, as a string.
        String,
        /// As [`EncodeAs::Document`].
        Native,
    }
}

policy! {
    /// Whether binary columns without a logical type are text, as old writers of Parquet leave them.
    BinaryAsString {
        /// Binary, always.
        Never,
        /// Strings; a value that is not UTF-8 rejects its row.
        Always,
    }
}

/// An attribute that is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A template: text with columns in it. `{{` and `}}` are braces.
///
/// `{id}` is the canonical text of a column, `{id:010}` a non-negative integer padded with zeros, `{date:%Y-%m-%d}` a date or timestamp
/// by [strftime](chrono::format::strftime), `{name|lower}`, `{name|upper}`, `{id|sha256(8)}` (so many hexadecimal digits) and
/// `{id|shard(16)}` (a stable number below 16) are filters, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TemplateSpec {
    /// The template.
    pub template: String,
    /// What to do with a value that holds the text which follows its placeholder, so that two rows could have one key.
    #[serde(default, skip_serializing_if = "is_default")]
    pub separator_in_value: SeparatorInValue,
}

policy! {
    /// A value in a template that holds the text which follows its placeholder.
    SeparatorInValue {
        /// It rejects the row.
        Error,
        /// The separator and `%` are percent-encoded in it.
        Percent,
        /// It stays, and the template does not tell all rows apart.
        Allow,
    }
}

/// A constant by its TOML type: string S, integer and float N, boolean BOOL, array L, table M.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A float that is a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColumnCopySpec {
    /// The column, as [`MappingSpec::columns`] names it.
    pub column: String,
    /// What becomes of it; `rename`, `drop` and `flatten` mean nothing here.
    #[serde(flatten)]
    pub spec: ColumnSpec,
}

/// Seconds since 1970 from a column, for the attribute of a table's time to live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TtlSpec {
    /// A column of dates or timestamps.
    pub ttl: String,
    /// How long after it an item expires, such as `90d`, `12h` or `-5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Where a row came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SourcePart {
    /// The file, a string.
    File,
    /// The row group in the file, a number.
    RowGroup,
    /// The row in its row group, a number.
    Row,
}

/// The column that says what a row does. It is left out of the items unless its own entry has `drop = false`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OperationSpec {
    /// The column: strings, integers or booleans, by their canonical text.
    pub column: String,
    /// Values of a tool that is known; the lists below come on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<OperationPreset>,
    /// Values of rows that are put.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put: Vec<String>,
    /// Values of rows whose key is deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<String>,
    /// Values of rows that say nothing of the item as it is to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
    /// What a null means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null: Option<NullOperation>,
}

/// How tools that capture changes name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OperationPreset {
    /// AWS DMS: `I` and `U` put, `D` deletes, null (a full load) puts.
    Dms,
    /// Debezium: `c`, `r` and `u` put, `d` deletes.
    Debezium,
    /// Delta Lake's change data feed: `insert` and `update_postimage` put, `delete` deletes, `update_preimage` is passed over.
    DeltaCdf,
    /// Iceberg: `INSERT` and `UPDATE_AFTER` put, `DELETE` deletes, `UPDATE_BEFORE` is passed over.
    Iceberg,
    /// Flink: `+I` and `+U` put, `-D` deletes, `-U` is passed over.
    Flink,
    /// Hudi's `_hoodie_is_deleted`: `true` deletes, `false` and null put.
    Hudi,
    /// `insert` and `update` put, `delete` deletes, in any case.
    Plain,
}

/// What a null in the operation column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NullOperation {
    /// It rejects the row.
    Error,
    /// The row is put.
    Put,
}

/// The column whose greatest value wins among the rows of a key; of equal ones the later row does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VersionSpec {
    /// The column: integers, decimals, dates, timestamps or strings.
    pub column: String,
}

//! What is said of one column, or of a part of it.

use serde::Serialize;

use super::words::{
    EmptyString, EncodeAs, Nonfinite, Nulls, NumberOverflow, TemporalOverflow, policy_setters,
    setters,
};

/// What values become that have no exact place. Each is that of the column, else that of the defaults, else the
/// default that is named first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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

impl ColumnSpec {
    /// One that says nothing, so that the column is as by default.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Names the attribute.
        rename(name: impl Into<String>) => rename = Some(name.into());
        /// Leaves the column out, or says that it stays.
        drop(drop: bool) => drop = Some(drop);
        /// What the values become.
        encode_as(encode_as: EncodeAs) => encode_as = Some(encode_as);
        /// Digits behind the point, for [`EncodeAs::Decimal`].
        scale(scale: i8) => scale = Some(scale);
        /// What separates the members, for [`EncodeAs::Ss`] of a string.
        separator(separator: impl Into<String>) => separator = Some(separator.into());
        /// The zone of a timestamp that has none.
        assume_zone(zone: impl Into<String>) => assume_zone = Some(zone.into());
        /// Makes the fields of a struct attributes of their own, with this between its name and theirs.
        flatten(separator: impl Into<String>) => flatten = Some(separator.into());
    }
    policy_setters!();
}

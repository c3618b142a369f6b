//! The words of a mapping that each type can be written by: the one table of them.

use std::fmt;

use arrow_schema::{DataType, Field};

use super::extension::Extension;
use crate::mapping::spec::EncodeAs;

use EncodeAs as W;

/// What `field` can be written as; first what says the same as the default.
pub(crate) fn words_of(field: &Field) -> &'static [EncodeAs] {
    match Extension::of(field) {
        Some(Extension::Uuid) => &[W::Uuid, W::S, W::B, W::Hex, W::Base64, W::Json, W::Null],
        Some(Extension::Bool8) => &[W::Bool, W::N, W::S, W::Json, W::Null],
        Some(Extension::TimestampWithOffset) => &[W::Zoned, W::S, W::Iso, W::M, W::Json, W::Null],
        Some(Extension::Variant) => &[W::Document, W::Json, W::B, W::Null],
        Some(Extension::Json) | None => words_for(field.data_type()),
    }
}

/// What values of `data_type` can be written as; first what says the same as the default. Dictionaries and run-end
/// encodings are as their values, and a type that cannot be written has no word.
pub(crate) fn words_for(data_type: &DataType) -> &'static [EncodeAs] {
    use DataType as D;
    match data_type {
        D::Null => &[W::Null],
        D::Boolean => &[W::Bool, W::N, W::S, W::Json, W::Null],
        _ if data_type.is_integer() => &[W::N, W::S, W::Bool, W::Decimal, W::Json, W::Null],
        D::Float16 | D::Float32 => &[W::N, W::F64, W::S, W::Decimal, W::Bool, W::Json, W::Null],
        D::Float64 => &[W::N, W::S, W::Decimal, W::Bool, W::Json, W::Null],
        _ if data_type.is_decimal() => {
            &[W::N, W::S, W::Scaled, W::Decimal, W::Bool, W::Json, W::Null]
        }
        _ if data_type.is_string() => &[
            W::S,
            W::N,
            W::B,
            W::Bool,
            W::Ss,
            W::Decimal,
            W::FromHex,
            W::FromBase64,
            W::Document,
            W::DynamodbJson,
            W::Json,
            W::Null,
        ],
        D::FixedSizeBinary(16) | D::Binary | D::LargeBinary | D::BinaryView => {
            &[W::B, W::S, W::Hex, W::Base64, W::Uuid, W::Json, W::Null]
        }
        D::FixedSizeBinary(_) => &[W::B, W::S, W::Hex, W::Base64, W::Json, W::Null],
        D::Date32 | D::Date64 => &[
            W::Iso,
            W::S,
            W::EpochDays,
            W::EpochS,
            W::EpochMs,
            W::EpochUs,
            W::EpochNs,
            W::Yyyymmdd,
            W::Raw,
            W::Json,
            W::Null,
        ],
        D::Time32(_) | D::Time64(_) => &[W::Iso, W::S, W::Seconds, W::Raw, W::Json, W::Null],
        D::Timestamp(..) => &[
            W::Iso,
            W::S,
            W::Zoned,
            W::EpochS,
            W::EpochSFraction,
            W::EpochMs,
            W::EpochUs,
            W::EpochNs,
            W::Raw,
            W::Json,
            W::Null,
        ],
        D::Duration(_) => &[W::Seconds, W::N, W::S, W::Iso, W::Raw, W::Json, W::Null],
        D::Interval(_) => &[W::Iso, W::S, W::M, W::Json, W::Null],
        D::FixedSizeList(element, _) if element.data_type().is_floating() => {
            &[W::L, W::Packed, W::Set, W::Ss, W::Ns, W::Json, W::Null]
        }
        D::List(_)
        | D::LargeList(_)
        | D::FixedSizeList(..)
        | D::ListView(_)
        | D::LargeListView(_) => &[W::L, W::Set, W::Ss, W::Ns, W::Bs, W::Json, W::Null],
        D::Struct(_) => &[W::M, W::Json, W::Null],
        D::Map(..) => &[W::M, W::Entries, W::Json, W::Null],
        // Without a word, the value of the type that a row has.
        D::Union(..) => &[W::Tagged, W::Json, W::Null],
        D::Dictionary(_, values) => words_for(values),
        D::RunEndEncoded(_, values) => words_of(values),
        _ => &[],
    }
}

impl EncodeAs {
    /// The word itself, as a mapping file has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Bool => "BOOL",
            Self::Ss => "SS",
            Self::Ns => "NS",
            Self::Bs => "BS",
            Self::L => "L",
            Self::M => "M",
            Self::Null => "NULL",
            Self::Set => "set",
            Self::Iso => "iso",
            Self::Zoned => "zoned",
            Self::EpochS => "epoch_s",
            Self::EpochSFraction => "epoch_s_fraction",
            Self::EpochMs => "epoch_ms",
            Self::EpochUs => "epoch_us",
            Self::EpochNs => "epoch_ns",
            Self::EpochDays => "epoch_days",
            Self::Yyyymmdd => "yyyymmdd",
            Self::Seconds => "seconds",
            Self::Raw => "raw",
            Self::Scaled => "scaled",
            Self::F64 => "f64",
            Self::Decimal => "decimal",
            Self::Uuid => "uuid",
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::FromHex => "from_hex",
            Self::FromBase64 => "from_base64",
            Self::Json => "json",
            Self::Document => "document",
            Self::DynamodbJson => "dynamodb_json",
            Self::Packed => "packed",
            Self::Entries => "entries",
            Self::Tagged => "tagged",
        }
    }
}

impl fmt::Display for EncodeAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

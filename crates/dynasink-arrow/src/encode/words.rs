//! The words of a mapping that each type can be written by: the one table of them.

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
        _ if data_type.is_integer() => &[
            W::N,
            W::S,
            W::Bool,
            W::Decimal,
            W::IsoOfEpochS,
            W::IsoOfEpochMs,
            W::IsoOfEpochUs,
            W::IsoOfEpochNs,
            W::Json,
            W::Null,
        ],
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

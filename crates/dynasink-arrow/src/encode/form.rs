//! What the values of a column become, decided once from its type and its mapping.

use std::sync::Arc;

use arrow_array::Array;
use arrow_buffer::NullBuffer;
use dynasink_core::{AttributeNames, ValueEncoder, ValueKind};

use super::binary::BinaryForm;
use super::document::DocumentForm;
use super::entries::EntriesForm;
use super::fallback::Fallbacks;
use super::json_text::JsonForm;
use super::number::NumberForm;
use super::set::{MemberForm, SetForm};
use super::text::TextForm;
use super::union::UnionForm;
#[cfg(feature = "variant")]
use super::variant::{self, VariantForm};
use super::{
    Encode, Encoding, ValueError, binary, bool, bool8, document, entries, indirect, interval,
    json_text, map, nested, number, set, text, union,
};

/// What the values of one type become. Dictionaries and run-end encodings are as their values.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// NULL.
    Null,
    /// BOOL.
    Bool,
    /// N.
    Number(NumberForm, Fallbacks),
    /// S.
    Text(TextForm, Fallbacks),
    /// B.
    Binary(BinaryForm, Fallbacks),
    /// SS, NS or BS.
    Set(Arc<SetForm>),
    /// L of one encoding.
    List(Arc<Encoding>),
    /// M of the fields of a struct.
    Struct(Arc<StructForm>),
    /// M of the entries of a map, whose keys are their canonical text.
    Map(Arc<Encoding>),
    /// L of M of the keys and values of a map.
    Entries(Arc<EntriesForm>),
    /// M of the parts of an interval.
    IntervalParts,
    /// The value of the type that a row of a union has.
    Union(Arc<UnionForm>),
    /// BOOL of `arrow.bool8`.
    Bool8,
    /// What a text of JSON says.
    Document(DocumentForm),
    /// JSON text of any value.
    JsonText(Arc<JsonForm>),
    /// A VARIANT of Parquet.
    #[cfg(feature = "variant")]
    Variant(VariantForm),
}

/// The fields of a struct that become attributes of a map.
#[derive(Debug)]
pub(super) struct StructForm {
    /// Their names in the map, rendered once.
    pub(super) names: AttributeNames,
    /// Where each is in the struct, and what it becomes.
    pub(super) fields: Vec<(usize, Encoding)>,
}

impl Form {
    /// The type of the values; M if they can be of several, as what a document says.
    pub(super) fn kind(&self) -> ValueKind {
        match self {
            Self::Null => ValueKind::Null,
            Self::Bool | Self::Bool8 => ValueKind::Bool,
            Self::Number(..) => ValueKind::N,
            Self::Text(..) => ValueKind::S,
            Self::Binary(..) => ValueKind::B,
            Self::Set(set) => match set.members {
                MemberForm::Texts(_) | MemberForm::Split(_) => ValueKind::Ss,
                MemberForm::Numbers(..) => ValueKind::Ns,
                MemberForm::Bytes(_) => ValueKind::Bs,
            },
            Self::List(_) | Self::Entries(_) => ValueKind::L,
            Self::Struct(_) | Self::Map(_) | Self::IntervalParts | Self::Document(_) => {
                ValueKind::M
            }
            Self::Union(union) => union.kind().unwrap_or(ValueKind::M),
            Self::JsonText(_) => ValueKind::S,
            #[cfg(feature = "variant")]
            Self::Variant(form) => form.kind(),
        }
    }

    /// Which rows of `array` have no value.
    pub(super) fn nulls_of(&self, array: &dyn Array) -> Option<NullBuffer> {
        match self {
            // The type of a row is told whatever its value is, and unions have no nulls of their own.
            Self::Union(union) if union.is_tagged() => None,
            _ => array.logical_nulls(),
        }
    }

    /// The encoder of `array`; none if the form was not made for its type.
    pub(super) fn encoder(&self, array: &dyn Array) -> Option<Box<dyn Encode>> {
        if indirect::is_indirect(array) {
            return indirect::encoder_of(array, |values| self.encoder(values));
        }
        match self {
            Self::Null => Some(Box::new(Nulls)),
            Self::Bool => bool::encoder(array),
            Self::Number(form, fallbacks) => number::encoder(array, *form, *fallbacks),
            Self::Text(form, fallbacks) => text::encoder(array, *form, *fallbacks),
            Self::Binary(form, fallbacks) => binary::encoder(array, *form, *fallbacks),
            Self::Set(form) => set::encoder(array, form),
            Self::List(element) => nested::list(array, element),
            Self::Struct(fields) => nested::fields(array, fields),
            Self::Map(value) => map::encoder(array, value),
            Self::Entries(form) => entries::encoder(array, form),
            Self::IntervalParts => interval::maps(array),
            Self::Union(form) => union::encoder(array, form),
            Self::Bool8 => bool8::encoder(array),
            Self::Document(form) => document::encoder(array, *form),
            Self::JsonText(form) => json_text::encoder(array, form),
            #[cfg(feature = "variant")]
            Self::Variant(form) => variant::encoder(array, *form),
        }
    }
}

struct Nulls;

impl Encode for Nulls {
    fn encode(&self, _: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.null()?)
    }
}

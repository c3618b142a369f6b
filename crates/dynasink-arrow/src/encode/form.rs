//! What the values of a column become, decided once from its type and its mapping.

use std::sync::Arc;

use arrow_array::Array;
use dynasink_core::{AttributeNames, ValueEncoder, ValueKind};

use super::binary::BinaryForm;
use super::fallback::Fallbacks;
use super::number::NumberForm;
use super::set::{MemberForm, SetForm};
use super::text::TextForm;
use super::{Encode, Encoding, ValueError, binary, bool, indirect, map, nested, number, set, text};

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
    /// The type of the values.
    pub(super) fn kind(&self) -> ValueKind {
        match self {
            Self::Null => ValueKind::Null,
            Self::Bool => ValueKind::Bool,
            Self::Number(..) => ValueKind::N,
            Self::Text(..) => ValueKind::S,
            Self::Binary(..) => ValueKind::B,
            Self::Set(set) => match set.members {
                MemberForm::Texts(_) | MemberForm::Split(_) => ValueKind::Ss,
                MemberForm::Numbers(..) => ValueKind::Ns,
                MemberForm::Bytes(_) => ValueKind::Bs,
            },
            Self::List(_) => ValueKind::L,
            Self::Struct(_) | Self::Map(_) => ValueKind::M,
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
        }
    }
}

struct Nulls;

impl Encode for Nulls {
    fn encode(&self, _: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.null()?)
    }
}

//! Values as keys, which must stay as many as they are.

use arrow_schema::{DataType, Field, TimeUnit};
use dynasink_core::KeyType;

use super::binary::BinaryForm;
use super::epoch::Count;
use super::fallback::Fallbacks;
use super::form::Form;
use super::number::NumberForm;
use super::plan::values_of;
use super::temporal::{Iso, ShownZone};
use super::text::TextForm;
use crate::shape::is_uuid;

impl Form {
    /// Whether two values of `field` that differ stay two, in a form that no word asked for.
    pub(super) fn tells_apart(&self, field: &Field) -> bool {
        match self {
            Self::Number(NumberForm::Time(Count::Seconds, _), _) => matches!(
                values_of(field).data_type(),
                DataType::Date32 | DataType::Timestamp(TimeUnit::Second, _)
            ),
            // A string of one type can be the text of a date of another.
            Self::Union(_) => false,
            _ => true,
        }
    }

    /// The same form for a key, whose policies leave its type alone.
    pub(super) fn of_key(&self) -> Self {
        match self {
            Self::Number(form, fallbacks) => Self::Number(*form, fallbacks.of_key()),
            Self::Text(form, fallbacks) => Self::Text(*form, fallbacks.of_key()),
            Self::Binary(form, fallbacks) => Self::Binary(*form, fallbacks.of_key()),
            form => form.clone(),
        }
    }

    /// Another form that values of `field` have as a key of `key_type`, each one of its own.
    pub(super) fn as_key(&self, field: &Field, key_type: KeyType) -> Option<Self> {
        let field = values_of(field);
        let data_type = field.data_type();
        match (key_type, Iso::of_type(data_type)) {
            (KeyType::S, Some(iso)) => {
                let iso = match (iso, self) {
                    (
                        Iso::Timestamp(digits, _),
                        Self::Number(NumberForm::Time(_, zone @ Some(_)), _),
                    ) => Iso::Timestamp(digits, ShownZone::Utc(*zone)),
                    _ => iso,
                };
                Some(Self::Text(TextForm::Iso(iso), Fallbacks::NONE))
            }
            (KeyType::S, None) if data_type.is_integer() || data_type.is_decimal() => {
                Some(Self::Text(TextForm::Canonical, Fallbacks::NONE))
            }
            (KeyType::B, None) if is_uuid(&field) => {
                Some(Self::Binary(BinaryForm::Value, Fallbacks::NONE))
            }
            _ => None,
        }
    }
}

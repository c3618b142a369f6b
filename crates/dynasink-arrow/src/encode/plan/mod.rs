//! From what a mapping says of a value to the form that it is written in.

mod options;
mod parts;

use std::borrow::Cow;
use std::sync::Arc;

#[cfg(feature = "variant")]
use arrow_array::new_empty_array;
use arrow_schema::{DataType, Field, TimeUnit};

use super::absent::{Absent, Place};
use super::binary::BinaryForm;
use super::decimal::scale_of;
use super::document::DocumentForm;
use super::epoch::Count;
use super::extension::{Extension, own_unknown_extension};
use super::fallback::Fallbacks;
use super::form::Form;
use super::json_text::JsonForm;
use super::number::NumberForm;
use super::packed::FloatWidth;
use super::set::MemberForm;
use super::temporal::{Iso, ShownZone};
use super::text::TextForm;
use super::ticks;
#[cfg(feature = "variant")]
use super::variant::{VariantForm, Variants};
use super::words::words_of;
use super::zone::Zone;
use crate::error::{Error, Result};
use crate::mapping::rules::{Rules, ValuePath};
use crate::mapping::spec::{BinaryAsString, EncodeAs, Json, Lists, Timestamps, UnknownExtension};
use crate::shape::{has_extension, is_uuid};

/// A value on its way to a form: where it stands, what it is, and what is said of it.
pub(super) struct Plan<'p, 's> {
    path: &'p ValuePath<'s>,
    rules: Rules<'s>,
    field: Cow<'p, Field>,
    place: Place,
    fallbacks: Fallbacks,
}

impl<'p, 's> Plan<'p, 's> {
    pub(super) fn new(path: &'p ValuePath<'s>, field: &'p Field, place: Place) -> Self {
        let rules = path.rules();
        Self {
            path,
            rules,
            field: values_of(field),
            place,
            fallbacks: Fallbacks::new(rules.policies, place),
        }
    }

    /// What a null becomes.
    pub(super) fn absent(&self) -> Absent {
        match self.rules.encode_as {
            Some(EncodeAs::Null) => Absent::Null,
            _ => self.place.null(self.rules.policies.nulls),
        }
    }

    /// Whether the mapping names the form.
    pub(super) fn is_explicit(&self) -> bool {
        self.rules.encode_as.is_some()
    }

    pub(super) fn form(&self) -> Result<Form> {
        self.form_as(self.rules.encode_as)
    }

    /// The form by `word`, the default one without.
    fn form_as(&self, word: Option<EncodeAs>) -> Result<Form> {
        if word.is_none() {
            self.check_extension(&self.field)?;
        }
        let words = words_of(&self.field);
        let word = match word {
            Some(word) => word,
            // Its values are as many forms as it has types, which no word says.
            None if matches!(self.field.data_type(), DataType::Union(..)) => {
                return self.union(false);
            }
            None => self.default_word(words)?,
        };
        if !words.contains(&word) {
            return Err(Error::UnfitWord {
                column: self.path.to_string(),
                data_type: self.field.data_type().clone(),
                word,
                fitting: words.to_vec(),
            });
        }
        self.check_options(word)?;
        self.form_by(word)
    }

    /// Refuses an extension that is not known, of this value or of a part of it without a path of its own, where
    /// the mapping asks for that.
    fn check_extension(&self, field: &Field) -> Result<()> {
        match (self.rules.unknown_extension, own_unknown_extension(field)) {
            (UnknownExtension::Error, Some(extension)) => Err(Error::UnknownExtension {
                column: self.path.to_string(),
                extension: extension.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// What is written without a word.
    fn default_word(&self, words: &[EncodeAs]) -> Result<EncodeAs> {
        use DataType as D;
        let data_type = self.field.data_type();
        Ok(match data_type {
            _ if Extension::of(&self.field) == Some(Extension::Json)
                && self.rules.json == Json::Native =>
            {
                EncodeAs::Document
            }
            D::Date32 | D::Date64 | D::Timestamp(..) => match self.rules.timestamps {
                Timestamps::Iso => EncodeAs::Iso,
                Timestamps::EpochS => EncodeAs::EpochS,
                Timestamps::EpochMs => EncodeAs::EpochMs,
                Timestamps::EpochUs => EncodeAs::EpochUs,
                Timestamps::EpochNs => EncodeAs::EpochNs,
            },
            D::Binary | D::LargeBinary | D::BinaryView
                if self.rules.binary_as_string == BinaryAsString::Always
                    && !has_extension(&self.field) =>
            {
                EncodeAs::S
            }
            _ if words.first() == Some(&EncodeAs::L) && self.rules.lists == Lists::Set => {
                EncodeAs::Set
            }
            _ => match words.first() {
                Some(word) => *word,
                None => return Err(self.unsupported("which has no form in DynamoDB")),
            },
        })
    }

    /// The form by a word that fits.
    fn form_by(&self, word: EncodeAs) -> Result<Form> {
        use EncodeAs as W;
        let data_type = self.field.data_type();
        let extension = Extension::of(&self.field);
        let number = |form| Form::Number(form, self.fallbacks);
        let text = |form| Form::Text(form, self.fallbacks);
        let binary = |form| Form::Binary(form, self.fallbacks);
        let count =
            |count| Form::Number(NumberForm::Time(count, self.assumed_zone()), self.fallbacks);
        Ok(match word {
            W::Null => Form::Null,
            _ if extension == Some(Extension::Variant) => self.variant(word)?,
            W::Bool if extension == Some(Extension::Bool8) => Form::Bool8,
            W::Bool => Form::Bool,
            W::Zoned | W::S if extension == Some(Extension::TimestampWithOffset) => {
                text(TextForm::WithOffset)
            }
            W::Iso if extension == Some(Extension::TimestampWithOffset) => {
                text(TextForm::WithoutOffset)
            }
            W::S => text(self.text_form()),
            W::Uuid => text(TextForm::Uuid),
            W::Hex => text(TextForm::Hex),
            W::Base64 => text(TextForm::Base64),
            W::Iso => match data_type {
                DataType::Duration(_) => text(TextForm::Iso(Iso::Duration)),
                _ => text(self.text_form()),
            },
            W::IsoOfEpochS => text(TextForm::OfEpoch(TimeUnit::Second)),
            W::IsoOfEpochMs => text(TextForm::OfEpoch(TimeUnit::Millisecond)),
            W::IsoOfEpochUs => text(TextForm::OfEpoch(TimeUnit::Microsecond)),
            W::IsoOfEpochNs => text(TextForm::OfEpoch(TimeUnit::Nanosecond)),
            W::Zoned => text(self.zoned()?),
            W::N if data_type.is_string() => number(NumberForm::Parsed),
            W::N if data_type == &DataType::Boolean => number(NumberForm::Bit),
            W::N => number(NumberForm::Value),
            W::Seconds if matches!(data_type, DataType::Duration(_)) => number(NumberForm::Value),
            W::Seconds | W::EpochSFraction => count(Count::SecondsFraction),
            W::EpochS => count(Count::Seconds),
            W::EpochMs => count(Count::MILLIS),
            W::EpochUs => count(Count::MICROS),
            W::EpochNs => count(Count::NANOS),
            W::EpochDays => count(Count::Days),
            W::Yyyymmdd => count(Count::Yyyymmdd),
            W::Raw => count(Count::Raw(ticks::unit_of(data_type))),
            W::Scaled => number(NumberForm::Scaled(scale_of(data_type).unwrap_or_default())),
            W::F64 => number(NumberForm::Widened),
            W::Decimal => number(NumberForm::Rounded(self.rules.scale.unwrap_or_default())),
            W::B if data_type.is_string() => binary(BinaryForm::Utf8),
            W::B => binary(BinaryForm::Value),
            W::FromHex => binary(BinaryForm::FromHex),
            W::FromBase64 => binary(BinaryForm::FromBase64),
            W::Set => self.set(None)?,
            W::Ss => match self.rules.separator {
                Some(separator) if data_type.is_string() => {
                    self.set_of(MemberForm::Split(separator.into()))
                }
                _ => self.set(Some(W::S))?,
            },
            W::Ns => self.set(Some(W::N))?,
            W::Bs => self.set(Some(W::B))?,
            W::M if matches!(data_type, DataType::Interval(_)) => Form::IntervalParts,
            W::L | W::M => self.container()?,
            W::Json => Form::JsonText(Arc::new(JsonForm {
                field: self.field.clone().into_owned(),
                nonfinite: self.rules.policies.nonfinite.unwrap_or_default(),
            })),
            W::Document => Form::Document(DocumentForm::Plain),
            W::DynamodbJson => Form::Document(DocumentForm::Typed),
            W::Packed => match FloatWidth::of_list(self.field.data_type()) {
                Some(width) => binary(BinaryForm::Packed(width)),
                None => return Err(self.unsupported("whose elements are no floats")),
            },
            W::Entries => self.entries()?,
            W::Tagged => self.union(true)?,
        })
    }

    /// The text of a value as S.
    fn text_form(&self) -> TextForm {
        match self.field.data_type() {
            _ if is_uuid(&self.field) => TextForm::Uuid,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => TextForm::Utf8,
            data_type => match (Iso::of_type(data_type), self.assumed_zone()) {
                (None, _) if let Some(scale) = scale_of(data_type) => TextForm::Places(scale),
                (Some(Iso::Timestamp(digits, _)), Some(zone)) => {
                    TextForm::Iso(Iso::Timestamp(digits, ShownZone::Utc(Some(zone))))
                }
                (Some(iso), _) => TextForm::Iso(iso),
                (None, _) => TextForm::Canonical,
            },
        }
    }

    fn assumed_zone(&self) -> Option<Zone> {
        self.rules.assume_zone.and_then(Zone::parse)
    }

    /// A timestamp in its own zone.
    fn zoned(&self) -> Result<TextForm> {
        let own = match self.field.data_type() {
            DataType::Timestamp(_, Some(zone)) => Zone::parse(zone).map(|zone| (zone, false)),
            _ => self.assumed_zone().map(|zone| (zone, true)),
        };
        match (own, Iso::of_type(self.field.data_type())) {
            (Some((zone, assumed)), Some(Iso::Timestamp(digits, _))) => Ok(TextForm::Iso(
                Iso::Timestamp(digits, ShownZone::Local(zone, assumed)),
            )),
            _ => Err(self.unsupported("whose time zone is not known")),
        }
    }

    #[cfg(feature = "variant")]
    fn variant(&self, word: EncodeAs) -> Result<Form> {
        // What a shredding may be is a matter of its types alone.
        Variants::new(&new_empty_array(self.field.data_type()))
            .map_err(|reason| self.unsupported(reason))?;
        let policies = self.rules.policies;
        Ok(match word {
            EncodeAs::Json => Form::JsonText(Arc::new(JsonForm {
                field: self.field.clone().into_owned(),
                nonfinite: policies.nonfinite.unwrap_or_default(),
            })),
            EncodeAs::B => Form::Variant(VariantForm::Bytes),
            _ => Form::Variant(VariantForm::Native {
                whole: self.fallbacks,
                parts: Fallbacks::new(policies, Place::Element),
            }),
        })
    }

    #[cfg(not(feature = "variant"))]
    fn variant(&self, _: EncodeAs) -> Result<Form> {
        Err(self.unsupported("a VARIANT of Parquet, which this build cannot read"))
    }

    fn unsupported(&self, reason: &'static str) -> Error {
        Error::UnsupportedType {
            column: self.path.to_string(),
            data_type: self.field.data_type().clone(),
            reason,
        }
    }
}

/// The values that a dictionary or run-end encoding points at, of which the field says what it says of itself.
pub(super) fn values_of(field: &Field) -> Cow<'_, Field> {
    let values = match field.data_type() {
        DataType::Dictionary(_, values) => field.clone().with_data_type(values.as_ref().clone()),
        DataType::RunEndEncoded(_, values) if has_extension(field) => {
            field.clone().with_data_type(values.data_type().clone())
        }
        DataType::RunEndEncoded(_, values) => return values_of(values),
        _ => return Cow::Borrowed(field),
    };
    Cow::Owned(values_of(&values).into_owned())
}

//! From what a mapping says of a value to the form that it is written in.

use std::borrow::Cow;
use std::sync::Arc;

#[cfg(feature = "variant")]
use arrow_array::new_empty_array;
use arrow_schema::{DataType, Field, FieldRef, Fields};
use dynasink_core::ValueKind;

use super::absent::{Absent, Place};
use super::binary::BinaryForm;
use super::document::DocumentForm;
use super::encoding::{Encoding, attribute_names};
use super::entries::EntriesForm;
use super::epoch::Count;
use super::extension::Extension;
use super::fallback::Fallbacks;
use super::form::{Form, StructForm};
use super::json_text::JsonForm;
use super::number::NumberForm;
use super::set::{MemberForm, SetForm};
use super::temporal::{Iso, ShownZone};
use super::text::TextForm;
use super::union::UnionForm;
#[cfg(feature = "variant")]
use super::variant::{VariantForm, Variants};
use super::words::words_of;
use super::zone::Zone;
use crate::error::{Error, Result};
use crate::mapping::rules::{Rules, ValuePath};
use crate::mapping::spec::{BinaryAsString, EncodeAs, Json, Lists, Timestamps};
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

    /// Refuses what is said beside the word and would be passed over.
    fn check_options(&self, word: EncodeAs) -> Result<()> {
        let data_type = self.field.data_type();
        let naive = matches!(data_type, DataType::Timestamp(_, None));
        let refuse = |option, reason| {
            Err(Error::ColumnOption {
                column: self.path.to_string(),
                data_type: data_type.clone(),
                option,
                reason,
            })
        };
        match (self.rules.scale, word) {
            (None, EncodeAs::Decimal) => {
                return refuse("scale", "`decimal` needs it: the digits behind the point");
            }
            (Some(_), word) if word != EncodeAs::Decimal => {
                return refuse("scale", "it belongs to `as = \"decimal\"`");
            }
            _ => {}
        }
        match (self.rules.separator, word) {
            (None | Some(""), EncodeAs::Ss) if data_type.is_string() => {
                return refuse(
                    "separator",
                    "`SS` of a string needs what stands between its members",
                );
            }
            (Some(_), word) if word != EncodeAs::Ss || !data_type.is_string() => {
                return refuse("separator", "it belongs to a string with `as = \"SS\"`");
            }
            _ => {}
        }
        match self.rules.assume_zone {
            Some(_) if !naive => refuse(
                "assume_zone",
                "it belongs to a timestamp that has no time zone of its own",
            ),
            Some(zone) if Zone::parse(zone).is_none() => refuse(
                "assume_zone",
                "it is neither a zone such as `Europe/Berlin` nor an offset such as `+01:00`",
            ),
            None if naive && word == EncodeAs::Zoned => {
                refuse("assume_zone", "`zoned` needs it where the type has no zone")
            }
            _ => Ok(()),
        }
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
            W::Raw => count(Count::Raw),
            W::Scaled => number(NumberForm::Scaled),
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
            W::Packed => binary(BinaryForm::Packed),
            W::Entries => self.entries()?,
            W::Tagged => self.union(true)?,
        })
    }

    /// The text of a value as S.
    fn text_form(&self) -> TextForm {
        match self.field.data_type() {
            _ if is_uuid(&self.field) => TextForm::Uuid,
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale) => TextForm::Places(*scale),
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => TextForm::Utf8,
            data_type => match (Iso::of_type(data_type), self.assumed_zone()) {
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

    /// A set of the elements of a list, which are written by `word` unless their own entry has another.
    fn set(&self, word: Option<EncodeAs>) -> Result<Form> {
        let Some(element) = element_of(self.field.data_type()) else {
            return Err(self.unsupported("which has no elements"));
        };
        let path = self.path.element();
        let element = Plan::new(&path, element, Place::Element);
        let form = element.form_as(element.rules.encode_as.or(word))?;
        let kind = form.kind();
        let members = match form {
            Form::Text(form, _) => MemberForm::Texts(form),
            Form::Number(form, fallbacks) => MemberForm::Numbers(form, fallbacks),
            Form::Binary(form, _) => MemberForm::Bytes(form),
            _ => {
                return Err(Error::SetOf {
                    column: self.path.to_string(),
                    data_type: self.field.data_type().clone(),
                    elements: kind,
                });
            }
        };
        let expected = match word {
            Some(EncodeAs::S) => ValueKind::S,
            Some(EncodeAs::N) => ValueKind::N,
            Some(EncodeAs::B) => ValueKind::B,
            _ => kind,
        };
        if kind != expected {
            return Err(Error::SetOf {
                column: self.path.to_string(),
                data_type: self.field.data_type().clone(),
                elements: kind,
            });
        }
        Ok(self.set_of(members))
    }

    fn set_of(&self, members: MemberForm) -> Form {
        Form::Set(Arc::new(SetForm {
            members,
            empty: self.place.omitted(),
        }))
    }

    /// L of a list, M of a struct or a map.
    fn container(&self) -> Result<Form> {
        let data_type = self.field.data_type();
        let of_elements = |field: &Field| {
            let encoding = Encoding::in_place(&self.path.element(), field, Place::Element)?;
            Ok::<_, Error>(Arc::new(encoding))
        };
        if let Some(element) = element_of(data_type) {
            return Ok(Form::List(of_elements(element)?));
        }
        match data_type {
            DataType::Struct(fields) => Ok(Form::Struct(Arc::new(self.fields(fields)?))),
            DataType::Map(entries, _) => {
                let (key, value) = self.key_and_value(entries)?;
                if !is_map_key(key) {
                    return Err(self.unsupported(
                        "whose keys cannot name attributes: write it as `entries` or `json`",
                    ));
                }
                Ok(Form::Map(of_elements(value)?))
            }
            _ => Err(self.unsupported("which has no parts")),
        }
    }

    fn key_and_value<'e>(&self, entries: &'e Field) -> Result<(&'e FieldRef, &'e FieldRef)> {
        match entries.data_type() {
            DataType::Struct(entry) if entry.len() == 2 => Ok((&entry[0], &entry[1])),
            _ => Err(self.unsupported("whose entries are not a key and a value")),
        }
    }

    fn entries(&self) -> Result<Form> {
        let DataType::Map(entries, _) = self.field.data_type() else {
            return Err(self.unsupported("which has no entries"));
        };
        let (key, value) = self.key_and_value(entries)?;
        Ok(Form::Entries(Arc::new(EntriesForm::new(
            self.path, key, value,
        )?)))
    }

    fn union(&self, tagged: bool) -> Result<Form> {
        let DataType::Union(types, _) = self.field.data_type() else {
            return Err(self.unsupported("which is not one of several types"));
        };
        if types.is_empty() {
            return Err(self.unsupported("which has no types"));
        }
        let form = UnionForm::new(self.path, types, self.place, tagged)?;
        Ok(Form::Union(Arc::new(form)))
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

    fn fields(&self, fields: &Fields) -> Result<StructForm> {
        let mut names = Vec::with_capacity(fields.len());
        let mut kept = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let path = self.path.field(field.name());
            let own = path.spec();
            if own.is_some_and(|own| own.drop == Some(true)) {
                continue;
            }
            let name = own.and_then(|own| own.rename.as_deref());
            names.push(name.unwrap_or(field.name()));
            kept.push((index, Encoding::in_place(&path, field, Place::Attribute)?));
        }
        Ok(StructForm {
            names: attribute_names(names, |name| self.path.field(name).to_string())?,
            fields: kept,
        })
    }

    fn unsupported(&self, reason: &'static str) -> Error {
        Error::UnsupportedType {
            column: self.path.to_string(),
            data_type: self.field.data_type().clone(),
            reason,
        }
    }
}

/// The elements of a list of any kind.
pub(super) fn element_of(data_type: &DataType) -> Option<&FieldRef> {
    match data_type {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => Some(element),
        _ => None,
    }
}

/// The values that a dictionary or run-end encoding points at.
pub(super) fn values_of(field: &Field) -> Cow<'_, Field> {
    match field.data_type() {
        DataType::Dictionary(_, values) => {
            let values = Field::new(field.name(), values.as_ref().clone(), field.is_nullable());
            Cow::Owned(values_of(&values).into_owned())
        }
        DataType::RunEndEncoded(_, values) => values_of(values),
        _ => Cow::Borrowed(field),
    }
}

/// Whether each value of `key` has a text of its own.
fn is_map_key(key: &Field) -> bool {
    let key = values_of(key);
    let data_type = key.data_type();
    is_uuid(&key)
        || data_type.is_string()
        || data_type.is_integer()
        || data_type.is_decimal()
        || data_type == &DataType::Boolean
        || Iso::of_type(data_type).is_some()
}

//! Values that have parts: lists, structs, maps and unions.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields};
use dynasink_core::ValueKind;

use super::{Plan, values_of};
use crate::encode::absent::Place;
use crate::encode::encoding::{Encoding, attribute_names};
use crate::encode::entries::EntriesForm;
use crate::encode::form::{Form, StructForm};
use crate::encode::set::{MemberForm, SetForm};
use crate::encode::temporal::Iso;
use crate::encode::union::UnionForm;
use crate::error::{Error, Result};
use crate::mapping::spec::EncodeAs;
use crate::shape::{element_of, is_uuid};

impl Plan<'_, '_> {
    /// A set of the elements of a list, which are written by `word` unless their own entry has another.
    pub(super) fn set(&self, word: Option<EncodeAs>) -> Result<Form> {
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

    pub(super) fn set_of(&self, members: MemberForm) -> Form {
        Form::Set(Arc::new(SetForm {
            members,
            empty: self.place.omitted(),
        }))
    }

    /// L of a list, M of a struct or a map.
    pub(super) fn container(&self) -> Result<Form> {
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
                if !self.is_explicit() {
                    self.check_extension(key)?;
                }
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

    pub(super) fn entries(&self) -> Result<Form> {
        let DataType::Map(entries, _) = self.field.data_type() else {
            return Err(self.unsupported("which has no entries"));
        };
        let (key, value) = self.key_and_value(entries)?;
        Ok(Form::Entries(Arc::new(EntriesForm::new(
            self.path, key, value,
        )?)))
    }

    pub(super) fn union(&self, tagged: bool) -> Result<Form> {
        let DataType::Union(types, _) = self.field.data_type() else {
            return Err(self.unsupported("which is not one of several types"));
        };
        if types.is_empty() {
            return Err(self.unsupported("which has no types"));
        }
        let form = UnionForm::new(self.path, types, self.place, tagged)?;
        Ok(Form::Union(Arc::new(form)))
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

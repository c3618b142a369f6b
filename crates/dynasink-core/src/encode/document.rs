//! JSON texts as values: plain JSON by what it says, and DynamoDB JSON by the types that it names.
//!
//! Texts are walked one level at a time, so that numbers keep all their digits (serde's own would be floats) and
//! a text of a million brackets ends at the depth that DynamoDB allows, not at the end of the stack.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserializer as _;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{ItemEncoder, MapEncoder, ValueEncoder};
use crate::error::{Error, Result, ValueKind};
use crate::item::Item;
use crate::number::{Number, NumberError};
use crate::table::TableSchema;

impl ValueEncoder<'_> {
    /// Writes what a JSON text says: objects as M, arrays as L, strings as S, numbers as N with all their digits,
    /// booleans as BOOL and `null` as NULL.
    ///
    /// ```
    /// use dynasink_core::{KeyType, TableSchema};
    ///
    /// let table = TableSchema::builder("events").partition_key("id", KeyType::S).build()?;
    /// let item = table.item(|item| {
    ///     item.attribute("id")?.string("e1")?;
    ///     item.attribute("body")?.document(r#"{"price": 1.50, "tags": ["a", null]}"#)
    /// })?;
    /// assert_eq!(
    ///     item.json(),
    ///     br#"{"id":{"S":"e1"},"body":{"M":{"price":{"N":"1.5"},"tags":{"L":[{"S":"a"},{"NULL":true}]}}}}"#.as_slice(),
    /// );
    /// # Ok::<(), dynasink_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if it is not JSON or an object has an empty or overlong name, and what each part of
    /// it is refused for: [`Error::Number`], [`Error::DuplicateAttribute`], [`Error::NestingTooDeep`].
    pub fn document(self, json: &str) -> Result<()> {
        match serde_json::from_str(json) {
            Ok(json) => document(self, json),
            Err(error) => Err(self.unsupported(not_json(&error))),
        }
    }

    /// Writes what a text of DynamoDB JSON says: `{"S":"a"}`, `{"NS":["1","2"]}`, `{"M":{"x":{"NULL":true}}}`.
    ///
    /// # Errors
    ///
    /// As [`document`](Self::document), and [`Error::Unsupported`] for JSON that does not name its types, and
    /// [`Error::EmptySet`] and [`Error::DuplicateSetMember`].
    pub fn dynamodb_json(self, json: &str) -> Result<()> {
        match serde_json::from_str(json) {
            Ok(json) => typed(self, json),
            Err(error) => Err(self.unsupported(not_json(&error))),
        }
    }
}

impl ItemEncoder {
    /// Encodes the item that a text of DynamoDB JSON says: the inverse of [`Item::json`].
    ///
    /// # Errors
    ///
    /// As [`ValueEncoder::dynamodb_json`], and [`Error::ItemTooLarge`].
    pub fn item_of_dynamodb_json(&mut self, json: &str) -> Result<Item> {
        self.item(|item| match serde_json::from_str::<&RawValue>(json) {
            Ok(json) if json.get().starts_with('{') => attributes(item, json, typed),
            Ok(_) => Err(item.unsupported("an item is a JSON object")),
            Err(error) => Err(item.unsupported(not_json(&error))),
        })
    }
}

impl TableSchema {
    /// The item that a text of DynamoDB JSON says: the inverse of [`Item::json`]. An [`ItemEncoder`] does the same
    /// for many, in one buffer.
    ///
    /// ```
    /// use dynasink_core::{KeyType, TableSchema};
    ///
    /// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
    /// let item = table.item_from_dynamodb_json(r#"{"id": {"N": "1.0"}, "tags": {"SS": ["a", "b"]}}"#)?;
    /// assert_eq!(item.json(), br#"{"id":{"N":"1"},"tags":{"SS":["a","b"]}}"#.as_slice());
    /// # Ok::<(), dynasink_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`ItemEncoder::item_of_dynamodb_json`].
    pub fn item_from_dynamodb_json(&self, json: &str) -> Result<Item> {
        ItemEncoder::new(self).item_of_dynamodb_json(json)
    }
}

fn not_json(error: &serde_json::Error) -> String {
    format!("the text is not JSON: {error}")
}

/// Writes plain JSON.
fn document(value: ValueEncoder<'_>, json: &RawValue) -> Result<()> {
    match json.get().as_bytes() {
        [b'{', ..] => attributes(&mut value.map()?, json, document),
        [b'[', ..] => elements(value, json, document),
        [b'"', ..] => match string(json) {
            Ok(text) => value.string(&text),
            Err(error) => Err(value.unsupported(not_json(&error))),
        },
        b"true" => value.bool(true),
        b"false" => value.bool(false),
        b"null" => value.null(),
        _ => value.try_number(json.get().parse()),
    }
}

/// Writes JSON that names its types.
fn typed(value: ValueEncoder<'_>, json: &RawValue) -> Result<()> {
    const DESCRIPTORS: &str = "a value of DynamoDB JSON is an object with one of S, N, B, BOOL, NULL, L, M, SS, NS and BS";
    let mut entries = 0_usize;
    let mut only = None;
    let walked = json.get().starts_with('{').then(|| {
        each_entry(json, |descriptor, json| {
            entries += 1;
            only = Some((descriptor, json));
            Ok(())
        })
    });
    let Some(Ok(())) = walked else {
        return Err(value.unsupported(DESCRIPTORS));
    };
    let kind = only
        .filter(|_| entries == 1)
        .and_then(|(descriptor, json)| {
            Some((ValueKind::from_descriptor(descriptor.as_bytes())?, json))
        });
    let Some((kind, json)) = kind else {
        return Err(value.unsupported(DESCRIPTORS));
    };
    match (kind, json.get().as_bytes()) {
        (ValueKind::Bool, b"true") => value.bool(true),
        (ValueKind::Bool, b"false") => value.bool(false),
        (ValueKind::Null, b"true") => value.null(),
        (ValueKind::L, [b'[', ..]) => elements(value, json, typed),
        (ValueKind::M, [b'{', ..]) => attributes(&mut value.map()?, json, typed),
        (ValueKind::Ss | ValueKind::Ns | ValueKind::Bs, [b'[', ..]) => set(value, kind, json),
        (ValueKind::S | ValueKind::N | ValueKind::B, [b'"', ..]) => {
            let text = match string(json) {
                Ok(text) => text,
                Err(error) => return Err(value.unsupported(not_json(&error))),
            };
            match kind {
                ValueKind::S => value.string(&text),
                ValueKind::N => value.try_number(text.parse()),
                _ => match STANDARD.decode(text.as_bytes()) {
                    Ok(bytes) => value.binary(&bytes),
                    Err(_) => Err(value.unsupported(NOT_BASE64)),
                },
            }
        }
        _ => {
            let form = match kind {
                ValueKind::Bool => "true or false",
                ValueKind::Null => "true",
                ValueKind::L => "an array",
                ValueKind::M => "an object",
                ValueKind::Ss | ValueKind::Ns | ValueKind::Bs => "an array of strings",
                ValueKind::S | ValueKind::N | ValueKind::B => "a string",
            };
            Err(value.unsupported(format!("the JSON of a {kind} is {form}")))
        }
    }
}

const NOT_BASE64: &str = "the binary is not base64 with padding";

/// Writes a set, whose members are strings in JSON.
fn set(value: ValueEncoder<'_>, kind: ValueKind, json: &RawValue) -> Result<()> {
    let mut members = Vec::new();
    let mut not_strings = false;
    let walked = each_element(json, |member| {
        match string(member) {
            Ok(text) if member.get().starts_with('"') => members.push(text),
            _ => not_strings = true,
        }
        Ok(())
    });
    if not_strings || walked.is_err() {
        return Err(value.unsupported("the JSON of a set is an array of strings"));
    }
    match kind {
        ValueKind::Ns => {
            let numbers: Result<Vec<Number>, NumberError> =
                members.iter().map(|text| text.parse()).collect();
            match numbers {
                Ok(numbers) => value.number_set(numbers),
                Err(error) => value.try_number(Err(error)),
            }
        }
        ValueKind::Bs => {
            let members: Result<Vec<_>, _> = members
                .iter()
                .map(|text| STANDARD.decode(text.as_bytes()))
                .collect();
            match members {
                Ok(members) => value.binary_set(members.iter().map(Vec::as_slice)),
                Err(_) => Err(value.unsupported(NOT_BASE64)),
            }
        }
        _ => value.string_set(members.iter().map(|text| &**text)),
    }
}

/// Writes the values of a JSON object, each by `write`.
fn attributes(
    map: &mut MapEncoder<'_>,
    json: &RawValue,
    write: fn(ValueEncoder<'_>, &RawValue) -> Result<()>,
) -> Result<()> {
    let walked = each_entry(json, |name, json| write(map.attribute(&name)?, json));
    walked.map_err(|stop| stop.into_error(|message| map.unsupported(message)))
}

/// Writes the elements of a JSON array, each by `write`.
fn elements(
    value: ValueEncoder<'_>,
    json: &RawValue,
    write: fn(ValueEncoder<'_>, &RawValue) -> Result<()>,
) -> Result<()> {
    let mut list = value.list()?;
    let walked = each_element(json, |json| write(list.element(), json));
    walked.map_err(|stop| stop.into_error(|message| list.element().unsupported(message)))
}

/// The text of a JSON string, which is borrowed if nothing in it is escaped.
fn string(json: &RawValue) -> Result<Cow<'_, str>, serde_json::Error> {
    let text = json.get();
    match text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    {
        Some(inner) if memchr::memchr(b'\\', inner.as_bytes()).is_none() => {
            Ok(Cow::Borrowed(inner))
        }
        _ => serde_json::from_str(text).map(Cow::Owned),
    }
}

/// Why a walk ended early.
enum Stop {
    /// A value was refused.
    Refused(Error),
    /// The text is not JSON. A text as a whole is checked before, all but the escapes in its strings.
    Syntax(serde_json::Error),
}

impl Stop {
    fn into_error(self, unsupported: impl FnOnce(String) -> Error) -> Error {
        match self {
            Self::Refused(error) => error,
            Self::Syntax(error) => unsupported(not_json(&error)),
        }
    }
}

fn each_entry<'j>(
    json: &'j RawValue,
    mut visit: impl FnMut(String, &'j RawValue) -> Result<()>,
) -> Result<(), Stop> {
    walk(json, &mut |name, json| {
        visit(name.unwrap_or_default(), json)
    })
}

fn each_element<'j>(
    json: &'j RawValue,
    mut visit: impl FnMut(&'j RawValue) -> Result<()>,
) -> Result<(), Stop> {
    walk(json, &mut |_, json| visit(json))
}

/// What takes the entries of an object, or the elements of an array, which have no name.
type Visit<'v, 'j> = &'v mut dyn FnMut(Option<String>, &'j RawValue) -> Result<()>;

fn walk<'j>(json: &'j RawValue, visit: Visit<'_, 'j>) -> Result<(), Stop> {
    let mut refused = None;
    let walk = Walk {
        visit,
        refused: &mut refused,
    };
    let mut json = serde_json::Deserializer::from_str(json.get());
    match json.deserialize_any(walk) {
        Ok(()) => Ok(()),
        Err(error) => Err(refused.map_or(Stop::Syntax(error), Stop::Refused)),
    }
}

struct Walk<'v, 'j> {
    visit: Visit<'v, 'j>,
    /// The error of a value, which serde's own error cannot carry.
    refused: &'v mut Option<Error>,
}

impl<'j> Walk<'_, 'j> {
    fn visit<E: serde::de::Error>(
        &mut self,
        name: Option<String>,
        json: &'j RawValue,
    ) -> Result<(), E> {
        (self.visit)(name, json).map_err(|error| {
            *self.refused = Some(error);
            E::custom("a value was refused")
        })
    }
}

impl<'j> Visitor<'j> for Walk<'_, 'j> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'j>>(mut self, mut entries: A) -> Result<(), A::Error> {
        while let Some(name) = entries.next_key()? {
            let json = entries.next_value()?;
            self.visit(Some(name), json)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'j>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(json) = elements.next_element()? {
            self.visit(None, json)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

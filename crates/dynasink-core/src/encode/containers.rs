use std::collections::HashSet;

use super::ItemEncoder;
use super::value::{Lead, ValueEncoder};
use crate::error::{Error, Result};
use crate::name::{self, AttributeNames};

/// Up to this many names a walk over them beats a hash set.
const NAMES_TO_WALK: usize = 16;

/// Writes a map, or an item, whose names come with its values.
#[derive(Debug)]
pub struct MapEncoder<'a> {
    encoder: &'a mut ItemEncoder,
    names: NamesSeen,
    follows: bool,
    top_level: bool,
    /// Whether it is the one value of a map that closes with it.
    of_variant: bool,
}

impl<'a> MapEncoder<'a> {
    pub(super) fn top_level(encoder: &'a mut ItemEncoder) -> Self {
        Self {
            encoder,
            names: NamesSeen::default(),
            follows: false,
            top_level: true,
            of_variant: false,
        }
    }

    pub(super) fn nested(encoder: &'a mut ItemEncoder, of_variant: bool) -> Self {
        Self {
            encoder,
            names: NamesSeen::default(),
            follows: false,
            top_level: false,
            of_variant,
        }
    }

    /// The encoder of the attribute `name`.
    ///
    /// # Errors
    ///
    /// [`Error::AttributeName`](crate::Error::AttributeName) if the name is empty or too long,
    /// [`Error::DuplicateAttribute`](crate::Error::DuplicateAttribute) if it was asked for before.
    pub fn attribute<'v>(&'v mut self, name: &'v str) -> Result<ValueEncoder<'v>> {
        name::check(name)?;
        if !self.names.insert(name) {
            return Err(self.encoder.duplicate_attribute(name));
        }
        Ok(ValueEncoder::new(
            self.encoder,
            Lead::Named(name),
            &mut self.follows,
            self.top_level,
        ))
    }

    /// Reports that the map as a whole has no counterpart in DynamoDB.
    pub(super) fn unsupported(&mut self, message: impl Into<String>) -> Error {
        self.encoder.unsupported(message)
    }
}

impl Drop for MapEncoder<'_> {
    fn drop(&mut self) {
        if !self.top_level {
            close(self.encoder, b"}}", self.of_variant);
        }
    }
}

/// The names that a map has so far.
#[derive(Debug, Default)]
struct NamesSeen {
    few: Vec<Box<str>>,
    many: HashSet<Box<str>>,
}

impl NamesSeen {
    fn insert(&mut self, name: &str) -> bool {
        if self.few.iter().any(|seen| **seen == *name) || self.many.contains(name) {
            return false;
        }
        if self.few.len() < NAMES_TO_WALK {
            self.few.push(name.into());
        } else {
            self.many.insert(name.into());
        }
        true
    }
}

/// Writes a map, or an item, whose names are known before. Values come in the order of the names.
#[derive(Debug)]
pub struct FieldsEncoder<'a, 'n> {
    encoder: &'a mut ItemEncoder,
    names: &'n AttributeNames,
    next: usize,
    follows: bool,
    top_level: bool,
}

impl<'a, 'n> FieldsEncoder<'a, 'n> {
    pub(super) fn top_level(encoder: &'a mut ItemEncoder, names: &'n AttributeNames) -> Self {
        Self {
            encoder,
            names,
            next: 0,
            follows: false,
            top_level: true,
        }
    }

    pub(super) fn nested(encoder: &'a mut ItemEncoder, names: &'n AttributeNames) -> Self {
        Self {
            encoder,
            names,
            next: 0,
            follows: false,
            top_level: false,
        }
    }

    /// The encoder of the value of the `index`th name. Names may be passed over, not taken again.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateAttribute`](crate::Error::DuplicateAttribute) for an index at or below an earlier one,
    /// [`Error::Unsupported`](crate::Error::Unsupported) for one beyond the names.
    pub fn field(&mut self, index: usize) -> Result<ValueEncoder<'_>> {
        let Some(name) = self.names.get(index) else {
            return Err(self.encoder.unsupported(format!(
                "there is no field {index} among {}",
                self.names.len()
            )));
        };
        if index < self.next {
            return Err(self.encoder.duplicate_attribute(name.as_str()));
        }
        self.next = index + 1;
        Ok(ValueEncoder::new(
            self.encoder,
            Lead::Rendered(name),
            &mut self.follows,
            self.top_level,
        ))
    }
}

impl Drop for FieldsEncoder<'_, '_> {
    fn drop(&mut self) {
        if !self.top_level {
            close(self.encoder, b"}}", false);
        }
    }
}

/// Writes a list.
#[derive(Debug)]
pub struct ListEncoder<'a> {
    encoder: &'a mut ItemEncoder,
    follows: bool,
    /// Whether it is the one value of a map that closes with it.
    of_variant: bool,
}

impl<'a> ListEncoder<'a> {
    pub(super) fn new(encoder: &'a mut ItemEncoder, of_variant: bool) -> Self {
        Self {
            encoder,
            follows: false,
            of_variant,
        }
    }

    /// The encoder of the next element.
    pub fn element(&mut self) -> ValueEncoder<'_> {
        ValueEncoder::new(self.encoder, Lead::Element, &mut self.follows, false)
    }
}

impl Drop for ListEncoder<'_> {
    fn drop(&mut self) {
        close(self.encoder, b"]}", self.of_variant);
    }
}

fn close(encoder: &mut ItemEncoder, brackets: &[u8], of_variant: bool) {
    encoder.push(brackets);
    encoder.leave_container();
    if of_variant {
        encoder.push(b"}}");
        encoder.leave_container();
    }
}

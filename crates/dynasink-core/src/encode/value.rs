use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{FieldsEncoder, ItemEncoder, ListEncoder, MapEncoder};
use crate::error::{Error, Result, ValueKind};
use crate::name::{AttributeName, AttributeNames};
use crate::number::{Number, NumberError};

/// What stands before a value once it is written.
#[derive(Debug)]
pub(super) enum Lead<'a> {
    /// An element of a list.
    Element,
    /// An attribute with a name rendered before.
    Rendered(&'a AttributeName),
    /// An attribute with a name of this item only.
    Named(&'a str),
}

/// Writes one value. Dropped without a write, it leaves nothing: the attribute is omitted.
///
/// Every method refuses what DynamoDB would refuse, with the table and the attribute in the error.
#[derive(Debug)]
#[must_use = "an attribute without a value is omitted"]
pub struct ValueEncoder<'a> {
    encoder: &'a mut ItemEncoder,
    lead: Lead<'a>,
    /// Whether a value was written before in the same container.
    follows: &'a mut bool,
    top_level: bool,
}

impl<'a> ValueEncoder<'a> {
    pub(super) fn new(
        encoder: &'a mut ItemEncoder,
        lead: Lead<'a>,
        follows: &'a mut bool,
        top_level: bool,
    ) -> Self {
        Self {
            encoder,
            lead,
            follows,
            top_level,
        }
    }

    /// Writes the comma and the name, and counts what they cost, then gives the encoder for the value.
    fn begin(self) -> &'a mut ItemEncoder {
        if self.top_level {
            self.encoder.attribute_start = self.encoder.buffer.len();
        } else {
            // Each element of a list or map costs a byte of its own.
            self.encoder.count(1);
        }
        if std::mem::replace(self.follows, true) {
            self.encoder.push(b",");
        }
        match self.lead {
            Lead::Element => {}
            Lead::Rendered(name) => {
                self.encoder.push(name.json());
                self.encoder.push(b":");
                self.encoder.count_len(name.as_str().len());
            }
            Lead::Named(name) => {
                self.encoder.write_json_string(name);
                self.encoder.push(b":");
                self.encoder.count_len(name.len());
            }
        }
        self.encoder
    }

    /// Writes a string (S). It may be empty, unless it is a key.
    ///
    /// # Errors
    ///
    /// None today; oversize items are reported when the item is finished.
    pub fn string(self, value: &str) -> Result<()> {
        let encoder = self.begin();
        encoder.count_len(value.len());
        encoder.push(b"{\"S\":");
        encoder.write_json_string(value);
        encoder.push(b"}");
        Ok(())
    }

    /// Writes a number (N).
    ///
    /// # Errors
    ///
    /// As [`string`](Self::string).
    pub fn number(self, value: &Number) -> Result<()> {
        let encoder = self.begin();
        encoder.count(value.size());
        encoder.push(b"{\"N\":\"");
        if !encoder.overflowed() {
            value.write_to(&mut encoder.buffer);
        }
        encoder.push(b"\"}");
        Ok(())
    }

    /// Writes an integer as a number (N).
    ///
    /// # Errors
    ///
    /// [`Error::Number`] for the few of more than 38 digits.
    pub fn integer(self, value: impl Into<i128>) -> Result<()> {
        self.try_number(Number::try_from(value.into()))
    }

    /// Writes a number (N) if it could be made, else reports why not, with this attribute's name.
    ///
    /// # Errors
    ///
    /// [`Error::Number`].
    pub fn try_number(self, number: Result<Number, NumberError>) -> Result<()> {
        match number {
            Ok(number) => self.number(&number),
            Err(source) => Err(self.begin().number_error(source)),
        }
    }

    /// Writes a binary (B).
    ///
    /// # Errors
    ///
    /// As [`string`](Self::string).
    pub fn binary(self, value: &[u8]) -> Result<()> {
        let encoder = self.begin();
        encoder.count_len(value.len());
        encoder.push(b"{\"B\":\"");
        encoder.write_base64(value);
        encoder.push(b"\"}");
        Ok(())
    }

    /// Writes a boolean (BOOL).
    ///
    /// # Errors
    ///
    /// As [`string`](Self::string).
    pub fn bool(self, value: bool) -> Result<()> {
        let encoder = self.begin();
        encoder.count(1);
        encoder.push(if value {
            b"{\"BOOL\":true}"
        } else {
            b"{\"BOOL\":false}"
        });
        Ok(())
    }

    /// Writes a null (NULL).
    ///
    /// # Errors
    ///
    /// As [`string`](Self::string).
    pub fn null(self) -> Result<()> {
        let encoder = self.begin();
        encoder.count(1);
        encoder.push(b"{\"NULL\":true}");
        Ok(())
    }

    /// Writes a string set (SS).
    ///
    /// # Errors
    ///
    /// [`Error::EmptySet`] and [`Error::DuplicateSetMember`].
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` arguments cannot elide it yet"
    )]
    pub fn string_set<'m>(self, members: impl IntoIterator<Item = &'m str>) -> Result<()> {
        self.set(ValueKind::Ss, members, |encoder, member| {
            encoder.count_len(member.len());
            encoder.write_json_string(member);
        })
    }

    /// Writes a number set (NS). `1` and `1.0` are one member.
    ///
    /// # Errors
    ///
    /// [`Error::EmptySet`] and [`Error::DuplicateSetMember`].
    pub fn number_set(self, members: impl IntoIterator<Item = Number>) -> Result<()> {
        self.set(ValueKind::Ns, members, |encoder, member| {
            encoder.count(member.size());
            encoder.push(b"\"");
            if !encoder.overflowed() {
                member.write_to(&mut encoder.buffer);
            }
            encoder.push(b"\"");
        })
    }

    /// Writes a binary set (BS).
    ///
    /// # Errors
    ///
    /// [`Error::EmptySet`] and [`Error::DuplicateSetMember`].
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` arguments cannot elide it yet"
    )]
    pub fn binary_set<'m>(self, members: impl IntoIterator<Item = &'m [u8]>) -> Result<()> {
        self.set(ValueKind::Bs, members, |encoder, member| {
            encoder.count_len(member.len());
            encoder.push(b"\"");
            encoder.write_base64(member);
            encoder.push(b"\"");
        })
    }

    fn set<M: Eq + std::hash::Hash + Copy>(
        self,
        kind: ValueKind,
        members: impl IntoIterator<Item = M>,
        write: impl Fn(&mut ItemEncoder, M),
    ) -> Result<()> {
        let encoder = self.begin();
        encoder.push(b"{\"");
        encoder.push(kind.descriptor().as_bytes());
        encoder.push(b"\":[");
        let mut seen = HashSet::new();
        for member in members {
            if !seen.is_empty() {
                encoder.push(b",");
            }
            if !seen.insert(member) {
                return Err(encoder.duplicate_set_member(kind));
            }
            write(encoder, member);
        }
        if seen.is_empty() {
            return Err(encoder.empty_set(kind));
        }
        encoder.push(b"]}");
        Ok(())
    }

    /// Starts a list (L), which ends when the returned encoder is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::NestingTooDeep`].
    pub fn list(self) -> Result<ListEncoder<'a>> {
        self.container(b"{\"L\":[")
            .map(|encoder| ListEncoder::new(encoder, false))
    }

    /// Starts a map (M) whose names come with its values; it ends when the returned encoder is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::NestingTooDeep`].
    pub fn map(self) -> Result<MapEncoder<'a>> {
        self.container(b"{\"M\":{")
            .map(|encoder| MapEncoder::nested(encoder, false))
    }

    /// A map of one attribute, `variant`, that is a list.
    pub(crate) fn variant_list(self, variant: &str) -> Result<ListEncoder<'a>> {
        self.variant(variant, b"{\"L\":[")
            .map(|encoder| ListEncoder::new(encoder, true))
    }

    /// A map of one attribute, `variant`, that is a map.
    pub(crate) fn variant_map(self, variant: &str) -> Result<MapEncoder<'a>> {
        self.variant(variant, b"{\"M\":{")
            .map(|encoder| MapEncoder::nested(encoder, true))
    }

    /// Starts a map (M) whose names are known before; it ends when the returned encoder is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::NestingTooDeep`].
    pub fn fields<'n>(self, names: &'n AttributeNames) -> Result<FieldsEncoder<'a, 'n>> {
        self.container(b"{\"M\":{")
            .map(|encoder| FieldsEncoder::nested(encoder, names))
    }

    fn container(self, open: &[u8]) -> Result<&'a mut ItemEncoder> {
        let encoder = self.begin();
        encoder.open_container(open)?;
        Ok(encoder)
    }

    fn variant(self, variant: &str, open: &[u8]) -> Result<&'a mut ItemEncoder> {
        let encoder = self.container(b"{\"M\":{")?;
        encoder.count_len(1 + variant.len());
        encoder.write_json_string(variant);
        encoder.push(b":");
        encoder.open_container(open)?;
        Ok(encoder)
    }

    /// Reports a value that has no counterpart in DynamoDB, with this attribute's name.
    pub fn unsupported(self, message: impl Into<String>) -> Error {
        self.begin().unsupported(message)
    }
}

impl ItemEncoder {
    fn open_container(&mut self, open: &[u8]) -> Result<()> {
        self.enter_container()?;
        // A list or map costs three bytes, whatever it holds.
        self.count(3);
        self.push(open);
        Ok(())
    }

    fn write_base64(&mut self, value: &[u8]) {
        if self.overflowed() {
            return;
        }
        let start = self.buffer.len();
        let encoded = value.len().div_ceil(3) * 4;
        self.buffer.resize(start + encoded, 0);
        let written = STANDARD.encode_slice(value, &mut self.buffer[start..]);
        debug_assert_eq!(written.ok(), Some(encoded));
    }
}

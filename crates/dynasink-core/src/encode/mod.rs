//! Encoding an item once: DynamoDB JSON and DynamoDB's own size, side by side.
//!
//! An [`ItemEncoder`] keeps its buffer from one item to the next. Names come either one by one, each checked
//! and rendered ([`MapEncoder`]), or from a fixed set that was checked and rendered once ([`FieldsEncoder`]).
//! Brackets close when an encoder of a list or a map is dropped, and a value that was asked for but never
//! written leaves no trace, so that whatever a caller does, the item is well-formed.

mod containers;
mod document;
mod value;

pub use containers::{FieldsEncoder, ListEncoder, MapEncoder};
pub use value::ValueEncoder;

use bytes::Bytes;

use crate::error::{Error, Result, ValueKind};
use crate::item::Item;
use crate::json;
use crate::limits::{MAX_ITEM_BYTES, MAX_NESTED_CONTAINERS};
use crate::name::AttributeNames;
use crate::number::NumberError;
use crate::table::{TableName, TableSchema};

/// Encodes items for one table, one after the other, in a buffer that it keeps.
///
/// ```
/// use dynasink_core::{AttributeName, AttributeNames, ItemEncoder, KeyType, TableSchema};
///
/// let table = TableSchema::builder("users").partition_key("id", KeyType::S).build()?;
/// let columns = ["id", "age"].map(|name| AttributeName::new(name).unwrap());
/// let columns = AttributeNames::new(columns).unwrap();
///
/// let mut encoder = ItemEncoder::new(&table);
/// for (id, age) in [("ann", 31), ("bob", 27)] {
///     let item = encoder.item_of_fields(&columns, |row| {
///         row.field(0)?.string(id)?;
///         row.field(1)?.integer(age)
///     })?;
///     let op = table.put(item)?;
///     assert_eq!(op.units().get(), 1);
/// }
/// # Ok::<(), dynasink_core::Error>(())
/// ```
#[derive(Debug)]
pub struct ItemEncoder {
    table: TableName,
    buffer: Vec<u8>,
    size: u64,
    containers: usize,
    /// Where the JSON name of the current top-level attribute starts, for error messages.
    attribute_start: usize,
    /// Whether a value of this item was refused, which leaves its JSON incomplete.
    refused: bool,
}

impl ItemEncoder {
    /// An encoder whose errors name `table`.
    pub fn new(table: &TableSchema) -> Self {
        Self {
            table: table.name().clone(),
            buffer: Vec::new(),
            size: 0,
            containers: 0,
            attribute_start: 0,
            refused: false,
        }
    }

    /// Encodes one item whose names come with its values.
    ///
    /// # Errors
    ///
    /// What `build` returns, and [`Error::ItemTooLarge`].
    pub fn item<E: From<Error>>(
        &mut self,
        build: impl FnOnce(&mut MapEncoder<'_>) -> Result<(), E>,
    ) -> Result<Item, E> {
        self.start();
        build(&mut MapEncoder::top_level(self))?;
        self.finish().map_err(E::from)
    }

    /// Encodes one item whose names are known before.
    ///
    /// # Errors
    ///
    /// What `build` returns, and [`Error::ItemTooLarge`].
    pub fn item_of_fields<E: From<Error>>(
        &mut self,
        names: &AttributeNames,
        build: impl FnOnce(&mut FieldsEncoder<'_, '_>) -> Result<(), E>,
    ) -> Result<Item, E> {
        self.start();
        build(&mut FieldsEncoder::top_level(self, names))?;
        self.finish().map_err(E::from)
    }

    fn start(&mut self) {
        self.buffer.clear();
        self.buffer.push(b'{');
        self.size = 0;
        self.containers = 0;
        self.attribute_start = 0;
        self.refused = false;
    }

    fn finish(&mut self) -> Result<Item> {
        self.push(b"}");
        if self.refused || self.containers > 0 {
            return Err(self
                .unsupported("a value of the item was refused before, so the item is incomplete"));
        }
        if self.overflowed() {
            return Err(Error::ItemTooLarge {
                table: self.table.clone(),
                bytes: self.size,
            });
        }
        Ok(Item::from_encoder(
            Bytes::copy_from_slice(&self.buffer),
            self.size,
        ))
    }

    /// Whether the item is too large already. From then on only its size is counted, so that a value of any
    /// length costs no memory here.
    fn overflowed(&self) -> bool {
        self.size > MAX_ITEM_BYTES
    }

    fn push(&mut self, json: &[u8]) {
        if !self.overflowed() {
            self.buffer.extend_from_slice(json);
        }
    }

    fn count(&mut self, bytes: u64) {
        self.size = self.size.saturating_add(bytes);
    }

    fn count_len(&mut self, len: usize) {
        self.count(u64::try_from(len).unwrap_or(u64::MAX));
    }

    fn enter_container(&mut self) -> Result<()> {
        if self.containers == MAX_NESTED_CONTAINERS {
            self.refused = true;
            return Err(Error::NestingTooDeep {
                table: self.table.clone(),
                attribute: self.attribute(),
            });
        }
        self.containers += 1;
        Ok(())
    }

    fn leave_container(&mut self) {
        self.containers -= 1;
    }

    /// The current top-level attribute, for an error.
    fn attribute(&self) -> String {
        let mut attribute = self.buffer.get(self.attribute_start..).unwrap_or_default();
        if attribute.first() == Some(&b',') {
            attribute = &attribute[1..];
        }
        let mut names = serde_json::Deserializer::from_slice(attribute).into_iter::<String>();
        names
            .next()
            .and_then(std::result::Result::ok)
            .unwrap_or_default()
    }

    fn number_error(&mut self, source: NumberError) -> Error {
        self.refused = true;
        Error::Number {
            table: self.table.clone(),
            attribute: self.attribute(),
            source,
        }
    }

    fn empty_set(&mut self, kind: ValueKind) -> Error {
        self.refused = true;
        Error::EmptySet {
            table: self.table.clone(),
            attribute: self.attribute(),
            kind,
        }
    }

    fn duplicate_set_member(&mut self, kind: ValueKind) -> Error {
        self.refused = true;
        Error::DuplicateSetMember {
            table: self.table.clone(),
            attribute: self.attribute(),
            kind,
        }
    }

    fn duplicate_attribute(&mut self, attribute: &str) -> Error {
        self.refused = true;
        Error::DuplicateAttribute {
            table: self.table.clone(),
            attribute: attribute.to_owned(),
        }
    }

    fn unsupported(&mut self, message: impl Into<String>) -> Error {
        self.refused = true;
        Error::Unsupported {
            table: self.table.clone(),
            attribute: self.attribute(),
            message: message.into(),
        }
    }

    fn write_json_string(&mut self, text: &str) {
        if !self.overflowed() {
            json::write_string(&mut self.buffer, text);
        }
    }
}

impl TableSchema {
    /// Encodes one item for this table; an [`ItemEncoder`] does the same for many, in one buffer.
    ///
    /// # Errors
    ///
    /// What `build` returns, and [`Error::ItemTooLarge`].
    pub fn item<E: From<Error>>(
        &self,
        build: impl FnOnce(&mut MapEncoder<'_>) -> Result<(), E>,
    ) -> Result<Item, E> {
        ItemEncoder::new(self).item(build)
    }
}

#[cfg(test)]
mod tests;

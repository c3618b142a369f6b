use std::borrow::BorrowMut;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::SerializeError;
use super::key::KeySerializer;
use super::set::SetKind;
use crate::encode::{ListEncoder, MapEncoder, ValueEncoder};
use crate::number::Number;

/// What becomes of `None` and of the unit.
#[derive(Clone, Copy, Debug)]
pub(super) enum NoneAs {
    /// There is no attribute then.
    Omitted,
    /// A NULL, which keeps an element's place or a key.
    Null,
}

pub(super) struct ValueSerializer<'a> {
    value: ValueEncoder<'a>,
    none: NoneAs,
    /// What becomes of it in structs inside the value.
    fields: NoneAs,
}

type Result<T = ()> = std::result::Result<T, SerializeError>;

impl<'a> Serializer for ValueSerializer<'a> {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Elements<'a>;
    type SerializeMap = Entries<MapEncoder<'a>>;
    type SerializeStruct = Entries<MapEncoder<'a>>;
    type SerializeStructVariant = Entries<MapEncoder<'a>>;

    fn serialize_bool(self, value: bool) -> Result {
        Ok(self.value.bool(value)?)
    }

    fn serialize_i8(self, value: i8) -> Result {
        Ok(self.value.integer(value)?)
    }

    fn serialize_i16(self, value: i16) -> Result {
        Ok(self.value.integer(value)?)
    }

    fn serialize_i32(self, value: i32) -> Result {
        Ok(self.value.integer(value)?)
    }

    fn serialize_i64(self, value: i64) -> Result {
        Ok(self.value.integer(value)?)
    }

    fn serialize_i128(self, value: i128) -> Result {
        Ok(self.value.integer(value)?)
    }

    fn serialize_u8(self, value: u8) -> Result {
        Ok(self.value.integer(value)?)
    }

    fn serialize_u16(self, value: u16) -> Result {
        Ok(self.value.integer(value)?)
    }

    fn serialize_u32(self, value: u32) -> Result {
        Ok(self.value.integer(value)?)
    }

    fn serialize_u64(self, value: u64) -> Result {
        Ok(self.value.integer(value)?)
    }

    fn serialize_u128(self, value: u128) -> Result {
        Ok(self.value.try_number(Number::try_from(value))?)
    }

    fn serialize_f32(self, value: f32) -> Result {
        Ok(self.value.try_number(Number::try_from(value))?)
    }

    fn serialize_f64(self, value: f64) -> Result {
        Ok(self.value.try_number(Number::try_from(value))?)
    }

    fn serialize_char(self, value: char) -> Result {
        Ok(self.value.string(value.encode_utf8(&mut [0; 4]))?)
    }

    fn serialize_str(self, value: &str) -> Result {
        Ok(self.value.string(value)?)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        Ok(self.value.binary(value)?)
    }

    fn serialize_none(self) -> Result {
        match self.none {
            NoneAs::Omitted => Ok(()),
            NoneAs::Null => Ok(self.value.null()?),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result {
        Ok(self.value.string(variant)?)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result {
        match SetKind::of_newtype(name) {
            Some(set) => set.encode(value, self.value),
            None => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        let mut map = self.value.map()?;
        value.serialize(ValueSerializer {
            value: map.attribute(variant)?,
            none: NoneAs::Null,
            fields: self.fields,
        })
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Elements<'a>> {
        Ok(Elements::new(self.value.list()?, self.fields))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Elements<'a>> {
        Ok(Elements::new(self.value.list()?, self.fields))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Elements<'a>> {
        Ok(Elements::new(self.value.list()?, self.fields))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Elements<'a>> {
        Ok(Elements::new(
            self.value.variant_list(variant)?,
            self.fields,
        ))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Entries<MapEncoder<'a>>> {
        Ok(Entries::new(self.value.map()?, NoneAs::Null, self.fields))
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Entries<MapEncoder<'a>>> {
        Ok(Entries::new(self.value.map()?, self.fields, self.fields))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Entries<MapEncoder<'a>>> {
        Ok(Entries::new(
            self.value.variant_map(variant)?,
            self.fields,
            self.fields,
        ))
    }
}

/// A sequence or a tuple on its way into a list.
pub(super) struct Elements<'a> {
    list: ListEncoder<'a>,
    fields: NoneAs,
}

impl<'a> Elements<'a> {
    fn new(list: ListEncoder<'a>, fields: NoneAs) -> Self {
        Self { list, fields }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(ValueSerializer {
            value: self.list.element(),
            none: NoneAs::Null,
            fields: self.fields,
        })
    }
}

impl SerializeSeq for Elements<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.push(value)
    }

    fn end(self) -> Result {
        Ok(())
    }
}

impl SerializeTuple for Elements<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.push(value)
    }

    fn end(self) -> Result {
        Ok(())
    }
}

impl SerializeTupleStruct for Elements<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.push(value)
    }

    fn end(self) -> Result {
        Ok(())
    }
}

impl SerializeTupleVariant for Elements<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.push(value)
    }

    fn end(self) -> Result {
        Ok(())
    }
}

/// A struct or a map on its way into a map: an owned one inside an item, a borrowed one at its top.
pub(super) struct Entries<M> {
    map: M,
    none: NoneAs,
    fields: NoneAs,
    /// Attributes that are omitted for `None` in any case.
    omitted: Vec<String>,
    key: String,
}

impl<'a, M: BorrowMut<MapEncoder<'a>>> Entries<M> {
    pub(super) fn new(map: M, none: NoneAs, fields: NoneAs) -> Self {
        Self {
            map,
            none,
            fields,
            omitted: Vec::new(),
            key: String::new(),
        }
    }

    /// Omits these attributes for `None`.
    pub(super) fn omitting(self, omitted: Vec<String>) -> Self {
        Self { omitted, ..self }
    }

    fn insert<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result {
        let none = if self.omitted.iter().any(|omitted| omitted == name) {
            NoneAs::Omitted
        } else {
            self.none
        };
        value.serialize(ValueSerializer {
            value: self.map.borrow_mut().attribute(name)?,
            none,
            fields: self.fields,
        })
    }
}

impl<'a, M: BorrowMut<MapEncoder<'a>>> SerializeMap for Entries<M> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.key = key.serialize(KeySerializer)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        let key = std::mem::take(&mut self.key);
        self.insert(&key, value)
    }

    fn end(self) -> Result {
        Ok(())
    }
}

impl<'a, M: BorrowMut<MapEncoder<'a>>> SerializeStruct for Entries<M> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result {
        self.insert(name, value)
    }

    fn end(self) -> Result {
        Ok(())
    }
}

impl<'a, M: BorrowMut<MapEncoder<'a>>> SerializeStructVariant for Entries<M> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result {
        self.insert(name, value)
    }

    fn end(self) -> Result {
        Ok(())
    }
}

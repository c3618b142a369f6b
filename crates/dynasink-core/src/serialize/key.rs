use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::SerializeError;

/// Map keys become attribute names: strings, chars, integers, bools and unit variants.
pub(super) struct KeySerializer;

type Result<T = String> = std::result::Result<T, SerializeError>;

fn not_a_name<T>(kind: &str) -> Result<T> {
    Err(SerializeError::Custom(format!(
        "{kind} cannot be an attribute name"
    )))
}

/// Keys whose `Display` is their name.
macro_rules! displayed {
    ($($method:ident: $key:ty),* $(,)?) => {
        $(fn $method(self, key: $key) -> Result {
            Ok(key.to_string())
        })*
    };
}

impl Serializer for KeySerializer {
    type Ok = String;
    type Error = SerializeError;
    type SerializeSeq = Impossible<String, SerializeError>;
    type SerializeTuple = Impossible<String, SerializeError>;
    type SerializeTupleStruct = Impossible<String, SerializeError>;
    type SerializeTupleVariant = Impossible<String, SerializeError>;
    type SerializeMap = Impossible<String, SerializeError>;
    type SerializeStruct = Impossible<String, SerializeError>;
    type SerializeStructVariant = Impossible<String, SerializeError>;

    displayed! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result {
        Ok(variant.to_owned())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, key: &T) -> Result {
        key.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        key: &T,
    ) -> Result {
        key.serialize(self)
    }

    fn serialize_f32(self, _: f32) -> Result {
        not_a_name("a float")
    }

    fn serialize_f64(self, _: f64) -> Result {
        not_a_name("a float")
    }

    fn serialize_bytes(self, _: &[u8]) -> Result {
        not_a_name("a binary")
    }

    fn serialize_none(self) -> Result {
        not_a_name("none")
    }

    fn serialize_unit(self) -> Result {
        not_a_name("a unit")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        not_a_name("a unit struct")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result {
        not_a_name("an enum with a value")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq> {
        not_a_name("a sequence")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        not_a_name("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct> {
        not_a_name("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        not_a_name("an enum with a value")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        not_a_name("a map")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        not_a_name("a struct")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        not_a_name("an enum with a value")
    }
}

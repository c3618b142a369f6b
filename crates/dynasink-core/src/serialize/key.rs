use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::SerializeError;
use super::refuse::{refuse, transparent};

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

    transparent!();
    refuse!(not_a_name => floats bytes unit variants sequences maps);
}

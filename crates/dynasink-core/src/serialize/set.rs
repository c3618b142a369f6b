//! Sets, which serde has no word for: sequences below a newtype of a name that nobody else has.

use serde::Serialize;
use serde::ser::{Impossible, SerializeSeq, SerializeTuple, SerializeTupleStruct, Serializer};

use super::SerializeError;
use super::refuse::{refuse, transparent};
use crate::encode::ValueEncoder;
use crate::number::{Number, NumberError};

/// The names that `serde_dynamo` gives to its sets, so that its types serialize here as they do there.
const STRING_SET: &str = "\u{037E}STRINGSET\u{037E}";
const NUMBER_SET: &str = "\u{037E}NUMBERSET\u{037E}";
const BINARY_SET: &str = "\u{037E}BYTESSET\u{037E}";

/// Serializes a sequence of strings as a string set (SS).
///
/// ```
/// use dynasink_core::{KeyType, TableSchema};
///
/// #[derive(serde::Serialize)]
/// struct User {
///     id: u32,
///     // A set must have a member.
///     #[serde(serialize_with = "dynasink_core::string_set", skip_serializing_if = "Vec::is_empty")]
///     roles: Vec<&'static str>,
/// }
///
/// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
/// let op = table.put_serde(&User { id: 1, roles: vec!["admin", "author"] })?;
/// assert_eq!(op.item().json(), br#"{"id":{"N":"1"},"roles":{"SS":["admin","author"]}}"#.as_slice());
/// # Ok::<(), dynasink_core::Error>(())
/// ```
///
/// # Errors
///
/// Those of the serializer: an empty set, a member twice, and one that is no string.
pub fn string_set<T: Serialize, S: Serializer>(
    members: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(STRING_SET, members)
}

/// Serializes a sequence of numbers as a number set (NS); `1` and `1.0` are one member.
///
/// # Errors
///
/// As [`string_set`].
pub fn number_set<T: Serialize, S: Serializer>(
    members: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(NUMBER_SET, members)
}

/// Serializes a sequence of bytes as a binary set (BS).
///
/// # Errors
///
/// As [`string_set`].
pub fn binary_set<T: Serialize, S: Serializer>(
    members: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(BINARY_SET, members)
}

/// What the members of a set are.
#[derive(Clone, Copy)]
pub(super) enum SetKind {
    String,
    Number,
    Binary,
}

impl SetKind {
    /// The kind of set that a newtype of that name is, if it is one.
    pub(super) fn of_newtype(name: &str) -> Option<Self> {
        match name {
            STRING_SET => Some(Self::String),
            NUMBER_SET => Some(Self::Number),
            BINARY_SET => Some(Self::Binary),
            _ => None,
        }
    }

    /// Writes `members`, a sequence, as a set.
    pub(super) fn encode<T: Serialize + ?Sized>(
        self,
        members: &T,
        value: ValueEncoder<'_>,
    ) -> Result<(), SerializeError> {
        match members.serialize(SetSerializer(self))? {
            Members::Strings(members) => {
                value.string_set(members.iter().map(String::as_str))?;
            }
            Members::Numbers(members) => match members.into_iter().collect::<Result<Vec<_>, _>>() {
                Ok(members) => value.number_set(members)?,
                Err(error) => value.try_number(Err(error))?,
            },
            Members::Binary(members) => value.binary_set(members.iter().map(Vec::as_slice))?,
        }
        Ok(())
    }
}

pub(super) enum Members {
    Strings(Vec<String>),
    Numbers(Vec<Result<Number, NumberError>>),
    Binary(Vec<Vec<u8>>),
}

enum Member {
    String(String),
    Number(Result<Number, NumberError>),
    Binary(Vec<u8>),
}

impl SerializeSeq for Members {
    type Ok = Self;
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(
        &mut self,
        member: &T,
    ) -> Result<(), SerializeError> {
        match (self, member.serialize(MemberSerializer)?) {
            (Self::Strings(members), Member::String(member)) => members.push(member),
            (Self::Numbers(members), Member::Number(member)) => members.push(member),
            (Self::Binary(members), Member::Binary(member)) => members.push(member),
            (Self::Strings(_), _) => return not_a_member("that is no string"),
            (Self::Numbers(_), _) => return not_a_member("that is no number"),
            (Self::Binary(_), _) => return not_a_member("that is no binary"),
        }
        Ok(())
    }

    fn end(self) -> Result<Self, SerializeError> {
        Ok(self)
    }
}

impl SerializeTuple for Members {
    type Ok = Self;
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(
        &mut self,
        member: &T,
    ) -> Result<(), SerializeError> {
        SerializeSeq::serialize_element(self, member)
    }

    fn end(self) -> Result<Self, SerializeError> {
        Ok(self)
    }
}

impl SerializeTupleStruct for Members {
    type Ok = Self;
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, member: &T) -> Result<(), SerializeError> {
        SerializeSeq::serialize_element(self, member)
    }

    fn end(self) -> Result<Self, SerializeError> {
        Ok(self)
    }
}

struct SetSerializer(SetKind);

impl SetSerializer {
    fn members(&self) -> Members {
        match self.0 {
            SetKind::String => Members::Strings(Vec::new()),
            SetKind::Number => Members::Numbers(Vec::new()),
            SetKind::Binary => Members::Binary(Vec::new()),
        }
    }
}

fn not_a_set<T>(kind: &str) -> Result<T, SerializeError> {
    Err(SerializeError::Custom(format!(
        "a set is a sequence, not {kind}"
    )))
}

impl Serializer for SetSerializer {
    type Ok = Members;
    type Error = SerializeError;
    type SerializeSeq = Members;
    type SerializeTuple = Members;
    type SerializeTupleStruct = Members;
    type SerializeTupleVariant = Impossible<Members, SerializeError>;
    type SerializeMap = Impossible<Members, SerializeError>;
    type SerializeStruct = Impossible<Members, SerializeError>;
    type SerializeStructVariant = Impossible<Members, SerializeError>;

    transparent!();
    refuse!(not_a_set => bool integers floats strings bytes unit unit_variant variants maps);

    fn serialize_seq(self, _: Option<usize>) -> Result<Members, SerializeError> {
        Ok(self.members())
    }

    fn serialize_tuple(self, _: usize) -> Result<Members, SerializeError> {
        Ok(self.members())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Members, SerializeError> {
        Ok(self.members())
    }
}

struct MemberSerializer;

fn not_a_member<T>(kind: &str) -> Result<T, SerializeError> {
    Err(SerializeError::Custom(format!("a set has a member {kind}")))
}

fn not_scalar<T>(kind: &str) -> Result<T, SerializeError> {
    not_a_member(&format!("that is {kind}"))
}

macro_rules! numbers {
    ($($method:ident: $value:ty),* $(,)?) => {
        $(fn $method(self, value: $value) -> Result<Member, SerializeError> {
            Ok(Member::Number(Number::try_from(value)))
        })*
    };
}

macro_rules! integers {
    ($($method:ident: $value:ty),* $(,)?) => {
        $(fn $method(self, value: $value) -> Result<Member, SerializeError> {
            Ok(Member::Number(Number::try_from(i128::from(value))))
        })*
    };
}

impl Serializer for MemberSerializer {
    type Ok = Member;
    type Error = SerializeError;
    type SerializeSeq = Impossible<Member, SerializeError>;
    type SerializeTuple = Impossible<Member, SerializeError>;
    type SerializeTupleStruct = Impossible<Member, SerializeError>;
    type SerializeTupleVariant = Impossible<Member, SerializeError>;
    type SerializeMap = Impossible<Member, SerializeError>;
    type SerializeStruct = Impossible<Member, SerializeError>;
    type SerializeStructVariant = Impossible<Member, SerializeError>;

    transparent!();
    refuse!(not_scalar => bool unit variants sequences maps);

    integers! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
    }

    numbers! {
        serialize_i128: i128,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
    }

    fn serialize_char(self, value: char) -> Result<Member, SerializeError> {
        Ok(Member::String(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Member, SerializeError> {
        Ok(Member::String(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Member, SerializeError> {
        Ok(Member::Binary(value.to_owned()))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Member, SerializeError> {
        Ok(Member::String(variant.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::table::{KeyType, TableSchema};

    fn table() -> TableSchema {
        TableSchema::builder("things")
            .partition_key("id", KeyType::S)
            .build()
            .unwrap()
    }

    #[derive(serde::Serialize)]
    struct Bytes(#[serde(serialize_with = "serialize_bytes")] &'static [u8]);

    fn serialize_bytes<S: serde::Serializer>(
        bytes: &&'static [u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    #[derive(serde::Serialize)]
    struct Sets {
        id: &'static str,
        #[serde(serialize_with = "super::string_set")]
        strings: Vec<&'static str>,
        #[serde(serialize_with = "super::number_set")]
        numbers: (f64, i64),
        #[serde(serialize_with = "super::binary_set")]
        binary: [Bytes; 1],
    }

    fn sets() -> Sets {
        Sets {
            id: "a",
            strings: vec!["x", "y"],
            numbers: (1.0, -2),
            binary: [Bytes(&[1])],
        }
    }

    #[derive(serde::Serialize)]
    struct Mixed {
        id: &'static str,
        #[serde(serialize_with = "super::string_set")]
        set: (&'static str, u8),
    }

    #[test]
    fn sets_of_each_kind_are_sets() {
        let op = table().put_serde(&sets()).unwrap();
        assert_eq!(
            std::str::from_utf8(op.item().json()).unwrap(),
            r#"{"id":{"S":"a"},"strings":{"SS":["x","y"]},"numbers":{"NS":["1","-2"]},"binary":{"BS":["AQ=="]}}"#
        );
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let empty = Sets {
            strings: Vec::new(),
            ..sets()
        };
        let error = table().put_serde(&empty).unwrap_err();
        assert!(
            matches!(&error, Error::EmptySet { attribute, .. } if attribute == "strings"),
            "{error}"
        );
        let twice = Sets {
            numbers: (2.0, 2),
            ..sets()
        };
        let error = table().put_serde(&twice).unwrap_err();
        assert!(
            matches!(&error, Error::DuplicateSetMember { .. }),
            "{error}"
        );
        let nan = Sets {
            numbers: (f64::NAN, 2),
            ..sets()
        };
        let error = table().put_serde(&nan).unwrap_err();
        assert!(matches!(&error, Error::Number { .. }), "{error}");

        let mixed = Mixed {
            id: "a",
            set: ("x", 1),
        };
        let error = table().put_serde(&mixed).unwrap_err().to_string();
        assert_eq!(error, "table things: a set has a member that is no string");
    }
}

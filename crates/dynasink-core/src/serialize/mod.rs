//! Serde values, encoded as items without a detour through attribute values.
//!
//! | serde | DynamoDB |
//! | --- | --- |
//! | bool | BOOL |
//! | integers, floats | N; floats by their shortest text, NaN and infinities are errors |
//! | char, str, unit variant | S |
//! | bytes | B |
//! | `None`, unit | omitted as an attribute or a field, NULL in a list or as the value of a nested map |
//! | seq, tuple | L |
//! | map, struct | M; keys that are strings, chars, integers or bools |
//! | newtype variant, tuple variant, struct variant | M of one attribute, the variant's name |
//! | sequences below [`string_set`], [`number_set`], [`binary_set`], or those of `serde_dynamo` | SS, NS, BS |

mod key;
mod refuse;
mod set;
mod value;

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use crate::encode::{ItemEncoder, MapEncoder};
use crate::error::{Error, Result};
use crate::item::Item;
use crate::op::WriteOp;
use crate::table::TableSchema;
use refuse::{refuse, transparent};
use value::{Entries, NoneAs};

pub use set::{binary_set, number_set, string_set};

impl TableSchema {
    /// An operation that puts `value`, a struct or a map, into this table. A [`SerdeEncoder`] does the same for many, in
    /// one buffer.
    ///
    /// ```
    /// use dynasink_core::{KeyType, TableSchema};
    ///
    /// #[derive(serde::Serialize)]
    /// struct User<'a> {
    ///     id: u32,
    ///     name: &'a str,
    ///     email: Option<&'a str>,
    /// }
    ///
    /// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
    /// let op = table.put_serde(&User { id: 1, name: "ann", email: None })?;
    /// assert_eq!(op.item().json(), br#"{"id":{"N":"1"},"name":{"S":"ann"}}"#.as_slice());
    /// # Ok::<(), dynasink_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if `value` is not a map or holds something without a counterpart, and all that
    /// [`put`](Self::put) refuses.
    pub fn put_serde<T: Serialize + ?Sized>(&self, value: &T) -> Result<WriteOp> {
        SerdeEncoder::new(self).put(value)
    }

    /// An operation that deletes the item with the key attributes of `value`.
    ///
    /// # Errors
    ///
    /// As [`put_serde`](Self::put_serde).
    pub fn delete_serde<T: Serialize + ?Sized>(&self, value: &T) -> Result<WriteOp> {
        SerdeEncoder::new(self).delete(value)
    }
}

/// Makes operations of serde values, one after the other.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use dynasink_core::{KeyType, SerdeEncoder, TableSchema};
///
/// let table = TableSchema::builder("users").partition_key("id", KeyType::S).build()?;
/// let mut encoder = SerdeEncoder::new(&table).null_fields();
/// let op = encoder.put(&BTreeMap::from([("id", Some("u-1")), ("email", None)]))?;
/// assert_eq!(op.item().json(), br#"{"email":{"NULL":true},"id":{"S":"u-1"}}"#.as_slice());
/// # Ok::<(), dynasink_core::Error>(())
/// ```
#[derive(Debug)]
pub struct SerdeEncoder {
    table: TableSchema,
    encoder: ItemEncoder,
    fields: NoneAs,
}

impl SerdeEncoder {
    /// An encoder for `table` that omits what is `None`.
    pub fn new(table: &TableSchema) -> Self {
        Self {
            table: table.clone(),
            encoder: ItemEncoder::new(table),
            fields: NoneAs::Omitted,
        }
    }

    /// Writes attributes and fields that are `None` as NULL, as `serde_dynamo` does. Keys of indexes are omitted all the
    /// same, since the service refuses an item whose index key is NULL.
    #[must_use]
    pub fn null_fields(mut self) -> Self {
        self.fields = NoneAs::Null;
        self
    }

    /// An operation that puts `value`, a struct or a map.
    ///
    /// # Errors
    ///
    /// As [`TableSchema::put_serde`].
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<WriteOp> {
        let item = self.item(value)?;
        self.table.put(item)
    }

    /// An operation that deletes the item with the key attributes of `value`.
    ///
    /// # Errors
    ///
    /// As [`TableSchema::put_serde`].
    pub fn delete<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<WriteOp> {
        let item = self.item(value)?;
        self.table.delete(&item)
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<Item> {
        let Self {
            table,
            encoder,
            fields,
        } = self;
        let serialized = encoder.item(|item| {
            value.serialize(ItemSerializer {
                item,
                table,
                fields: *fields,
            })
        });
        serialized.map_err(|error| match error {
            SerializeError::Refused(error) => error,
            SerializeError::Custom(message) => Error::Unsupported {
                table: table.name().clone(),
                attribute: String::new(),
                message,
            },
        })
    }
}

/// Serde wants an error that anyone can make from a message.
#[derive(Debug, thiserror::Error)]
enum SerializeError {
    #[error(transparent)]
    Refused(#[from] Error),
    #[error("{0}")]
    Custom(String),
}

impl serde::ser::Error for SerializeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

/// The top level of an item: a struct or a map.
struct ItemSerializer<'a, 'b> {
    item: &'a mut MapEncoder<'b>,
    table: &'a TableSchema,
    fields: NoneAs,
}

impl<'a, 'b> ItemSerializer<'a, 'b> {
    fn entries(self) -> Entries<&'a mut MapEncoder<'b>> {
        let entries = Entries::new(self.item, self.fields, self.fields);
        match self.fields {
            NoneAs::Omitted => entries,
            NoneAs::Null => entries.omitting(self.table.index_key_names().collect()),
        }
    }
}

fn not_an_item<T>(kind: &str) -> Result<T, SerializeError> {
    Err(SerializeError::Custom(format!(
        "an item is a struct or a map, not {kind}"
    )))
}

impl<'a, 'b> Serializer for ItemSerializer<'a, 'b> {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = Impossible<(), SerializeError>;
    type SerializeTuple = Impossible<(), SerializeError>;
    type SerializeTupleStruct = Impossible<(), SerializeError>;
    type SerializeTupleVariant = Impossible<(), SerializeError>;
    type SerializeMap = Entries<&'a mut MapEncoder<'b>>;
    type SerializeStruct = Entries<&'a mut MapEncoder<'b>>;
    type SerializeStructVariant = Impossible<(), SerializeError>;

    fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, SerializeError> {
        Ok(self.entries())
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStruct, SerializeError> {
        Ok(self.entries())
    }

    transparent!();
    refuse!(not_an_item => bool integers floats strings bytes unit unit_variant variants sequences);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::*;
    use crate::table::KeyType;

    fn table() -> TableSchema {
        TableSchema::builder("things")
            .partition_key("id", KeyType::S)
            .build()
            .unwrap()
    }

    fn json(value: &impl Serialize) -> String {
        String::from_utf8(table().put_serde(value).unwrap().item().json().to_vec()).unwrap()
    }

    #[derive(Serialize)]
    enum Shape {
        Point,
        Circle(f32),
        Line(u8, u8),
        Rect { w: u8 },
    }

    #[test]
    fn every_shape_of_serde_has_its_place() {
        #[derive(Serialize)]
        struct Thing {
            id: char,
            none: Option<u8>,
            some: Option<bool>,
            list: (Option<u8>, i64),
            map: BTreeMap<u64, Option<u8>>,
            shapes: Vec<Shape>,
            unit: (),
        }
        let thing = Thing {
            id: 'a',
            none: None,
            some: Some(true),
            list: (None, -5),
            map: BTreeMap::from([(7, None)]),
            shapes: vec![
                Shape::Point,
                Shape::Circle(0.1),
                Shape::Line(1, 2),
                Shape::Rect { w: 3 },
            ],
            unit: (),
        };
        assert_eq!(
            json(&thing),
            r#"{"id":{"S":"a"},"some":{"BOOL":true},"list":{"L":[{"NULL":true},{"N":"-5"}]},"map":{"M":{"7":{"NULL":true}}},"shapes":{"L":[{"S":"Point"},{"M":{"Circle":{"N":"0.1"}}},{"M":{"Line":{"L":[{"N":"1"},{"N":"2"}]}}},{"M":{"Rect":{"M":{"w":{"N":"3"}}}}}]}}"#
        );
    }

    #[test]
    fn maps_and_flattened_structs_are_items() {
        #[derive(Serialize)]
        struct Outer {
            #[serde(flatten)]
            inner: BTreeMap<String, u8>,
            id: &'static str,
        }
        let outer = Outer {
            inner: BTreeMap::from([("n".to_owned(), 1)]),
            id: "a",
        };
        assert_eq!(json(&outer), r#"{"n":{"N":"1"},"id":{"S":"a"}}"#);
    }

    #[test]
    fn what_has_no_counterpart_is_an_error_that_names_the_attribute() {
        let nan = table()
            .put_serde(&BTreeMap::from([("id", f64::NAN)]))
            .unwrap_err();
        assert!(
            matches!(&nan, Error::Number { attribute, .. } if attribute == "id"),
            "{nan}"
        );
        let not_a_map = table().put_serde(&vec![1, 2]).unwrap_err();
        assert_eq!(
            not_a_map.to_string(),
            "table things: an item is a struct or a map, not a sequence"
        );
        let optional_key = table().put_serde(&BTreeMap::from([(Some("id"), "a")]));
        assert!(
            optional_key.is_ok(),
            "an optional key that is there is a key"
        );
    }
}

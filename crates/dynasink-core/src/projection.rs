//! What an index holds of an item, and what that costs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::{Attributes, EncodedValue, unescape};
use crate::name::AttributeName;
use crate::number::Number;
use crate::op::{WriteAction, WriteOp};
use crate::table::{IndexKind, IndexSchema};
use crate::units::WriteUnits;

/// Bytes that a list or a map costs besides what is in it, and each of its elements besides itself.
///
/// Source: *DynamoDB item sizes and formats*.
const CONTAINER_BYTES: u64 = 3;
const ELEMENT_BYTES: u64 = 1;

/// Which attributes of an item an index holds, besides the keys of the table and its own.
///
/// Source: API reference, `Projection`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// All.
    #[default]
    All,
    /// None.
    KeysOnly,
    /// These.
    Include(Vec<AttributeName>),
}

impl WriteOp {
    /// The indexes that hold its item, or may hold the one that it deletes.
    pub fn indexes(&self) -> impl Iterator<Item = &IndexSchema> {
        let indexes = self.schema().indexes().iter().zip(0..u64::BITS);
        indexes
            .filter(|(_, number)| self.index_bits() & (1 << number) != 0)
            .map(|(index, _)| index)
    }

    /// The global ones of these, which have capacities of their own.
    pub fn global_indexes(&self) -> impl Iterator<Item = &IndexSchema> {
        self.indexes()
            .filter(|index| index.kind() == IndexKind::Global)
    }

    /// The write units that its entry in `index` costs, by the size of what the index holds of the item, where it holds
    /// no entry of the item yet. A delete counts as one.
    ///
    /// They are of the index's own capacity if it is global, else of the table's.
    ///
    /// Source: *Using Global Secondary Indexes in DynamoDB*, "Provisioned throughput considerations", and *Local
    /// secondary indexes*, "Write capacity units".
    pub fn index_units(&self, index: &IndexSchema) -> WriteUnits {
        match (self.action(), index.projection()) {
            (WriteAction::Delete, _) => WriteUnits::new(1),
            (WriteAction::Put, Projection::All) => self.units(),
            (WriteAction::Put, projection) => {
                let is_key = |name: &[u8]| {
                    let mut keys = self.schema().keys().chain(index.keys());
                    keys.any(|key| key.attribute_name().json() == name)
                };
                let held = Attributes::of(self.item().json())
                    .filter(|(name, _)| is_key(name) || projection.includes(name));
                let bytes = held
                    .map(|(name, value)| unescape(name).len() as u64 + value_size(value))
                    .sum();
                WriteUnits::for_item_size(bytes)
            }
        }
    }
}

impl Projection {
    /// Whether it has the attribute of that JSON name, which is no key.
    fn includes(&self, name: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::KeysOnly => false,
            Self::Include(names) => names.iter().any(|included| included.json() == name),
        }
    }

    /// The attributes that it names.
    pub fn included(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Self::Include(names) => names.as_slice(),
            Self::All | Self::KeysOnly => &[],
        };
        names.iter().map(AttributeName::as_str)
    }
}

/// The bytes of a value by DynamoDB's own rule.
///
/// Source: *DynamoDB item sizes and formats*.
fn value_size(value: EncodedValue<'_>) -> u64 {
    match value.descriptor() {
        b"S" => value.text().len() as u64,
        _ => serde_json::from_slice(value.json()).map_or(0, |value| typed_size(&value)),
    }
}

/// The bytes of a value with its type: `{"N":"1"}`.
fn typed_size(value: &Value) -> u64 {
    let Some((descriptor, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    let texts = || value.as_array().into_iter().flatten().chain([value]);
    let texts = || texts().filter_map(Value::as_str);
    match (descriptor.as_str(), value) {
        ("S" | "SS", _) => texts().map(|text| text.len() as u64).sum(),
        ("N" | "NS", _) => texts().map(number_size).sum(),
        ("B" | "BS", _) => texts().map(binary_size).sum(),
        ("L", Value::Array(elements)) => {
            let elements = elements
                .iter()
                .map(|element| ELEMENT_BYTES + typed_size(element));
            CONTAINER_BYTES + elements.sum::<u64>()
        }
        ("M", Value::Object(fields)) => {
            let fields = fields
                .iter()
                .map(|(name, value)| ELEMENT_BYTES + name.len() as u64 + typed_size(value));
            CONTAINER_BYTES + fields.sum::<u64>()
        }
        _ => 1,
    }
}

fn number_size(text: &str) -> u64 {
    text.parse::<Number>().map_or(0, |number| number.size())
}

fn binary_size(text: &str) -> u64 {
    STANDARD.decode(text).map_or(0, |bytes| bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::table::{KeyType, TableSchema};
    use crate::{number_set, string_set};

    fn table(projection: Projection) -> TableSchema {
        TableSchema::builder("users")
            .partition_key("id", KeyType::N)
            .index(
                "by-mail",
                IndexKind::Global,
                [("mail", KeyType::S)],
                [],
                None,
            )
            .projecting("by-mail", projection)
            .build()
            .unwrap()
    }

    fn include(names: &[&str]) -> Projection {
        Projection::Include(
            names
                .iter()
                .map(|name| AttributeName::new(name).unwrap())
                .collect(),
        )
    }

    #[test]
    fn the_sizes_of_all_attributes_together_are_the_size_of_the_item() {
        #[derive(serde::Serialize)]
        struct Everything {
            id: i32,
            mail: &'static str,
            #[serde(rename = "naïve \"name\"")]
            text: &'static str,
            number: f64,
            yes: bool,
            map: Value,
            #[serde(serialize_with = "string_set")]
            texts: Vec<&'static str>,
            #[serde(serialize_with = "number_set")]
            numbers: Vec<i64>,
        }
        let item = Everything {
            id: 1,
            mail: "a@b",
            text: "tab\t\u{1F600}",
            number: -12.345e-7,
            yes: true,
            map: json!({ "list": [1, "two", null, [], {}], "deep": { "é": false } }),
            texts: vec!["a", "béta"],
            numbers: vec![1, -200],
        };
        let op = table(Projection::All).put_serde(&item).unwrap();
        let sizes = Attributes::of(op.item().json());
        let sizes = sizes.map(|(name, value)| unescape(name).len() as u64 + value_size(value));
        assert_eq!(sizes.sum::<u64>(), op.item().size());
    }

    #[test]
    fn an_index_costs_by_what_it_holds() {
        let units = |projection, item: &Value| {
            let table = table(projection);
            let op = table.put_serde(item).unwrap();
            let units = op.indexes().map(|index| op.index_units(index).get());
            units.collect::<Vec<_>>()
        };
        let item =
            json!({ "id": 1, "mail": "m", "large": "x".repeat(5000), "small": "y".repeat(1100) });
        assert_eq!(units(Projection::All, &item), [6]);
        assert_eq!(units(Projection::KeysOnly, &item), [1]);
        assert_eq!(units(include(&["small"]), &item), [2]);
        assert_eq!(units(include(&["large"]), &item), [5]);
        assert_eq!(
            units(Projection::All, &json!({ "id": 1 })),
            Vec::<u64>::new(),
            "it is not in the index"
        );
    }

    #[test]
    fn a_delete_may_remove_an_entry_and_counts_as_one_unit() {
        let table = table(Projection::All);
        let op = table.delete_serde(&json!({ "id": 1 })).unwrap();
        let units = op.indexes().map(|index| op.index_units(index).get());
        assert_eq!(units.collect::<Vec<_>>(), [1]);
    }
}

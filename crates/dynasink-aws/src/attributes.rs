//! The SDK's attribute values, encoded as items.

use std::collections::HashMap;
use std::hash::BuildHasher;

use aws_sdk_dynamodb::types::AttributeValue;
use dynasink_core::{Error, Item, MapEncoder, Number, Result, TableSchema, ValueEncoder, WriteOp};

/// Operations from maps of [`AttributeValue`]s, under the same rules as all others.
///
/// ```
/// use std::collections::HashMap;
///
/// use aws_sdk_dynamodb::types::AttributeValue;
/// use dynasink_aws::AttributeValueExt;
/// use dynasink_core::{KeyType, TableSchema};
///
/// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
/// let user = HashMap::from([("id".to_owned(), AttributeValue::N("1.0".to_owned()))]);
/// assert_eq!(table.put_attributes(&user)?.item().json(), br#"{"id":{"N":"1"}}"#.as_slice());
/// # Ok::<(), dynasink_core::Error>(())
/// ```
pub trait AttributeValueExt {
    /// Encodes a map of attribute values.
    ///
    /// # Errors
    ///
    /// What DynamoDB would refuse: see [`ValueEncoder`].
    fn item_from_attributes<S: BuildHasher>(
        &self,
        attributes: &HashMap<String, AttributeValue, S>,
    ) -> Result<Item>;

    /// An operation that puts a map of attribute values into this table.
    ///
    /// # Errors
    ///
    /// As [`item_from_attributes`](Self::item_from_attributes), and what [`TableSchema::put`] refuses.
    fn put_attributes<S: BuildHasher>(
        &self,
        attributes: &HashMap<String, AttributeValue, S>,
    ) -> Result<WriteOp>;

    /// An operation that deletes the item with the key attributes of a map of attribute values.
    ///
    /// # Errors
    ///
    /// As [`item_from_attributes`](Self::item_from_attributes), and what [`TableSchema::delete`] refuses.
    fn delete_attributes<S: BuildHasher>(
        &self,
        attributes: &HashMap<String, AttributeValue, S>,
    ) -> Result<WriteOp>;
}

impl AttributeValueExt for TableSchema {
    fn item_from_attributes<S: BuildHasher>(
        &self,
        attributes: &HashMap<String, AttributeValue, S>,
    ) -> Result<Item> {
        self.item(|item| encode_map(item, attributes))
    }

    fn put_attributes<S: BuildHasher>(
        &self,
        attributes: &HashMap<String, AttributeValue, S>,
    ) -> Result<WriteOp> {
        self.put(self.item_from_attributes(attributes)?)
    }

    fn delete_attributes<S: BuildHasher>(
        &self,
        attributes: &HashMap<String, AttributeValue, S>,
    ) -> Result<WriteOp> {
        self.delete(&self.item_from_attributes(attributes)?)
    }
}

fn encode_map<S: BuildHasher>(
    map: &mut MapEncoder<'_>,
    attributes: &HashMap<String, AttributeValue, S>,
) -> Result<()> {
    // In the order of the names, so that one item has one form.
    let mut attributes: Vec<_> = attributes.iter().collect();
    attributes.sort_unstable_by_key(|(name, _)| *name);
    attributes
        .into_iter()
        .try_for_each(|(name, value)| encode(map.attribute(name)?, value))
}

fn encode(encoder: ValueEncoder<'_>, value: &AttributeValue) -> Result<()> {
    match value {
        AttributeValue::S(value) => encoder.string(value),
        AttributeValue::N(text) => encoder.try_number(text.parse()),
        AttributeValue::B(value) => encoder.binary(value.as_ref()),
        AttributeValue::Bool(value) => encoder.bool(*value),
        AttributeValue::Null(true) => encoder.null(),
        AttributeValue::Null(false) => Err(encoder.unsupported("a NULL can only be true")),
        AttributeValue::Ss(members) => encoder.string_set(members.iter().map(String::as_str)),
        AttributeValue::Ns(members) => {
            match members
                .iter()
                .map(|text| text.parse())
                .collect::<Result<Vec<Number>, _>>()
            {
                Ok(members) => encoder.number_set(members),
                Err(error) => encoder.try_number(Err(error)),
            }
        }
        AttributeValue::Bs(members) => encoder.binary_set(members.iter().map(AsRef::as_ref)),
        AttributeValue::L(elements) => {
            let mut list = encoder.list()?;
            elements
                .iter()
                .try_for_each(|element| encode(list.element(), element))
        }
        AttributeValue::M(entries) => encode_map(&mut encoder.map()?, entries),
        _ => {
            Err::<(), Error>(encoder.unsupported("a kind of value that this version does not know"))
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use dynasink_core::{KeyType, WriteAction};

    use super::*;

    fn table() -> TableSchema {
        TableSchema::builder("users")
            .partition_key("id", KeyType::N)
            .build()
            .unwrap()
    }

    /// The JSON of an item with that value, or what is said against it.
    fn encoded(value: AttributeValue) -> Result<String, String> {
        let item = table().item_from_attributes(&HashMap::from([("v".to_owned(), value)]));
        item.map(|item| String::from_utf8(item.json().to_vec()).unwrap())
            .map_err(|error| error.to_string())
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn every_kind_of_value_is_encoded() {
        use AttributeValue as Value;
        let nested = HashMap::from([("k".to_owned(), Value::Null(true))]);
        let cases = [
            (Value::S("a\"é".to_owned()), r#"{"S":"a\"é"}"#),
            (Value::N("1.50e2".to_owned()), r#"{"N":"150"}"#),
            (Value::B(Blob::new([0, 255])), r#"{"B":"AP8="}"#),
            (Value::Bool(false), r#"{"BOOL":false}"#),
            (Value::Null(true), r#"{"NULL":true}"#),
            (Value::Ss(strings(&["b", "a"])), r#"{"SS":["b","a"]}"#),
            (Value::Ns(strings(&["1.0", "-2"])), r#"{"NS":["1","-2"]}"#),
            (Value::Bs(vec![Blob::new([1])]), r#"{"BS":["AQ=="]}"#),
            (
                Value::L(vec![Value::Bool(true), Value::M(nested)]),
                r#"{"L":[{"BOOL":true},{"M":{"k":{"NULL":true}}}]}"#,
            ),
            (Value::L(Vec::new()), r#"{"L":[]}"#),
            (Value::M(HashMap::new()), r#"{"M":{}}"#),
        ];
        for (value, json) in cases {
            assert_eq!(encoded(value), Ok(format!(r#"{{"v":{json}}}"#)));
        }
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_by_name() {
        use AttributeValue as Value;
        let cases = [
            Value::Null(false),
            Value::N("one".to_owned()),
            Value::N("1e200".to_owned()),
            Value::Ns(strings(&["1", "one"])),
            Value::Ns(strings(&["1", "1.0"])),
            Value::Ns(Vec::new()),
            Value::Ss(Vec::new()),
            Value::Ss(strings(&["a", "a"])),
            Value::Bs(Vec::new()),
            Value::L(vec![Value::Null(false)]),
        ];
        for value in cases {
            let error = encoded(value.clone()).expect_err(&format!("{value:?}"));
            assert!(error.starts_with("table users: attribute \"v\""), "{error}");
        }
    }

    #[test]
    fn a_delete_takes_the_key_alone() {
        let user = HashMap::from([
            ("id".to_owned(), AttributeValue::N("7".to_owned())),
            ("v".to_owned(), AttributeValue::Bool(true)),
        ]);
        let delete = table().delete_attributes(&user).unwrap();
        assert_eq!(delete.action(), WriteAction::Delete);
        assert_eq!(delete.item().json(), br#"{"id":{"N":"7"}}"#.as_slice());
    }

    #[test]
    fn an_item_without_its_key_is_not_put() {
        let nobody = HashMap::from([("v".to_owned(), AttributeValue::Bool(true))]);
        assert!(matches!(
            table().put_attributes(&nobody),
            Err(Error::MissingKey { attribute, .. }) if attribute == "id"
        ));
    }
}

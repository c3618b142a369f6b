//! Errors name the value that is to blame by the way to it and by its type, never by what it holds.

use arrow_array::builder::{Float64Builder, MapBuilder, StringBuilder};
use arrow_array::*;
use arrow_buffer::OffsetBuffer;
use arrow_schema::Fields;

use super::*;

/// Where the first error of `array` is.
fn place(array: &dyn Array) -> (String, String) {
    let spec = MappingSpec::default();
    let encoding = encoding(&spec, array.data_type()).unwrap();
    let error = attributes(&encoding, array)
        .into_iter()
        .find_map(Result::err)
        .unwrap();
    let value = error.within(crate::encode::Step::Field("v".to_owned()));
    let value = value.value().unwrap();
    (value.column, value.kind)
}

fn at(column: &str, kind: &str) -> (String, String) {
    (column.to_owned(), kind.to_owned())
}

#[test]
fn a_value_is_named_by_the_way_to_it() {
    let prices = Float64Array::from(vec![1.0, 2.0, f64::NAN, 4.0]);
    assert_eq!(place(&prices), at("v", "Float64"));
    let fields: Fields = vec![Field::new("price", DataType::Float64, true)].into();
    let lines = StructArray::new(fields, vec![Arc::new(prices)], None);
    assert_eq!(place(&lines), at("v.price", "Float64"));
    let element = Arc::new(Field::new("item", lines.data_type().clone(), true));
    let orders = ListArray::new(
        element,
        OffsetBuffer::from_lengths([1, 3]),
        Arc::new(lines),
        None,
    );
    assert_eq!(place(&orders), at("v[1].price", "Float64"));
}

#[test]
fn an_entry_of_a_map_is_named_by_its_place() {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    maps.keys().append_value("secret");
    maps.values().append_value(1.0);
    maps.keys().append_value("secret too");
    maps.values().append_value(f64::INFINITY);
    maps.append(true).unwrap();
    assert_eq!(place(&maps.finish()), at("v[1]", "Float64"));
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    for key in ["a", ""] {
        maps.keys().append_value(key);
        maps.values().append_value(1.0);
    }
    maps.append(true).unwrap();
    assert_eq!(place(&maps.finish()), at("v[1]", "Utf8"));
}

#[test]
fn what_nests_too_deep_is_named_where_it_does() {
    let mut array: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    for _ in 0..32 {
        let element = Arc::new(Field::new("item", array.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths([1]);
        array = Arc::new(ListArray::new(element, offsets, array, None));
    }
    let (column, kind) = place(&array);
    assert_eq!(column, format!("v{}", "[0]".repeat(31)));
    assert_eq!(kind, DataType::new_list(DataType::Int32, true).to_string());
}

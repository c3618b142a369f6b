use std::collections::HashMap;

use arrow_schema::TimeUnit;

use super::*;

fn field(data_type: DataType) -> Field {
    Field::new("c", data_type, false)
}

fn widened_to(a: DataType, b: DataType) -> Option<DataType> {
    let one = widen(&field(a.clone()), &field(b.clone()));
    let other = widen(&field(b), &field(a));
    assert_eq!(
        one.as_ref().map(Field::data_type),
        other.as_ref().map(Field::data_type),
        "the order does not matter"
    );
    one.map(|field| field.data_type().clone())
}

#[test]
fn integers_widen_to_one_that_holds_both() {
    use DataType::*;
    for (a, b, wide) in [
        (Int8, Int64, Some(Int64)),
        (UInt8, UInt32, Some(UInt32)),
        (UInt8, Int8, Some(Int16)),
        (UInt16, Int64, Some(Int64)),
        (UInt32, Int32, Some(Int64)),
        (UInt64, Int64, None),
        (Int64, Float64, None),
        (Int64, Boolean, None),
        (Int64, Utf8, None),
    ] {
        assert_eq!(widened_to(a, b), wide);
    }
}

#[test]
fn integers_widen_to_floats_and_decimals_that_hold_them_all() {
    use DataType::*;
    for (a, b, wide) in [
        (Int32, Float64, Some(Float64)),
        (UInt16, Float32, Some(Float32)),
        (Int32, Float32, Some(Float64)),
        (UInt64, Float64, None),
        (Int8, Float16, None),
        (Int32, Decimal128(12, 2), Some(Decimal128(12, 2))),
        (Int64, Decimal128(12, 2), Some(Decimal128(22, 2))),
        (UInt8, Decimal32(4, 4), Some(Decimal32(7, 4))),
    ] {
        assert_eq!(widened_to(a, b), wide);
    }
}

#[test]
fn decimals_keep_the_digits_of_both_sides() {
    use DataType::*;
    for (a, b, wide) in [
        (Decimal128(10, 2), Decimal128(8, 4), Some(Decimal128(12, 4))),
        (Decimal32(9, 0), Decimal32(9, 9), Some(Decimal128(18, 9))),
        (
            Decimal128(38, 0),
            Decimal128(38, 10),
            Some(Decimal256(48, 10)),
        ),
        (Decimal256(76, 0), Decimal256(76, 1), None),
        (Decimal128(5, -3), Decimal128(5, 0), Some(Decimal128(8, 0))),
    ] {
        let found = widened_to(a, b);
        if let (Some(Decimal64(p, s) | Decimal128(p, s)), Some(Decimal128(wp, ws))) =
            (&found, &wide)
        {
            assert_eq!((p, s), (wp, ws));
        } else {
            assert_eq!(found, wide);
        }
    }
}

#[test]
fn timestamps_take_the_finer_unit_and_keep_whether_they_have_a_zone() {
    let stamp = |unit, zone: Option<&str>| DataType::Timestamp(unit, zone.map(Into::into));
    assert_eq!(
        widened_to(
            stamp(TimeUnit::Second, None),
            stamp(TimeUnit::Microsecond, None)
        ),
        Some(stamp(TimeUnit::Microsecond, None))
    );
    assert_eq!(
        widened_to(
            stamp(TimeUnit::Second, Some("UTC")),
            stamp(TimeUnit::Second, None)
        ),
        None
    );
    let zones = widen(
        &field(stamp(TimeUnit::Second, Some("UTC"))),
        &field(stamp(TimeUnit::Nanosecond, Some("+00:00"))),
    );
    assert_eq!(
        zones.unwrap().data_type(),
        &stamp(TimeUnit::Nanosecond, Some("UTC"))
    );
}

#[test]
fn ways_to_store_a_value_do_not_count() {
    use DataType::*;
    let dictionary = Dictionary(Box::new(Int32), Box::new(Utf8));
    assert_eq!(widened_to(Utf8, LargeUtf8), Some(Utf8View));
    assert_eq!(widened_to(dictionary.clone(), Utf8View), Some(Utf8View));
    assert_eq!(widened_to(dictionary, Int32), None);
    assert_eq!(widened_to(FixedSizeBinary(3), Binary), Some(BinaryView));
    let list = |element| List(Arc::new(Field::new("item", element, false)));
    let large = |element| LargeList(Arc::new(Field::new("item", element, false)));
    assert_eq!(widened_to(list(Int8), large(Int32)), Some(large(Int32)));
    assert_eq!(widened_to(list(Int8), list(Utf8)), None);
}

#[test]
fn null_takes_any_type() {
    let wide = widen(&field(DataType::Null), &field(DataType::Int64)).unwrap();
    assert_eq!(
        (wide.data_type(), wide.is_nullable()),
        (&DataType::Int64, true)
    );
}

#[test]
fn fields_of_structs_are_united() {
    let of = |fields: &[(&str, DataType)]| {
        let fields = fields
            .iter()
            .map(|(name, data_type)| Field::new(*name, data_type.clone(), false));
        DataType::Struct(fields.collect())
    };
    let a = of(&[("x", DataType::Int8), ("y", DataType::Utf8)]);
    let b = of(&[("z", DataType::Binary), ("x", DataType::Int16)]);
    let wide = widen(&field(a), &field(b)).unwrap();
    let DataType::Struct(fields) = wide.data_type() else {
        panic!("{wide:?}")
    };
    let found: Vec<_> = fields
        .iter()
        .map(|field| {
            (
                field.name().as_str(),
                field.data_type(),
                field.is_nullable(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("x", &DataType::Int16, false),
            ("y", &DataType::Utf8, true),
            ("z", &DataType::Binary, true)
        ]
    );
}

#[test]
fn the_names_of_a_maps_entries_do_not_count() {
    let map = |names: [&str; 2], value: DataType| {
        let entries = vec![
            Field::new(names[0], DataType::Utf8, false),
            Field::new(names[1], value, true),
        ];
        let entries = Field::new("entries", DataType::Struct(entries.into()), false);
        DataType::Map(Arc::new(entries), false)
    };
    let wide = widen(
        &field(map(["key", "value"], DataType::Int8)),
        &field(map(["keys", "values"], DataType::Int64)),
    );
    assert_eq!(
        wide.unwrap().data_type(),
        &map(["key", "value"], DataType::Int64)
    );
}

#[test]
fn a_uuid_is_not_bytes() {
    let uuid = field(DataType::FixedSizeBinary(16)).with_metadata(HashMap::from([(
        EXTENSION_TYPE_NAME_KEY.to_owned(),
        "arrow.uuid".to_owned(),
    )]));
    assert!(widen(&uuid, &field(DataType::FixedSizeBinary(16))).is_none());
    assert_eq!(widen(&uuid, &uuid).unwrap(), uuid);
}

#[test]
fn a_conflict_names_both_files_and_the_way_into_the_column() {
    let schema = |zip: DataType| {
        let address = DataType::Struct(vec![Field::new("zip", zip, true)].into());
        let list = DataType::List(Arc::new(Field::new("item", address, true)));
        Schema::new(vec![Field::new("addresses", list, true)])
    };
    let mut united = UnitedSchema::default();
    united.add(&schema(DataType::Int32), &"a".into()).unwrap();
    united.add(&schema(DataType::Int64), &"b".into()).unwrap();
    united.add(&schema(DataType::Int8), &"c".into()).unwrap();
    let error = united
        .add(&schema(DataType::Utf8), &"d".into())
        .unwrap_err();
    let Error::SchemaConflict {
        file,
        first,
        column,
        expected,
        found,
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        [&*file, &*first, &*column, &*expected, &*found],
        ["d", "b", "addresses[].zip", "Int64", "Utf8"]
    );
}

#[test]
fn each_file_may_have_other_parts_of_a_variant_in_columns_of_their_own() {
    let variant = |typed: DataType| {
        let fields = vec![
            Field::new("metadata", DataType::Binary, false),
            Field::new("value", DataType::Binary, true),
            Field::new("typed_value", typed, true),
        ];
        field(DataType::Struct(fields.into())).with_metadata(HashMap::from([(
            EXTENSION_TYPE_NAME_KEY.to_owned(),
            "arrow.parquet.variant".to_owned(),
        )]))
    };
    let (a, b) = (variant(DataType::Int64), variant(DataType::Utf8));
    assert_eq!(widen(&a, &b).unwrap(), a);
}

//! Extension types: values by what they mean, and by their storage where the name does not fit it.

use arrow_array::types::{Int8Type, Int16Type, Int32Type};
use arrow_array::*;
use arrow_schema::{Fields, TimeUnit, UnionFields, UnionMode};

use super::*;
use crate::encode::extension::{Extension, unknown_extension};
use crate::mapping::spec::{Defaults, Lists, UnknownExtension};

#[test]
fn bool8_is_true_for_all_but_zero() {
    let field = extension("arrow.bool8", DataType::Int8);
    let array: ArrayRef = Arc::new(Int8Array::from(vec![Some(0), Some(1), Some(-5), None]));
    assert_eq!(by_default(&field, &array), [FALSE, TRUE, TRUE, OMITTED]);
    let spec = mapping_of(by(EncodeAs::N));
    assert_eq!(by_spec(&spec, &field, &array)[2], n("-5"));
    let spec = mapping_of(by(EncodeAs::Json));
    assert_eq!(by_spec(&spec, &field, &array)[2], s("true"));
}

#[test]
fn what_a_dictionary_says_is_said_of_its_values() {
    let values: ArrayRef = Arc::new(Int8Array::from(vec![0, 7]));
    let array = DictionaryArray::<Int8Type>::new(Int8Array::from(vec![1, 0]), values);
    let field = extension("arrow.bool8", array.data_type().clone());
    let array: ArrayRef = Arc::new(array);
    assert_eq!(by_default(&field, &array), [TRUE, FALSE]);
    let json = mapping_of(by(EncodeAs::Json));
    assert_eq!(by_spec(&json, &field, &array), [s("true"), s("false")]);

    let uuids = FixedSizeBinaryArray::try_from_iter([[0; 16]].into_iter()).unwrap();
    let runs = RunArray::<Int32Type>::try_new(&Int32Array::from(vec![1]), &uuids).unwrap();
    let field = extension("arrow.uuid", runs.data_type().clone());
    assert_eq!(
        by_default(&field, &(Arc::new(runs) as ArrayRef)),
        [s("00000000-0000-0000-0000-000000000000")]
    );
}

fn offset_timestamps(unit: TimeUnit, offsets: ArrayRef) -> (Field, ArrayRef) {
    let fields: Fields = vec![
        Field::new(
            "timestamp",
            DataType::Timestamp(unit, Some("UTC".into())),
            false,
        ),
        Field::new("offset_minutes", offsets.data_type().clone(), false),
    ]
    .into();
    let ticks: ArrayRef = Arc::new(Int64Array::from(vec![1_000; offsets.len()]));
    let timestamps = arrow_cast::cast(&ticks, fields[0].data_type()).unwrap();
    let array = StructArray::new(fields, vec![timestamps, offsets], None);
    let field = extension("arrow.timestamp_with_offset", array.data_type().clone());
    (field, Arc::new(array))
}

#[test]
fn a_timestamp_with_an_offset_shows_it() {
    let minutes = Arc::new(Int16Array::from(vec![0, 330, -150]));
    for (unit, fraction) in [
        (TimeUnit::Second, "00:16:40"),
        (TimeUnit::Millisecond, "00:00:01.000"),
        (TimeUnit::Microsecond, "00:00:00.001000"),
        (TimeUnit::Nanosecond, "00:00:00.000001000"),
    ] {
        let (field, array) = offset_timestamps(unit, Arc::clone(&minutes) as _);
        assert_eq!(
            by_default(&field, &array)[0],
            s(&format!("1970-01-01T{fraction}+00:00"))
        );
        let utc = mapping_of(by(EncodeAs::Iso));
        assert_eq!(
            by_spec(&utc, &field, &array),
            vec![s(&format!("1970-01-01T{fraction}Z")); 3]
        );
    }
    let (field, array) = offset_timestamps(TimeUnit::Second, minutes);
    assert_eq!(
        by_default(&field, &array)[1..],
        [
            s("1970-01-01T05:46:40+05:30"),
            s("1969-12-31T21:46:40-02:30")
        ]
    );
    let storage = mapping_of(by(EncodeAs::M));
    assert_eq!(
        by_spec(&storage, &field, &array)[1],
        r#"{"M":{"timestamp":{"S":"1970-01-01T00:16:40Z"},"offset_minutes":{"N":"330"}}}"#
    );
}

#[test]
fn offsets_may_be_dictionaries_and_runs() {
    let dictionary = DictionaryArray::<Int8Type>::new(
        Int8Array::from(vec![0, 0]),
        Arc::new(Int16Array::from(vec![60])),
    );
    let runs = RunArray::<Int32Type>::try_new(
        &Int32Array::from(vec![2]),
        &PrimitiveArray::<Int16Type>::from(vec![60]),
    )
    .unwrap();
    for offsets in [Arc::new(dictionary) as ArrayRef, Arc::new(runs)] {
        let (field, array) = offset_timestamps(TimeUnit::Second, offsets);
        assert_eq!(Extension::of(&field), Some(Extension::TimestampWithOffset));
        assert_eq!(
            by_default(&field, &array)[1],
            s("1970-01-01T01:16:40+01:00")
        );
    }
}

#[test]
fn an_offset_of_more_than_a_day_rejects_the_row() {
    let minutes = Arc::new(Int16Array::from(vec![1_439, 1_440, i16::MIN]));
    let (field, array) = offset_timestamps(TimeUnit::Second, minutes);
    assert_eq!(
        by_default(&field, &array),
        [
            s("1970-01-02T00:15:40+23:59"),
            UNSUPPORTED.to_owned(),
            UNSUPPORTED.to_owned()
        ]
    );
}

#[test]
fn a_name_on_another_storage_means_nothing() {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    for name in [
        "arrow.uuid",
        "arrow.json",
        "arrow.bool8",
        "arrow.timestamp_with_offset",
        "arrow.parquet.variant",
        "arrow.opaque",
        "somebody.else",
    ] {
        let field = extension(name, DataType::Int64);
        assert_eq!(Extension::of(&field), None);
        assert_eq!(by_default(&field, &array), [n("7")], "{name}");
        assert_eq!(unknown_extension(&field), Some(name));
        let list = Field::new_list("l", field, true);
        assert_eq!(unknown_extension(&list), Some(name));
    }
    for field in [
        Field::new("v", DataType::Int64, true),
        uuid_field(),
        extension("geoarrow.wkb", DataType::Binary),
        extension("arrow.json", DataType::LargeUtf8),
    ] {
        assert_eq!(unknown_extension(&field), None, "{field}");
    }
}

#[test]
fn a_column_of_an_extension_that_is_not_known_is_warned_of() {
    let schema = Arc::new(Schema::new(vec![
        Field::new("k", DataType::Int64, false),
        extension("somebody.else", DataType::Utf8),
        extension("arrow.json", DataType::Utf8).with_name("json"),
    ]));
    let table = TableSchema::builder("edges")
        .partition_key("k", KeyType::N)
        .build()
        .unwrap();
    let warnings = |spec| {
        let mapping = Mapping::new(&spec, &schema, &table).unwrap();
        mapping
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        warnings(MappingSpec::default()),
        [
            "column \"v\" has the extension \"somebody.else\", which is not known: it is written as it is stored"
        ]
    );
    let dropped = mapping_of(ColumnSpec {
        drop: Some(true),
        ..ColumnSpec::default()
    });
    assert!(warnings(dropped).is_empty());
}

/// A mapping that refuses extensions that are not known.
fn refusing() -> MappingSpec {
    MappingSpec::new().defaults(Defaults::new().unknown_extension(UnknownExtension::Error))
}

#[test]
fn a_column_of_an_extension_that_is_not_known_is_refused_where_that_is_asked_for() {
    let schema = Arc::new(Schema::new(vec![
        Field::new("k", DataType::Int64, false),
        extension("somebody.else", DataType::Utf8),
        extension("arrow.json", DataType::Utf8).with_name("json"),
    ]));
    let table = TableSchema::builder("edges")
        .partition_key("k", KeyType::N)
        .build()
        .unwrap();
    let error = Mapping::new(&refusing(), &schema, &table).unwrap_err();
    assert_eq!(
        error.to_string(),
        "mapping: defaults.unknown_extension: column \"v\" has the extension \"somebody.else\", which is not known: say what it becomes by `as`, drop it, or take it as it is stored by `unknown_extension = \"storage\"`"
    );
    for said in [ColumnSpec::new().drop(true), by(EncodeAs::S)] {
        assert!(Mapping::new(&refusing().column("v", said), &schema, &table).is_ok());
    }
}

#[test]
fn an_extension_that_is_not_known_is_refused_wherever_it_stands() {
    let refused = |spec: &MappingSpec, field: &Field| match Encoding::new(
        &ValuePath::column(spec, "v"),
        field,
    )
    .unwrap_err()
    {
        Error::UnknownExtension { column, extension } => {
            assert_eq!(extension, "somebody.else");
            column
        }
        error => panic!("{error}"),
    };
    let accepted = |spec: &MappingSpec, field: &Field| {
        assert!(Encoding::new(&ValuePath::column(spec, "v"), field).is_ok());
    };
    let foreign = extension("somebody.else", DataType::Int64);
    let structs = Field::new_struct("v", vec![foreign.clone().with_name("a")], true);
    assert_eq!(refused(&refusing(), &structs), "v.a");
    accepted(&refusing().column("/v/a", by(EncodeAs::N)), &structs);
    accepted(
        &refusing().column("/v/a", ColumnSpec::new().drop(true)),
        &structs,
    );
    accepted(&refusing().column("v", by(EncodeAs::Json)), &structs);

    let lists = Field::new_list("v", foreign.clone(), true);
    assert_eq!(refused(&refusing(), &lists), "v[]");
    let mut sets = refusing();
    sets.defaults.lists = Lists::Set;
    assert_eq!(refused(&sets, &lists), "v[]");
    accepted(&refusing().column("v", by(EncodeAs::Ns)), &lists);

    let key = foreign.with_name("key").with_nullable(false);
    let value = Field::new("value", DataType::Int64, true);
    let maps = Field::new_map("v", "entries", key, value, false, true);
    assert_eq!(refused(&refusing(), &maps), "v");
    accepted(&refusing().column("v", by(EncodeAs::M)), &maps);

    let type_ids = UnionFields::try_new(
        [0],
        [extension("somebody.else", DataType::Int64).with_name("a")],
    );
    let union = Field::new(
        "v",
        DataType::Union(type_ids.unwrap(), UnionMode::Dense),
        true,
    );
    assert_eq!(refused(&refusing(), &union), "v.a");
    accepted(&refusing(), &uuid_field());
    accepted(&refusing(), &extension("geoarrow.wkb", DataType::Binary));
}

#[test]
fn tensors_and_geometries_are_their_storage() {
    let tensor = extension(
        "arrow.fixed_shape_tensor",
        DataType::FixedSizeList(Arc::new(Field::new("item", DataType::Float32, true)), 1),
    );
    let element = Arc::new(Field::new("item", DataType::Float32, true));
    let values = Arc::new(Float32Array::from(vec![1.0]));
    let array: ArrayRef = Arc::new(FixedSizeListArray::new(element, 1, values, None));
    assert_eq!(by_default(&tensor, &array), [r#"{"L":[{"N":"1"}]}"#]);
    let packed = mapping_of(by(EncodeAs::Packed));
    assert_eq!(by_spec(&packed, &tensor, &array), [b("AACAPw==")]);

    let geometry = extension("geoarrow.wkb", DataType::Binary);
    let array: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&[1, 0xAB]]));
    assert_eq!(by_default(&geometry, &array), [b("Aas=")]);
    let hex = mapping_of(by(EncodeAs::Hex));
    assert_eq!(by_spec(&hex, &geometry, &array), [s("01ab")]);
}

//! The default mapping as a file to edit.

use arrow_schema::{Fields, Schema, TimeUnit, UnionFields, UnionMode};

use super::*;

fn schema_of_all_kinds() -> SchemaRef {
    let point: Fields = vec![
        Field::new("x", DataType::Float32, true),
        Field::new(
            "tags",
            DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
            true,
        ),
    ]
    .into();
    let entries = DataType::Struct(
        vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Struct(point.clone()), true),
        ]
        .into(),
    );
    let union = UnionFields::try_new([0], [Field::new("a", DataType::Int8, true)]).unwrap();
    schema([
        ("id", DataType::Int64),
        ("mail", DataType::Utf8),
        ("line\nbreak \"quoted\"", DataType::Utf8),
        ("#1", DataType::Date32),
        ("/a/b", DataType::Boolean),
        (
            "at",
            DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        ),
        ("point", DataType::Struct(point)),
        (
            "map",
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false),
        ),
        ("union", DataType::Union(union, UnionMode::Dense)),
        ("nothing", DataType::Null),
        ("raw", DataType::FixedSizeBinary(3)),
    ])
}

fn by_mail() -> TableSchema {
    table_by_mail("users", "id", "absent")
}

fn kinds(mapping: &Mapping) -> Vec<(String, ValueKind, bool)> {
    let attributes = mapping.attributes().iter();
    attributes
        .map(|it| (it.name().to_owned(), it.kind(), it.is_key()))
        .collect()
}

#[test]
fn the_outline_says_nothing_until_it_is_edited() {
    let schema = schema_of_all_kinds();
    for table in [None, Some(&by_mail())] {
        let text = Mapping::outline(&schema, table);
        assert_eq!(
            MappingSpec::from_toml("m.toml", &text).unwrap(),
            MappingSpec::new()
        );
    }
}

#[test]
fn every_line_of_the_outline_can_be_uncommented_and_says_the_default() {
    let schema = schema_of_all_kinds();
    let table = table("id", KeyType::S);
    let text = Mapping::outline(&schema, Some(&table));
    let (text, _) = text.split_once("# An example of").unwrap();
    let uncommented: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") && !rest.starts_with("example_") => {
                format!("{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let mapping = map(&uncommented, &schema, &table).unwrap();
    assert_eq!(
        kinds(&mapping),
        kinds(&Mapping::infer(&schema, &table).unwrap())
    );
    let spec = MappingSpec::from_toml("m.toml", &uncommented).unwrap();
    assert!(spec.columns.len() >= 17, "{uncommented}");
}

#[test]
fn the_examples_of_the_outline_can_be_uncommented() {
    let schema = schema([
        ("id", DataType::Int64),
        ("at", DataType::Timestamp(TimeUnit::Second, None)),
        ("op", DataType::Utf8),
        ("seq", DataType::Int64),
    ]);
    let table = table("id", KeyType::N);
    let text = Mapping::outline(&schema, Some(&table));
    let (_, examples) = text.split_once("\n[attributes]\n").unwrap();
    let uncommented: Vec<&str> = examples
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.contains(" = ") || line.starts_with('['))
        .collect();
    let uncommented = format!("[attributes]\n{}", uncommented.join("\n"));
    let mapping = map(&uncommented, &schema, &table).unwrap();
    let names: Vec<_> = kinds(&mapping).into_iter().map(|it| it.0).collect();
    for name in ["key", "constant", "copy", "ttl", "file"] {
        assert!(names.contains(&format!("example_{name}")), "{names:?}");
    }
    let spec = MappingSpec::from_toml("m.toml", &uncommented).unwrap();
    assert!(spec.operation.is_some() && spec.version.is_some());
}

#[test]
fn the_outline_points_out_keys_and_what_columns_can_be() {
    let text = Mapping::outline(&schema_of_all_kinds(), Some(&by_mail()));
    for lines in [
        "# id (Int64) becomes S, the partition key\n#   as: N, S, BOOL, decimal, iso_of_epoch_s, iso_of_epoch_ms, iso_of_epoch_us, iso_of_epoch_ns, json, NULL\n# id = { as = \"S\" }\n",
        "# mail (Utf8) becomes S, the key of index \"by-mail\"\n",
        "# \"#3\" = { as = \"iso\" }\n",
        "# \"line\\u000Abreak \\\"quoted\\\"\" = { as = \"S\" }\n",
        "# \"/point/tags/*\" = { as = \"S\" }\n",
        "# \"/map/*/x\" = { as = \"N\" }\n",
        "# No column is named \"absent\", the sort key (N): rename one, or make it of some.\n",
        "# nulls = \"omit\"                 # or null\n",
    ] {
        assert!(text.contains(lines), "{lines}\nis not in\n{text}");
    }
}

#[test]
fn a_column_that_cannot_be_written_or_be_its_key_is_pointed_out() {
    let element = Arc::new(Field::new("item", DataType::Int8, true));
    let schema = Schema::new(vec![Field::new("id", DataType::List(element), true)]);
    let text = Mapping::outline(&schema, Some(&table("id", KeyType::S)));
    assert!(
        text.contains("# id (List) cannot be S, the partition key\n"),
        "{text}"
    );
}

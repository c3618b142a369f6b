use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use dynasink_core::KeyType;

use super::*;
use crate::mapping::spec::{
    AttributeSpec, ColumnCopySpec, ColumnSpec, Constant, Defaults, EmptyString, EncodeAs,
    FiniteFloat, Nonfinite, NullOperation, Nulls, NumberOverflow, OperationPreset, OperationSpec,
    SeparatorInValue, SourcePart, TemplateSpec, TemporalOverflow, Timestamps, TtlSpec,
    UnknownExtension, Unnamed, VersionSpec,
};

/// A mapping that says everything that can be said.
fn everything() -> MappingSpec {
    MappingSpec::new()
        .defaults(
            Defaults::new()
                .unnamed(Unnamed::Drop)
                .include(["a*", "b"])
                .exclude(["ab"])
                .timestamps(Timestamps::EpochMs)
                .lists(crate::mapping::spec::Lists::Set)
                .json(crate::mapping::spec::Json::Native)
                .binary_as_string(crate::mapping::spec::BinaryAsString::Always)
                .unknown_extension(UnknownExtension::Error)
                .nulls(Nulls::Null)
                .nonfinite(Nonfinite::String)
                .number_overflow(NumberOverflow::Round)
                .temporal_overflow(TemporalOverflow::Raw)
                .empty_string(EmptyString::Omit),
        )
        .column("id", ColumnSpec::new().rename("pk").encode_as(EncodeAs::S))
        .column(
            "price",
            ColumnSpec::new().encode_as(EncodeAs::Decimal).scale(-2),
        )
        .column(
            "tags",
            ColumnSpec::new()
                .encode_as(EncodeAs::Ss)
                .separator(",")
                .drop(false),
        )
        .column("at", ColumnSpec::new().assume_zone("Europe/Berlin"))
        .column("address", ColumnSpec::new().flatten("_"))
        .column("/address/zip", ColumnSpec::new().nulls(Nulls::Omit))
        .column("#7", ColumnSpec::new().drop(true))
        .attribute("pk", "USER#{id}")
        .attribute(
            "sk",
            TemplateSpec::new("{a}#{b}").separator_in_value(SeparatorInValue::Percent),
        )
        .attribute("kind", AttributeSpec::constant("user"))
        .attribute(
            "deep",
            AttributeSpec::constant(Constant::Map(
                [
                    (
                        "list".to_owned(),
                        Constant::List(vec![true.into(), 7.into()]),
                    ),
                    ("x y".to_owned(), FiniteFloat::try_from(1.5).unwrap().into()),
                ]
                .into(),
            )),
        )
        .attribute(
            "copy",
            ColumnCopySpec::new("id", ColumnSpec::new().encode_as(EncodeAs::N)),
        )
        .attribute("expires", TtlSpec::new("at").after("90d"))
        .attribute("file", AttributeSpec::source(SourcePart::File))
        .operation(
            OperationSpec::new("op")
                .preset(OperationPreset::DeltaCdf)
                .put(["x"])
                .delete(["y", "z"])
                .skip(["s"])
                .null(NullOperation::Put),
        )
        .version(VersionSpec::new("seq"))
}

fn refusal(text: &str) -> String {
    MappingFile::parse("m.toml", text).unwrap_err().to_string()
}

#[test]
fn a_mapping_is_what_its_own_text_says() {
    for spec in [MappingSpec::new(), everything()] {
        let text = spec.to_toml().unwrap();
        assert_eq!(
            MappingSpec::from_toml("m.toml", &text).unwrap(),
            spec,
            "{text}"
        );
    }
}

#[test]
fn every_word_can_be_read() {
    fn check<W: crate::mapping::spec::Word>(line: impl Fn(&str) -> String) {
        for word in W::ALL {
            let text = line(word.word());
            assert!(MappingSpec::from_toml("m.toml", &text).is_ok(), "{text}");
        }
    }
    check::<EncodeAs>(|word| format!("columns.a.as = '{word}'"));
    check::<Nulls>(|word| format!("columns.a.nulls = '{word}'"));
    check::<NumberOverflow>(|word| format!("columns.a.number_overflow = '{word}'"));
    check::<UnknownExtension>(|word| format!("defaults.unknown_extension = '{word}'"));
    check::<OperationPreset>(|word| format!("operation = {{ column = 'o', preset = '{word}' }}"));
    check::<SourcePart>(|word| format!("attributes.a.source = '{word}'"));
}

#[test]
fn a_word_that_is_none_is_told_with_its_place_and_the_nearest() {
    let message = refusal("[columns]\nborn = { rename = \"b\", as = \"epoch-ms\" }\n");
    assert!(
        message.starts_with(
            "m.toml:2:29: columns.born.as: there is no word \"epoch-ms\" here: is \"epoch_ms\" meant? the words are \"S\", \"N\""
        ),
        "{message}"
    );
    assert_eq!(
        refusal("[defaults]\nnulls = 'NULL'"),
        "m.toml:2:9: defaults.nulls: there is no word \"NULL\" here: is \"null\" meant? the words are \"omit\", \"null\""
    );
}

#[test]
fn a_key_that_is_none_is_told_with_its_place_and_the_nearest() {
    assert_eq!(
        refusal("# a mapping\n[column.id]\nrename = 'pk'"),
        "m.toml:2:2: column: there is no such key here: is \"columns\" meant? the keys are \"defaults\", \"columns\", \"attributes\", \"operation\", \"version\""
    );
    let message = refusal("[columns.\"größe\"]\nrenam = 'pk'");
    assert!(
        message.starts_with(
            "m.toml:2:1: columns.\"größe\".renam: there is no such key here: is \"rename\" meant?"
        ),
        "{message}"
    );
    // A column is counted in characters.
    let message = refusal("columns.\"größe\".as = 'Q'");
    assert!(message.starts_with("m.toml:1:22: "), "{message}");
}

#[test]
fn a_value_of_another_type_is_told() {
    for (text, message) in [
        (
            "columns = 1",
            "m.toml:1:11: columns: it has to be a table, not an integer",
        ),
        (
            "columns.a = 'b'",
            "m.toml:1:13: columns.a: it has to be a table, not a string",
        ),
        (
            "columns.a.drop = 'yes'",
            "m.toml:1:18: columns.a.drop: it has to be true or false, not a string",
        ),
        (
            "columns.a.scale = 200",
            "m.toml:1:19: columns.a.scale: it has to be an integer from -128 to 127, not an integer",
        ),
        (
            "defaults.include = ['a',\n 2]",
            "m.toml:2:2: defaults.include[1]: it has to be a string, not an integer",
        ),
        (
            "operation.put = ['x']",
            "m.toml:1:1: operation: the key `column` is missing",
        ),
        (
            "attributes.a = 1970-01-01",
            "m.toml:1:16: attributes.a: it has to be a table, not a datetime",
        ),
        (
            "attributes.a.constant = 1970-01-01",
            "m.toml:1:25: attributes.a.constant: the constant cannot be written: DynamoDB has no dates and times: write it as a string, in quotes",
        ),
        (
            "attributes.a.constant = nan",
            "m.toml:1:25: attributes.a.constant: the constant cannot be written: a constant cannot be NaN or infinite",
        ),
    ] {
        assert_eq!(refusal(text), message);
    }
}

#[test]
fn an_attribute_is_made_of_one_thing() {
    assert_eq!(
        refusal("[attributes]\na = { constant = 1, source = 'row' }"),
        "m.toml:2:21: attributes.a.source: it means nothing beside `constant`: leave it out"
    );
    assert_eq!(
        refusal("[attributes.a]"),
        "m.toml:1:13: attributes.a: an attribute is made of one of `template`, `constant`, `column`, `ttl` and `source`: say which"
    );
    let message = refusal("attributes.a.kolumn = 'b'");
    assert!(message.contains("is \"column\" meant?"), "{message}");
    let message = refusal("attributes.a = { column = 'b', rename = 'c' }");
    assert!(
        message.contains("attributes.a.rename: there is no such key here"),
        "{message}"
    );
}

#[test]
fn text_that_is_no_toml_is_told_with_its_place() {
    let message = refusal("[columns]\nid = { as = }");
    assert!(message.starts_with("m.toml:2:"), "{message}");
    assert!(message.contains("this is not TOML: "), "{message}");
    let message = refusal("[columns.a]\n[columns.a]");
    assert!(message.starts_with("m.toml:2:"), "{message}");
}

#[test]
fn what_a_schema_does_not_bear_out_is_told_with_its_place() {
    let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Utf8, false)]));
    let table = TableSchema::builder("users")
        .partition_key("id", KeyType::S)
        .build()
        .unwrap();
    let file = MappingFile::parse("m.toml", "\n[columns.ID]\nas = 'S'").unwrap();
    assert_eq!(
        file.mapping(&schema, &table).unwrap_err().to_string(),
        "m.toml:2:10: columns.ID: no column is named \"ID\": is \"id\" meant? the columns are \"id\""
    );
    let file = MappingFile::parse("m.toml", "defaults.exclude = ['x*']").unwrap();
    let message = file.mapping(&schema, &table).unwrap_err().to_string();
    assert_eq!(
        message,
        "m.toml:1:21: defaults.exclude[0]: no column matches \"x*\": the columns are \"id\""
    );
    assert!(
        MappingFile::parse("m.toml", "")
            .unwrap()
            .mapping(&schema, &table)
            .is_ok()
    );
}

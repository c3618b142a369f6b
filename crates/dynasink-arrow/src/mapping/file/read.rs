//! From TOML to what a mapping says.

use toml::de::DeValue;

use super::reader::{Reader, Table};
use crate::mapping::error::{MappingError, MappingProblem};
use crate::mapping::spec::{
    AttributeSpec, ColumnCopySpec, ColumnSpec, Constant, Defaults, FiniteFloat, MappingSpec,
    OperationSpec, Policies, TemplateSpec, TtlSpec, VersionSpec,
};

type Result<T> = std::result::Result<T, MappingError>;

/// What an attribute can be made of, each by a key of its own.
const SOURCES: [&str; 5] = ["template", "constant", "column", "ttl", "source"];

pub(super) fn spec(file: Reader<'_>) -> Result<MappingSpec> {
    let mut file = file.table()?;
    let mut spec = MappingSpec::new();
    if let Some(read) = file.read("defaults", defaults)? {
        spec.defaults = read;
    }
    if let Some(columns) = file.get("columns") {
        for (name, reader) in columns.named()? {
            spec.columns.insert(name.to_owned(), column(reader)?);
        }
    }
    if let Some(attributes) = file.get("attributes") {
        for (name, reader) in attributes.named()? {
            spec.attributes.insert(name.to_owned(), attribute(reader)?);
        }
    }
    spec.operation = file.read("operation", operation)?;
    spec.version = file.read("version", version)?;
    file.finish()?;
    Ok(spec)
}

fn defaults(reader: Reader<'_>) -> Result<Defaults> {
    let mut table = reader.table()?;
    let mut defaults = Defaults::new();
    defaults.unnamed = table.read("unnamed", Reader::word)?.unwrap_or_default();
    defaults.include = table.read("include", Reader::strings)?.unwrap_or_default();
    defaults.exclude = table.read("exclude", Reader::strings)?.unwrap_or_default();
    defaults.timestamps = table.read("timestamps", Reader::word)?.unwrap_or_default();
    defaults.lists = table.read("lists", Reader::word)?.unwrap_or_default();
    defaults.json = table.read("json", Reader::word)?.unwrap_or_default();
    defaults.binary_as_string = table
        .read("binary_as_string", Reader::word)?
        .unwrap_or_default();
    defaults.unknown_extension = table
        .read("unknown_extension", Reader::word)?
        .unwrap_or_default();
    defaults.policies = policies(&mut table)?;
    table.finish()?;
    Ok(defaults)
}

fn policies(table: &mut Table<'_>) -> Result<Policies> {
    Ok(Policies {
        nulls: table.read("nulls", Reader::word)?,
        nonfinite: table.read("nonfinite", Reader::word)?,
        number_overflow: table.read("number_overflow", Reader::word)?,
        temporal_overflow: table.read("temporal_overflow", Reader::word)?,
        empty_string: table.read("empty_string", Reader::word)?,
    })
}

fn column(reader: Reader<'_>) -> Result<ColumnSpec> {
    let mut table = reader.table()?;
    let rename = table.read("rename", Reader::string)?;
    let drop = table.read("drop", Reader::boolean)?;
    let mut column = values(&mut table)?;
    column.flatten = table.read("flatten", Reader::string)?;
    column.rename = rename;
    column.drop = drop;
    table.finish()?;
    Ok(column)
}

/// What is said of the values of a column.
fn values(table: &mut Table<'_>) -> Result<ColumnSpec> {
    Ok(ColumnSpec {
        encode_as: table.read("as", Reader::word)?,
        scale: table.read("scale", |value| scale(&value))?,
        separator: table.read("separator", Reader::string)?,
        assume_zone: table.read("assume_zone", Reader::string)?,
        policies: policies(table)?,
        ..ColumnSpec::new()
    })
}

fn scale(reader: &Reader<'_>) -> Result<i8> {
    i8::try_from(reader.integer()?).map_err(|_| {
        reader.keys().error(MappingProblem::WrongType {
            expected: "an integer from -128 to 127",
            found: "integer",
        })
    })
}

fn attribute(reader: Reader<'_>) -> Result<AttributeSpec> {
    if let Some(DeValue::String(template)) = reader.value() {
        return Ok(AttributeSpec::Template(template.clone().into_owned()));
    }
    let mut table = reader.table()?;
    let mut said = SOURCES.into_iter().filter(|source| table.has(source));
    let (source, other) = (said.next(), said.next());
    let Some(source) = source else {
        // A key that is misspelt is told as such.
        for source in SOURCES {
            table.get(source);
        }
        let keys = table.keys().clone();
        table.finish()?;
        return Err(keys.error(MappingProblem::NoSource));
    };
    if let Some(other) = other {
        return Err(table.keys().key(other).error(MappingProblem::Meaningless {
            reason: format!("beside `{source}`"),
        }));
    }
    let attribute = match source {
        "template" => AttributeSpec::TemplateWith(TemplateSpec {
            template: table.require("template", Reader::string)?,
            separator_in_value: table
                .read("separator_in_value", Reader::word)?
                .unwrap_or_default(),
        }),
        "constant" => AttributeSpec::constant(table.require("constant", |value| constant(&value))?),
        "column" => ColumnCopySpec {
            column: table.require("column", Reader::string)?,
            spec: values(&mut table)?,
        }
        .into(),
        "ttl" => TtlSpec {
            ttl: table.require("ttl", Reader::string)?,
            after: table.read("after", Reader::string)?,
        }
        .into(),
        _ => AttributeSpec::source(table.require("source", Reader::word)?),
    };
    table.finish()?;
    Ok(attribute)
}

fn constant(reader: &Reader<'_>) -> Result<Constant> {
    let refused = |reason: &str| {
        let reason = reason.to_owned();
        Err(reader.keys().error(MappingProblem::Constant { reason }))
    };
    Ok(match reader.value() {
        Some(DeValue::String(text)) => Constant::String(text.clone().into_owned()),
        Some(DeValue::Boolean(value)) => Constant::Bool(*value),
        Some(DeValue::Integer(_)) => Constant::Integer(reader.integer()?),
        Some(DeValue::Float(_)) => match FiniteFloat::try_from(reader.float()?) {
            Ok(float) => Constant::Float(float),
            Err(reason) => return refused(reason),
        },
        Some(DeValue::Array(_)) => {
            let elements = reader.elements()?.map(|element| constant(&element));
            Constant::List(elements.collect::<Result<_>>()?)
        }
        Some(DeValue::Datetime(_)) => {
            return refused("DynamoDB has no dates and times: write it as a string, in quotes");
        }
        Some(DeValue::Table(_)) | None => {
            let entries = reader.named()?;
            let entries = entries.map(|(name, value)| Ok((name.to_owned(), constant(&value)?)));
            Constant::Map(entries.collect::<Result<_>>()?)
        }
    })
}

fn operation(reader: Reader<'_>) -> Result<OperationSpec> {
    let mut table = reader.table()?;
    let mut operation = OperationSpec::new(table.require("column", Reader::string)?);
    operation.preset = table.read("preset", Reader::word)?;
    operation.put = table.read("put", Reader::strings)?.unwrap_or_default();
    operation.delete = table.read("delete", Reader::strings)?.unwrap_or_default();
    operation.skip = table.read("skip", Reader::strings)?.unwrap_or_default();
    operation.null = table.read("null", Reader::word)?;
    table.finish()?;
    Ok(operation)
}

fn version(reader: Reader<'_>) -> Result<VersionSpec> {
    let mut table = reader.table()?;
    let column = table.require("column", Reader::string)?;
    table.finish()?;
    Ok(VersionSpec::new(column))
}

//! The default mapping as a file to edit: all that can be said, in comments.

use std::fmt::{self, Write};

use arrow_schema::{DataType, Field, Schema};
use dynasink_core::{KeyType, TableSchema};

use super::Mapping;
use super::address::Columns;
use super::error::is_bare;
use super::keys::{KeyRole, key_roles};
use super::rules::ValuePath;
use super::spec::{
    BinaryAsString, EmptyString, EncodeAs, Json, Lists, MappingSpec, Nonfinite, Nulls,
    NumberOverflow, TemporalOverflow, Timestamps, UnknownExtension, Unnamed, Word,
};
use crate::encode::{Encoding, words_of};

impl Mapping {
    /// The text of a mapping file that says nothing yet, and in comments what there is to say of each column of
    /// `schema`: its type, what it becomes, what else it can become, and which key of `table` it is.
    ///
    /// What stands behind `# ` in a line with an equals sign can be uncommented as it is, but for the examples of an
    /// operation and a version at the end, which need columns of theirs.
    pub fn outline(schema: &Schema, table: Option<&TableSchema>) -> String {
        let mut out = String::new();
        let outline = Outline {
            schema,
            columns: Columns::new(schema),
            roles: table.map(key_roles).unwrap_or_default(),
        };
        // Writing to a string cannot fail.
        let written = outline.write(&mut out);
        debug_assert!(written.is_ok());
        out
    }
}

struct Outline<'a> {
    schema: &'a Schema,
    columns: Columns<'a>,
    roles: Vec<KeyRole<'a>>,
}

/// Comments of default settings stand in one column.
const COMMENT_COLUMN: usize = 32;

/// They name columns that may not be there.
const OPERATION_AND_VERSION: &str = "
# An example of change data: the column that says whether a row is written, deleted or skipped.
# [operation]
# column = \"op\"
# preset = \"dms\"

# An example of a version: among the rows of a key the one with the greatest stays.
# [version]
# column = \"seq\"
";

impl Outline<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        out.write_str("# What holds for all columns that do not say otherwise.\n[defaults]\n")?;
        setting::<Unnamed>(out, "unnamed")?;
        out.write_str("# include = [\"*\"]\n# exclude = []\n")?;
        setting::<Timestamps>(out, "timestamps")?;
        setting::<Lists>(out, "lists")?;
        setting::<Json>(out, "json")?;
        setting::<BinaryAsString>(out, "binary_as_string")?;
        setting::<UnknownExtension>(out, "unknown_extension")?;
        setting::<Nulls>(out, "nulls")?;
        setting::<Nonfinite>(out, "nonfinite")?;
        setting::<NumberOverflow>(out, "number_overflow")?;
        setting::<TemporalOverflow>(out, "temporal_overflow")?;
        setting::<EmptyString>(out, "empty_string")?;
        out.write_str(
            "\n# Columns, and parts of them: rename, drop, as, flatten and the policies of the defaults.\n[columns]\n",
        )?;
        let spec = MappingSpec::default();
        for (column, field) in self.schema.fields().iter().enumerate() {
            let address = self.columns.canonical(column);
            let path = ValuePath::at(&spec, &address, field.name());
            let role = self
                .roles
                .iter()
                .find(|role| role.attribute.name() == field.name());
            value(out, &path, field, role)?;
        }
        out.write_str("\n# Attributes that are made: of templates, constants, columns once more, times and sources.\n[attributes]\n")?;
        for role in self.missing_keys() {
            writeln!(
                out,
                "# No column is named {:?}, the {} ({}): rename one, or make it of some.",
                role.attribute.name(),
                role.name,
                role.attribute.key_type().descriptor(),
            )?;
        }
        self.examples(out)
    }

    fn examples(&self, out: &mut String) -> fmt::Result {
        let fields = self.schema.fields();
        let column = fields.first().map_or("id", |field| field.name());
        let time = fields
            .iter()
            .find(|field| is_time(field.data_type()))
            .map_or("at", |field| field.name());
        writeln!(
            out,
            "# example_key = {}",
            quoted(&format!("KEY#{{{column}}}"))
        )?;
        out.write_str("# example_constant = { constant = 1 }\n")?;
        writeln!(out, "# example_copy = {{ column = {} }}", quoted(column))?;
        writeln!(
            out,
            "# example_ttl = {{ ttl = {}, after = \"90d\" }} # of a date or a timestamp",
            quoted(time)
        )?;
        out.write_str("# example_file = { source = \"file\" }\n")?;
        out.write_str(OPERATION_AND_VERSION)
    }

    fn missing_keys(&self) -> impl Iterator<Item = &KeyRole<'_>> {
        self.roles.iter().filter(|role| {
            role.of_table
                && !self
                    .columns
                    .names()
                    .any(|name| name == role.attribute.name())
        })
    }
}

/// Whether a time to live can be of it.
fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)
    )
}

/// A setting with its default, and what else there is.
fn setting<W: Word>(out: &mut String, name: &str) -> fmt::Result {
    let [default, others @ ..] = W::ALL else {
        return Ok(());
    };
    let line = format!("# {name} = {:?}", default.word());
    write!(out, "{line:COMMENT_COLUMN$} # or ")?;
    listed(out, others.iter().map(|word| word.word()))?;
    out.push('\n');
    Ok(())
}

fn listed(out: &mut String, words: impl Iterator<Item = &'static str>) -> fmt::Result {
    for (at, word) in words.enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        write!(out, "{separator}{word}")?;
    }
    Ok(())
}

/// The lines of a column or of a part of one, and of what is in it.
fn value(
    out: &mut String,
    path: &ValuePath<'_>,
    field: &Field,
    role: Option<&KeyRole<'_>>,
) -> fmt::Result {
    let data_type = type_name(field.data_type());
    write!(out, "# {} ({})", comment(path), comment(&data_type))?;
    let words = words_of(field);
    let encoding = Encoding::new(path, field);
    match (&encoding, role) {
        (Err(error), _) => writeln!(out, ": {}", comment(error))?,
        (Ok(encoding), None) => writeln!(out, " becomes {}", encoding.kind().descriptor())?,
        (Ok(encoding), Some(role)) => {
            let expected = role.attribute.key_type();
            match encoding.for_key(field, expected) {
                Some(encoding) => write!(out, " becomes {}", encoding.kind().descriptor())?,
                None => write!(out, " cannot be {}", expected.descriptor())?,
            }
            writeln!(out, ", the {}", role.name)?;
        }
    }
    if words.len() > 1 {
        out.push_str("#   as: ");
        listed(out, words.iter().map(|word| word.word()))?;
        out.push('\n');
    }
    let key = if is_bare(path.entry()) {
        path.entry().to_owned()
    } else {
        quoted(path.entry())
    };
    match word(field, words, encoding.ok().as_ref(), role) {
        Some(word) => writeln!(out, "# {key} = {{ as = {:?} }}", word.word())?,
        None => writeln!(out, "# {key} = {{ drop = false }}")?,
    }
    parts(out, path, field.data_type())
}

/// The word that says what happens anyway.
fn word(
    field: &Field,
    words: &[EncodeAs],
    encoding: Option<&Encoding>,
    role: Option<&KeyRole<'_>>,
) -> Option<EncodeAs> {
    if matches!(field.data_type(), DataType::Union(..)) {
        return None;
    }
    let default = *words.first()?;
    let Some(role) = role else {
        return Some(default);
    };
    let expected = role.attribute.key_type();
    let word = match expected {
        KeyType::S => EncodeAs::S,
        KeyType::N => EncodeAs::N,
        KeyType::B => EncodeAs::B,
    };
    if encoding?.kind().descriptor() == expected.descriptor() {
        Some(default)
    } else {
        Some(word).filter(|word| words.contains(word))
    }
}

/// The parts of a value that can have an entry of their own.
fn parts(out: &mut String, path: &ValuePath<'_>, data_type: &DataType) -> fmt::Result {
    match data_type {
        DataType::Struct(fields) => fields
            .iter()
            .try_for_each(|field| value(out, &path.field(field.name()), field, None)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(entry) if entry.len() == 2 => element(out, path, &entry[1]),
            _ => Ok(()),
        },
        _ => match crate::shape::element_of(data_type) {
            Some(field) => element(out, path, field),
            None => Ok(()),
        },
    }
}

fn element(out: &mut String, path: &ValuePath<'_>, field: &Field) -> fmt::Result {
    value(out, &path.element(), field, None)
}

/// A type without what is in it, which has lines of its own.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Struct(_) => "Struct".to_owned(),
        DataType::Map(..) => "Map".to_owned(),
        DataType::Union(..) => "Union".to_owned(),
        DataType::List(_) => "List".to_owned(),
        DataType::LargeList(_) => "LargeList".to_owned(),
        DataType::ListView(_) => "ListView".to_owned(),
        DataType::LargeListView(_) => "LargeListView".to_owned(),
        DataType::FixedSizeList(_, len) => format!("FixedSizeList of {len}"),
        other => other.to_string(),
    }
}

/// A basic string of TOML, which stays in its line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.extend(format!("\\u{:04X}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// What may stand in a comment, which takes no control characters.
fn comment(text: &impl ToString) -> String {
    text.to_string().replace(char::is_control, " ")
}

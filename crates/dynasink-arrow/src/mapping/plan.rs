//! From the words of a mapping, a schema and a table to the attributes of an item.

use std::collections::{BTreeMap, HashMap};

use arrow_schema::{DataType, Field, Schema};
use dynasink_core::{AttributeName, KeyType, TableSchema, ValueKind};

use super::address::{Columns, Place};
use super::attribute::{Source, ValueSource};
use super::constant::ConstantValue;
use super::error::{KeyPath, MappingError, MappingProblem};
use super::keys::{KeyRole, PARTITION_KEY, SORT_KEY, key_roles, key_type_of};
use super::near::Near;
use super::rules::ValuePath;
use super::selection::Selection;
use super::spec::{AttributeSpec, ColumnSpec, MappingSpec};
use super::{AttributeMapping, Mapping};
use crate::encode::Encoding;
use crate::error::{Error, Result};

/// A mapping whose columns have been found in a schema.
pub(super) struct Plan<'a> {
    schema: &'a Schema,
    columns: Columns<'a>,
    /// The mapping with each column under its canonical address.
    spec: MappingSpec,
    /// Which entry said it, by the canonical address.
    entries: BTreeMap<String, String>,
    selection: Selection,
}

/// An attribute before it is known what its values become.
struct Candidate<'p> {
    name: String,
    said: Said,
    origin: Origin<'p>,
}

enum Origin<'p> {
    Value {
        place: Place,
        field: &'p Field,
        path: ValuePath<'p>,
    },
    Made(&'p AttributeSpec),
}

/// Where something comes from, for messages.
#[derive(Clone, Debug)]
enum Said {
    /// From a column that the mapping says nothing of.
    Column(String),
    /// From an entry of the mapping.
    Entry(KeyPath),
}

impl Said {
    fn keys(&self) -> KeyPath {
        match self {
            Self::Column(_) => KeyPath::default(),
            Self::Entry(keys) => keys.clone(),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Column(name) => format!("column {name:?}"),
            Self::Entry(keys) => keys.to_string(),
        }
    }
}

impl<'a> Plan<'a> {
    /// Finds every column that the mapping names.
    pub(super) fn new(spec: &MappingSpec, schema: &'a Schema) -> Result<Self, MappingError> {
        let columns = Columns::new(schema);
        let selection = Selection::new(&spec.defaults, &columns)?;
        let mut entries: BTreeMap<String, String> = BTreeMap::new();
        let mut by_canonical = BTreeMap::new();
        for (address, column) in &spec.columns {
            let keys = KeyPath::of(["columns", address]);
            let canonical = columns
                .find(address)
                .map_err(|problem| keys.error(problem))?
                .canonical;
            if let Some(other) = entries.insert(canonical.clone(), address.clone()) {
                let other = KeyPath::of(["columns", &other]).to_string();
                return Err(keys.error(MappingProblem::SaidTwice { other }));
            }
            by_canonical.insert(canonical, column.clone());
        }
        Ok(Self {
            schema,
            columns,
            spec: MappingSpec {
                columns: by_canonical,
                ..spec.clone()
            },
            entries,
            selection,
        })
    }

    /// The attributes in the order of an item: keys of the table, keys of its indexes, then the rest.
    pub(super) fn attributes(&self, table: &TableSchema) -> Result<Vec<AttributeMapping>> {
        let mut candidates = self.candidates()?;
        let roles = key_roles(table);
        let mut attributes = Vec::with_capacity(candidates.len());
        for role in &roles {
            let name = role.attribute.name();
            let Some(at) = candidates.iter().position(|found| found.name == name) else {
                let is_planned = attributes
                    .iter()
                    .any(|planned: &AttributeMapping| planned.name() == name);
                if role.of_table && !is_planned {
                    return Err(key_missing(table, role, &candidates));
                }
                continue;
            };
            let candidate = candidates.remove(at);
            let of_name: Vec<_> = roles
                .iter()
                .filter(|role| role.attribute.name() == name)
                .collect();
            attributes.push(self.attribute(table, candidate, &of_name)?);
        }
        for candidate in candidates {
            attributes.push(self.attribute(table, candidate, &[])?);
        }
        Ok(attributes)
    }

    /// The type that a key of this name would have by what becomes it; none if nothing does, or no key can have it.
    pub(super) fn key_type(&self, attribute: &str) -> Result<Option<KeyType>> {
        let candidates = self.candidates()?;
        let Some(candidate) = candidates.into_iter().find(|found| found.name == attribute) else {
            return Ok(None);
        };
        Ok(key_type_of(self.source(&candidate)?.kind()))
    }

    fn candidates(&self) -> Result<Vec<Candidate<'_>>> {
        let mut candidates = Vec::new();
        for (column, field) in self.schema.fields().iter().enumerate() {
            self.add_column(column, field, &mut candidates)?;
        }
        for (name, spec) in &self.spec.attributes {
            candidates.push(Candidate {
                name: name.clone(),
                said: Said::Entry(KeyPath::of(["attributes", name])),
                origin: Origin::Made(spec),
            });
        }
        check_names(&candidates)?;
        Ok(candidates)
    }

    fn add_column<'p>(
        &'p self,
        column: usize,
        field: &'p Field,
        out: &mut Vec<Candidate<'p>>,
    ) -> Result<()> {
        let canonical = self.columns.canonical(column);
        let is_taken = match self.spec.columns.get(&canonical) {
            Some(entry) => !entry.drop.unwrap_or_else(|| self.is_operation(column)),
            None => self.selection.takes(field.name()) && !self.is_operation(column),
        };
        if is_taken {
            let path = ValuePath::at(&self.spec, &canonical, field.name());
            let place = Place {
                column,
                fields: Vec::new(),
            };
            self.add_value(field.name().clone(), place, field, path, out)?;
        }
        Ok(())
    }

    /// Whether the column says what a row does, and so is no attribute unless it is asked for.
    fn is_operation(&self, column: usize) -> bool {
        self.spec.operation.as_ref().is_some_and(|operation| {
            self.columns
                .find(&operation.column)
                .is_ok_and(|found| found.canonical == self.columns.canonical(column))
        })
    }

    fn add_value<'p>(
        &'p self,
        name: String,
        place: Place,
        field: &'p Field,
        path: ValuePath<'p>,
        out: &mut Vec<Candidate<'p>>,
    ) -> Result<()> {
        let own = path.spec();
        let said = self.said(&path);
        let name = own.and_then(|own| own.rename.clone()).unwrap_or(name);
        let Some(separator) = own.and_then(|own| own.flatten.as_ref()) else {
            out.push(Candidate {
                name,
                said,
                origin: Origin::Value { place, field, path },
            });
            return Ok(());
        };
        let keys = said.keys().key("flatten");
        let DataType::Struct(fields) = field.data_type() else {
            return Err(keys
                .error(MappingProblem::FlattenNoStruct {
                    column: path.to_string(),
                    data_type: field.data_type().clone(),
                })
                .into());
        };
        if own.is_some_and(|own| own.encode_as.is_some()) {
            let reason = "beside `as`, since the struct itself is no attribute".to_owned();
            return Err(keys.error(MappingProblem::Meaningless { reason }).into());
        }
        for (at, field) in fields.iter().enumerate() {
            let path = path.field(field.name());
            if path.spec().is_some_and(|own| own.drop == Some(true)) {
                continue;
            }
            let mut place = place.clone();
            place.fields.push(at);
            let name = format!("{name}{separator}{}", field.name());
            self.add_value(name, place, field, path, out)?;
        }
        Ok(())
    }

    fn said(&self, path: &ValuePath<'_>) -> Said {
        match self.entries.get(path.entry()) {
            Some(entry) => Said::Entry(KeyPath::of(["columns", entry])),
            None => Said::Column(path.to_string()),
        }
    }

    fn attribute(
        &self,
        table: &TableSchema,
        candidate: Candidate<'_>,
        roles: &[&KeyRole<'_>],
    ) -> Result<AttributeMapping> {
        let mut source = self.source(&candidate)?;
        for role in roles {
            as_key(table, role, &candidate, &mut source)?;
        }
        if let (Source::Constant(constant), Said::Entry(keys)) = (&source, &candidate.said) {
            constant
                .check(table, &candidate.name)
                .map_err(|error| constant_refused(keys, &error))?;
        }
        let (column, field) = match candidate.origin {
            Origin::Value { field, path, .. } => (Some(path.to_string()), Some(field.clone())),
            Origin::Made(_) => (None, None),
        };
        Ok(AttributeMapping {
            name: candidate.name,
            column,
            data_type: field.map(|field| field.data_type().clone()),
            is_key: !roles.is_empty(),
            source,
        })
    }

    /// What the attribute is made of, if it is no key.
    fn source(&self, candidate: &Candidate<'_>) -> Result<Source> {
        match &candidate.origin {
            Origin::Value { place, field, path } => self.value(place.clone(), field, path),
            Origin::Made(spec) => self.made(&candidate.said.keys(), spec),
        }
    }

    fn value(&self, place: Place, field: &Field, path: &ValuePath<'_>) -> Result<Source> {
        let encoding = Encoding::new(path, field)?;
        let way = place.way(self.schema).into();
        Ok(Source::Value(ValueSource {
            place,
            way,
            encoding,
        }))
    }

    fn made(&self, keys: &KeyPath, spec: &AttributeSpec) -> Result<Source> {
        match spec {
            AttributeSpec::Constant { constant } => match ConstantValue::new(constant) {
                Ok(constant) => Ok(Source::Constant(constant)),
                Err(error) => Err(constant_refused(keys, &error).into()),
            },
            AttributeSpec::Source { source } => Ok(Source::Position(*source)),
            AttributeSpec::Column(copy) => {
                let column_keys = keys.key("column");
                let address = self
                    .columns
                    .find(&copy.column)
                    .map_err(|problem| column_keys.error(problem))?;
                let place = address
                    .place(&copy.column)
                    .map_err(|problem| column_keys.error(problem))?;
                check_copy(keys, &copy.spec)?;
                let path = ValuePath::at(&self.spec, &address.canonical, &copy.column);
                self.value(place, address.field, &path.with(&copy.spec))
            }
            AttributeSpec::Template(_) | AttributeSpec::TemplateWith(_) | AttributeSpec::Ttl(_) => {
                let reason = "yet".to_owned();
                Err(keys.error(MappingProblem::Meaningless { reason }).into())
            }
        }
    }
}

/// Words that say whether and where a column is an attribute mean nothing where it is one once more.
fn check_copy(keys: &KeyPath, spec: &ColumnSpec) -> Result<(), MappingError> {
    let said = [
        ("rename", spec.rename.is_some()),
        ("drop", spec.drop.is_some()),
        ("flatten", spec.flatten.is_some()),
    ];
    match said.into_iter().find(|(_, is_said)| *is_said) {
        Some((word, _)) => Err(keys.key(word).error(MappingProblem::Meaningless {
            reason: "for a column that is taken once more".to_owned(),
        })),
        None => Ok(()),
    }
}

fn constant_refused(keys: &KeyPath, error: &dyn std::error::Error) -> MappingError {
    keys.key("constant").error(MappingProblem::Constant {
        reason: error.to_string(),
    })
}

/// Makes `source` what its key is, if no two values become one by it or the mapping asks for it.
fn as_key(
    table: &TableSchema,
    role: &KeyRole<'_>,
    candidate: &Candidate<'_>,
    source: &mut Source,
) -> Result<()> {
    let expected = role.attribute.key_type();
    if let (Source::Value(value), Origin::Value { field, .. }) = (&mut *source, &candidate.origin) {
        match value.encoding.for_key(field, expected) {
            Some(encoding) => value.encoding = encoding,
            None => return Err(key_refused(table, role, candidate, source.kind())),
        }
    }
    if key_type_of(source.kind()) == Some(expected) {
        Ok(())
    } else {
        Err(key_refused(table, role, candidate, source.kind()))
    }
}

fn key_refused(
    table: &TableSchema,
    role: &KeyRole<'_>,
    candidate: &Candidate<'_>,
    found: ValueKind,
) -> Error {
    let expected = role.attribute.key_type();
    match &candidate.origin {
        Origin::Value { field, path, .. } if path.rules().encode_as.is_none() => {
            Error::KeyColumnType {
                table: table.name().to_string(),
                column: path.to_string(),
                data_type: field.data_type().clone(),
                role: role.name.clone(),
                expected,
                advice: match Mapping::key_type(field) {
                    Some(key_type) => {
                        format!("cast the column, or use a table whose key is a {key_type}")
                    }
                    None => "no key can have this type: choose a column of strings, numbers or binary, or cast it".to_owned(),
                },
            }
        }
        _ => {
            let keys = match &candidate.origin {
                Origin::Value { .. } => candidate.said.keys().key("as"),
                Origin::Made(_) => candidate.said.keys(),
            };
            keys.error(MappingProblem::KeyType {
                attribute: candidate.name.clone(),
                found,
                role: role.name.clone(),
                expected,
            })
            .into()
        }
    }
}

fn key_missing(table: &TableSchema, role: &KeyRole<'_>, candidates: &[Candidate<'_>]) -> Error {
    let name = role.attribute.name();
    let names = candidates.iter().map(|candidate| candidate.name.as_str());
    Error::KeyColumnMissing {
        table: table.name().to_string(),
        column: name.to_owned(),
        role: if name == table.partition_key().name() {
            PARTITION_KEY
        } else {
            SORT_KEY
        },
        available: Near::for_name(name, names),
    }
}

/// Every name can be that of an attribute, and no two are one.
fn check_names(candidates: &[Candidate<'_>]) -> Result<()> {
    let mut seen: HashMap<&str, &Said> = HashMap::new();
    for candidate in candidates {
        let Candidate { name, said, .. } = candidate;
        if let Err(source) = AttributeName::new(name) {
            return Err(match said {
                Said::Column(column) => Error::ColumnName {
                    column: column.clone(),
                    source,
                },
                Said::Entry(keys) => keys
                    .error(MappingProblem::AttributeName {
                        name: name.clone(),
                        reason: source.to_string(),
                    })
                    .into(),
            });
        }
        let Some(first) = seen.insert(name, said) else {
            continue;
        };
        let (said, first) = match (said, first) {
            (Said::Column(column), Said::Column(_)) => {
                let column = column.clone();
                return Err(Error::DuplicateColumn { column });
            }
            (Said::Column(_), Said::Entry(_)) => (first, said),
            _ => (said, first),
        };
        let problem = MappingProblem::TwoSources {
            attribute: name.clone(),
            first: first.describe(),
        };
        return Err(said.keys().error(problem).into());
    }
    Ok(())
}

//! From the words of a mapping, a schema and a table to the attributes of an item.

use std::collections::{BTreeMap, HashMap};

use arrow_schema::{DataType, Field, Schema};
use dynasink_core::{KeyType, TableSchema};

use super::AttributeMapping;
use super::address::{Columns, Place, unescape};
use super::attribute::{Source, TtlSource};
use super::candidate::{Candidate, Origin, Said, check_names};
use super::error::{KeyPath, MappingError, MappingProblem};
use super::keys::{KeyRole, as_key, key_roles, key_type_of};
use super::made::{check_unnamed, constant_refused, unfit};
use super::rules::ValuePath;
use super::selection::Selection;
use super::spec::{AttributeSpec, ColumnSpec, MappingSpec};
use crate::error::Result;
use crate::ttl::Ttl;

/// A mapping whose columns have been found in a schema.
pub(super) struct Plan<'a> {
    pub(super) schema: &'a Schema,
    pub(super) columns: Columns<'a>,
    /// The mapping with each column under its canonical address.
    pub(super) spec: MappingSpec,
    /// Which entry said it, by the canonical address.
    entries: BTreeMap<String, String>,
    /// The same by what messages call the column.
    displayed: HashMap<String, String>,
    selection: Selection,
}

impl<'a> Plan<'a> {
    /// Finds every column that the mapping names.
    pub(super) fn new(spec: &MappingSpec, schema: &'a Schema) -> Result<Self, MappingError> {
        let columns = Columns::new(schema);
        let selection = Selection::new(&spec.defaults, &columns)?;
        let mut entries: BTreeMap<String, String> = BTreeMap::new();
        let mut displayed = HashMap::new();
        let mut by_canonical = BTreeMap::new();
        for (address, column) in &spec.columns {
            let keys = KeyPath::of(["columns", address]);
            let found = columns
                .find(address)
                .map_err(|problem| keys.error(problem))?;
            if found.is_element {
                check_unnamed(&keys, column, "for the elements of a list or a map")?;
            }
            let canonical = found.canonical;
            displayed.insert(found.display, address.clone());
            if let Some(other) = entries.insert(canonical.clone(), address.clone()) {
                let other = KeyPath::of(["columns", &other]).to_string();
                return Err(keys.error(MappingProblem::SaidTwice { other }));
            }
            by_canonical.insert(canonical, column.clone());
        }
        for (canonical, address) in &entries {
            check_flatten(canonical, address, &by_canonical)?;
        }
        Ok(Self {
            schema,
            columns,
            spec: MappingSpec {
                columns: by_canonical,
                ..spec.clone()
            },
            entries,
            displayed,
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
                    return Err(self.key_missing(table, role, &candidates));
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
            let keys = KeyPath::of(["attributes", name]);
            let origin = match spec {
                AttributeSpec::Column(copy) => {
                    let (place, field, path) = self.copy(&keys, copy)?;
                    Origin::Value { place, field, path }
                }
                spec => Origin::Made(spec),
            };
            candidates.push(Candidate {
                name: name.clone(),
                said: Said::Entry(keys),
                origin,
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

    /// The entry of what messages call `column`.
    pub(super) fn entry_of(&self, column: &str) -> Option<&str> {
        self.displayed.get(column).map(String::as_str)
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
        if roles.is_empty() && table.ttl_attribute() == Some(&candidate.name) {
            source = as_ttl(&candidate, source)?;
        }
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
}

/// A struct inside another can be flattened only if the other one is.
fn check_flatten(
    canonical: &str,
    address: &str,
    columns: &BTreeMap<String, ColumnSpec>,
) -> Result<(), MappingError> {
    let flattens = |column: &ColumnSpec| column.flatten.is_some();
    let Some((outer, _)) = canonical
        .strip_prefix('/')
        .and_then(|it| it.rsplit_once('/'))
    else {
        return Ok(());
    };
    // A column is addressed by its name and a part of it by a pointer.
    let outer = if outer.contains('/') {
        format!("/{outer}")
    } else {
        unescape(outer)
    };
    if columns.get(canonical).is_some_and(flattens) && !columns.get(&outer).is_some_and(flattens) {
        let keys = KeyPath::of(["columns", address, "flatten"]);
        let reason = "inside a struct that is not flattened itself".to_owned();
        return Err(keys.error(MappingProblem::Meaningless { reason }));
    }
    Ok(())
}

/// A time that is the attribute of the table's time to live becomes seconds, unless the mapping says what it is.
fn as_ttl(candidate: &Candidate<'_>, source: Source) -> Result<Source> {
    let Origin::Value { place, field, path } = &candidate.origin else {
        return Ok(source);
    };
    let rules = path.rules();
    match Ttl::of_column(field) {
        Some(ttl) if rules.encode_as.is_none() => {
            let ttl = ttl.in_zone(rules.assume_zone);
            let ttl = ttl.map_err(|error| unfit(&candidate.said.keys(), error))?;
            let place = place.clone();
            Ok(Source::Ttl(TtlSource { ttl, place }))
        }
        _ => Ok(source),
    }
}

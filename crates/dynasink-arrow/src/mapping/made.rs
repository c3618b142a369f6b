//! What each attribute is made of, held against the columns of a schema.

use arrow_schema::Field;

use super::address::Place;
use super::attribute::{Source, TemplateSource, TtlSource, ValueSource};
use super::candidate::{Candidate, Origin};
use super::constant::ConstantValue;
use super::error::{KeyPath, MappingError, MappingProblem};
use super::plan::Plan;
use super::rules::ValuePath;
use super::spec::{AttributeSpec, ColumnCopySpec, ColumnSpec, SeparatorInValue, TtlSpec};
use crate::column_values::Unfit;
use crate::encode::Encoding;
use crate::error::{Error, Result};
use crate::template::{Template, TemplateError};
use crate::ttl::Ttl;

impl Plan<'_> {
    /// What the attribute is made of, if it is no key.
    pub(super) fn source(&self, candidate: &Candidate<'_>) -> Result<Source> {
        let keys = candidate.said.keys();
        match &candidate.origin {
            Origin::Value { place, field, path } => self
                .value(place.clone(), field, path)
                .map_err(|error| self.locate(&keys, path, error)),
            Origin::Made(AttributeSpec::Constant { constant }) => ConstantValue::new(constant)
                .map(Source::Constant)
                .map_err(|error| constant_refused(&keys, &error).into()),
            Origin::Made(AttributeSpec::Source { source }) => Ok(Source::Position(*source)),
            Origin::Made(AttributeSpec::Template(template)) => {
                self.template(&keys, template, SeparatorInValue::default())
            }
            Origin::Made(AttributeSpec::TemplateWith(template)) => self.template(
                &keys.key("template"),
                &template.template,
                template.separator_in_value,
            ),
            Origin::Made(AttributeSpec::Ttl(ttl)) => self.ttl(&keys, ttl),
            Origin::Made(AttributeSpec::Column(copy)) => {
                let (place, field, path) = self.copy(&keys, copy)?;
                self.value(place, field, &path)
            }
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

    /// The column that is taken once more, and what is said of it there.
    pub(super) fn copy<'p>(
        &'p self,
        keys: &KeyPath,
        copy: &'p ColumnCopySpec,
    ) -> Result<(Place, &'p Field, ValuePath<'p>)> {
        check_unnamed(keys, &copy.spec, "for a column that is taken once more")?;
        let (place, field) = self.value_at(&keys.key("column"), &copy.column)?;
        let address = self
            .columns
            .find(&copy.column)
            .map_err(|problem| keys.key("column").error(problem))?;
        let path = ValuePath::at(&self.spec, &address.canonical, &address.display);
        Ok((place, field, path.with(&copy.spec)))
    }

    /// The one value of a row that `address`, which stands at `keys`, means.
    pub(super) fn value_at(
        &self,
        keys: &KeyPath,
        address: &str,
    ) -> Result<(Place, &Field), MappingError> {
        let found = self.columns.find(address);
        let found = found.and_then(|found| Ok((found.place(address)?, found.field)));
        found.map_err(|problem| keys.error(problem))
    }

    fn template(
        &self,
        keys: &KeyPath,
        text: &str,
        separator_in_value: SeparatorInValue,
    ) -> Result<Source> {
        let error = |error: TemplateError| {
            keys.error(MappingProblem::Template {
                position: error.position(),
                reason: error.reason().to_owned(),
            })
        };
        let template = Template::parse(text).map_err(error)?;
        let field_of = |address: &str| {
            let (_, field) = self
                .value_at(keys, address)
                .map_err(|error| error.problem().to_string())?;
            Ok(field)
        };
        let template = template.bind(separator_in_value, field_of).map_err(error)?;
        let places = template
            .columns()
            .map(|address| Ok(self.value_at(keys, address)?.0))
            .collect::<Result<_>>()?;
        Ok(Source::Template(TemplateSource { template, places }))
    }

    fn ttl(&self, keys: &KeyPath, spec: &TtlSpec) -> Result<Source> {
        let (place, field) = self.value_at(&keys.key("ttl"), &spec.ttl)?;
        let found = self.columns.find(&spec.ttl);
        let found = found.map_err(|problem| keys.key("ttl").error(problem))?;
        let rules = ValuePath::at(&self.spec, &found.canonical, &found.display).rules();
        let ttl = Ttl::new(spec, field).and_then(|ttl| ttl.in_zone(rules.assume_zone));
        let ttl = ttl.map_err(|error| unfit(keys, error))?;
        Ok(Source::Ttl(TtlSource { ttl, place }))
    }

    /// `error` with the entry of the mapping that it is about, if there is one. `keys` is what is said of `path`
    /// itself.
    fn locate(&self, keys: &KeyPath, path: &ValuePath<'_>, error: Error) -> Error {
        let (column, key) = match &error {
            Error::UnknownExtension { .. } => {
                let reason = error.to_string();
                let keys = KeyPath::of(["defaults", "unknown_extension"]);
                return keys.error(MappingProblem::Unfit { reason }).into();
            }
            Error::UnfitWord { column, .. } | Error::SetOf { column, .. } => (column, Some("as")),
            Error::ColumnOption { column, option, .. } => (column, Some(*option)),
            Error::UnsupportedType { column, .. } => (column, None),
            _ => return error,
        };
        let keys = if *column == path.to_string() && !keys.is_root() {
            keys.clone()
        } else if let Some(entry) = self.entry_of(column) {
            KeyPath::of(["columns", entry])
        } else {
            return error;
        };
        let keys = key.map_or_else(|| keys.clone(), |key| keys.key(key));
        let reason = error.to_string();
        keys.error(MappingProblem::Unfit { reason }).into()
    }
}

/// What a part of the mapping, at `keys`, says and its column does not bear out.
pub(super) fn unfit(keys: &KeyPath, unfit: Unfit) -> MappingError {
    let keys = keys.key(unfit.key);
    let keys = match unfit.index {
        Some(index) => keys.index(index),
        None => keys,
    };
    keys.error(MappingProblem::Unfit {
        reason: unfit.reason,
    })
}

/// Words that say whether and as what a column is an attribute mean nothing for what has no name.
pub(super) fn check_unnamed(
    keys: &KeyPath,
    spec: &ColumnSpec,
    reason: &str,
) -> Result<(), MappingError> {
    let said = [
        ("rename", spec.rename.is_some()),
        ("drop", spec.drop.is_some()),
        ("flatten", spec.flatten.is_some()),
    ];
    match said.into_iter().find(|(_, is_said)| *is_said) {
        Some((word, _)) => Err(keys.key(word).error(MappingProblem::Meaningless {
            reason: reason.to_owned(),
        })),
        None => Ok(()),
    }
}

pub(super) fn constant_refused(keys: &KeyPath, error: &dyn std::error::Error) -> MappingError {
    keys.key("constant").error(MappingProblem::Constant {
        reason: error.to_string(),
    })
}

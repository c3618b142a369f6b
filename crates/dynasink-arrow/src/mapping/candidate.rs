//! Attributes before it is known what their values become: what each is called and where it comes from.

use std::collections::HashMap;

use arrow_schema::Field;
use dynasink_core::AttributeName;

use super::address::Place;
use super::error::{KeyPath, MappingProblem};
use super::rules::ValuePath;
use super::spec::AttributeSpec;
use crate::error::{Error, Result};

/// An attribute before it is known what its values become.
pub(super) struct Candidate<'p> {
    pub(super) name: String,
    pub(super) said: Said,
    pub(super) origin: Origin<'p>,
}

pub(super) enum Origin<'p> {
    Value {
        place: Place,
        field: &'p Field,
        path: ValuePath<'p>,
    },
    Made(&'p AttributeSpec),
}

/// Where something comes from, for messages.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// From a column that the mapping says nothing of.
    Column(String),
    /// From an entry of the mapping.
    Entry(KeyPath),
}

impl Said {
    pub(super) fn keys(&self) -> KeyPath {
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

/// Every name can be that of an attribute, and no two are one.
pub(super) fn check_names(candidates: &[Candidate<'_>]) -> Result<()> {
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

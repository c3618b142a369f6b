//! What becomes of the values of a column, decided once from its type and its mapping.

use arrow_schema::Field;
use dynasink_core::{AttributeName, AttributeNames, KeyType, ValueKind};

use super::absent::{Absent, Place};
use super::form::Form;
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::mapping::rules::ValuePath;

/// What becomes of the values of one column, or of a part of one, and of its nulls.
#[derive(Clone, Debug)]
pub(crate) struct Encoding {
    form: Form,
    absent: Absent,
    /// Whether the mapping names the form.
    explicit: bool,
}

impl Encoding {
    /// What the mapping says of `field`, which is at `path`, or else the default of its type.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedType`] for a type that has no form in DynamoDB, [`Error::UnknownExtension`] where the
    /// mapping refuses those, [`Error::UnfitWord`], [`Error::ColumnOption`] and [`Error::SetOf`] for a mapping that
    /// does not fit it, [`Error::DuplicateColumn`] and [`Error::ColumnName`] if the fields of a struct cannot name
    /// attributes.
    pub(crate) fn new(path: &ValuePath<'_>, field: &Field) -> Result<Self> {
        Self::in_place(path, field, Place::Attribute)
    }

    pub(super) fn in_place(path: &ValuePath<'_>, field: &Field, place: Place) -> Result<Self> {
        let plan = Plan::new(path, field, place);
        Ok(Self {
            form: plan.form()?,
            absent: plan.absent(),
            explicit: plan.is_explicit(),
        })
    }

    /// The encoding of `field` as a key of `key_type`, if its values can be that without two of them becoming one.
    ///
    /// A form that the mapping names is taken at its word. Without one, integers, decimals, dates and times can be
    /// strings and UUIDs can be binary, as well as what they are by default. A key has one type: what the policies
    /// of its column would make null is omitted, and what they would round or write as another type rejects its row.
    pub(crate) fn for_key(&self, field: &Field, key_type: KeyType) -> Option<Self> {
        let form = match (self.kind(), key_type) {
            (ValueKind::S, KeyType::S)
            | (ValueKind::N, KeyType::N)
            | (ValueKind::B, KeyType::B)
                if self.explicit || self.form.tells_apart(field) =>
            {
                self.form.of_key()
            }
            _ if self.explicit => return None,
            _ => self.form.as_key(field, key_type)?,
        };
        Some(Self {
            form,
            // A key is never NULL: an item without the key of an index is not in the index.
            absent: Absent::Omitted,
            explicit: self.explicit,
        })
    }

    /// The type of the values.
    pub(crate) fn kind(&self) -> ValueKind {
        self.form.kind()
    }

    /// Whether the mapping names the form, which may then make one of two values.
    pub(crate) fn is_explicit(&self) -> bool {
        self.explicit
    }

    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    pub(super) fn absent(&self) -> Absent {
        self.absent
    }
}

/// The names of `columns`, checked; `path` makes a name what an error calls it.
#[expect(
    single_use_lifetimes,
    reason = "`impl Trait` arguments cannot elide it yet"
)]
pub(crate) fn attribute_names<'a>(
    columns: impl IntoIterator<Item = &'a str>,
    path: impl Fn(&str) -> String,
) -> Result<AttributeNames> {
    let names = columns
        .into_iter()
        .map(|name| {
            AttributeName::new(name).map_err(|source| Error::ColumnName {
                column: path(name),
                source,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    AttributeNames::new(names).map_err(|name| Error::DuplicateColumn {
        column: path(name.as_str()),
    })
}

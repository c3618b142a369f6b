//! Attribute names, checked and rendered as JSON once.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::json;
use crate::limits::MAX_ATTRIBUTE_NAME_BYTES;

/// An attribute's name: 1 byte to 64 KB of UTF-8, with its JSON form kept beside it. Cheap to clone.
///
/// It serializes as the name alone.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttributeName {
    name: Arc<str>,
    /// The name as a JSON string, with its quotes.
    json: Arc<[u8]>,
}

impl AttributeName {
    /// Checks `name`.
    ///
    /// # Errors
    ///
    /// [`Error::AttributeName`] if it is empty or too long.
    pub fn new(name: &str) -> Result<Self> {
        check(name)?;
        let mut json = Vec::with_capacity(name.len() + 2);
        json::write_string(&mut json, name);
        Ok(Self {
            name: name.into(),
            json: json.into(),
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The name as a JSON string, with its quotes.
    pub(crate) fn json(&self) -> &[u8] {
        &self.json
    }
}

impl TryFrom<String> for AttributeName {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        Self::new(&name)
    }
}

impl From<AttributeName> for String {
    fn from(name: AttributeName) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Debug for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name, f)
    }
}

pub(crate) fn check(name: &str) -> Result<()> {
    if (1..=MAX_ATTRIBUTE_NAME_BYTES).contains(&name.len()) {
        Ok(())
    } else {
        Err(Error::AttributeName { bytes: name.len() })
    }
}

/// The names of a fixed set of attributes, no two alike, in the order in which values will be given.
///
/// What is the same for every row, such as the columns of a file or the fields of a struct, is checked and
/// rendered here once.
#[derive(Clone, Debug)]
pub struct AttributeNames(Arc<[AttributeName]>);

impl AttributeNames {
    /// Checks that no name stands twice.
    ///
    /// # Errors
    ///
    /// The first name that stands twice.
    pub fn new(names: impl IntoIterator<Item = AttributeName>) -> Result<Self, AttributeName> {
        let names: Arc<[AttributeName]> = names.into_iter().collect();
        let mut seen = HashSet::with_capacity(names.len());
        match names.iter().find(|name| !seen.insert(name.as_str())) {
            Some(duplicate) => Err(duplicate.clone()),
            None => Ok(Self(names)),
        }
    }

    /// The name at `index`.
    pub fn get(&self, index: usize) -> Option<&AttributeName> {
        self.0.get(index)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &AttributeName> {
        self.0.iter()
    }
}

//! What a mapping says of one value, found by the path to it.

use super::address::escape;
use super::spec::{
    BinaryAsString, ColumnSpec, EncodeAs, Json, Lists, MappingSpec, Policies, Timestamps,
    UnknownExtension,
};

/// What the mapping says of one value, its defaults included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) encode_as: Option<EncodeAs>,
    pub(crate) scale: Option<i8>,
    pub(crate) separator: Option<&'a str>,
    pub(crate) assume_zone: Option<&'a str>,
    pub(crate) timestamps: Timestamps,
    pub(crate) lists: Lists,
    pub(crate) json: Json,
    pub(crate) binary_as_string: BinaryAsString,
    pub(crate) unknown_extension: UnknownExtension,
    pub(crate) policies: Policies,
}

/// A column, or a part of one, and the mapping that may have something to say of it.
#[derive(Clone, Debug)]
pub(crate) struct ValuePath<'a> {
    spec: &'a MappingSpec,
    /// What an entry of the mapping calls it: the name of a column, or a pointer into one.
    entry: String,
    /// The same as it stands in messages: `address.zip`, `lines[].price`.
    display: String,
    /// What is said of it in place of its entry, for a column that becomes several attributes.
    own: Option<&'a ColumnSpec>,
}

impl<'a> ValuePath<'a> {
    /// The top-level column `name`, which has no other address.
    pub(crate) fn column(spec: &'a MappingSpec, name: &str) -> Self {
        Self::at(spec, name, name)
    }

    /// What the entry `entry` is of, by its canonical address; `display` is what messages call it.
    pub(crate) fn at(spec: &'a MappingSpec, entry: &str, display: &str) -> Self {
        Self {
            spec,
            entry: entry.to_owned(),
            display: display.to_owned(),
            own: None,
        }
    }

    /// The address of its entry in the mapping.
    pub(super) fn entry(&self) -> &str {
        &self.entry
    }

    /// The same, by `own` instead of what the mapping says of it.
    pub(crate) fn with(self, own: &'a ColumnSpec) -> Self {
        Self {
            own: Some(own),
            ..self
        }
    }

    /// A field of this struct.
    pub(crate) fn field(&self, name: &str) -> Self {
        self.child(name, format!("{}.{name}", self.display))
    }

    /// The elements of this list, or the values of this map.
    pub(crate) fn element(&self) -> Self {
        self.child("*", format!("{}[]", self.display))
    }

    fn child(&self, segment: &str, display: String) -> Self {
        let parent = if self.entry.starts_with('/') {
            self.entry.clone()
        } else {
            format!("/{}", escape(&self.entry))
        };
        Self {
            spec: self.spec,
            entry: format!("{parent}/{}", escape(segment)),
            display,
            own: None,
        }
    }

    /// What the mapping says of it, if anything.
    pub(crate) fn spec(&self) -> Option<&'a ColumnSpec> {
        self.own.or_else(|| self.spec.columns.get(&self.entry))
    }

    /// What the mapping says of it, its defaults included.
    pub(crate) fn rules(&self) -> Rules<'a> {
        let defaults = &self.spec.defaults;
        let own = self.spec();
        Rules {
            encode_as: own.and_then(|own| own.encode_as),
            scale: own.and_then(|own| own.scale),
            separator: own.and_then(|own| own.separator.as_deref()),
            assume_zone: own.and_then(|own| own.assume_zone.as_deref()),
            timestamps: defaults.timestamps,
            lists: defaults.lists,
            json: defaults.json,
            binary_as_string: defaults.binary_as_string,
            unknown_extension: defaults.unknown_extension,
            policies: own
                .map_or_else(Policies::default, |own| own.policies)
                .or(defaults.policies),
        }
    }
}

impl std::fmt::Display for ValuePath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.display)
    }
}

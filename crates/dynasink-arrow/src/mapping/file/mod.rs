//! The file of a mapping: TOML with the words of [`spec`](super::spec).

mod read;
mod reader;
mod spans;

use arrow_schema::SchemaRef;
use dynasink_core::{KeyType, TableSchema};
use toml::de::DeTable;

use self::reader::Reader;
use self::spans::Spans;
use super::Mapping;
use super::error::{KeyPath, MappingError, MappingProblem};
use super::spec::MappingSpec;
use crate::error::{Error, Result};

/// A mapping from a file, which remembers where in the file each word stands, so that an error can say it.
///
/// ```
/// use dynasink_arrow::MappingFile;
///
/// let error = MappingFile::parse("users.toml", "[columns]\nborn = { as = 'epoch_mss' }").unwrap_err();
/// assert!(error.to_string().starts_with(
///     "users.toml:2:15: columns.born.as: there is no word \"epoch_mss\" here: is \"epoch_ms\" meant?"
/// ));
/// ```
#[derive(Clone, Debug)]
pub struct MappingFile {
    spec: MappingSpec,
    spans: Spans,
}

impl MappingFile {
    /// Reads `text`, which errors call `name`.
    ///
    /// # Errors
    ///
    /// [`MappingError`] for text that is no TOML, and for the first word that a mapping does not have.
    pub fn parse(name: &str, text: &str) -> Result<Self, MappingError> {
        let table = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            // What is at fault is shown by its place; more lines would not fit in an error of one.
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            KeyPath::default()
                .error(MappingProblem::Syntax { message })
                .at(spans::place(name, text, span.start))
        })?;
        let spans = Spans::new(name, text, &table);
        let spec =
            read::spec(Reader::root(table.get_ref())).map_err(|error| spans.locate(error))?;
        Ok(Self { spec, spans })
    }

    /// What the mapping says.
    pub fn spec(&self) -> &MappingSpec {
        &self.spec
    }

    /// [`Mapping::new`] with errors that say where in the file the mistake stands.
    ///
    /// # Errors
    ///
    /// As [`Mapping::new`].
    pub fn mapping(&self, schema: &SchemaRef, table: &TableSchema) -> Result<Mapping> {
        Mapping::new(&self.spec, schema, table).map_err(|error| self.locate(error))
    }

    /// [`Mapping::key_type_of`] with errors that say where in the file the mistake stands.
    ///
    /// # Errors
    ///
    /// As [`Mapping::key_type_of`].
    pub fn key_type_of(&self, schema: &SchemaRef, attribute: &str) -> Result<Option<KeyType>> {
        Mapping::key_type_of(&self.spec, schema, attribute).map_err(|error| self.locate(error))
    }

    /// `error`, which came of this mapping, with the place in the file.
    #[must_use]
    pub fn locate(&self, error: Error) -> Error {
        match error {
            Error::Mapping(error) => Error::Mapping(self.spans.locate(error)),
            error => error,
        }
    }
}

impl MappingSpec {
    /// The mapping of a file whose text is `text` and which errors call `name`.
    ///
    /// # Errors
    ///
    /// As [`MappingFile::parse`].
    pub fn from_toml(name: &str, text: &str) -> Result<Self, MappingError> {
        MappingFile::parse(name, text).map(|file| file.spec)
    }

    /// The text of a file that says the same.
    ///
    /// # Errors
    ///
    /// What TOML cannot say, which is nothing that a mapping can.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}

#[cfg(test)]
mod tests;

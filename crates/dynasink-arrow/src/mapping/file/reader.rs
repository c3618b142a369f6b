//! Reading of TOML that knows where it is, so that every error says it.

use toml::de::{DeTable, DeValue};

use crate::mapping::error::{KeyPath, MappingError, MappingProblem};
use crate::mapping::near::Near;
use crate::mapping::spec::Word;

type Result<T> = std::result::Result<T, MappingError>;

/// A value and the keys that lead to it.
pub(super) struct Reader<'a> {
    keys: KeyPath,
    value: Value<'a>,
}

enum Value<'a> {
    Root(&'a DeTable<'a>),
    Inner(&'a DeValue<'a>),
}

/// A table, of which each key is asked for by its name, and the rest refused.
pub(super) struct Table<'a> {
    keys: KeyPath,
    entries: &'a DeTable<'a>,
    asked: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn root(table: &'a DeTable<'a>) -> Self {
        Self {
            keys: KeyPath::default(),
            value: Value::Root(table),
        }
    }

    pub(super) fn keys(&self) -> &KeyPath {
        &self.keys
    }

    /// The value, unless it is the file as a whole.
    pub(super) fn value(&self) -> Option<&'a DeValue<'a>> {
        match self.value {
            Value::Root(_) => None,
            Value::Inner(value) => Some(value),
        }
    }

    fn wrong_type(&self, expected: &'static str) -> MappingError {
        self.keys.error(MappingProblem::WrongType {
            expected,
            found: self.value().map_or("table", DeValue::type_str),
        })
    }

    pub(super) fn table(self) -> Result<Table<'a>> {
        let entries = self.entries()?;
        Ok(Table {
            keys: self.keys,
            entries,
            asked: Vec::new(),
        })
    }

    fn entries(&self) -> Result<&'a DeTable<'a>> {
        match self.value {
            Value::Root(table) | Value::Inner(DeValue::Table(table)) => Ok(table),
            Value::Inner(_) => Err(self.wrong_type("a table")),
        }
    }

    /// The entries of a table whose keys are names of the user.
    pub(super) fn named(&self) -> Result<impl Iterator<Item = (&'a str, Self)>> {
        let entries = self.entries()?.iter();
        Ok(entries.map(|(key, value)| {
            let name: &str = key.get_ref();
            let reader = Self {
                keys: self.keys.key(name),
                value: Value::Inner(value.get_ref()),
            };
            (name, reader)
        }))
    }

    /// The elements of an array.
    pub(super) fn elements(&self) -> Result<impl Iterator<Item = Self>> {
        let Some(DeValue::Array(elements)) = self.value() else {
            return Err(self.wrong_type("an array"));
        };
        let readers = elements.iter().enumerate().map(|(index, element)| Self {
            keys: self.keys.index(index),
            value: Value::Inner(element.get_ref()),
        });
        Ok(readers)
    }

    pub(super) fn string(self) -> Result<String> {
        match self.value() {
            Some(DeValue::String(text)) => Ok(text.clone().into_owned()),
            _ => Err(self.wrong_type("a string")),
        }
    }

    pub(super) fn strings(self) -> Result<Vec<String>> {
        self.elements()?.map(Self::string).collect()
    }

    pub(super) fn boolean(self) -> Result<bool> {
        match self.value() {
            Some(DeValue::Boolean(value)) => Ok(*value),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    pub(super) fn integer(&self) -> Result<i64> {
        let Some(DeValue::Integer(integer)) = self.value() else {
            return Err(self.wrong_type("an integer"));
        };
        i64::from_str_radix(integer.as_str(), integer.radix())
            .map_err(|_| self.wrong_type("an integer of 64 bits"))
    }

    pub(super) fn float(&self) -> Result<f64> {
        let Some(DeValue::Float(float)) = self.value() else {
            return Err(self.wrong_type("a float"));
        };
        let value = float.as_str().parse();
        value.map_err(|_| self.wrong_type("a float of 64 bits"))
    }

    pub(super) fn word<W: Word>(self) -> Result<W> {
        let keys = self.keys.clone();
        let text = self.string()?;
        let known = W::ALL.iter().copied();
        known
            .clone()
            .find(|word| word.word() == text)
            .ok_or_else(|| {
                let known = Near::to(&text, "words", known.map(Word::word));
                keys.error(MappingProblem::UnknownWord { word: text, known })
            })
    }
}

impl<'a> Table<'a> {
    pub(super) fn keys(&self) -> &KeyPath {
        &self.keys
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The value of `key`, if it is there.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Reader<'a>> {
        self.asked.push(key);
        let value = self.entries.get(key)?;
        Some(Reader {
            keys: self.keys.key(key),
            value: Value::Inner(value.get_ref()),
        })
    }

    /// The value of `key`, if it is there, as `read` makes it.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Reader<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get(key).map(read).transpose()
    }

    /// The value of `key`, which must be there.
    pub(super) fn require<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Reader<'a>) -> Result<T>,
    ) -> Result<T> {
        let value = self.read(key, read)?;
        value.ok_or_else(|| self.keys.error(MappingProblem::MissingKey { key }))
    }

    /// Every key that has not been asked for is a mistake.
    pub(super) fn finish(self) -> Result<()> {
        let unknown = self
            .entries
            .iter()
            .map(|(key, _)| key)
            .filter(|key| !self.asked.contains(&key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        match unknown {
            None => Ok(()),
            Some(key) => {
                let known = self.asked.iter().copied();
                let known = Near::to(key.get_ref(), "keys", known);
                Err(self
                    .keys
                    .key(key.get_ref())
                    .error(MappingProblem::UnknownKey { known }))
            }
        }
    }
}

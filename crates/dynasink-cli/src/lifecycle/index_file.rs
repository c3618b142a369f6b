//! The file of a new table's indexes: TOML or JSON.

use std::path::Path;

use dynasink::{
    AttributeName, IndexKey, IndexKind, KeyType, NewIndex, Projection, ProvisionedUnits,
};
use serde::Deserialize;
use toml::Spanned;

use crate::args::KeyArg;
use crate::failure::Failure;

/// The indexes that a file asks for. The types of their keys may be left to the rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndexFile {
    #[serde(rename = "index")]
    indexes: Vec<IndexEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "IndexWords")]
struct IndexEntry {
    name: String,
    kind: IndexKind,
    partition_key: Option<KeyArg>,
    sort_key: Option<KeyArg>,
    projection: Projection,
    units: Option<ProvisionedUnits>,
}

/// An index as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexWords {
    name: String,
    kind: IndexKind,
    partition_key: Option<String>,
    sort_key: Option<String>,
    projection: Option<ProjectionWords>,
    wcu: Option<u64>,
    rcu: Option<u64>,
}

/// The indexes as they are written in TOML, which tells where each stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlWords {
    index: Vec<Spanned<IndexWords>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ProjectionWords {
    Word(String),
    Attributes(Vec<AttributeName>),
}

impl TryFrom<IndexWords> for IndexEntry {
    type Error = String;

    fn try_from(words: IndexWords) -> Result<Self, String> {
        let IndexWords { name, kind, .. } = words;
        let wrong = |what: &str| Err(format!("index {name:?}: {what}"));
        let key = |text: Option<String>| text.map(|text| text.parse::<KeyArg>()).transpose();
        let (partition_key, sort_key) = (key(words.partition_key)?, key(words.sort_key)?);
        match (kind, &partition_key, &sort_key) {
            (IndexKind::Global, None, _) => return wrong("a global index has a partition_key"),
            (IndexKind::Local, _, None) => return wrong("a local index has a sort_key"),
            _ => {}
        }
        let projection = match words.projection {
            None => Projection::All,
            Some(ProjectionWords::Attributes(names)) => Projection::Include(names),
            Some(ProjectionWords::Word(word)) => match word.as_str() {
                "all" => Projection::All,
                "keys-only" => Projection::KeysOnly,
                _ => {
                    return wrong("a projection is \"all\", \"keys-only\" or a list of attributes");
                }
            },
        };
        let units = match (kind, words.wcu, words.rcu) {
            (_, None, None) => None,
            (IndexKind::Local, ..) => return wrong("a local index has the capacity of its table"),
            (IndexKind::Global, Some(write), Some(read)) if write > 0 && read > 0 => {
                Some(ProvisionedUnits { read, write })
            }
            _ => return wrong("wcu and rcu are given together, and each is above zero"),
        };
        Ok(Self {
            name,
            kind,
            partition_key,
            sort_key,
            projection,
            units,
        })
    }
}

impl IndexFile {
    /// Reads `path`, which is JSON if it is named so.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::refused_because(format!("{name}: cannot read the indexes: {error}"))
        })?;
        let is_json = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let read = if is_json {
            from_json(&text)
        } else {
            from_toml(&text)
        };
        read.map_err(|problem| Failure::refused_because(format!("{name}:{problem}")))
    }

    pub(crate) fn has_units(&self) -> bool {
        self.indexes.iter().any(|index| index.units.is_some())
    }

    /// The indexes of a table with the partition key `of_table`. What a key's type is that has none is asked of `type_of`.
    pub(crate) fn resolve(
        self,
        of_table: &IndexKey,
        type_of: impl Fn(&KeyArg) -> Result<KeyType, Failure>,
    ) -> Result<Vec<NewIndex>, Failure> {
        let typed = |key: &KeyArg| {
            // The same attribute has the same type everywhere.
            let key_type = if key.name == of_table.name && key.key_type.is_none() {
                of_table.key_type
            } else {
                type_of(key)?
            };
            Ok::<_, Failure>(IndexKey {
                name: key.name.clone(),
                key_type,
            })
        };
        let mut indexes = Vec::with_capacity(self.indexes.len());
        for index in self.indexes {
            let partition_key = match &index.partition_key {
                Some(key) => typed(key)?,
                None => of_table.clone(),
            };
            if index.kind == IndexKind::Local && partition_key != *of_table {
                return Err(Failure::refused_because(format!(
                    "index {:?}: a local index has the partition key of its table, {:?}",
                    index.name, of_table.name
                )));
            }
            indexes.push(NewIndex {
                name: index.name,
                kind: index.kind,
                partition_key,
                sort_key: index.sort_key.as_ref().map(typed).transpose()?,
                projection: index.projection,
                units: index.units,
            });
        }
        Ok(indexes)
    }
}

/// What `text` says, or where and why it says nothing.
fn from_toml(text: &str) -> Result<IndexFile, String> {
    let line_of = |start: usize| text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    let words: TomlWords = toml::from_str(text).map_err(|error| {
        let line = line_of(error.span().map_or(0, |span| span.start));
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        format!("{line}: {message}")
    })?;
    let entries = words.index.into_iter().map(|words| {
        let line = line_of(words.span().start);
        IndexEntry::try_from(words.into_inner()).map_err(|problem| format!("{line}: {problem}"))
    });
    let indexes = entries.collect::<Result<_, _>>()?;
    Ok(IndexFile { indexes })
}

fn from_json(text: &str) -> Result<IndexFile, String> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        // The place is said in front.
        let message = message.split(" at line ").next().unwrap_or_default();
        format!("{}: {message}", error.line())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str = r#"
[[index]]
name = "by-day"
kind = "local"
sort_key = "day:S"
projection = "keys-only"

[[index]]
name = "by-mail"
kind = "global"
partition_key = "mail"
projection = ["name", "born"]
wcu = 10
rcu = 2
"#;

    fn of_table() -> IndexKey {
        IndexKey {
            name: "id".to_owned(),
            key_type: KeyType::N,
        }
    }

    #[test]
    fn indexes_are_as_the_file_says_with_types_of_the_rows() {
        let file: IndexFile = from_toml(BOTH).unwrap();
        assert!(file.has_units());
        let asked = |key: &KeyArg| Ok(key.key_type.unwrap_or(KeyType::B));
        let indexes = file.resolve(&of_table(), asked).unwrap();
        let [local, global] = indexes.as_slice() else {
            unreachable!("the file has two")
        };
        assert_eq!(local.partition_key, of_table());
        assert_eq!(local.sort_key.as_ref().unwrap().key_type, KeyType::S);
        assert_eq!(local.projection, Projection::KeysOnly);
        assert_eq!(global.partition_key.key_type, KeyType::B);
        let units = ProvisionedUnits { read: 2, write: 10 };
        assert_eq!(global.units, Some(units));
    }

    #[test]
    fn json_says_the_same() {
        let json =
            r#"{"index": [{"name": "by-mail", "kind": "global", "partition_key": "mail:S"}]}"#;
        let file: IndexFile = from_json(json).unwrap();
        let indexes = file.resolve(&of_table(), |_| Ok(KeyType::S)).unwrap();
        assert_eq!(indexes.first().unwrap().projection, Projection::All);
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (wrong, right, line, part) in [
            ("kind = \"local\"", "kind = \"lokal\"", 4, "lokal"),
            (
                "sort_key = \"day:S\"",
                "",
                2,
                "a local index has a sort_key",
            ),
            ("rcu = 2", "", 8, "wcu and rcu are given together"),
            ("wcu = 10", "wcus = 10", 13, "wcus"),
            ("\"keys-only\"", "\"some\"", 2, "a projection is"),
        ] {
            let text = BOTH.replacen(wrong, right, 1);
            let Err(message) = from_toml(&text) else {
                unreachable!("{text} is wrong")
            };
            assert!(message.contains(part), "{message}");
            if line > 0 {
                assert!(message.starts_with(&format!("{line}: ")), "{message}");
            }
        }
        let json = "{\"index\": [\n{\"name\": \"x\", \"kind\": \"global\"}]}";
        let message = from_json(json).err().unwrap();
        assert!(message.starts_with("2: index \"x\": "), "{message}");
    }

    #[test]
    fn a_local_index_has_the_partition_key_of_its_table() {
        let text = BOTH.replacen("sort_key", "partition_key = \"other\"\nsort_key", 1);
        let file: IndexFile = from_toml(&text).unwrap();
        assert!(file.resolve(&of_table(), |_| Ok(KeyType::S)).is_err());
    }
}

//! What every command that reads rows for a table starts from: the source, the table and the mapping between them.

use std::io::{Write, stderr};
use std::path::Path;

use aws_sdk_dynamodb::Client;
use dynasink::{
    Cause, FileSource, KeyType, Mapping, MappingFile, TableSchema, TableState, describe_once_made,
    describe_state, spec::MappingSpec,
};

use crate::args::{CreateArgs, KeyArg, KeyArgs, NewTableArgs, TableShapeArgs, TargetArgs};
use crate::failure::Failure;
use crate::lifecycle::{self, Creation};
use crate::{mapping, target};

/// Rows, the table that they belong in, and what becomes of them on the way.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) source: FileSource,
    pub(crate) table: TableSchema,
    pub(crate) mapping: Mapping,
    /// Whether the table is there.
    pub(crate) exists: bool,
    /// Where the table is, or will be; none if it was not looked for.
    pub(crate) client: Option<Client>,
}

impl Subject {
    /// Looks `table` up at `target`; one that is not there is as `keys` say. Without a target it is not looked for.
    pub(crate) async fn of(
        source: FileSource,
        mapping_file: Option<&Path>,
        target: Option<&TargetArgs>,
        table: &str,
        keys: &KeyArgs,
    ) -> Result<Self, Failure> {
        let file = mapping_file.map(mapping::read).transpose()?;
        let file = file.as_ref();
        let wanted = table_of_keys(table, keys, &source, file)?;
        Self::at(source, file, target, table, wanted).await
    }

    /// The same for a load, which creates a table that is not there: that is returned too.
    pub(crate) async fn to_be_loaded(
        source: FileSource,
        mapping_file: Option<&Path>,
        target: &TargetArgs,
        table: &str,
        create: &CreateArgs,
    ) -> Result<(Self, Option<Creation>), Failure> {
        let (keys, new) = (&create.keys, &create.new);
        Self::or_new(source, mapping_file, Some(target), table, keys, new).await
    }

    /// The same for a plan, which looks for no table without a target, and creates none.
    pub(crate) async fn to_be_planned(
        source: FileSource,
        mapping_file: Option<&Path>,
        target: Option<&TargetArgs>,
        table: &str,
        keys: &KeyArgs,
        shape: &TableShapeArgs,
    ) -> Result<Self, Failure> {
        let new = NewTableArgs {
            shape: shape.clone(),
            ..NewTableArgs::default()
        };
        let subject = Self::or_new(source, mapping_file, target, table, keys, &new).await?;
        if subject.0.exists && new.says_something() {
            // Where stderr is closed, there is nobody to be warned.
            let _shown = writeln!(
                stderr(),
                "warning: table {table} is there already: what is said of a new table is passed over"
            );
        }
        Ok(subject.0)
    }

    async fn or_new(
        source: FileSource,
        mapping_file: Option<&Path>,
        target: Option<&TargetArgs>,
        table: &str,
        keys: &KeyArgs,
        new: &NewTableArgs,
    ) -> Result<(Self, Option<Creation>), Failure> {
        let file = mapping_file.map(mapping::read).transpose()?;
        let file = file.as_ref();
        let type_of = |key: &KeyArg| key_type(key, &source, file);
        let new = table_of_keys(table, keys, &source, file)?
            .map(|keys| lifecycle::new_table(new, &keys, type_of))
            .transpose()?;
        let wanted = new.as_ref().map(|new| new.table.schema()).transpose();
        let wanted = wanted.map_err(|error| Failure::refused(&error))?;
        let subject = Self::at(source, file, target, table, wanted).await?;
        let new = new.filter(|_| !subject.exists);
        Ok((subject, new))
    }

    /// What the table is like besides, if it is there.
    pub(crate) async fn state(&self) -> Result<Option<TableState>, Failure> {
        match &self.client {
            Some(client) if self.exists => {
                let described = describe_state(client, self.table.name().as_str()).await;
                described
                    .map(Some)
                    .map_err(|error| Failure::refused(&error))
            }
            _ => Ok(None),
        }
    }

    async fn at(
        source: FileSource,
        file: Option<&MappingFile>,
        target: Option<&TargetArgs>,
        table: &str,
        wanted: Option<TableSchema>,
    ) -> Result<Self, Failure> {
        if let Some(table) = &wanted {
            // A table that nothing could be written to is not looked for.
            mapping::of(&source, table, file)?;
        }
        // Whoever connects to an embedded store makes its file, so all else is checked before.
        let client = match target {
            Some(target) => Some(target::connect(target).await?),
            None => None,
        };
        let existing = match &client {
            None => None,
            Some(client) => match describe_once_made(client, table, lifecycle::PATIENCE).await {
                Ok(table) => Some(table),
                Err(error)
                    if matches!(error.cause(), Some(Cause::TableMissing)) && wanted.is_some() =>
                {
                    None
                }
                Err(error) => return Err(Failure::refused(&error)),
            },
        };
        let exists = existing.is_some();
        let table = match (existing, wanted) {
            (Some(existing), wanted) => {
                if let Some(wanted) = wanted {
                    check_same_keys(&existing, &wanted)?;
                }
                existing
            }
            (None, Some(wanted)) => wanted,
            (None, None) => {
                return Err(Failure::refused_because(
                    "the keys of the table are not known: give --partition-key",
                ));
            }
        };
        let mapping = mapping::of(&source, &table, file)?;
        source
            .check_has(mapping.needed_columns())
            .map_err(|error| Failure::refused(&error))?;
        for warning in mapping.warnings() {
            // Where stderr is closed, there is nobody to be warned.
            let _shown = writeln!(stderr(), "warning: {warning}");
        }
        Ok(Self {
            source,
            table,
            mapping,
            exists,
            client,
        })
    }
}

/// The table with these keys, if there are any.
fn table_of_keys(
    name: &str,
    keys: &KeyArgs,
    source: &FileSource,
    file: Option<&MappingFile>,
) -> Result<Option<TableSchema>, Failure> {
    let Some(partition_key) = &keys.partition_key else {
        return Ok(None);
    };
    let mut table = TableSchema::builder(name)
        .partition_key(&partition_key.name, key_type(partition_key, source, file)?);
    if let Some(sort_key) = &keys.sort_key {
        table = table.sort_key(&sort_key.name, key_type(sort_key, source, file)?);
    }
    let table = table.build().map_err(|error| Failure::refused(&error))?;
    Ok(Some(table))
}

/// The type of a key, from what becomes it unless it was given. Where nothing does, or what no key can be, it is left
/// to the mapping to say so.
fn key_type(
    key: &KeyArg,
    source: &FileSource,
    file: Option<&MappingFile>,
) -> Result<KeyType, Failure> {
    if let Some(key_type) = key.key_type {
        return Ok(key_type);
    }
    let of_attribute = match file {
        Some(file) => file.key_type_of(source.schema(), &key.name),
        None => Mapping::key_type_of(&MappingSpec::new(), source.schema(), &key.name),
    };
    let of_attribute = of_attribute.map_err(|error| Failure::refused(&error))?;
    Ok(of_attribute.unwrap_or(KeyType::S))
}

fn check_same_keys(existing: &TableSchema, wanted: &TableSchema) -> Result<(), Failure> {
    if existing.keys().eq(wanted.keys()) {
        return Ok(());
    }
    let keys = |table: &TableSchema| {
        let keys = table
            .keys()
            .map(|key| format!("{}:{}", key.name(), key.key_type().descriptor()));
        keys.collect::<Vec<_>>().join(", ")
    };
    Err(Failure::refused_because(format!(
        "table {} exists already with the keys {} and not {}: leave out --partition-key, or name another table",
        existing.name(),
        keys(existing),
        keys(wanted)
    )))
}

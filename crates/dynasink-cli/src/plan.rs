//! What a load will do, worked out and checked before the first write.

use std::io::{Write, stderr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use dynasink::{
    Cause, Concurrency, DeadLetterFile, Dedup, DedupWindow, DynamoDb, FileSource, KeyType, Mapping,
    MappingFile, RateOptions, TableSchema, WriterError, create_table, describe_table,
    spec::MappingSpec,
};

use crate::args::{ConcurrencyArg, DedupArg, KeyArg, LoadArgs, MaxErrorsArg};
use crate::failure::Failure;
use crate::{mapping, target};

/// How long a new table may take to become active.
const CREATION_PATIENCE: Duration = Duration::from_mins(2);

/// A load that can start: everything that can be known to be wrong before the first write has been looked at.
#[derive(Debug)]
pub(crate) struct LoadPlan {
    pub(crate) source: FileSource,
    pub(crate) table: TableSchema,
    pub(crate) mapping: Mapping,
    pub(crate) transport: DynamoDb,
    pub(crate) rate: RateOptions,
    pub(crate) concurrency: Concurrency,
    pub(crate) dedup: Option<Dedup>,
    pub(crate) dead_letters: DeadLetterFile,
    /// Most dead rows, if they are limited.
    pub(crate) max_dead: Option<u64>,
}

impl LoadPlan {
    pub(crate) async fn of(args: &LoadArgs) -> Result<Self, Failure> {
        let file = args.mapping.as_deref().map(mapping::read).transpose()?;
        let file = file.as_ref();
        let source = args.source.open().await?;
        let wanted = args
            .partition_key
            .as_ref()
            .map(|key| wanted_table(args, key, &source, file))
            .transpose()?;
        if let Some(table) = &wanted {
            // A table that nothing could be written to is not created.
            mapping::of(&source, table, file)?;
        }
        let client = target::connect(&args.target).await?;
        let existing = match describe_table(&client, &args.table).await {
            Ok(table) => Some(table),
            Err(error)
                if matches!(error.cause(), Some(Cause::TableMissing)) && wanted.is_some() =>
            {
                None
            }
            Err(error) => return Err(Failure::refused(&error)),
        };
        let table = match (&existing, wanted) {
            (Some(existing), wanted) => {
                if let Some(wanted) = wanted {
                    check_same_keys(existing, &wanted)?;
                }
                existing.clone()
            }
            (None, Some(wanted)) => wanted,
            (None, None) => return Err(Failure::refused_because("there is no table to write to")),
        };
        let mapping = mapping::of(&source, &table, file)?;
        source
            .check_has(mapping.needed_columns())
            .map_err(|error| Failure::refused(&error))?;
        for warning in mapping.warnings() {
            // Where stderr is closed, there is nobody to be warned.
            let _shown = writeln!(stderr(), "warning: {warning}");
        }
        let dedup = dedup(args.dedup, &mapping, source.total_rows())?;
        let rate = rate(args);
        rate.limiter(&table)
            .map_err(|error| Failure::refused(&error))?;
        let dead_letters = args
            .dead_letters
            .clone()
            .unwrap_or_else(|| default_dead_letters(&args.table));
        let dead_letters =
            DeadLetterFile::create(dead_letters).map_err(|error| Failure::refused(&error))?;
        if existing.is_none() {
            create(&client, &table).await?;
        }
        let mut transport = DynamoDb::new(client);
        if args.item_collection_metrics {
            transport = transport.with_item_collection_metrics();
        }
        Ok(Self {
            rate,
            concurrency: match args.concurrency {
                ConcurrencyArg::Auto => Concurrency::default(),
                ConcurrencyArg::Fixed(requests) => Concurrency::Fixed(requests.get()),
            },
            dedup,
            dead_letters,
            max_dead: args
                .max_errors
                .map(|max_errors| max_dead(max_errors, source.total_rows())),
            source,
            table,
            mapping,
            transport,
        })
    }
}

fn rate(args: &LoadArgs) -> RateOptions {
    let mut rate = RateOptions::from(args.rate.0);
    if let Some(headroom) = args.headroom {
        rate = rate.headroom(headroom.0);
    }
    if let Some(burst) = args.burst {
        rate = rate.burst(burst);
    }
    rate
}

/// The table that the arguments describe.
fn wanted_table(
    args: &LoadArgs,
    partition_key: &KeyArg,
    source: &FileSource,
    file: Option<&MappingFile>,
) -> Result<TableSchema, Failure> {
    let mut table = TableSchema::builder(&args.table)
        .partition_key(&partition_key.name, key_type(partition_key, source, file)?);
    if let Some(sort_key) = &args.sort_key {
        table = table.sort_key(&sort_key.name, key_type(sort_key, source, file)?);
    }
    table.build().map_err(|error| Failure::refused(&error))
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
        "table {} exists already with the keys {} and not {}: leave out --create-table, or name another table",
        existing.name(),
        keys(existing),
        keys(wanted)
    )))
}

async fn create(client: &Client, table: &TableSchema) -> Result<(), Failure> {
    tracing::info!(table = %table.name(), "creating the table");
    create_table(client, table, CREATION_PATIENCE)
        .await
        .map_err(|error: WriterError| Failure::refused(&error))
}

/// `users.dead-letters.jsonl`; of an ARN its last part.
fn default_dead_letters(table: &str) -> PathBuf {
    let name = table.rsplit(['/', ':']).next().unwrap_or(table);
    PathBuf::from(format!("{name}.dead-letters.jsonl"))
}

/// What happens to rows of one key: what was asked for, else what the mapping calls for.
fn dedup(policy: Option<DedupArg>, mapping: &Mapping, rows: u64) -> Result<Option<Dedup>, Failure> {
    // No more keys than rows can come.
    let keys = usize::try_from(rows)
        .ok()
        .and_then(NonZeroUsize::new)
        .unwrap_or(NonZeroUsize::MIN);
    let window = DedupWindow::default();
    let by_mapping = if mapping.has_versions() {
        DedupArg::KeepGreatest
    } else {
        DedupArg::KeepLast
    };
    Ok(match policy.unwrap_or(by_mapping) {
        DedupArg::KeepLast => Some(Dedup::keep_last(window)),
        DedupArg::KeepFirst => Some(Dedup::keep_first(keys)),
        DedupArg::KeepGreatest if mapping.has_versions() => {
            Some(Dedup::keep_greatest(window, keys))
        }
        DedupArg::KeepGreatest => {
            return Err(Failure::refused_because(
                "--dedup keep-greatest needs the version of each row: name its column in the mapping, as `version = { column = \"...\" }`",
            ));
        }
        DedupArg::Error => Some(Dedup::refuse(keys)),
        DedupArg::Off => None,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the percentage is between 0 and 100, so the result is between 0 and the rows"
)]
fn max_dead(max_errors: MaxErrorsArg, rows: u64) -> u64 {
    match max_errors {
        MaxErrorsArg::Rows(rows) => rows,
        MaxErrorsArg::Percent(percent) => (rows as f64 * percent / 100.0).floor() as u64,
    }
}

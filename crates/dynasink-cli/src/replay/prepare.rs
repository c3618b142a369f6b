//! A replay that is ready to start.

use std::path::Path;

use aws_sdk_dynamodb::Client;
use dynasink::{
    DeadLetterFile, DeadLetters, FileSource, Mapping, RowSelection, TableSchema, describe_table,
};

use crate::args::{KeyArgs, ReplayArgs};
use crate::failure::Failure;
use crate::subject::Subject;
use crate::{control, target};

/// A replay of which everything that can be known to be wrong beforehand has been looked at.
#[derive(Debug)]
pub(super) struct PreparedReplay {
    pub(super) letters: DeadLetters,
    pub(super) client: Client,
    pub(super) table: TableSchema,
    /// What has to be read again, if there is something.
    pub(super) again: Option<Again>,
    pub(super) dead_letters: DeadLetterFile,
}

/// Rows that never became items.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) source: FileSource,
    pub(super) mapping: Mapping,
    pub(super) selection: RowSelection,
    /// How many these are, where parts that were not read count as one.
    pub(super) rows: u64,
}

impl PreparedReplay {
    pub(super) async fn of(args: &ReplayArgs) -> Result<Self, Failure> {
        let refused = |error: dynasink::Error| Failure::refused(&error);
        let letters = DeadLetters::open(&args.letters).await.map_err(refused)?;
        let rows = letters.rows() + letters.unread();
        let (client, table, again) = if rows == 0 {
            let client = target::connect(&args.target).await?;
            let table = describe_table(&client, &args.table).await;
            let table = table.map_err(|error| Failure::refused(&error))?;
            (client, table, None)
        } else {
            let source = args.source.open_or(letters.files()).await?;
            let selection = letters.rows_of(&source).map_err(refused)?;
            let no_keys = KeyArgs {
                partition_key: None,
                sort_key: None,
            };
            let (mapping, target) = (args.mapping.as_deref(), Some(&args.target));
            let subject = Subject::of(source, mapping, target, &args.table, &no_keys).await?;
            let Some(client) = subject.client else {
                return Err(Failure::refused_because("there is no endpoint to write to"));
            };
            let again = Again {
                source: subject.source,
                mapping: subject.mapping,
                selection,
                rows,
            };
            (client, subject.table, Some(again))
        };
        args.pace.rate().limiter(&table).map_err(refused)?;
        control::check(args.control.control.as_deref(), args.pace.rate(), &table)?;
        let path = args.dead_letters_path();
        if is_same_file(&path, &args.letters) {
            return Err(Failure::refused_because(format!(
                "{} is the dead-letter file that is read: name another with --dead-letters",
                path.display()
            )));
        }
        Ok(Self {
            letters,
            client,
            table,
            again,
            dead_letters: DeadLetterFile::create(path).map_err(refused)?,
        })
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let (one, other) = (one.canonicalize(), other.canonicalize());
    matches!((one, other), (Ok(one), Ok(other)) if one == other)
}

//! A load that is ready to start.

use std::num::NonZeroUsize;

use aws_sdk_dynamodb::Client;
use dynasink::{Checkpoint, DeadLetterFile, Dedup, DedupWindow, DynamoDb, WriteUnits};

use crate::args::{DedupArg, LoadArgs};
use crate::failure::Failure;
use crate::kept;
use crate::lifecycle::{self, ChangedTable};
use crate::load::checkpoint;
use crate::subject::Subject;

/// A load that can start: everything that can be known to be wrong before the first write has been looked at.
#[derive(Debug)]
pub(super) struct PreparedLoad {
    pub(super) subject: Subject,
    pub(super) transport: DynamoDb,
    pub(super) dedup: Option<Dedup>,
    /// What that does with rows of one key.
    pub(super) policy: DedupArg,
    pub(super) dead_letters: DeadLetterFile,
    pub(super) checkpoint: Option<Checkpoint>,
    /// Most dead rows, if they are limited.
    pub(super) max_dead: Option<u64>,
    /// What is to be known of the table.
    pub(super) notices: Vec<String>,
    pub(super) client: Client,
}

impl PreparedLoad {
    /// A load by `args`, which goes on from `found` if there is one, and its table with what is to be changed about it first.
    pub(super) async fn of(
        args: &LoadArgs,
        found: Option<Checkpoint>,
    ) -> Result<(Self, ChangedTable), Failure> {
        let refused = |error: dynasink::Error| Failure::refused(&error);
        if args.create.keys.partition_key.is_some() && !args.create.create_table {
            return Err(Failure::refused_because(
                "--partition-key is the key of a table to create: give --create-table too",
            ));
        }
        let source = args.source.open().await?;
        let (subject, new) = Subject::to_be_loaded(
            source,
            args.mapping.as_deref(),
            &args.target,
            &args.table,
            &args.create,
        )
        .await?;
        let Some(client) = subject.client.clone() else {
            return Err(Failure::refused_because("there is no endpoint to write to"));
        };
        let rows = subject.source.total_rows();
        let policy = kept::policy(args.dedup, &subject.mapping)?;
        let dedup = dedup(policy, rows);
        args.pace.rate().limiter(&subject.table).map_err(refused)?;
        let dead_letters = args.dead_letters.path(&args.table);
        let is_new = new.is_some();
        let passes_over = !is_new && found.is_none() && args.create.new.says_something();
        let (new, deferred_indexes) = new.map(|new| (new.table, new.deferred_indexes)).unzip();
        let warm_write = args.warm_throughput.map(WriteUnits::new);
        let (dead_letters, dedup, checkpoint, state) = if let Some(found) = found {
            let resumed =
                checkpoint::go_on(&found, &client, &subject, dedup, &dead_letters).await?;
            let state = lifecycle::ready(&client, &subject.table, None, warm_write).await?;
            (resumed.0, resumed.1, Some(found), state)
        } else {
            let dead_letters = DeadLetterFile::create(dead_letters).map_err(refused)?;
            let state = lifecycle::ready(&client, &subject.table, new, warm_write).await?;
            let begun = match &args.checkpoint.checkpoint {
                Some(path) => {
                    let letters = dead_letters.clone();
                    let begun = checkpoint::begin(path, &client, &subject, dedup.as_ref(), letters);
                    Some(begun.await?)
                }
                None => None,
            };
            (dead_letters, dedup, begun, state)
        };
        let mut notices = lifecycle::notices(&state, &subject.table, is_new, warm_write);
        if passes_over {
            notices
                .push("it is there already: what is said of a new table is passed over".to_owned());
        }
        lifecycle::show(subject.table.name().as_str(), &notices);
        let changed = ChangedTable::of(
            client.clone(),
            &state,
            args.raise_capacity.map(WriteUnits::new),
            deferred_indexes.unwrap_or_default(),
            checkpoint.clone(),
        )?;
        let mut transport = DynamoDb::new(client.clone());
        if args.item_collection_metrics {
            transport = transport.with_item_collection_metrics();
        }
        let load = Self {
            transport,
            dedup,
            policy,
            dead_letters,
            checkpoint,
            max_dead: args.dead_letters.max_dead(rows),
            subject,
            notices,
            client,
        };
        Ok((load, changed))
    }
}

/// What happens to rows of one key.
fn dedup(policy: DedupArg, rows: u64) -> Option<Dedup> {
    // No more keys than rows can come.
    let keys = usize::try_from(rows)
        .ok()
        .and_then(NonZeroUsize::new)
        .unwrap_or(NonZeroUsize::MIN);
    let window = DedupWindow::default();
    match policy {
        DedupArg::KeepLast => Some(Dedup::keep_last(window)),
        DedupArg::KeepFirst => Some(Dedup::keep_first(keys)),
        DedupArg::KeepGreatest => Some(Dedup::keep_greatest(window, keys)),
        DedupArg::Error => Some(Dedup::refuse(keys)),
        DedupArg::Off => None,
    }
}

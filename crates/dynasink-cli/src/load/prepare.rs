//! A load that is ready to start.

use std::num::NonZeroUsize;

use aws_sdk_dynamodb::Client;
use dynasink::{
    Checkpoint, Dedup, DedupWindow, DynamoDb, LoadIdentity, TableIdentity, TableState, WriteUnits,
    describe_state,
};

use crate::args::{DedupArg, LoadArgs};
use crate::failure::Failure;
use crate::lifecycle::{self, ChangedTable, Creation};
use crate::load::files::LoadFiles;
use crate::subject::Subject;
use crate::{control, kept};

/// A load that can start: everything that can be known to be wrong before the first write has been looked at.
#[derive(Debug)]
pub(super) struct PreparedLoad {
    pub(super) subject: Subject,
    pub(super) transport: DynamoDb,
    pub(super) dedup: Option<Dedup>,
    /// What that does with rows of one key.
    pub(super) policy: DedupArg,
    pub(super) files: LoadFiles,
    /// What the table was like before rows are written.
    pub(super) state: TableState,
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
        let name = subject.table.name().as_str();
        let there = if subject.exists {
            let state = describe_state(&client, name).await;
            Some(state.map_err(|error| Failure::refused(&error))?)
        } else {
            None
        };
        let raise_to = args.raise_capacity.map(WriteUnits::new);
        let capacity = match (&there, &new) {
            (Some(there), _) => Some(there.capacity.table),
            (None, new) => new.as_ref().map(|new| new.capacity),
        };
        if let Some(capacity) = capacity {
            lifecycle::check_raise(name, capacity, raise_to)?;
        }
        let control_file = args.control.control.as_deref();
        control::check(control_file, args.pace.rate(), &subject.table)?;

        let table = match &there {
            Some(there) => there.into(),
            None => TableIdentity::to_be_made(name),
        };
        let identity = LoadIdentity::new(&subject.source, &subject.mapping, table, dedup.as_ref());
        let dead_letters = args.dead_letters.path(&args.table);
        let goes_on = found.is_some();
        let (mut files, dedup) = if let Some(found) = found {
            LoadFiles::go_on(found, &identity, &subject, dedup, &dead_letters).await?
        } else {
            let checkpoint = args.checkpoint.checkpoint.as_deref();
            (LoadFiles::begin(checkpoint, identity, dead_letters)?, dedup)
        };
        let warm_write = args.warm_throughput.map(WriteUnits::new);
        let made = make_ready(&client, name, new, warm_write, &mut files).await;
        let (state, changed) = match made {
            Ok(made) => made,
            Err(failure) => return Err(files.after(failure)),
        };
        let is_new = there.is_none();
        let mut notices = lifecycle::notices(&state, &subject.table, is_new, warm_write);
        if !is_new && !goes_on && args.create.new.says_something() {
            notices
                .push("it is there already: what is said of a new table is passed over".to_owned());
        }
        lifecycle::show(name, &notices);
        let mut transport = DynamoDb::new(client.clone());
        if args.item_collection_metrics {
            transport = transport.with_item_collection_metrics();
        }
        let load = Self {
            transport,
            dedup,
            policy,
            files,
            state,
            max_dead: args.dead_letters.max_dead(rows),
            subject,
            notices,
            client,
        };
        Ok((load, changed))
    }
}

/// Makes the table what it is to be before rows are written. What is to be made of it later is written down before, and
/// which table it is after.
async fn make_ready(
    client: &Client,
    table: &str,
    new: Option<Creation>,
    warm_write: Option<WriteUnits>,
    files: &mut LoadFiles,
) -> Result<(TableState, ChangedTable), Failure> {
    let (new, deferred_indexes) = new.map(|new| (new.table, new.deferred_indexes)).unzip();
    let deferred_indexes = deferred_indexes.unwrap_or_default();
    let checkpoint = files.checkpoint.clone();
    let changed = ChangedTable::of(client.clone(), table, deferred_indexes, checkpoint).await?;
    let is_new = new.is_some();
    let state = lifecycle::ready(client, table, new, warm_write).await?;
    if is_new {
        files.hold_new_table();
    }
    if let Some(checkpoint) = &files.checkpoint {
        let set = checkpoint.set_table((&state).into()).await;
        set.map_err(|error| Failure::stopped(&error))?;
    }
    Ok((state, changed))
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

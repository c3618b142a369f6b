//! Rows to try settings with: from files, by the real decoder, or made up.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use dynasink::spec::MappingSpec;
use dynasink::{
    DecodeExt, Decoder, FileSource, Interleave, KeyType, Mapping, ObserverError, Outcome,
    OutcomeEvent, OutcomeObserver, Outcomes, SourceBatch, SourceOptions, SourcePosition,
    StageError, StreamOptions, WriteOp, drive,
};
use fastrand::Rng;
use futures::{StreamExt, TryStreamExt, sink, stream};

use super::args::{Args, KeyArg};
use super::error::{Error, Result};
use super::sample::Sample;
use super::table::TunedTable;

/// Most rows that a trial simulates: seconds of real time for all trials.
const MOST_ROWS: usize = 60_000;
/// Most bytes of items that are kept.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// Fewest rows that say anything.
const FEWEST_ROWS: usize = 500;
/// Rows on end that are kept of a source that is too long to be kept as a whole.
const RUN: u64 = 1_024;
/// Rows of a source that are read at most: those of as many row groups at once as may be.
const ROWS_READ: u64 = 2_000_000;
/// Row groups that are read at once, here and by a load at most.
const READERS: NonZeroUsize = NonZeroUsize::new(16).unwrap();
/// Rows that show how many row groups a load mixes: a turn of 256 of each.
const ROWS_MIXED: usize = 4_096;

/// The table and the rows of `args`.
pub(super) fn load(args: &Args) -> Result<(TunedTable, Sample)> {
    let (table, sample) = if args.source.is_empty() {
        made_up(args)?
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.map_err(Error::Runtime)?.block_on(read(args))?
    };
    let rows = rows_in(args.minutes, &table, sample.units_per_row());
    Ok((table, sample.thinned(rows)))
}

/// Rows that fill the minutes at full capacity, within bounds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts saturate, and the result is bounded"
)]
fn rows_in(minutes: f64, table: &TunedTable, units_per_row: f64) -> usize {
    let rows = minutes * 60.0 * table.wcu() as f64 / units_per_row.max(1.0);
    (rows as usize).clamp(FEWEST_ROWS, MOST_ROWS)
}

/// Rows of one size, their keys in no order.
fn made_up(args: &Args) -> Result<(TunedTable, Sample)> {
    let table = TunedTable::new(args, ("id", KeyType::S), None, |_| Ok(KeyType::S))?;
    let units = args.made_up_bytes().div_ceil(1024) as f64;
    let by_bytes = usize::try_from(MOST_BYTES / args.made_up_bytes()).unwrap_or(MOST_ROWS);
    let rows = rows_in(args.minutes, &table, units).min(by_bytes.max(FEWEST_ROWS));
    let rows = usize::try_from(args.made_up_rows()).map_or(rows, |all| all.min(rows));
    let mut chance = Rng::with_seed(args.seed);
    let ops = (0..rows).map(|_| made_up_row(&table, args, chance.u64(..)));
    let ops: Vec<_> = ops.collect::<Result<_, _>>()?;
    let groups = [ops.len()];
    Ok((table, Sample::new(ops, groups, 1, args.made_up_rows())))
}

fn made_up_row(table: &TunedTable, args: &Args, id: u64) -> Result<WriteOp, dynasink::ItemError> {
    const ID_BYTES: u64 = 2 + 16;
    const FILL_NAME: &str = "fill";
    let schema = table.schema();
    let mut left = args.made_up_bytes().saturating_sub(ID_BYTES);
    let mut keys: Vec<&str> = args
        .index
        .iter()
        .filter_map(|of| of.attribute.as_deref())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let item = schema.item(|item| {
        item.attribute("id")?.string(&format!("{id:016x}"))?;
        for key in keys.iter().filter(|key| **key != "id") {
            item.attribute(key)?
                .string(&format!("{:016x}", id.rotate_left(32)))?;
            left = left.saturating_sub(key.len() as u64 + 16);
        }
        if let Some(fill) = left
            .checked_sub(FILL_NAME.len() as u64)
            .filter(|fill| *fill > 0)
        {
            let fill = usize::try_from(fill).unwrap_or(0);
            item.attribute(FILL_NAME)?.string(&"x".repeat(fill))?;
        }
        Ok(())
    })?;
    schema.put(item)
}

/// A sample of the rows of files.
async fn read(args: &Args) -> Result<(TunedTable, Sample)> {
    let options = SourceOptions::new().with_readers(READERS);
    let source = FileSource::open(&args.source, options).await?;
    let table = table_of(args, &source)?;
    let mapping = Mapping::infer(source.schema(), table.schema())?;
    let keys = Interleave::by_keys(mapping.key_columns());
    let batches = sampled(&source).await?;
    let dead = Arc::new(DeadRows::default());
    let decoder = Decoder::new(mapping).with_outcomes(Outcomes::of(Arc::clone(&dead)));
    let mut ops = decoded(batches, decoder).await?;
    let file = |position: &SourcePosition| {
        let mut files = source.files().iter();
        files.position(|file| file.name() == position.file())
    };
    ops.sort_by_cached_key(|op| {
        let position = op.position();
        position.map(|at| (file(at), at.row_group(), at.row()))
    });
    let (dead, first) = dead.count();
    if ops.is_empty() {
        return Err(Error::NoRows { first });
    }
    let groups: Vec<usize> = ops
        .chunk_by(|a, b| row_group(a.position()) == row_group(b.position()))
        .map(<[_]>::len)
        .collect();
    let mixed = if groups.len() > 1 {
        row_groups_mixed(&source, keys).await?
    } else {
        1
    };
    let sample = Sample::new(ops, groups, mixed, source.total_rows()).with_dead(dead);
    Ok((table, sample))
}

fn row_group(position: Option<&SourcePosition>) -> Option<(&str, u32)> {
    position.map(|at| (at.file(), at.row_group()))
}

/// The table that the rows go to: its keys are columns of the source.
fn table_of(args: &Args, source: &FileSource) -> Result<TunedTable> {
    let schema = source.schema();
    let columns = || {
        let names: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        names.join(", ")
    };
    let type_of = |name: &str| -> Result<KeyType> {
        if schema.column_with_name(name).is_none() {
            let (name, columns) = (name.to_owned(), columns());
            return Err(Error::NoColumn { name, columns });
        }
        let found = Mapping::key_type_of(&MappingSpec::new(), schema, name);
        // What can be no key is left to the mapping to say.
        Ok(found?.unwrap_or(KeyType::S))
    };
    let typed = |key: &KeyArg| -> Result<(String, KeyType)> {
        let found = type_of(&key.name)?;
        Ok((key.name.clone(), key.key_type.unwrap_or(found)))
    };
    let partition_key = match &args.partition_key {
        Some(key) => typed(key)?,
        None => schema
            .fields()
            .iter()
            .find_map(|field| Some((field.name().clone(), Mapping::key_type(field)?)))
            .ok_or_else(|| Error::NoKey { columns: columns() })?,
    };
    let sort_key = args.sort_key.as_ref().map(typed).transpose()?;
    TunedTable::new(
        args,
        (&partition_key.0, partition_key.1),
        sort_key
            .as_ref()
            .map(|(name, key_type)| (name.as_str(), *key_type)),
        type_of,
    )
}

/// Runs of rows that are spread over what is read of the source; all of them if they are few.
async fn sampled(source: &FileSource) -> Result<Vec<SourceBatch>> {
    let readable = source.total_rows().min(ROWS_READ);
    let one_of = readable.div_ceil(MOST_ROWS as u64).max(1);
    // Read this way, the first rows are those of row groups that are far from each other.
    let options = StreamOptions::new().with_interleave(Interleave::Always);
    let mut batches = source.stream_with(&options);
    let (mut kept, mut bytes, mut read) = (Vec::new(), 0, 0);
    while read < readable
        && bytes < MOST_BYTES
        && let Some(batch) = batches.try_next().await?
    {
        read += batch.batch().num_rows() as u64;
        let row = batch.position().map_or(read, |at| at.row());
        if (row / RUN).is_multiple_of(one_of) {
            bytes += batch.batch().get_array_memory_size() as u64 / one_of.max(16);
            kept.push(batch);
        }
    }
    Ok(kept)
}

async fn decoded(batches: Vec<SourceBatch>, decoder: Decoder) -> Result<Vec<WriteOp>> {
    let mut ops = Vec::new();
    let collect = sink::unfold(&mut ops, |ops: &mut Vec<WriteOp>, op| async move {
        ops.push(op);
        Ok::<_, StageError>(ops)
    });
    let batches = stream::iter(batches).map(Ok::<_, StageError>);
    let driven = drive(batches, Box::pin(collect.decoded(decoder))).await;
    driven.map_err(|error| Error::Decode(Box::new(error)))?;
    Ok(ops)
}

/// How many row groups a load mixes that may mix what `keys` allow.
async fn row_groups_mixed(source: &FileSource, keys: Interleave) -> Result<usize> {
    let mut batches = source.stream_with(&StreamOptions::new().with_interleave(keys));
    let (mut rows, mut seen) = (0, HashSet::new());
    while rows < ROWS_MIXED
        && let Some(batch) = batches.try_next().await?
    {
        rows += batch.batch().num_rows();
        if let Some(at) = batch.position() {
            seen.insert((at.file().to_owned(), at.row_group()));
        }
    }
    Ok(seen.len())
}

/// Counts rows that cannot be written.
#[derive(Debug, Default)]
struct DeadRows(Mutex<(u64, Option<String>)>);

impl DeadRows {
    /// How many there are, and why the first is one.
    fn count(&self) -> (u64, Option<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl OutcomeObserver for DeadRows {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        if let Outcome::Dead(reason) = event.outcome {
            let mut dead = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            dead.0 += 1;
            dead.1.get_or_insert_with(|| reason.message.clone());
        }
        Ok(())
    }
}

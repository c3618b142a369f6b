//! What a source would be as items of a table: measured by reading it, and writing nothing.

mod bad_rows;
mod estimate;
mod findings;
mod heavy_keys;
mod prices;
mod sample;
mod sizes;
mod staying;
mod units;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

use dynasink_core::{Fuse, StageError, TableSchema, WriteAction, WriteOp};
use dynasink_sink::{KeptRow, KeyCensus, KeyChoice};
use futures::Sink;
use serde::Serialize;

pub use bad_rows::{BadRow, BadRowCounts, BadRows};
pub use estimate::{BoundBy, Costs, Estimate, TimeAtRate};
pub use findings::{Finding, SurveySubject};
pub use heavy_keys::HeavyKey;
use heavy_keys::HeavyKeys;
pub use prices::{Prices, money};
pub use sample::SurveySample;
use sizes::Sizes;
pub use sizes::{ItemSizes, SizeBucket};
pub use staying::StayingSurvey;
pub use units::{IndexUnits, UnitTotals};

/// Partition keys that are counted at once. They take about 200 bytes each.
const COUNTED_PARTITION_KEYS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Puts that are looked at for examples of attributes.
const LOOKED_AT_FOR_EXAMPLES: u64 = 10_000;

/// Characters of an example.
const EXAMPLE_CHARS: usize = 60;

/// Bytes of a line of an import besides the item: `{"Item":` and `}` and its end.
pub(crate) const IMPORT_LINE_BYTES: u64 = 10;

/// Measures operations, and writes nothing: a `Sink<WriteOp>`.
///
/// - In: [`WriteOp`]. Nothing comes out.
/// - Held: no operation. The keys of all of them are counted exactly ([`KeyCensus`]), partition keys within a bound.
///
/// ```
/// use dynasink::{KeptRow, Survey, TableSchema, KeyType, drive};
/// use futures::stream;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
/// let rows = stream::iter(0..100).map(|n| table.put_serde(&serde_json::json!({ "id": n % 50 })));
///
/// let mut survey = Survey::new(&table, KeptRow::Last);
/// drive(rows, &mut survey).await?;
/// let measured = survey.measured();
/// assert_eq!((measured.puts, measured.units.table), (100, 100));
/// assert_eq!(measured.keys.map(|keys| keys.distinct), Some(50));
/// # Ok(())
/// # }
/// # use futures::StreamExt;
/// ```
#[derive(Debug)]
#[must_use = "sinks do nothing unless polled"]
pub struct Survey {
    kept: KeptRow,
    census: Option<KeyCensus>,
    puts: u64,
    deletes: u64,
    sizes: Sizes,
    import_bytes: u64,
    units: UnitTotals,
    heavy_keys: HeavyKeys,
    examples: BTreeMap<String, String>,
    fuse: Fuse,
}

/// What a [`Survey`] has measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Rows that would be put.
    pub puts: u64,
    /// Rows that would delete an item.
    pub deletes: u64,
    /// How often keys come; none if they were not counted.
    pub keys: Option<KeyCounts>,
    /// The sizes of the items that would be put.
    pub item_bytes: ItemSizes,
    /// The bytes of items as lines of DynamoDB JSON, which an import is billed by: of those that stay, or of all if these
    /// are not known.
    pub import_bytes: u64,
    /// The write units of all operations, or of the first of each key where that one is kept: the most, since operations
    /// that are superseded before they are sent cost nothing.
    pub units: UnitTotals,
    /// The write units of the rows that stay, one of each key: the least. None if they are not known: keys repeat, and there
    /// was no second reading, or keys were not counted.
    pub staying: Option<UnitTotals>,
    /// The partition keys with the most units.
    pub heavy_keys: Vec<HeavyKey>,
    /// How many units a partition key that is not among those that were counted may have.
    pub heavy_keys_error: u64,
    /// A value of each attribute as DynamoDB JSON, of the first item that has it; long ones are cut.
    pub examples: BTreeMap<String, String>,
}

/// How often keys come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KeyCounts {
    /// Keys.
    pub distinct: u64,
    /// Those of them that come more than once.
    pub repeated: u64,
    /// Rows of which another one of their key takes the place.
    pub superseded: u64,
}

impl Survey {
    /// A survey of operations on `table` of which of each key `kept` counts. All keys are remembered, up to as many as
    /// memory holds: about 36 bytes each, or 112 where the greatest version counts.
    pub fn new(table: &TableSchema, kept: KeptRow) -> Self {
        Self {
            kept,
            census: Some(KeyCensus::new(kept, NonZeroUsize::MAX)),
            puts: 0,
            deletes: 0,
            sizes: Sizes::default(),
            import_bytes: 0,
            units: UnitTotals::of(table),
            heavy_keys: HeavyKeys::new(COUNTED_PARTITION_KEYS),
            examples: BTreeMap::new(),
            fuse: Fuse::new("survey"),
        }
    }

    /// Does not count keys, which a part of a source could tell nothing of.
    pub fn without_keys(mut self) -> Self {
        self.census = None;
        self
    }

    /// What was measured so far.
    pub fn measured(&self) -> Measured {
        let keys = self.census.as_ref().map(|census| KeyCounts {
            distinct: census.keys(),
            repeated: census.repeated_keys(),
            superseded: census.ops() - census.keys(),
        });
        let all_stay = |keys: KeyCounts| keys.superseded == 0 || self.kept == KeptRow::First;
        Measured {
            puts: self.puts,
            deletes: self.deletes,
            keys,
            staying: keys.is_some_and(all_stay).then(|| self.units.clone()),
            item_bytes: self.sizes.summary(),
            import_bytes: self.import_bytes,
            units: self.units.clone(),
            heavy_keys: self.heavy_keys.heaviest(),
            heavy_keys_error: self.heavy_keys.error(),
            examples: self.examples.clone(),
        }
    }

    /// What a second reading goes by; none if keys were not counted.
    pub fn into_choice(self) -> Option<KeyChoice> {
        self.census.map(KeyCensus::into_choice)
    }

    fn note(&mut self, op: &WriteOp) -> Result<(), StageError> {
        let mut is_new = true;
        if let Some(census) = &mut self.census {
            let keys = census.keys();
            census.note(op)?;
            is_new = census.keys() > keys;
        }
        match op.action() {
            WriteAction::Put => {
                self.puts += 1;
                self.sizes.note(op.item().size());
                if self.puts <= LOOKED_AT_FOR_EXAMPLES {
                    self.note_examples(op);
                }
            }
            WriteAction::Delete => self.deletes += 1,
        }
        if is_new || self.kept != KeptRow::First {
            let units = self.units.note(op);
            self.heavy_keys.note(op.key().partition_key(), units);
            if op.action() == WriteAction::Put {
                self.import_bytes += op.item().json().len() as u64 + IMPORT_LINE_BYTES;
            }
        }
        Ok(())
    }

    fn note_examples(&mut self, op: &WriteOp) {
        for (name, value) in op.item().attributes() {
            if !self.examples.contains_key(name.as_ref()) {
                self.examples.insert(name.into_owned(), shortened(&value));
            }
        }
    }
}

/// The start of a text, if it is long.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(EXAMPLE_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl Sink<WriteOp> for Survey {
    type Error = StageError;

    fn poll_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(self.fuse.check())
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), StageError> {
        self.fuse.check::<StageError>()?;
        let noted = self.note(&op);
        self.fuse.guard(noted)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(self.fuse.check())
    }

    fn poll_close(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        if self.fuse.is_closed() {
            return Poll::Ready(Ok(()));
        }
        self.fuse.check::<StageError>()?;
        self.fuse.guard_close(Poll::Ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::KeyType;
    use futures::SinkExt;
    use serde_json::json;

    use super::*;

    async fn measured(kept: KeptRow) -> Measured {
        let table = TableSchema::builder("users")
            .partition_key("id", KeyType::N)
            .build()
            .unwrap();
        let mut survey = Survey::new(&table, kept);
        let items = [
            json!({ "id": 1, "text": "x".repeat(2000) }),
            json!({ "id": 2, "n": 5 }),
            json!({ "id": 1 }),
        ];
        for item in &items {
            survey.feed(table.put_serde(item).unwrap()).await.unwrap();
        }
        survey
            .feed(table.delete_serde(&json!({ "id": 3 })).unwrap())
            .await
            .unwrap();
        survey.close().await.unwrap();
        survey.measured()
    }

    #[tokio::test]
    async fn all_rows_count_unless_the_first_of_each_key_is_kept() {
        let last = measured(KeptRow::Last).await;
        let counts = KeyCounts {
            distinct: 3,
            repeated: 1,
            superseded: 1,
        };
        assert_eq!((last.puts, last.deletes, last.keys), (3, 1, Some(counts)));
        assert_eq!(last.units.table, 2 + 1 + 1 + 1);
        let first = measured(KeptRow::First).await;
        assert_eq!((first.puts, first.keys), (3, Some(counts)));
        assert_eq!(first.units.table, 2 + 1 + 1);
        assert!(first.import_bytes < last.import_bytes);
    }

    #[tokio::test]
    async fn an_example_is_of_the_first_item_that_has_the_attribute_and_short() {
        let examples = measured(KeptRow::Last).await.examples;
        assert_eq!(examples["id"], r#"{"N":"1"}"#);
        assert_eq!(examples["n"], r#"{"N":"5"}"#);
        assert!(examples["text"].starts_with(r#"{"S":"xxx"#) && examples["text"].ends_with('…'));
    }

    #[tokio::test]
    async fn keys_are_not_told_of_where_they_were_not_counted() {
        let table = TableSchema::builder("users")
            .partition_key("id", KeyType::N)
            .build()
            .unwrap();
        let mut survey = Survey::new(&table, KeptRow::Last).without_keys();
        survey
            .send(table.put_serde(&json!({ "id": 1 })).unwrap())
            .await
            .unwrap();
        assert_eq!((survey.measured().puts, survey.measured().keys), (1, None));
    }
}

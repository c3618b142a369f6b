//! A stage of your own: operations that cost too much become dead letters.
//!
//! ```sh
//! cargo run -p dynasink-examples --example custom_stage
//! cargo test -p dynasink-examples --example custom_stage
//! ```
#![expect(clippy::print_stdout, reason = "the report is for the terminal")]

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use dynasink::{
    DeadReason, DynamoDb, Fuse, KeyType, ObserverError, Outcome, OutcomeEvent, OutcomeObserver,
    Outcomes, Pipeline, SourcePosition, StageError, TableSchema, Transport, WriteOp, WriteUnits,
    create_table, drive,
};
use dynasink_sim::EmbeddedStore;
use futures::{Sink, StreamExt, stream};
use pin_project_lite::pin_project;
use serde::Serialize;

pin_project! {
    /// A sink of operations that gives on those that cost at most so many units, and reports the others as dead.
    ///
    /// - In and out: [`WriteOp`], in their order.
    /// - Held: one operation.
    /// - Flush and close: send it on, then flush or close the inner sink.
    #[derive(Debug)]
    #[must_use = "sinks do nothing unless polled"]
    struct CostCapped<S> {
        #[pin]
        inner: S,
        max: WriteUnits,
        outcomes: Outcomes,
        held: Option<WriteOp>,
        closed: bool,
        fuse: Fuse,
    }
}

/// Puts the stage above any sink of operations, as the other stages are put.
trait CostCapExt: Sink<WriteOp, Error: From<StageError>> + Sized {
    fn cost_capped(self, max: WriteUnits, outcomes: Outcomes) -> CostCapped<Self> {
        CostCapped {
            inner: self,
            max,
            outcomes,
            held: None,
            closed: false,
            fuse: Fuse::new("cost cap"),
        }
    }
}

impl<S: Sink<WriteOp, Error: From<StageError>>> CostCapExt for S {}

impl<S: Sink<WriteOp>> CostCapped<S> {
    fn poll_give_on(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let mut this = self.project();
        // Only with an operation in hand: a sink cannot take back that it has reserved a place.
        if this.held.is_some() {
            ready!(this.inner.as_mut().poll_ready(cx))?;
            if let Some(op) = this.held.take() {
                this.inner.as_mut().start_send(op)?;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn accept(self: Pin<&mut Self>, op: WriteOp) -> Result<(), StageError> {
        let this = self.project();
        if op.units() <= *this.max {
            *this.held = Some(op);
            return Ok(());
        }
        let reason = DeadReason {
            code: "too_expensive".to_owned(),
            message: format!("it costs {}, and {} are allowed", op.units(), this.max),
            attempts: 0,
            tried_for: Duration::ZERO,
            value: None,
        };
        // An error if nobody keeps dead rows: better to stop than to lose it.
        this.outcomes.bury(op.position(), Some(&op), reason)
    }
}

/// The fuse keeps the rule that an error is the end: after one, no call reaches the inner sink.
impl<S: Sink<WriteOp, Error: From<StageError>>> Sink<WriteOp> for CostCapped<S> {
    type Error = S::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.fuse.check()?;
        let given_on = self.as_mut().poll_give_on(cx);
        self.project().fuse.guard_poll(given_on)
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), S::Error> {
        self.fuse.check()?;
        let accepted = self.as_mut().accept(op).map_err(S::Error::from);
        self.project().fuse.guard(accepted)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        ready!(self.as_mut().poll_ready(cx))?;
        let this = self.project();
        this.fuse.guard_poll(this.inner.poll_flush(cx))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        ready!(self.as_mut().poll_ready(cx))?;
        let this = self.project();
        // An inner sink need not bear to be closed twice.
        if !*this.closed {
            ready!(this.fuse.guard_poll(this.inner.poll_close(cx)))?;
            *this.closed = true;
        }
        Poll::Ready(Ok(()))
    }
}

/// Prints dead letters. [`dynasink::DeadLetterFile`] keeps them.
#[derive(Debug)]
struct PrintDead;

impl OutcomeObserver for PrintDead {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        if let (Outcome::Dead(reason), Some(position)) = (event.outcome, event.position) {
            println!("{position}: {}", reason.message);
        }
        Ok(())
    }
}

#[derive(Debug, Serialize)]
struct Note {
    id: u64,
    text: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = EmbeddedStore::in_memory()?.client();
    let schema = TableSchema::builder("notes")
        .partition_key("id", KeyType::N)
        .build()?;
    create_table(&client, &schema, Duration::from_mins(1)).await?;
    let dynamodb = DynamoDb::new(client);
    let table = dynamodb.describe_table("notes").await?;

    // A pipeline is a sink of operations like any other.
    let pipeline = Pipeline::builder(dynamodb, &table)
        .observer(PrintDead)
        .build()?;
    let (tally, outcomes) = (pipeline.tally(), pipeline.outcomes());
    let pipe = pipeline.cost_capped(WriteUnits::new(4), outcomes);

    // Most notes are short, and every thirtieth has 6 KB.
    let notes = stream::iter(1..=100).map(|id: u64| Note {
        id,
        text: "la".repeat(if id.is_multiple_of(30) { 3_000 } else { 30 }),
    });
    let ops = notes.map(|note| {
        let position = SourcePosition::new("notes".into(), 0, note.id);
        table.put_serde(&note).map(|op| op.at(position))
    });
    drive(ops, pipe).await?;

    let counts = tally.counts();
    println!(
        "{} items written for {} units, {} dead",
        counts.items_written, counts.consumed_write_units, counts.dead
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use dynasink_sink::contract::{self, Expect};

    use super::*;

    const MAX: WriteUnits = WriteUnits::new(1);

    #[derive(Debug, Default)]
    struct DeadRows(AtomicU64);

    impl OutcomeObserver for DeadRows {
        fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
            assert!(matches!(event.outcome, Outcome::Dead(_)));
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    fn op(id: u64, bytes: usize) -> WriteOp {
        let table = TableSchema::builder("notes").partition_key("id", KeyType::N);
        let text = "x".repeat(bytes);
        table
            .build()
            .unwrap()
            .put_serde(&Note { id, text })
            .unwrap()
    }

    #[test]
    fn the_stage_keeps_the_sink_contract_and_the_order_of_what_is_cheap() {
        let cheap = Expect::outstanding(|sent: &[WriteOp], delivered: &[WriteOp]| {
            let due = sent.iter().filter(|op| op.units() <= MAX).map(WriteOp::key);
            let due: Vec<_> = due.collect();
            let arrived: Vec<_> = delivered.iter().map(WriteOp::key).collect();
            match due.strip_prefix(arrived.as_slice()) {
                Some(outstanding) => Ok(outstanding.len()),
                None => Err(format!("{arrived:?} arrived, expected was {due:?}")),
            }
        });
        contract::check(
            &cheap.max_held(1),
            |rng| {
                (0..rng.u64(..20))
                    .map(|id| op(id, rng.usize(..2_000)))
                    .collect()
            },
            |inner| inner.cost_capped(MAX, Outcomes::of(DeadRows::default())),
        );
    }

    #[tokio::test]
    async fn what_is_too_expensive_is_dead_and_without_an_observer_an_error() {
        let run = async |outcomes| {
            let ops = stream::iter([op(1, 10), op(2, 2_000)]).map(Ok::<_, StageError>);
            let leaf = futures::sink::unfold((), async |(), _: WriteOp| Ok::<_, StageError>(()));
            drive(ops, leaf.cost_capped(MAX, outcomes)).await
        };
        let dead = Arc::new(DeadRows::default());
        run(Outcomes::of(Arc::clone(&dead))).await.unwrap();
        assert_eq!(dead.0.load(Ordering::Relaxed), 1);
        assert!(run(Outcomes::unobserved()).await.is_err());
    }
}

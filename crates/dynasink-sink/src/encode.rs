//! Rows of any kind made operations, each by a function of the user's.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use dynasink_core::{DeadReason, Error, Fuse, Outcomes, SourcePosition, StageError, WriteOp};
use futures::Sink;
use pin_project_lite::pin_project;

/// How an [`Encoded`] makes an operation of a row.
#[derive(Clone, Debug)]
#[must_use]
pub struct Encode<F> {
    function: F,
    source: Option<Arc<str>>,
    outcomes: Outcomes,
}

impl<F> Encode<F> {
    /// By `function`, whose first error is an error of the sink.
    pub fn by(function: F) -> Self {
        Self {
            function,
            source: None,
            outcomes: Outcomes::unobserved(),
        }
    }

    /// Numbers the rows from zero, as rows of `source`: an operation without a position of its own gets that one, and
    /// so does a row that cannot be an operation.
    pub fn of_source(mut self, source: impl Into<Arc<str>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Tells `outcomes` of rows that cannot be operations, and passes over them.
    pub fn with_outcomes(mut self, outcomes: Outcomes) -> Self {
        self.outcomes = outcomes;
        self
    }
}

pin_project! {
    /// A sink of rows that gives each on as an operation.
    ///
    /// - In: whatever the function takes. Out: [`WriteOp`], one each and in order.
    /// - Held: nothing.
    /// - A row that the function refuses is a dead letter, or an error if nobody observes outcomes.
    ///
    /// ```
    /// use dynasink_core::{KeyType, SerdeEncoder, StageError, TableSchema, WriteOp};
    /// use dynasink_sink::{Encode, WriteSinkExt};
    /// use futures::{SinkExt, sink};
    ///
    /// #[derive(serde::Serialize)]
    /// struct User {
    ///     id: u32,
    ///     name: &'static str,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
    /// let mut encoder = SerdeEncoder::new(&table);
    /// let ops = sink::unfold((), |(), op: WriteOp| async move {
    ///     println!("{:?} {}", op.position(), String::from_utf8_lossy(op.item().json()));
    ///     Ok::<_, StageError>(())
    /// });
    /// let encode = Encode::by(move |user: User| encoder.put(&user)).of_source("users");
    /// std::pin::pin!(ops.encoded(encode)).send(User { id: 1, name: "ann" }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Made by [`WriteSinkExt::encoded`](crate::WriteSinkExt::encoded).
    #[derive(Debug)]
    #[must_use = "sinks do nothing unless polled"]
    pub struct Encoded<S, F> {
        #[pin]
        inner: S,
        encode: Encode<F>,
        rows: u64,
        fuse: Fuse,
    }
}

impl<S, F> Encoded<S, F> {
    pub(crate) fn new(inner: S, encode: Encode<F>) -> Self {
        Self {
            inner,
            encode,
            rows: 0,
            fuse: Fuse::new("encode"),
        }
    }

    /// The sink below.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, T, F> Sink<T> for Encoded<S, F>
where
    S: Sink<WriteOp>,
    S::Error: From<StageError>,
    F: FnMut(T) -> Result<WriteOp, Error>,
{
    type Error = S::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.fuse.check()?;
        let this = self.project();
        this.fuse.guard_poll(this.inner.poll_ready(cx))
    }

    fn start_send(self: Pin<&mut Self>, row: T) -> Result<(), S::Error> {
        self.fuse.check()?;
        let this = self.project();
        let Encode {
            function,
            source,
            outcomes,
        } = this.encode;
        let position = source
            .as_ref()
            .map(|source| SourcePosition::new(Arc::clone(source), 0, *this.rows));
        *this.rows += 1;
        let sent = match function(row) {
            Ok(op) => this.inner.start_send(match position {
                Some(position) if op.position().is_none() => op.at(position),
                _ => op,
            }),
            Err(error) => outcomes
                .bury(position.as_ref(), None, DeadReason::of(&error))
                .map_err(S::Error::from),
        };
        this.fuse.guard(sent)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.fuse.check()?;
        let this = self.project();
        this.fuse.guard_poll(this.inner.poll_flush(cx))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.fuse.is_closed() {
            return Poll::Ready(Ok(()));
        }
        self.fuse.check()?;
        let this = self.project();
        ready!(this.fuse.guard_close(this.inner.poll_close(cx)))?;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use dynasink_core::{ObserverError, Outcome, OutcomeEvent, OutcomeObserver, SerdeEncoder};
    use futures::SinkExt;

    use super::*;
    use crate::WriteSinkExt;
    use crate::contract::{self, Expect, StrictSink};
    use crate::test_ops::{op, row, table};

    #[test]
    fn encoded_keeps_the_sink_contract() {
        contract::check(
            &Expect::parts(|sent: &[u64]| sent.to_vec(), |op: &WriteOp| vec![row(op)]),
            |rng| (0..rng.u64(..24)).collect(),
            |inner: StrictSink<WriteOp>| inner.encoded(Encode::by(|row: u64| Ok(op(0, row, 0)))),
        );
    }

    /// Its number, and why it is dead.
    type DeadRow = (Option<u64>, String);

    #[derive(Clone, Debug, Default)]
    struct Dead(Arc<Mutex<Vec<DeadRow>>>);

    impl OutcomeObserver for Dead {
        fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
            let Outcome::Dead(reason) = event.outcome else {
                panic!("{event:?}")
            };
            let row = event.position.map(SourcePosition::row);
            self.0.lock().unwrap().push((row, reason.code.clone()));
            Ok(())
        }
    }

    fn encode(id: Option<f64>) -> Result<WriteOp, Error> {
        SerdeEncoder::new(&table()).put(&std::collections::BTreeMap::from([("id", id)]))
    }

    #[tokio::test]
    async fn a_row_that_is_no_operation_is_a_dead_letter_with_its_number() {
        let dead = Dead::default();
        let (inner, probe) = StrictSink::new();
        probe.unblock();
        let encode = Encode::by(encode)
            .of_source("numbers")
            .with_outcomes(Outcomes::of(dead.clone()));
        let mut sink = inner.encoded(encode);
        for id in [Some(1.0), None, Some(f64::NAN), Some(2.0)] {
            sink.send(id).await.unwrap();
        }
        SinkExt::<Option<f64>>::close(&mut sink).await.unwrap();
        let rows: Vec<_> = probe.delivered().iter().map(row).collect();
        assert_eq!(rows, [0, 3]);
        assert_eq!(
            *dead.0.lock().unwrap(),
            [
                (Some(1), "missing_key".to_owned()),
                (Some(2), "number".to_owned())
            ]
        );
    }

    #[tokio::test]
    async fn without_anyone_to_tell_it_is_an_error_and_the_end() {
        let (inner, probe) = StrictSink::new();
        probe.unblock();
        let mut sink = inner.encoded(Encode::by(encode));
        let error = sink.send(None).await.unwrap_err();
        assert!(format!("{error:?}").contains("missing_key"), "{error:?}");
        assert!(sink.send(Some(1.0)).await.is_err());
    }
}

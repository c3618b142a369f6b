//! One row per key: operations of a key that is already on its way are merged.

mod keys_seen;
mod window;

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dynasink_core::{Fuse, Outcome, OutcomeEvent, Outcomes, StageError, WriteOp};
use futures::Sink;
use pin_project_lite::pin_project;

use keys_seen::KeysSeen;
pub use window::DedupWindow;
use window::Held;

/// What happens to operations of one key.
///
/// | policy | of one key | memory |
/// | --- | --- | --- |
/// | [`keep_last`](Self::keep_last) | the later replaces the earlier while both are in the window | the window |
/// | [`keep_first`](Self::keep_first) | only the first of the whole input is written | about 18 to 36 bytes a key |
/// | [`refuse`](Self::refuse) | the second of the whole input is an error | about 18 to 36 bytes a key |
///
/// Keeping the last row needs no memory beyond the window, since a row that comes later than the window
/// replaces the earlier one in the table.
#[derive(Clone, Debug)]
#[must_use]
pub struct Dedup {
    policy: Policy,
    outcomes: Outcomes,
}

#[derive(Clone, Debug)]
enum Policy {
    KeepLast(DedupWindow),
    KeepFirst(NonZeroUsize),
    Refuse(NonZeroUsize),
}

impl Dedup {
    /// The later operation takes the earlier one's place while that is in `window`.
    pub fn keep_last(window: DedupWindow) -> Self {
        Self::new(Policy::KeepLast(window))
    }

    /// Only the first operation of each key is written. Up to `max_keys` keys are remembered, as 128-bit
    /// fingerprints under a random secret; more are an error ([`StageError::TooManyKeys`]).
    pub fn keep_first(max_keys: NonZeroUsize) -> Self {
        Self::new(Policy::KeepFirst(max_keys))
    }

    /// A second operation of a key is an error ([`StageError::DuplicateKey`]). Keys are remembered as
    /// [`keep_first`](Self::keep_first) does it.
    pub fn refuse(max_keys: NonZeroUsize) -> Self {
        Self::new(Policy::Refuse(max_keys))
    }

    fn new(policy: Policy) -> Self {
        Self {
            policy,
            outcomes: Outcomes::unobserved(),
        }
    }

    /// Reports superseded operations to `outcomes`.
    pub fn with_outcomes(mut self, outcomes: Outcomes) -> Self {
        self.outcomes = outcomes;
        self
    }
}

pin_project! {
    /// A sink of operations that merges those of one key: see [`Dedup`] for what is kept.
    ///
    /// - In and out: [`WriteOp`]; what leaves keeps the order of arrival, and a later operation takes the place
    ///   in line of the earlier one that it supersedes.
    /// - Held: a window of operations ([`DedupWindow`]) if the last is kept, else at most one operation.
    /// - Flush and close: send everything that is held on, then flush or close the inner sink.
    ///
    /// Made by [`WriteSinkExt::deduplicated`](crate::WriteSinkExt::deduplicated).
    #[derive(Debug)]
    #[must_use = "sinks do nothing unless polled"]
    pub struct Deduplicated<S> {
        #[pin]
        inner: S,
        held: Held,
        repeats: Option<Repeats>,
        outcomes: Outcomes,
        fuse: Fuse,
    }
}

impl<S: Sink<WriteOp>> Deduplicated<S>
where
    S::Error: From<StageError>,
{
    pub(crate) fn new(inner: S, dedup: Dedup) -> Self {
        let pass_through = DedupWindow::new(NonZeroUsize::MIN, 0);
        let (window, repeats) = match dedup.policy {
            Policy::KeepLast(window) => (window, None),
            Policy::KeepFirst(max_keys) => (
                pass_through,
                Some(Repeats {
                    seen: KeysSeen::new(max_keys),
                    meaning: OnRepeat::Supersede,
                }),
            ),
            Policy::Refuse(max_keys) => (
                pass_through,
                Some(Repeats {
                    seen: KeysSeen::new(max_keys),
                    meaning: OnRepeat::Refuse,
                }),
            ),
        };
        Self {
            inner,
            held: Held::new(window),
            repeats,
            outcomes: dedup.outcomes,
            fuse: Fuse::new("dedup"),
        }
    }

    /// The sink below.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Sends held operations on until `enough` of them have left.
    fn poll_release(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        enough: impl Fn(&Held) -> bool,
    ) -> Poll<Result<(), S::Error>> {
        let mut this = self.project();
        while !enough(this.held) {
            ready!(this.inner.as_mut().poll_ready(cx))?;
            if let Some(op) = this.held.pop() {
                this.inner.as_mut().start_send(op)?;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn accept(self: Pin<&mut Self>, op: WriteOp) -> Result<(), StageError> {
        let this = self.project();
        if let Some(repeats) = this.repeats {
            if repeats.seen.insert(op.key())? {
                this.held.push(op);
                return Ok(());
            }
            return match repeats.meaning {
                OnRepeat::Supersede => Ok(this
                    .outcomes
                    .observe(&superseded(&op, &Outcome::Superseded { by: None }))?),
                OnRepeat::Refuse => Err(StageError::DuplicateKey {
                    position: op.position().cloned(),
                }),
            };
        }
        let by = op.position().cloned();
        if let Some(earlier) = this.held.replace(op) {
            this.outcomes
                .observe(&superseded(&earlier, &Outcome::Superseded { by }))?;
        }
        Ok(())
    }
}

fn superseded<'a>(op: &'a WriteOp, outcome: &'a Outcome) -> OutcomeEvent<'a> {
    OutcomeEvent::of(op, outcome)
}

impl<S: Sink<WriteOp>> Sink<WriteOp> for Deduplicated<S>
where
    S::Error: From<StageError>,
{
    type Error = S::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.fuse.check()?;
        let released = self.as_mut().poll_release(cx, |held| !held.is_full());
        self.project().fuse.guard_poll(released)
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), S::Error> {
        self.fuse.check()?;
        let accepted = self.as_mut().accept(op).map_err(S::Error::from);
        self.project().fuse.guard(accepted)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.fuse.check()?;
        let released = self.as_mut().poll_release(cx, Held::is_empty);
        ready!(self.as_mut().project().fuse.guard_poll(released))?;
        let this = self.project();
        this.fuse.guard_poll(this.inner.poll_flush(cx))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.fuse.is_closed() {
            return Poll::Ready(Ok(()));
        }
        self.fuse.check()?;
        let released = self.as_mut().poll_release(cx, Held::is_empty);
        ready!(self.as_mut().project().fuse.guard_poll(released))?;
        let this = self.project();
        this.fuse.guard_close(this.inner.poll_close(cx))
    }
}

/// Which keys came before, and what it means that one comes again.
#[derive(Debug)]
struct Repeats {
    seen: KeysSeen,
    meaning: OnRepeat,
}

#[derive(Clone, Copy, Debug)]
enum OnRepeat {
    Supersede,
    Refuse,
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::sync::{Arc, Mutex};

    use dynasink_core::{ObserverError, OutcomeObserver, SourcePosition};
    use futures::{SinkExt, sink};

    use super::*;
    use crate::contract::{self, Expect, StrictSink};
    use crate::test_ops::{op, random_ops, row};
    use crate::{WriteSinkExt, drive};

    const SOME: NonZeroUsize = NonZeroUsize::new(1000).unwrap();

    #[test]
    fn keep_last_keeps_the_sink_contract() {
        const WINDOW: NonZeroUsize = NonZeroUsize::new(4).unwrap();
        let expect = Expect::outstanding(|sent: &[WriteOp], delivered: &[WriteOp]| {
            // Which rows are merged depends on the flushes. What must hold for any: no row leaves after a later
            // one of its key, and the last row of each key leaves.
            let mut newest = HashMap::new();
            for op in delivered {
                if newest
                    .insert(op.key(), row(op))
                    .is_some_and(|earlier| earlier >= row(op))
                {
                    return Err(format!("row {} left after a later one of its key", row(op)));
                }
            }
            let waiting: HashMap<_, _> = sent
                .iter()
                .map(|op| (op.key(), row(op)))
                .collect::<HashMap<_, _>>()
                .into_iter()
                .filter(|(key, last)| newest.get(key) != Some(last))
                .collect();
            Ok(waiting.len())
        });
        contract::check(
            &expect.max_held(WINDOW.get()),
            |rng| random_ops(rng, 8, 24),
            |inner| inner.deduplicated(Dedup::keep_last(DedupWindow::new(WINDOW, usize::MAX))),
        );
    }

    #[test]
    fn keep_first_keeps_the_sink_contract() {
        let firsts = |sent: &[WriteOp]| {
            let mut seen = HashSet::new();
            sent.iter()
                .filter(|op| seen.insert(op.key().clone()))
                .map(row)
                .collect()
        };
        contract::check(
            &Expect::parts(firsts, |op: &WriteOp| vec![row(op)]).max_held(1),
            |rng| random_ops(rng, 8, 24),
            |inner: StrictSink<WriteOp>| inner.deduplicated(Dedup::keep_first(SOME)),
        );
    }

    /// A row, and the row that superseded it if that is known.
    type SupersededRow = (u64, Option<u64>);

    #[derive(Clone, Debug, Default)]
    struct Superseded(Arc<Mutex<Vec<SupersededRow>>>);

    impl OutcomeObserver for Superseded {
        fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
            let Outcome::Superseded { by } = event.outcome else {
                panic!("{event:?}")
            };
            let rows = (
                event.position.unwrap().row(),
                by.as_ref().map(SourcePosition::row),
            );
            self.0.lock().unwrap().push(rows);
            Ok(())
        }
    }

    /// The rows that leave and the rows that are superseded, with what superseded them.
    async fn run(dedup: Dedup, ids: &[u32]) -> Result<(Vec<u64>, Vec<SupersededRow>), StageError> {
        let superseded = Superseded::default();
        let left = Mutex::new(Vec::new());
        let leaf = sink::unfold((), |(), op: WriteOp| {
            left.lock().unwrap().push(row(&op));
            async { Ok::<_, StageError>(()) }
        });
        let ops = ids
            .iter()
            .zip(0..)
            .map(|(id, row)| Ok::<_, StageError>(op(*id, row, 0)));
        let dedup = dedup.with_outcomes(Outcomes::to([Arc::new(superseded.clone()) as _]));
        let driven = drive(futures::stream::iter(ops), leaf.deduplicated(dedup)).await;
        driven.map_err(|error| match error {
            crate::DriveError::Sink { source, .. } | crate::DriveError::Stream { source, .. } => {
                source
            }
        })?;
        let superseded = superseded.0.lock().unwrap().clone();
        Ok((left.into_inner().unwrap(), superseded))
    }

    fn window(ops: usize) -> DedupWindow {
        DedupWindow::new(NonZeroUsize::new(ops).unwrap(), usize::MAX)
    }

    #[tokio::test]
    async fn the_last_row_takes_the_first_ones_place_and_its_position_is_told() {
        let (left, superseded) = run(Dedup::keep_last(window(10)), &[1, 2, 1, 3, 1])
            .await
            .unwrap();
        assert_eq!(left, [4, 1, 3]);
        assert_eq!(superseded, [(0, Some(2)), (2, Some(4))]);
    }

    #[tokio::test]
    async fn a_row_beyond_the_window_is_written_after_the_earlier_one() {
        let (left, superseded) = run(Dedup::keep_last(window(2)), &[1, 2, 3, 1])
            .await
            .unwrap();
        assert_eq!(left, [0, 1, 2, 3]);
        assert_eq!(superseded, []);
    }

    #[tokio::test]
    async fn only_the_first_row_of_the_whole_input_is_kept() {
        let (left, superseded) = run(Dedup::keep_first(SOME), &[1, 2, 1, 3, 2, 1])
            .await
            .unwrap();
        assert_eq!(left, [0, 1, 3]);
        assert_eq!(superseded, [(2, None), (4, None), (5, None)]);
    }

    #[tokio::test]
    async fn a_second_row_is_an_error_that_names_it() {
        let error = run(Dedup::refuse(SOME), &[1, 2, 3, 2]).await.unwrap_err();
        assert!(
            matches!(&error, StageError::DuplicateKey { position: Some(position) } if position.row() == 3),
            "{error}"
        );
    }

    #[tokio::test]
    async fn more_keys_than_may_be_remembered_are_an_error_and_known_ones_are_not() {
        let two = NonZeroUsize::new(2).unwrap();
        assert!(run(Dedup::keep_first(two), &[1, 2, 1, 2]).await.is_ok());
        let error = run(Dedup::keep_first(two), &[1, 2, 1, 3])
            .await
            .unwrap_err();
        assert!(
            matches!(error, StageError::TooManyKeys { max_keys: 2 }),
            "{error}"
        );
    }

    #[tokio::test]
    async fn the_window_is_bounded_in_bytes_too() {
        let (inner, probe) = StrictSink::new();
        let kilobytes = DedupWindow::new(SOME, 10_000);
        let mut sink = Box::pin(inner.deduplicated(Dedup::keep_last(kilobytes)));
        probe.unblock();
        for id in 0..100 {
            sink.feed(op(id, u64::from(id), 1000)).await.unwrap();
            assert!(sink.held.memory() <= 12_000, "{}", sink.held.memory());
        }
        assert!(sink.held.len() > 5);
    }
}

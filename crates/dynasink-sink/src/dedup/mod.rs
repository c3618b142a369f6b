//! One row per key: operations of a key that is already on its way are merged.

mod census;
mod fingerprint;
mod greatest;
mod keys_seen;
mod window;

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dynasink_core::{Fuse, Outcome, OutcomeEvent, Outcomes, StageError, WriteOp};
use futures::Sink;
use pin_project_lite::pin_project;

pub use census::{KeptRow, KeyCensus, KeyChoice};
pub use fingerprint::Fingerprints;
use greatest::GreatestVersions;
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
/// | [`keep_greatest`](Self::keep_greatest) | none is written after one of a greater version | the window, and about 56 to 112 bytes a key |
///
/// Keeping the last row needs no memory beyond the window, since a row that comes later than the window
/// replaces the earlier one in the table.
#[derive(Clone, Debug)]
#[must_use]
pub struct Dedup {
    window: DedupWindow,
    past: Past,
    outcomes: Outcomes,
}

/// A window that holds nothing back.
fn pass_through() -> DedupWindow {
    DedupWindow::new(NonZeroUsize::MIN, 0)
}

impl Dedup {
    /// The later operation takes the earlier one's place while that is in `window`.
    pub fn keep_last(window: DedupWindow) -> Self {
        Self::new(window, Past::Forgotten)
    }

    /// Only the first operation of each key is written. Up to `max_keys` keys are remembered, as 128-bit
    /// fingerprints under a random secret; more are an error ([`StageError::TooManyKeys`]).
    pub fn keep_first(max_keys: NonZeroUsize) -> Self {
        Self::new(
            pass_through(),
            Past::Keys(KeysSeen::new(max_keys), OnRepeat::Supersede),
        )
    }

    /// A second operation of a key is an error ([`StageError::DuplicateKey`]). Keys are remembered as
    /// [`keep_first`](Self::keep_first) does it.
    pub fn refuse(max_keys: NonZeroUsize) -> Self {
        Self::new(
            pass_through(),
            Past::Keys(KeysSeen::new(max_keys), OnRepeat::Refuse),
        )
    }

    /// Of the operations of a key the one with the greatest [version](WriteOp::version) is what stays in the table,
    /// in whatever order they come; of equal versions it is the later one. Deletes take part like puts.
    ///
    /// One that comes after a greater version is not written. One that comes before it takes no write either while it
    /// is in `window`; later it is written, and then replaced. Up to `max_keys` keys are remembered with their
    /// greatest versions, a text by its own length on top; more are an error ([`StageError::TooManyKeys`]). So is an
    /// operation without a version ([`StageError::NoVersion`]), or with one that cannot be compared
    /// ([`StageError::VersionKind`]).
    ///
    /// It knows the versions of this input only, and not of what is in the table already.
    pub fn keep_greatest(window: DedupWindow, max_keys: NonZeroUsize) -> Self {
        Self::new(window, Past::Versions(GreatestVersions::new(max_keys)))
    }

    /// Whether it goes by the versions of operations.
    pub fn needs_versions(&self) -> bool {
        matches!(self.past, Past::Versions(_))
    }

    /// Whether it goes by what came before, however long ago: what is to be [recalled](Self::recall) if a part of an
    /// input was dealt with by another process.
    pub fn remembers_the_input(&self) -> bool {
        !matches!(self.past, Past::Forgotten)
    }

    /// Whether it writes only the first operation of each key.
    pub fn keeps_first(&self) -> bool {
        matches!(self.past, Past::Keys(_, OnRepeat::Supersede))
    }

    /// A short name of the policy that never changes: `keep_last`, `keep_first`, `refuse` or `keep_greatest`.
    pub fn name(&self) -> &'static str {
        match self.past {
            Past::Forgotten => "keep_last",
            Past::Keys(_, OnRepeat::Supersede) => "keep_first",
            Past::Keys(_, OnRepeat::Refuse) => "refuse",
            Past::Versions(_) => "keep_greatest",
        }
    }

    /// Takes note of an operation that came before, so that those of its key are treated as they would be after it. It
    /// is not written again. Operations are recalled in any order.
    ///
    /// # Errors
    ///
    /// [`StageError::TooManyKeys`], [`StageError::NoVersion`] and [`StageError::VersionKind`], as when the operation came.
    pub fn recall(&mut self, op: &WriteOp) -> Result<(), StageError> {
        match &mut self.past {
            Past::Forgotten => Ok(()),
            Past::Keys(seen, _) => seen.insert(op.key()).map(drop),
            Past::Versions(greatest) => greatest.admit(op).map(drop),
        }
    }

    fn new(window: DedupWindow, past: Past) -> Self {
        Self {
            window,
            past,
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
    /// - Held: a window of operations ([`DedupWindow`]) if the last or the greatest is kept, else at most one operation.
    /// - Flush and close: send everything that is held on, then flush or close the inner sink.
    ///
    /// Made by [`WriteSinkExt::deduplicated`](crate::WriteSinkExt::deduplicated).
    #[derive(Debug)]
    #[must_use = "sinks do nothing unless polled"]
    pub struct Deduplicated<S> {
        #[pin]
        inner: S,
        held: Held,
        past: Past,
        outcomes: Outcomes,
        fuse: Fuse,
    }
}

impl<S: Sink<WriteOp>> Deduplicated<S>
where
    S::Error: From<StageError>,
{
    pub(crate) fn new(inner: S, dedup: Dedup) -> Self {
        Self {
            inner,
            held: Held::new(dedup.window),
            past: dedup.past,
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
        match this.past {
            Past::Forgotten => {}
            Past::Keys(seen, on_repeat) => {
                if seen.insert(op.key())? {
                    this.held.push(op);
                    return Ok(());
                }
                return match on_repeat {
                    OnRepeat::Supersede => Ok(this
                        .outcomes
                        .observe(&superseded(&op, &Outcome::Superseded { by: None }))?),
                    OnRepeat::Refuse => Err(StageError::DuplicateKey {
                        position: op.position().cloned(),
                    }),
                };
            }
            Past::Versions(greatest) => {
                if !greatest.admit(&op)? {
                    let by = this.held.of_key(op.key()).and_then(WriteOp::position);
                    let outcome = Outcome::Superseded { by: by.cloned() };
                    return Ok(this.outcomes.observe(&superseded(&op, &outcome))?);
                }
            }
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

/// What is remembered of the operations that came before.
#[derive(Clone, Debug)]
enum Past {
    /// Nothing beyond those that are held.
    Forgotten,
    /// Their keys, and what it means that one comes again.
    Keys(KeysSeen, OnRepeat),
    /// The greatest version of each key.
    Versions(GreatestVersions),
}

#[derive(Clone, Copy, Debug)]
enum OnRepeat {
    Supersede,
    Refuse,
}

#[cfg(test)]
mod tests;

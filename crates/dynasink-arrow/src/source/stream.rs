//! Row groups that are read at once, put together to one stream.

mod feed;

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use dynasink_core::{Unread, UnreadObserver};
use futures::Stream;
use tokio::sync::mpsc;

use super::footer::PageIndex;
use super::memory::{Budget, Reservation};
use super::options::{Interleave, StreamOptions};
use super::plan::{Asked, Footers, Planned, RowGroup, plan};
use super::reader::{Broken, Demand, Emit, read};
use super::row_group_observer::RowGroupObserver;
use super::schedule::{Law, Place, Schedule};
use super::{Opened, Unreadable};
use crate::batch::SourceBatch;
use crate::error::{Error, Result};
use feed::{Fed, Feed};

/// Row groups that are planned before there is room for them.
const PLANNED_AHEAD: usize = 16;
/// Most rows that one row group hands out before it is another's turn: few beside the operations that a writer holds,
/// so that it always has some of every row group.
const MIXED_ROWS: usize = 256;

/// The batches of a [`FileSource`](crate::FileSource). Dropping it ends the tasks that read.
#[must_use = "streams do nothing unless polled"]
pub struct BatchStream(Option<Box<Reading>>);

impl fmt::Debug for BatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BatchStream").field(&self.0).finish()
    }
}

/// Where row groups come from.
trait RowGroups: Send + Sync + fmt::Debug {
    /// Hands all of them to `emit` in their order, until it has enough.
    fn plan(&self, emit: &mut dyn FnMut(Planned) -> Demand) -> Result<Demand>;

    /// Hands the batches of one to `emit`, until it has enough.
    fn read(&self, row_group: &RowGroup, emit: Emit<'_>) -> Result<Demand, Broken>;
}

/// The row groups of files.
#[derive(Debug)]
struct Files {
    source: Arc<Opened>,
    footers: Footers,
    asked: Asked,
}

impl RowGroups for Files {
    fn plan(&self, emit: &mut dyn FnMut(Planned) -> Demand) -> Result<Demand> {
        let unread = self.source.unread.iter();
        for unread in unread.filter(|unread| self.asked.has_unopened(&unread.file)) {
            if emit(Planned::Unread(unread.clone())) == Demand::Enough {
                return Ok(Demand::Enough);
            }
        }
        plan(&self.source, &self.footers, &self.asked, emit)
    }

    fn read(&self, row_group: &RowGroup, emit: Emit<'_>) -> Result<Demand, Broken> {
        read(&self.source, &self.footers, &self.asked, row_group, emit)
    }
}

/// What bounds the reading of row groups, and what becomes of those that cannot be read.
#[derive(Debug)]
struct Terms {
    law: Law,
    memory: u64,
    readers: usize,
    unreadable: Unreadable,
    unread: Vec<Arc<dyn UnreadObserver>>,
    row_groups: Vec<Arc<dyn RowGroupObserver>>,
}

#[derive(Debug)]
struct Reading {
    row_groups: Arc<dyn RowGroups>,
    names: Arc<[Arc<str>]>,
    terms: Terms,
    plan: mpsc::Receiver<Result<Option<Planned>>>,
    /// How the plan ended: its error is told after all that comes before it.
    plan_end: Option<Result<()>>,
    schedule: Schedule,
    budget: Budget,
    waiting: HashMap<Place, RowGroup>,
    open: Vec<Open>,
    /// Which of the open ones is asked first.
    turn: usize,
}

/// A row group that is being read.
#[derive(Debug)]
struct Open {
    place: Place,
    row_group: Arc<RowGroup>,
    feed: Feed,
    /// What is left of the batch that is being handed out.
    rest: Option<SourceBatch>,
    reservation: Reservation,
}

impl BatchStream {
    pub(super) fn start(source: Arc<Opened>, options: &StreamOptions) -> Self {
        let (law, keys) = match &options.interleave {
            Interleave::ByKeys(keys) if !keys.is_empty() => (Law::KeysApart, keys.clone()),
            Interleave::Off | Interleave::ByKeys(_) => (Law::InOrder, Vec::new()),
            Interleave::Always => (Law::Unordered, Vec::new()),
        };
        let memory = source.options.memory();
        let rows = options.rows.clone();
        // Without either, whole row groups are read.
        let page_index = if rows.is_some() || source.options.filter().is_some() {
            PageIndex::Read
        } else {
            PageIndex::Unread
        };
        let footers = Footers::within(memory, page_index);
        let terms = Terms {
            law,
            memory: memory - footers.bound(),
            readers: source.options.readers(),
            unreadable: source.options.unreadable(),
            unread: options.unread.clone(),
            row_groups: options.row_groups.clone(),
        };
        let names = source
            .files
            .iter()
            .map(|file| Arc::clone(file.located.name()))
            .collect();
        Self::reading(
            Arc::new(Files {
                source,
                footers,
                asked: Asked { keys, rows },
            }),
            names,
            terms,
        )
    }

    fn reading(row_groups: Arc<dyn RowGroups>, names: Arc<[Arc<str>]>, terms: Terms) -> Self {
        let (sender, plan) = mpsc::channel(PLANNED_AHEAD);
        let planning = Arc::clone(&row_groups);
        // The task reports its end through the channel, so nobody waits for its handle.
        drop(tokio::task::spawn_blocking(move || {
            let mut emit = |planned| match sender.blocking_send(Ok(Some(planned))) {
                Ok(()) => Demand::More,
                Err(_) => Demand::Enough,
            };
            let end = match planning.plan(&mut emit) {
                Ok(Demand::More) => Ok(None),
                Ok(Demand::Enough) => return,
                Err(error) => Err(error),
            };
            // A receiver that is gone does not want to know.
            sender.blocking_send(end).ok();
        }));
        Self(Some(Box::new(Reading {
            row_groups,
            names,
            plan,
            plan_end: None,
            schedule: Schedule::new(terms.law),
            budget: Budget::new(terms.memory),
            waiting: HashMap::new(),
            open: Vec::new(),
            turn: 0,
            terms,
        })))
    }
}

impl Reading {
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<SourceBatch>>> {
        loop {
            self.poll_plan(cx)?;
            self.open_row_groups();
            match self.poll_open(cx)? {
                Turn::Batch(batch) => return Poll::Ready(Some(Ok(batch))),
                Turn::Finished => {}
                Turn::Nothing if self.schedule.is_empty() => {
                    return match self.plan_end.take() {
                        Some(end) => Poll::Ready(end.err().map(Err)),
                        None => Poll::Pending,
                    };
                }
                Turn::Nothing => return Poll::Pending,
            }
        }
    }

    /// Takes in what was planned, as long as there is room for it.
    fn poll_plan(&mut self, cx: &mut Context<'_>) -> Result<()> {
        while self.plan_end.is_none() && self.schedule.has_room() {
            let Poll::Ready(planned) = self.plan.poll_recv(cx) else {
                return Ok(());
            };
            match planned {
                Some(Ok(Some(Planned::RowGroup(row_group)))) => {
                    let place = self.schedule.add(row_group.file, row_group.keys.clone());
                    self.waiting.insert(place, row_group);
                }
                Some(Ok(Some(Planned::Unread(unread)))) => self.terms.tell(&unread)?,
                Some(Ok(None)) => self.plan_end = Some(Ok(())),
                Some(Err(error)) => self.plan_end = Some(Err(error)),
                None => self.plan_end = Some(Err(Error::ReaderStopped)),
            }
        }
        Ok(())
    }

    /// Starts to read what may be read, as far as memory and readers go.
    fn open_row_groups(&mut self) {
        while self.open.len() < self.terms.readers
            && let Some(place) = self.schedule.next_to_open()
            && let Some(row_group) = self.waiting.remove(&place)
        {
            let portion = &row_group.portion;
            let Some(reservation) = self.budget.try_reserve(portion.memory(portion.batch_bytes))
            else {
                // What comes after it has to wait too, or it might never get enough.
                self.waiting.insert(place, row_group);
                return;
            };
            self.schedule.open(place);
            let row_group = Arc::new(row_group);
            self.open.push(Open {
                place,
                feed: Feed::start(Arc::clone(&self.row_groups), Arc::clone(&row_group)),
                row_group,
                rest: None,
                reservation,
            });
        }
    }

    /// Asks the open row groups for a batch, one after the other.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Result<Turn> {
        let free = |open: &Open| self.schedule.may_hand_out(open.place);
        let mixed = self.open.iter().filter(|open| free(open)).count() > 1;
        for step in 0..self.open.len() {
            let at = (self.turn + step) % self.open.len();
            if !self.schedule.may_hand_out(self.open[at].place) {
                continue;
            }
            let Poll::Ready(fed) = self.open[at].poll_next(mixed, cx) else {
                continue;
            };
            return match fed {
                Fed::Batch(batch) => {
                    self.turn = at + 1;
                    Ok(Turn::Batch(batch))
                }
                Fed::End => {
                    let open = self.open.remove(at);
                    self.schedule.finish(open.place);
                    self.tell_finished(&open.row_group);
                    Ok(Turn::Finished)
                }
                Fed::Broken(broken) => {
                    let open = self.open.remove(at);
                    self.pass_over(&open, broken)?;
                    self.schedule.finish(open.place);
                    Ok(Turn::Finished)
                }
            };
        }
        Ok(Turn::Nothing)
    }

    fn tell_finished(&self, row_group: &RowGroup) {
        let number = u32::try_from(row_group.number).unwrap_or(u32::MAX);
        for observer in &self.terms.row_groups {
            observer.finished(&self.names[row_group.file], number);
        }
    }

    fn pass_over(&self, open: &Open, broken: Broken) -> Result<()> {
        let Broken { error, unread_rows } = broken;
        if self.terms.unreadable == Unreadable::Stop || !error.is_of_a_file() {
            return Err(*error);
        }
        if !self.terms.keeps_unread() {
            return Err(*error);
        }
        let row_group = u32::try_from(open.row_group.number).ok();
        let name = &self.names[open.row_group.file];
        self.terms.tell(&error.unread(name, row_group, unread_rows))
    }
}

/// What asking the open row groups has given.
enum Turn {
    Batch(SourceBatch),
    /// One of them has ended, so that others may be read or handed out.
    Finished,
    Nothing,
}

impl Terms {
    fn keeps_unread(&self) -> bool {
        self.unread.iter().any(UnreadObserver::keeps_unread)
    }

    fn tell(&self, unread: &Unread) -> Result<()> {
        if !self.keeps_unread() {
            return Err(Error::Unread {
                unread: unread.clone(),
            });
        }
        for observer in &self.unread {
            observer.observe(unread)?;
        }
        Ok(())
    }
}

impl Open {
    fn poll_next(&mut self, mixed: bool, cx: &mut Context<'_>) -> Poll<Fed> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match std::task::ready!(self.feed.poll_next(cx)) {
                Fed::Batch(batch) => {
                    let bytes =
                        u64::try_from(batch.batch().get_array_memory_size()).unwrap_or(u64::MAX);
                    self.reservation
                        .grow_to(self.row_group.portion.memory(bytes));
                    batch
                }
                end => return Poll::Ready(end),
            },
        };
        if mixed && batch.batch().num_rows() > MIXED_ROWS {
            let (first, rest) = batch.split_at(MIXED_ROWS);
            self.rest = Some(rest);
            return Poll::Ready(Fed::Batch(first));
        }
        Poll::Ready(Fed::Batch(batch))
    }
}

impl Stream for BatchStream {
    type Item = Result<SourceBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(reading) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let next = std::task::ready!(reading.poll_batch(cx));
        if !matches!(next, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(next)
    }
}

#[cfg(test)]
mod tests;

//! The row groups of all files in the order of the input, with what must be known of each before it is read.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use dynasink_core::Unread;

use super::footer::{Footer, PageIndex, caught};
use super::ipc::IpcSource;
use super::key_range::{KeyBounds, KeyRanges};
use super::portion::Portion;
use super::reader::Demand;
use super::row_selection::RowSelection;
use super::{Opened, SourceFile, Unreadable};
use crate::error::{Error, Result};

/// The part of the memory that footers may take: one of so many.
const FOOTERS_SHARE: u64 = 16;

/// What one stream asks of the files.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The columns that tell keys apart.
    pub(super) keys: Vec<String>,
    /// The rows, if not all.
    pub(super) rows: Option<Arc<RowSelection>>,
}

impl Asked {
    /// The rows of a row group of `rows` that are asked for; none if it is all of them.
    pub(super) fn rows_of(
        &self,
        file: &str,
        row_group: usize,
        rows: u64,
    ) -> Option<Vec<Range<u64>>> {
        self.rows.as_ref()?.of_row_group(file, row_group, rows)
    }

    fn has_some_of(&self, file: &SourceFile) -> bool {
        let rows = self.rows.as_ref();
        rows.is_none_or(|rows| rows.has_some_of(file))
    }

    /// Whether a file that could not be opened is asked for.
    pub(super) fn has_unopened(&self, file: &str) -> bool {
        let rows = self.rows.as_ref();
        rows.is_none_or(|rows| rows.has_unopened(file))
    }
}

/// What is read next, or what cannot be.
#[derive(Debug)]
pub(super) enum Planned {
    RowGroup(RowGroup),
    /// A file, as a whole.
    Unread(Unread),
}

/// A row group that can be read.
#[derive(Debug)]
pub(super) struct RowGroup {
    /// The number of the file in its source.
    pub(super) file: usize,
    /// Its number in the file, from zero.
    pub(super) number: usize,
    pub(super) keys: KeyRanges,
    pub(super) portion: Portion,
}

/// Finds the row groups of all files and hands each to `emit`, until it has enough.
pub(super) fn plan(
    source: &Opened,
    footers: &Footers,
    asked: &Asked,
    emit: &mut dyn FnMut(Planned) -> Demand,
) -> Result<Demand> {
    for (file, about) in source.files.iter().enumerate() {
        if !asked.has_some_of(about) {
            continue;
        }
        let planned = caught(about.name(), || {
            plan_file(source, footers, asked, file, emit)
        });
        let end = match planned.and_then(|planned| planned) {
            Err(error)
                if source.options.unreadable() == Unreadable::Skip && error.is_of_a_file() =>
            {
                emit(Planned::Unread(error.unread(
                    about.located.name(),
                    None,
                    Some(about.rows),
                )))
            }
            end => end?,
        };
        if end == Demand::Enough {
            return Ok(Demand::Enough);
        }
    }
    Ok(Demand::More)
}

fn plan_file(
    source: &Opened,
    footers: &Footers,
    asked: &Asked,
    file: usize,
    emit: &mut dyn FnMut(Planned) -> Demand,
) -> Result<Demand> {
    let footer = footers.get(source, file)?;
    let about = footer.about();
    let constants = source.constants(file);
    let Some(metadata) = footer.parquet() else {
        let largest = footer.ipc().map_or(0, IpcSource::largest_message);
        return Ok(emit(Planned::RowGroup(RowGroup {
            file,
            number: 0,
            keys: KeyBounds::of(None, 0, &asked.keys, &constants).ranges(),
            portion: Portion::of_messages(largest, &source.options),
        })));
    };
    // What a row group needs is worked out for all before any is handed on, so that a file is planned as a whole.
    let mask = footer.mask(&source.read);
    let fetched = about.location().local_path().is_none();
    let filter = source.filter(&footer)?;
    let wanted = filter
        .map(|filter| filter.may_match_row_groups(metadata.reader(), constants.row().as_ref()));
    let is_wanted = |row_group: &usize| {
        let wanted = wanted.as_ref().and_then(|wanted| wanted.get(*row_group));
        let rows = asked.rows_of(about.name(), *row_group, footer.rows_of(*row_group));
        wanted.is_none_or(|wanted| *wanted) && rows.is_none_or(|rows| !rows.is_empty())
    };
    let row_groups: Vec<_> = (0..about.row_groups())
        .filter(is_wanted)
        .map(|row_group| RowGroup {
            file,
            number: row_group,
            keys: KeyBounds::of(Some(metadata.reader()), row_group, &asked.keys, &constants)
                .ranges(),
            portion: Portion::of(
                metadata.parquet().row_group(row_group),
                &mask,
                fetched,
                &source.options,
            ),
        })
        .collect();
    for row_group in row_groups {
        if emit(Planned::RowGroup(row_group)) == Demand::Enough {
            return Ok(Demand::Enough);
        }
    }
    Ok(Demand::More)
}

/// The footers that were read last, as many as fit. Those of many files would fill the memory.
#[derive(Debug)]
pub(super) struct Footers {
    bound: u64,
    page_index: PageIndex,
    kept: Mutex<VecDeque<(usize, Arc<Footer>)>>,
}

impl Footers {
    /// Keeps footers in a part of `memory`.
    pub(super) fn within(memory: u64, page_index: PageIndex) -> Self {
        Self {
            bound: memory / FOOTERS_SHARE,
            page_index,
            kept: Mutex::default(),
        }
    }

    /// The bytes that they take at most, if none alone is larger.
    pub(super) fn bound(&self) -> u64 {
        self.bound
    }

    /// The footer of a file, which is read again unless it is kept.
    pub(super) fn get(&self, source: &Opened, file: usize) -> Result<Arc<Footer>> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, footer)) = kept().iter().find(|(kept, _)| *kept == file) {
            return Ok(Arc::clone(footer));
        }
        let footer = Arc::new(read_again(source, &source.files[file], self.page_index)?);
        let mut kept = kept();
        kept.push_back((file, Arc::clone(&footer)));
        let mut bytes: u64 = kept.iter().map(|(_, footer)| footer.memory()).sum();
        while bytes > self.bound
            && let Some((_, oldest)) = kept.pop_front()
        {
            bytes -= oldest.memory();
        }
        Ok(footer)
    }
}

/// Reads a footer as it was when the source was opened.
fn read_again(source: &Opened, file: &SourceFile, page_index: PageIndex) -> Result<Footer> {
    let footer = Footer::load(&file.located, &source.options, page_index)?;
    let own = footer.selected_schema(&source.options);
    if footer.about().footer != file.footer || !super::drift::fits(&own, &source.read) {
        return Err(Error::FileChanged {
            file: file.name().to_owned(),
        });
    }
    Ok(footer)
}

//! The rows that are simulated, and the order in which a load would hand them on.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use dynasink::WriteOp;

/// Rows that a mixed row group hands out in a turn: docs, *Reading many files*.
const TURN: usize = 256;

/// Operations of a full request: a run that is kept of a thinned row group is no shorter if it need not be.
const REQUEST: usize = 25;
/// Runs of a thinned row group, at least: what it is sorted by shows in all its values and not in the first.
const RUNS: usize = 16;

/// Rows of a load.
#[derive(Clone, Debug)]
pub struct Sample {
    /// In the order of the input.
    ops: Vec<WriteOp>,
    /// The row groups that they come from.
    groups: Vec<Range<usize>>,
    /// How many of these are read beside each other at most.
    readable_at_once: usize,
    /// Rows of the whole load that can be written.
    total_rows: u64,
    /// Rows that cannot be written, of those that were looked at.
    dead: u64,
}

impl Sample {
    /// `ops` of a load of `total_rows` rows, by row groups of these lengths, of which `readable_at_once` may be mixed.
    pub(super) fn new(
        ops: Vec<WriteOp>,
        groups: impl IntoIterator<Item = usize>,
        readable_at_once: usize,
        total_rows: u64,
    ) -> Self {
        let mut start = 0;
        let groups = groups.into_iter().map(|len| {
            let group = start..start + len;
            start = group.end;
            group
        });
        let groups: Vec<_> = groups.collect();
        Self {
            readable_at_once: readable_at_once.clamp(1, groups.len().max(1)),
            total_rows: total_rows.max(ops.len() as u64),
            ops,
            groups,
            dead: 0,
        }
    }

    /// The same of a source in which so many of the rows that were looked at cannot be written.
    pub(super) fn with_dead(mut self, dead: u64) -> Self {
        let seen = self.ops.len() as u64 + dead;
        let share = self.ops.len() as f64 / seen.max(1) as f64;
        self.total_rows = scaled(self.total_rows, share).max(self.ops.len() as u64);
        self.dead = dead;
        self
    }

    /// About `rows` of them, as many of each row group in proportion: runs that are spread over it.
    pub(super) fn thinned(mut self, rows: usize) -> Self {
        let len = self.ops.len();
        if len <= rows {
            return self;
        }
        let mut ops = Vec::with_capacity(rows);
        let mut groups = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let start = ops.len();
            let kept = (group.len() * rows).div_ceil(len).max(1).min(group.len());
            for run in runs(group, kept) {
                ops.extend_from_slice(&self.ops[run]);
            }
            groups.push(start..ops.len());
        }
        (self.ops, self.groups) = (ops, groups);
        self
    }

    /// The operations in the order of the input.
    pub fn ops(&self) -> &[WriteOp] {
        &self.ops
    }

    /// How many row groups they come from.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// How many row groups a load mixes at most.
    pub fn readable_at_once(&self) -> usize {
        self.readable_at_once
    }

    /// Rows of the whole load.
    pub fn total_rows(&self) -> u64 {
        self.total_rows
    }

    /// Rows that cannot be written, of those that were looked at.
    pub fn dead(&self) -> u64 {
        self.dead
    }

    /// For how many rows each of them stands.
    pub fn scale(&self) -> f64 {
        self.total_rows as f64 / self.ops.len().max(1) as f64
    }

    /// Predicted units of a row, on average.
    pub fn units_per_row(&self) -> f64 {
        let units: u64 = self.ops.iter().map(|op| op.units().get()).sum();
        units as f64 / self.ops.len().max(1) as f64
    }

    /// Bytes of an item, on average.
    pub fn bytes_per_row(&self) -> f64 {
        let bytes: u64 = self.ops.iter().map(|op| op.item().size()).sum();
        bytes as f64 / self.ops.len().max(1) as f64
    }

    /// The share of the partition key to which most is written. It has no name here: keys are users' data.
    pub fn hottest_key_share(&self) -> f64 {
        let mut units: HashMap<&[u8], u64> = HashMap::new();
        for op in &self.ops {
            *units.entry(op.key().partition()).or_default() += op.units().get();
        }
        let all: u64 = units.values().sum();
        let hottest = units.values().max().copied().unwrap_or(0);
        hottest as f64 / all.max(1) as f64
    }

    /// The operations as a load hands them on that reads so many row groups at once: in turns of 256, those beside each
    /// other that are far apart.
    pub fn in_order(&self, readers: usize) -> Vec<WriteOp> {
        let at_once = readers.min(self.readable_at_once);
        if at_once <= 1 {
            return self.ops.clone();
        }
        let mut closed: Vec<usize> = (0..self.groups.len()).collect();
        let mut open: Vec<(usize, Range<usize>)> = Vec::new();
        let mut ops = Vec::with_capacity(self.ops.len());
        while !(open.is_empty() && closed.is_empty()) {
            while open.len() < at_once
                && let Some(place) = next_to_open(&closed, &open)
            {
                let group = closed.remove(place);
                open.push((group, self.groups[group].clone()));
            }
            for (_, rest) in &mut open {
                let turn = rest.start..rest.end.min(rest.start + TURN);
                rest.start = turn.end;
                ops.extend_from_slice(&self.ops[turn]);
            }
            open.retain(|(_, rest)| !rest.is_empty());
        }
        ops
    }
}

/// Runs of `kept` rows in all, with even gaps before, between and after them: of a turn each, or more and shorter ones where
/// turns would be few.
fn runs(group: &Range<usize>, kept: usize) -> impl Iterator<Item = Range<usize>> {
    let runs = kept.div_ceil(TURN).max(kept.div_ceil(REQUEST).min(RUNS));
    let left_out = group.len() - kept;
    let first = group.start;
    (0..runs).map(move |run| {
        let start = first + left_out * (2 * run + 1) / (2 * runs);
        start + kept * run / runs..start + kept * (run + 1) / runs
    })
}

/// The place among `closed` of the row group that is farthest from the open ones: the first if none is open.
fn next_to_open(closed: &[usize], open: &[(usize, Range<usize>)]) -> Option<usize> {
    let distance = |group: usize| open.iter().map(|(other, _)| other.abs_diff(group)).min();
    let places = 0..closed.len();
    places.min_by_key(|place| (Reverse(distance(closed[*place])), *place))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count"
)]
fn scaled(count: u64, share: f64) -> u64 {
    (count as f64 * share).round() as u64
}

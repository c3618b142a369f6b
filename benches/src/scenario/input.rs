//! What is written: keys, sizes and their order.

use dynasink::{TableSchema, WriteOp, WriteUnits};
use fastrand::Rng;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde::Deserialize;

use super::op_maker::{OpMaker, digits, scattered};

/// The operations: puts of items.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Input {
    /// How many.
    pub ops: u64,
    /// How large each item is.
    pub size: Size,
    /// Which partition keys they have. Each operation has a sort key of its own.
    #[serde(default)]
    pub keys: Keys,
    /// In which order they come.
    #[serde(default)]
    pub order: Order,
    /// How many of them are different: then they come again, the same items of the same keys. It spares the time and
    /// the memory to make each anew, and costs the same units as long as nothing is indexed. All, unless said.
    #[serde(default)]
    pub distinct: Option<u64>,
}

/// How large items are, in bytes by the service's rule.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Size {
    /// All alike.
    Fixed(usize),
    /// Lognormal, and what lies outside of the bounds is brought to them.
    Lognormal {
        /// Half of the items are larger.
        median: usize,
        /// One of a hundred is larger.
        p99: usize,
        /// The least.
        min: usize,
        /// The most.
        max: usize,
    },
}

/// Which partition keys there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Keys {
    /// Another for each operation.
    #[default]
    Unique,
    /// So many, all alike.
    Uniform(u64),
    /// The nth of `of` comes as often as n to the power of minus `exponent`.
    Zipf {
        /// How uneven they are.
        exponent: f64,
        /// How many there are.
        of: usize,
    },
}

/// In which order operations come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Order {
    /// By chance.
    #[default]
    Random,
    /// Sorted by partition key, cut into so many files, and one of each file in turn.
    SortedFiles(usize),
}

/// How many standard deviations above the median the largest of a hundred is.
const Z_99: f64 = 2.326;

impl Size {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between two sizes"
    )]
    fn draw(self, rng: &mut Rng) -> usize {
        match self {
            Self::Fixed(bytes) => bytes,
            Self::Lognormal {
                median,
                p99,
                min,
                max,
            } => {
                let sigma = (p99 as f64 / median as f64).ln() / Z_99;
                // Box and Muller's way from even to normal chance.
                let (radius, angle) = (1.0 - rng.f64(), rng.f64() * std::f64::consts::TAU);
                let normal = (-2.0 * radius.ln()).sqrt() * angle.cos();
                let bytes = median as f64 * (sigma * normal).exp();
                bytes.clamp(min as f64, max as f64).round() as usize
            }
        }
    }

    /// What the largest item can cost its table.
    pub(crate) fn most_units(self) -> u64 {
        let (Self::Fixed(bytes) | Self::Lognormal { max: bytes, .. }) = self;
        WriteUnits::for_item_size(bytes as u64).get()
    }
}

impl Keys {
    /// The numbers of partition keys, one for each operation.
    fn draw(self, ops: u64, rng: &mut Rng) -> Vec<u64> {
        match self {
            Self::Unique => (0..ops).collect(),
            Self::Uniform(of) => (0..ops).map(|_| rng.u64(..of.max(1))).collect(),
            Self::Zipf { exponent, of } => {
                let mut sum = 0.0;
                let weights = (1..=of).map(|rank| {
                    sum += (rank as f64).powf(-exponent);
                    sum
                });
                let weights: Vec<f64> = weights.collect();
                let drawn = (0..ops).map(|_| {
                    let place = rng.f64() * sum;
                    weights.partition_point(|weight| *weight <= place) as u64
                });
                drawn.collect()
            }
        }
    }
}

/// As many rows of one row group follow one another where several are read at once: see `Interleave` of the sources.
const ROWS_IN_A_TURN: usize = 256;

impl Order {
    fn arrange(self, mut keys: Vec<String>) -> Vec<String> {
        let Self::SortedFiles(files) = self else {
            return keys;
        };
        keys.sort_unstable();
        let rows = keys.len().div_ceil(files.max(1)).max(1);
        let mut files: Vec<_> = keys.chunks(rows).map(|file| file.iter()).collect();
        let mut interleaved = Vec::with_capacity(keys.len());
        while !files.is_empty() {
            files.retain_mut(|file| {
                let before = interleaved.len();
                interleaved.extend(file.by_ref().take(ROWS_IN_A_TURN).cloned());
                interleaved.len() > before
            });
        }
        interleaved
    }
}

impl Input {
    /// The operations on `table`, made as they are asked for.
    pub fn ops(&self, table: &TableSchema, seed: u64) -> BoxStream<'static, WriteOp> {
        let mut rng = Rng::with_seed(seed);
        let distinct = self.distinct.unwrap_or(self.ops).min(self.ops);
        let numbers = self.keys.draw(distinct, &mut rng);
        // A name does not tell how often it comes.
        let names = numbers.into_iter().map(|number| {
            let number = digits(number);
            digits(scattered(&number))
        });
        let names = self.order.arrange(names.collect());
        let (size, mut maker) = (self.size, OpMaker::new(table));
        let made = (0..).zip(names).map(move |(sort, name)| {
            let bytes = size.draw(&mut rng);
            maker.op(&name, sort, bytes)
        });
        if distinct == self.ops {
            return stream::iter(made).boxed();
        }
        let made: Vec<_> = made.collect();
        let ops = usize::try_from(self.ops).unwrap_or(usize::MAX);
        let made = (0..ops).map(move |nth| made[nth % made.len()].clone());
        stream::iter(made).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use futures::FutureExt;

    use super::*;
    use crate::scenario::Scenario;

    fn ops(input: &str) -> Vec<WriteOp> {
        let text =
            format!("about = 'x'\n[table]\ncapacity = {{ provisioned = 5 }}\n[input]\n{input}");
        let scenario: Scenario = text.parse().unwrap();
        let schema = scenario.table.schema().unwrap();
        let ops = scenario.input.ops(&schema, 1).collect();
        ops.now_or_never().unwrap()
    }

    fn by_partition(ops: &[WriteOp]) -> HashMap<&[u8], usize> {
        let mut counts = HashMap::new();
        for op in ops {
            *counts.entry(op.key().partition()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn one_seed_gives_one_input() {
        let input = "ops = 500\nsize = { median = 2000, p99 = 50000, min = 100, max = 409600 }\nkeys = { uniform = 9 }";
        let json = |ops: Vec<WriteOp>| -> Vec<_> {
            ops.iter().map(|op| op.item().json().clone()).collect()
        };
        let first = ops(input);
        assert_eq!(by_partition(&first).len(), 9);
        let sizes: Vec<_> = first.iter().map(|op| op.item().size()).collect();
        assert!(sizes.iter().all(|size| (100..=409_600).contains(size)));
        assert!(sizes.iter().max() > Some(&30_000) && sizes.iter().min() < Some(&500));
        assert_eq!(json(first), json(ops(input)));
    }

    #[test]
    fn the_first_of_zipfs_keys_comes_as_often_as_it_says() {
        let ops = ops("ops = 20000\nsize = 100\nkeys = { zipf = { exponent = 1.0, of = 100 } }");
        let most = by_partition(&ops).into_values().max().unwrap();
        // One part in the hundredth harmonic number, 5.187.
        assert!((3_700..4_000).contains(&most), "{most}");
    }

    #[test]
    fn sorted_files_are_read_in_turn() {
        let ops = ops("ops = 1536\nsize = 100\norder = { sorted-files = 3 }");
        let keys: Vec<_> = ops.iter().map(|op| op.key().partition()).collect();
        let turns: Vec<_> = keys.chunks(ROWS_IN_A_TURN).collect();
        for file in 0..3 {
            let rows: Vec<_> = turns[file].iter().chain(turns[file + 3]).collect();
            assert!(rows.is_sorted(), "file {file}");
        }
        assert!(turns[1][0] > turns[3][0], "files are ranges");
    }

    #[test]
    fn those_that_are_not_distinct_come_again() {
        let ops = ops("ops = 10\nsize = 100\ndistinct = 4");
        assert_eq!(ops.len(), 10);
        assert_eq!(by_partition(&ops).len(), 4);
        assert_eq!(ops[1].key(), ops[9].key());
    }
}

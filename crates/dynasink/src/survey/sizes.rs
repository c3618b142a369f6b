//! How large items are.

use serde::Serialize;

/// How many items there are of each size. It is exact: an item has at most 400 KB, so that there are few sizes.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    /// Items of each size in bytes.
    items: Vec<u64>,
    count: u64,
    bytes: u64,
}

/// The sizes of items by DynamoDB's own rule, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ItemSizes {
    /// Items.
    pub items: u64,
    /// All of them together.
    pub total: u64,
    /// The smallest.
    pub min: u64,
    /// The average.
    pub mean: f64,
    /// Half of the items are at most that large.
    pub p50: u64,
    /// 99 of 100 items are at most that large.
    pub p99: u64,
    /// The largest.
    pub max: u64,
    /// How many there are up to each power of two, and above the one before.
    pub histogram: Vec<SizeBucket>,
}

/// Items of about one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SizeBucket {
    /// At most that many bytes, a power of two, and more than half of it.
    pub up_to: u64,
    /// Items.
    pub items: u64,
}

impl Sizes {
    pub(super) fn note(&mut self, bytes: u64) {
        let Ok(size) = usize::try_from(bytes) else {
            return;
        };
        if self.items.len() <= size {
            self.items.resize(size + 1, 0);
        }
        self.items[size] += 1;
        self.count += 1;
        self.bytes += bytes;
    }

    pub(super) fn summary(&self) -> ItemSizes {
        if self.count == 0 {
            return ItemSizes::default();
        }
        let mut histogram: Vec<SizeBucket> = Vec::new();
        for (size, items) in self.present() {
            let up_to = size.next_power_of_two();
            match histogram.last_mut() {
                Some(bucket) if bucket.up_to == up_to => bucket.items += items,
                _ => histogram.push(SizeBucket { up_to, items }),
            }
        }
        ItemSizes {
            items: self.count,
            total: self.bytes,
            min: self.present().next().map_or(0, |(size, _)| size),
            mean: self.bytes as f64 / self.count as f64,
            p50: self.smallest_with(self.count.div_ceil(2)),
            p99: self.smallest_with(self.count - self.count / 100),
            max: self.present().last().map_or(0, |(size, _)| size),
            histogram,
        }
    }

    /// The sizes that there are, ascending, with their items.
    fn present(&self) -> impl Iterator<Item = (u64, u64)> {
        let sizes = (0..).zip(self.items.iter().copied());
        sizes.filter(|(_, items)| *items > 0)
    }

    /// The smallest size that so many items do not exceed.
    fn smallest_with(&self, wanted: u64) -> u64 {
        let mut items = 0;
        let found = self.present().find(|(_, of_size)| {
            items += of_size;
            items >= wanted
        });
        found.map_or(0, |(size, _)| size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_sizes() {
        let mut rng = 7_u64;
        let mut all: Vec<u64> = (0..1000)
            .map(|_| {
                rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (rng >> 33) % 5000 + 1
            })
            .collect();
        let mut sizes = Sizes::default();
        for size in &all {
            sizes.note(*size);
        }
        all.sort_unstable();
        let summary = sizes.summary();
        assert_eq!((summary.min, summary.max), (all[0], all[999]));
        assert_eq!((summary.p50, summary.p99), (all[499], all[989]));
        assert_eq!((summary.items, summary.total), (1000, all.iter().sum()));
        let counted: u64 = summary.histogram.iter().map(|bucket| bucket.items).sum();
        assert_eq!(counted, 1000);
    }

    #[test]
    fn a_bucket_ends_at_a_power_of_two() {
        let mut sizes = Sizes::default();
        for size in [1, 2, 3, 4, 5, 1024, 1025] {
            sizes.note(size);
        }
        let histogram = sizes.summary().histogram;
        let buckets: Vec<_> = histogram
            .iter()
            .map(|bucket| (bucket.up_to, bucket.items))
            .collect();
        assert_eq!(
            buckets,
            [(1, 1), (2, 1), (4, 2), (8, 1), (1024, 1), (2048, 1)]
        );
    }

    #[test]
    fn no_items_have_no_sizes() {
        assert_eq!(Sizes::default().summary(), ItemSizes::default());
    }
}

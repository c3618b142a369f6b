//! The largest item collections that a load has met.

use dynasink_core::ItemCollectionSize;

/// So many are kept: enough to see which keys are the trouble, whatever the number of keys.
const MOST: usize = 10;

/// The largest item collections of those that the service has told of, at their last estimates.
#[derive(Clone, Debug, Default)]
pub(crate) struct LargestCollections(Vec<ItemCollectionSize>);

impl LargestCollections {
    /// Takes note of an estimate, which replaces an earlier one of the same collection.
    pub(crate) fn note(&mut self, size: &ItemCollectionSize) {
        self.0.retain(|other| {
            (&other.table, &other.partition_key) != (&size.table, &size.partition_key)
        });
        let is_larger = |other: &ItemCollectionSize| {
            let estimate = |size: &ItemCollectionSize| [size.upper_gb, size.lower_gb];
            estimate(other).partial_cmp(&estimate(size)) != Some(std::cmp::Ordering::Less)
        };
        let place = self.0.partition_point(is_larger);
        self.0.insert(place, size.clone());
        self.0.truncate(MOST);
    }

    /// The largest, first.
    pub(crate) fn to_vec(&self) -> Vec<ItemCollectionSize> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::TableName;

    use super::*;

    fn size(key: &str, upper_gb: f64) -> ItemCollectionSize {
        ItemCollectionSize {
            table: TableName::new("orders").unwrap(),
            partition_key: key.to_owned(),
            lower_gb: upper_gb - 1.0,
            upper_gb,
        }
    }

    fn keys(largest: &LargestCollections) -> Vec<String> {
        let sizes = largest.to_vec().into_iter();
        sizes.map(|size| size.partition_key).collect()
    }

    #[test]
    fn the_largest_are_kept_and_no_more() {
        let mut largest = LargestCollections::default();
        for nth in 0..1_000_u32 {
            largest.note(&size(&nth.to_string(), f64::from(nth * 7 % 1_000)));
        }
        let sizes: Vec<f64> = largest.to_vec().iter().map(|size| size.upper_gb).collect();
        let expected: Vec<f64> = (990..1_000).rev().map(f64::from).collect();
        assert_eq!(sizes, expected);
    }

    #[test]
    fn the_last_estimate_of_a_collection_counts() {
        let mut largest = LargestCollections::default();
        for (key, upper_gb) in [("a", 3.0), ("b", 2.0), ("a", 1.0), ("c", 1.5)] {
            largest.note(&size(key, upper_gb));
        }
        assert_eq!(keys(&largest), ["b", "c", "a"]);
        let mut elsewhere = size("a", 9.0);
        elsewhere.table = TableName::new("events").unwrap();
        largest.note(&elsewhere);
        assert_eq!(keys(&largest), ["a", "b", "c", "a"]);
    }
}

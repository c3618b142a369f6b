//! The partitions of a table or a global index: each holds a range of hashes and takes so much per second.

use std::time::Duration;

use dynasink_core::WriteUnits;

use super::bucket::TokenBucket;
use super::cost::Draw;
use super::settings::CapacityModel;

/// A partition saves up one second of its rate: burst capacity does not lift its limit.
///
/// Source: AWS re:Post Knowledge Center on hot partitions. \[assumption\] The second itself.
const DEPTH: Duration = Duration::from_secs(1);

/// \[assumption\] A partition cools down if it refuses nothing for this long.
const COOLS_AFTER: Duration = Duration::from_mins(1);

/// \[assumption\] A partition is near its limit if it takes at least one part in so many of it on average.
const NEAR_LIMIT_PART: u128 = 2;

/// \[assumption\] Most partitions, so that no setting takes all memory. It is ten million write units per second.
const MAX_PARTITIONS: usize = 10_000;

/// The partitions of one table or global index, in the order of their ranges, without gaps.
///
/// Every partition may use as much of the table's capacity as it needs, up to its own limit: that is what adaptive
/// capacity comes to.
///
/// Sources: Developer Guide, *`DynamoDB` burst and adaptive capacity*; AWS Database Blog, *Scaling `DynamoDB`: How
/// partitions, hot keys, and split for heat impact performance*: partitions split and never merge.
#[derive(Clone, Debug)]
pub(super) struct Partitions {
    ranges: Vec<Partition>,
    next_id: usize,
    model: CapacityModel,
    overdraft: Duration,
}

#[derive(Clone, Debug)]
struct Partition {
    id: usize,
    first: u64,
    last: u64,
    bucket: TokenBucket,
    heat: Option<Heat>,
}

/// A time in which a partition refused writes again and again.
#[derive(Clone, Copy, Debug)]
struct Heat {
    since: Duration,
    last_refusal: Duration,
    /// Units admitted since then.
    units: u64,
    /// The lowest and the highest place that was asked for since then.
    places: (u64, u64),
}

impl Partitions {
    /// So many partitions of equal ranges, at least one, each unused for `idle`. Each may lag behind by `overdraft`
    /// of its rate.
    pub(super) fn new(
        model: &CapacityModel,
        count: usize,
        idle: Duration,
        overdraft: Duration,
        now: Duration,
    ) -> Self {
        let count = count.clamp(1, MAX_PARTITIONS);
        let ranges = (0..count).map(|id| Partition {
            id,
            first: equal_part_start(id, count),
            last: equal_part_start(id + 1, count).wrapping_sub(1),
            bucket: TokenBucket::new(model.partition_rate, DEPTH, idle, now),
            heat: None,
        });
        Self {
            ranges: ranges.collect(),
            next_id: count,
            model: model.clone(),
            overdraft,
        }
    }

    /// How many partitions a capacity in units per second needs.
    pub(super) fn needed(model: &CapacityModel, capacity: WriteUnits) -> usize {
        let count = capacity.get().div_ceil(model.partition_rate.get());
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    pub(super) fn count(&self) -> usize {
        self.ranges.len()
    }

    /// Whether every partition that the draws lie in admits all of them that it holds. A refusal heats the
    /// partition, and lasting heat splits it.
    pub(super) fn admits(
        &mut self,
        now: Duration,
        draws: &(impl Iterator<Item = Draw> + Clone),
    ) -> bool {
        for draw in draws.clone() {
            let number = self.number_at(draw.place);
            let Some(partition) = self.ranges.get_mut(number) else {
                continue;
            };
            let inside = draws.clone().filter(|other| partition.holds(other.place));
            let units = inside.map(|draw| draw.units).sum();
            partition.bucket.refill(now);
            let (admit, overdraft) = (self.model.admit, self.overdraft);
            if !partition.bucket.admits(units, admit, overdraft) {
                partition.refused(now, draw.place);
                if partition.is_to_split(now, &self.model) {
                    self.split(number);
                }
                return false;
            }
        }
        true
    }

    /// Takes the units, and says from which partition: an id that stays with its range until the range is split,
    /// and with the lower half then.
    pub(super) fn charge(&mut self, draw: Draw) -> usize {
        let number = self.number_at(draw.place);
        let Some(partition) = self.ranges.get_mut(number) else {
            return 0;
        };
        partition.bucket.take(draw.units);
        if let Some(heat) = &mut partition.heat {
            heat.units = heat.units.saturating_add(draw.units);
            heat.asked(draw.place);
        }
        partition.id
    }

    /// Splits in halves, the widest first and all that are about as wide with them, until there are `count`: even
    /// traffic stays even.
    pub(super) fn grow(&mut self, count: usize) {
        while self.count() < count.min(MAX_PARTITIONS) {
            let widest = self.ranges.iter().map(Partition::width).max().unwrap_or(0);
            // Equal parts of a number that they do not divide are not of one width.
            let about_as_wide = widest - widest / 4;
            let mut number = 0;
            while let Some(partition) = self.ranges.get(number) {
                let wide = partition.width() >= about_as_wide;
                number += if wide && self.split(number) { 2 } else { 1 };
            }
        }
    }

    fn number_at(&self, place: u64) -> usize {
        self.ranges
            .partition_point(|partition| partition.last < place)
    }

    /// Splits a partition in the middle of its range, unless there are too many. Both halves go on with what it
    /// holds or owes.
    fn split(&mut self, number: usize) -> bool {
        if self.count() >= MAX_PARTITIONS {
            return false;
        }
        let Some(lower) = self.ranges.get_mut(number) else {
            return false;
        };
        if lower.first == lower.last {
            return false;
        }
        let middle = lower.first + (lower.last - lower.first) / 2;
        lower.heat = None;
        let upper = Partition {
            id: self.next_id,
            first: middle + 1,
            ..lower.clone()
        };
        lower.last = middle;
        self.next_id += 1;
        self.ranges.insert(number + 1, upper);
        true
    }
}

impl Partition {
    fn holds(&self, place: u64) -> bool {
        (self.first..=self.last).contains(&place)
    }

    /// One less than how many places it holds.
    fn width(&self) -> u64 {
        self.last - self.first
    }

    fn refused(&mut self, now: Duration, place: u64) {
        let still_hot = self
            .heat
            .filter(|heat| now.saturating_sub(heat.last_refusal) <= COOLS_AFTER);
        let mut heat = still_hot.unwrap_or(Heat {
            since: now,
            last_refusal: now,
            units: 0,
            places: (place, place),
        });
        heat.last_refusal = now;
        heat.asked(place);
        self.heat = Some(heat);
    }

    /// One key's traffic cannot be divided, so that it is no reason to split.
    fn is_to_split(&self, now: Duration, model: &CapacityModel) -> bool {
        let Some(heat) = self.heat else { return false };
        let hot_for = now.saturating_sub(heat.since);
        let limit = hot_for
            .as_millis()
            .saturating_mul(model.partition_rate.get().into());
        let near_limit = u128::from(heat.units) * 1000 >= limit / NEAR_LIMIT_PART;
        hot_for >= model.split_after && near_limit && heat.places.0 != heat.places.1
    }
}

impl Heat {
    fn asked(&mut self, place: u64) {
        self.places = (self.places.0.min(place), self.places.1.max(place));
    }
}

/// Where the `number`th of `count` equal parts of all places starts; 0 for the end of the last one.
fn equal_part_start(number: usize, count: usize) -> u64 {
    let all = 1_u128 << u64::BITS;
    let start = all * (number as u128) / (count as u128);
    u64::try_from(start).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(count: usize, model: &CapacityModel) -> Partitions {
        Partitions::new(model, count, DEPTH, Duration::ZERO, Duration::ZERO)
    }

    fn take(partitions: &mut Partitions, now: Duration, place: u64) -> Option<usize> {
        let draw = Draw { place, units: 1 };
        let admitted = partitions.admits(now, &std::iter::once(draw));
        admitted.then(|| partitions.charge(draw))
    }

    fn assert_no_gaps(partitions: &Partitions) {
        let ranges = &partitions.ranges;
        assert_eq!(ranges.first().unwrap().first, 0);
        assert_eq!(ranges.last().unwrap().last, u64::MAX);
        for neighbours in ranges.windows(2) {
            assert_eq!(neighbours[0].last.wrapping_add(1), neighbours[1].first);
        }
        let ids: std::collections::BTreeSet<_> = ranges.iter().map(|range| range.id).collect();
        assert_eq!(ids.len(), ranges.len(), "ids are unique");
    }

    #[test]
    fn ranges_are_equal_and_without_gaps_at_the_start_and_after_splits() {
        for count in [1, 2, 3, 7, 1000] {
            let mut partitions = partitions(count, &CapacityModel::default());
            assert_no_gaps(&partitions);
            let widths = partitions.ranges.iter().map(Partition::width);
            assert!(widths.clone().max().unwrap() - widths.min().unwrap() <= 1);
            partitions.grow(count + 1);
            assert_eq!(partitions.count(), 2 * count, "all are halved");
            assert_no_gaps(&partitions);
        }
    }

    #[test]
    fn the_widest_are_split_first_and_nothing_is_merged() {
        let mut partitions = partitions(2, &CapacityModel::default());
        assert!(partitions.split(0));
        partitions.grow(4);
        assert_eq!(partitions.count(), 4);
        let widths: Vec<_> = partitions.ranges.iter().map(Partition::width).collect();
        assert_eq!(widths, [u64::MAX / 4; 4]);
        partitions.grow(1);
        assert_eq!(partitions.count(), 4);
    }

    #[test]
    fn no_setting_makes_more_partitions_than_memory_holds() {
        let model = CapacityModel::default();
        let mut partitions = partitions(usize::MAX, &model);
        partitions.grow(Partitions::needed(&model, WriteUnits::new(u64::MAX)));
        assert_eq!(partitions.count(), MAX_PARTITIONS);
    }

    #[test]
    fn a_charge_names_the_partition_of_its_place() {
        let mut partitions = partitions(4, &CapacityModel::default());
        for (place, id) in [(0, 0), (u64::MAX / 2, 1), (u64::MAX / 2 + 1, 2)] {
            assert_eq!(take(&mut partitions, Duration::ZERO, place), Some(id));
        }
        assert!(partitions.split(3));
        let upper = take(&mut partitions, Duration::ZERO, u64::MAX);
        assert_eq!(upper, Some(4), "the upper half has an id of its own");
    }

    #[test]
    fn two_draws_in_one_partition_are_admitted_together_or_not_at_all() {
        let model = CapacityModel::default().admit(super::super::settings::Admit::Strict);
        let mut partitions = partitions(2, &model);
        let draws = |places: [u64; 2]| places.map(|place| Draw { place, units: 600 }).into_iter();
        assert!(!partitions.admits(Duration::ZERO, &draws([0, 1])));
        assert!(partitions.admits(Duration::ZERO, &draws([0, u64::MAX])));
    }

    /// Offers ten units every millisecond, in turn at each place, from one time in milliseconds to another.
    fn heat(partitions: &mut Partitions, places: &[u64], from: u64, to: u64) -> u64 {
        let mut taken = 0;
        let mut places = places.iter().cycle();
        for millis in from..to {
            for place in places.by_ref().take(10) {
                let now = Duration::from_millis(millis);
                taken += u64::from(take(partitions, now, *place).is_some());
            }
        }
        taken
    }

    #[test]
    fn lasting_heat_splits_a_range_but_not_a_key() {
        let model = CapacityModel::default().split_after(Duration::from_secs(5));
        let mut range = partitions(1, &model);
        assert_eq!(heat(&mut range, &[0, u64::MAX], 0, 5_000), 1000 + 4999);
        assert_eq!(range.count(), 1);
        heat(&mut range, &[0, u64::MAX], 5_000, 6_000);
        assert_eq!(range.count(), 2);
        let doubled = heat(&mut range, &[0, u64::MAX], 6_000, 7_000);
        assert_eq!(doubled, 2000);

        let mut key = partitions(1, &model);
        heat(&mut key, &[42], 0, 20_000);
        assert_eq!(key.count(), 1);
        assert_eq!(heat(&mut key, &[42], 20_000, 21_000), 1000);
    }

    #[test]
    fn heat_that_pauses_or_is_far_from_the_limit_splits_nothing() {
        let model = CapacityModel::default().split_after(Duration::from_secs(5));
        let mut pausing = partitions(1, &model);
        for start in [0, 70_000, 140_000] {
            heat(&mut pausing, &[0, u64::MAX], start, start + 4_000);
        }
        assert_eq!(pausing.count(), 1);

        let mut bursts = partitions(1, &model);
        for start in (0..300_000).step_by(20_000) {
            heat(&mut bursts, &[0, u64::MAX], start, start + 500);
        }
        assert_eq!(bursts.count(), 1);
    }
}

//! Which row groups are read beside each other, so that the rows of every key leave in the order of the input.
//!
//! The law: batches of a row group are handed out only while every earlier row group that may hold one of its keys is
//! finished. What each may hold is known by the ranges of its keys ([`KeyRanges`]). A row group that must wait may be
//! opened all the same, so that it has been fetched when its turn comes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::key_range::KeyRanges;

/// Row groups that are looked at to find those that may be read beside each other, the first unfinished one included.
pub(super) const LOOK_AHEAD: usize = 1_024;

/// What may be handed out beside what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    /// One row group after the other.
    InOrder,
    /// Row groups whose keys lie in ranges that are apart.
    KeysApart,
    /// Any.
    Unordered,
}

/// A row group in the order of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place(u64);

/// The row groups that are not finished, as far as they are looked at.
#[derive(Debug)]
pub(super) struct Schedule {
    law: Law,
    unfinished: BTreeMap<Place, Entry>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    file: usize,
    keys: KeyRanges,
    open: bool,
    /// Earlier row groups that are not finished and may hold one of its keys.
    waits_for: usize,
    /// Those of them that are not open.
    unopened: usize,
}

impl Schedule {
    pub(super) fn new(law: Law) -> Self {
        Self {
            law,
            unfinished: BTreeMap::new(),
            next: 0,
        }
    }

    /// Whether there is room for another row group.
    pub(super) fn has_room(&self) -> bool {
        self.unfinished.len() < LOOK_AHEAD
    }

    /// Whether every row group that was added is finished.
    pub(super) fn is_empty(&self) -> bool {
        self.unfinished.is_empty()
    }

    /// Adds the next row group of the input.
    pub(super) fn add(&mut self, file: usize, keys: KeyRanges) -> Place {
        let earlier = self
            .unfinished
            .values()
            .filter(|earlier| conflict(self.law, &earlier.keys, &keys));
        let (mut waits_for, mut unopened) = (0, 0);
        for entry in earlier {
            waits_for += 1;
            unopened += usize::from(!entry.open);
        }
        let place = Place(self.next);
        self.next += 1;
        let entry = Entry {
            file,
            keys,
            open: false,
            waits_for,
            unopened,
        };
        self.unfinished.insert(place, entry);
        place
    }

    /// The row group to open next, if any may be.
    ///
    /// The first one comes first, since what is behind it may wait for it. Then those come whose batches may be handed
    /// out at once: of the file with the fewest open ones, as far as can be from those that are open, since neighbours
    /// of a sorted file have neighbouring keys. Then those that must wait come in their order, each only if all that
    /// it waits for are open, so that one of those that are open can always go on.
    pub(super) fn next_to_open(&self) -> Option<Place> {
        let (first, entry) = self.unfinished.first_key_value()?;
        if !entry.open {
            return Some(*first);
        }
        let closed = || self.unfinished.iter().filter(|(_, entry)| !entry.open);
        let open: Vec<_> = self
            .unfinished
            .iter()
            .filter(|(_, entry)| entry.open)
            .collect();
        let free = closed().filter(|(_, entry)| entry.waits_for == 0);
        let farthest = free.min_by_key(|(place, entry)| {
            let beside = open
                .iter()
                .filter(|(_, open)| open.file == entry.file)
                .count();
            let distance = open.iter().map(|(open, _)| open.0.abs_diff(place.0)).min();
            (beside, Reverse(distance), **place)
        });
        farthest
            .or_else(|| closed().find(|(_, entry)| entry.unopened == 0))
            .map(|(place, _)| *place)
    }

    /// Takes note that a row group has been opened.
    pub(super) fn open(&mut self, place: Place) {
        let law = self.law;
        let Some(entry) = self.unfinished.get_mut(&place) else {
            return;
        };
        entry.open = true;
        let keys = entry.keys.clone();
        for (_, later) in self.unfinished.range_mut(Place(place.0 + 1)..) {
            if conflict(law, &keys, &later.keys) {
                later.unopened -= 1;
            }
        }
    }

    /// Whether batches of an open row group may be handed out.
    pub(super) fn may_hand_out(&self, place: Place) -> bool {
        self.unfinished
            .get(&place)
            .is_some_and(|entry| entry.waits_for == 0)
    }

    /// Takes note that the last batch of a row group has been handed out.
    pub(super) fn finish(&mut self, place: Place) {
        let Some(finished) = self.unfinished.remove(&place) else {
            return;
        };
        for (_, later) in self.unfinished.range_mut(place..) {
            if conflict(self.law, &finished.keys, &later.keys) {
                later.waits_for -= 1;
                later.unopened -= usize::from(!finished.open);
            }
        }
    }
}

/// Whether the later of two row groups has to wait for the earlier one.
fn conflict(law: Law, earlier: &KeyRanges, later: &KeyRanges) -> bool {
    match law {
        Law::InOrder => true,
        Law::KeysApart => !earlier.are_apart(later),
        Law::Unordered => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use fastrand::Rng;

    use super::*;

    fn range(min: i128, max: i128) -> KeyRanges {
        KeyRanges::of_integers([Some((min, max))])
    }

    /// Opens all that may be open beside each other.
    fn open_all(schedule: &mut Schedule, readers: usize) -> Vec<u64> {
        let mut opened = Vec::new();
        while opened.len() < readers
            && let Some(place) = schedule.next_to_open()
        {
            schedule.open(place);
            opened.push(place.0);
        }
        opened
    }

    fn handed_out(schedule: &Schedule) -> Vec<u64> {
        let places = schedule.unfinished.keys();
        let free = places.filter(|place| schedule.may_hand_out(**place));
        free.map(|place| place.0).collect()
    }

    #[test]
    fn sorted_files_are_read_beside_each_other() {
        let mut schedule = Schedule::new(Law::KeysApart);
        for file in 0..3 {
            for row_group in 0..10 {
                let start = file * 1_000 + row_group * 100;
                schedule.add(usize::try_from(file).unwrap(), range(start, start + 99));
            }
        }
        let opened = open_all(&mut schedule, 3);
        let files: Vec<_> = opened.iter().map(|place| place / 10).collect();
        assert_eq!(files, [0, 2, 1], "{opened:?}");
        assert_eq!(handed_out(&schedule).len(), 30);
    }

    #[test]
    fn row_groups_of_a_sorted_file_are_opened_far_apart() {
        let mut schedule = Schedule::new(Law::KeysApart);
        for row_group in 0..100 {
            schedule.add(0, range(row_group * 10, row_group * 10 + 9));
        }
        assert_eq!(open_all(&mut schedule, 3), [0, 99, 49]);
    }

    #[test]
    fn keys_that_overlap_are_read_ahead_and_wait_for_their_turn() {
        let mut schedule = Schedule::new(Law::KeysApart);
        let places: Vec<_> = (0..4).map(|file| schedule.add(file, range(0, 9))).collect();
        assert_eq!(open_all(&mut schedule, 3), [0, 1, 2]);
        for (place, next) in places.iter().zip(1..) {
            assert_eq!(handed_out(&schedule)[0], place.0);
            assert_eq!(handed_out(&schedule).len(), 1);
            schedule.finish(*place);
            assert_eq!(
                handed_out(&schedule).first().copied(),
                (next < 4).then_some(next)
            );
        }
        assert!(schedule.is_empty());
    }

    #[test]
    fn without_ranges_the_order_is_that_of_the_input_unless_none_is_asked_for() {
        let unknown = || KeyRanges::of_integers([None]);
        for (law, free) in [(Law::KeysApart, 1), (Law::InOrder, 1), (Law::Unordered, 5)] {
            let mut schedule = Schedule::new(law);
            for file in 0..5 {
                schedule.add(file, unknown());
            }
            assert_eq!(handed_out(&schedule).len(), free, "{law:?}");
        }
        let mut schedule = Schedule::new(Law::InOrder);
        schedule.add(0, range(0, 1));
        schedule.add(1, range(5, 6));
        assert_eq!(handed_out(&schedule), [0]);
    }

    #[test]
    fn no_key_ever_overtakes_whatever_finishes_first() {
        for seed in 0..400 {
            let mut rng = Rng::with_seed(seed);
            let count = rng.usize(1..60);
            let span = rng.i64(1..200);
            let keys: Vec<Option<(i128, i128)>> = (0..count)
                .map(|_| {
                    let min = rng.i64(0..span);
                    let max = min + rng.i64(0..20);
                    (rng.u8(..10) > 0).then_some((min.into(), max.into()))
                })
                .collect();
            let readers = rng.usize(1..8);
            let mut schedule = Schedule::new(Law::KeysApart);
            let mut places = HashMap::new();
            let mut open: Vec<Place> = Vec::new();
            let mut finished = vec![false; count];
            let mut next = 0;
            loop {
                // The window is filled in a random measure.
                while next < count && (schedule.is_empty() || rng.u8(..4) > 0) {
                    let ranges = KeyRanges::of_integers([keys[next]]);
                    places.insert(schedule.add(next / 5, ranges), next);
                    next += 1;
                }
                while open.len() < readers
                    && let Some(place) = schedule.next_to_open()
                {
                    schedule.open(place);
                    open.push(place);
                }
                let free: Vec<_> = (0..open.len())
                    .filter(|at| schedule.may_hand_out(open[*at]))
                    .collect();
                if open.is_empty() && next == count {
                    break;
                }
                let at = *rng
                    .choice(&free)
                    .expect("one of those that are open can always go on");
                let at_place = places[&open[at]];
                for earlier in (0..at_place).filter(|earlier| !finished[*earlier]) {
                    let apart = match (keys[earlier], keys[at_place]) {
                        (Some(a), Some(b)) => a.1 < b.0 || b.1 < a.0,
                        _ => false,
                    };
                    assert!(apart, "seed {seed}: {at_place} overtakes {earlier}");
                }
                // A batch of it was handed out, and it was the last one or not.
                if rng.bool() {
                    finished[at_place] = true;
                    schedule.finish(open.swap_remove(at));
                }
            }
            assert!(schedule.is_empty() && finished.iter().all(|done| *done));
        }
    }
}

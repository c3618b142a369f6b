//! The law of the points: equal lengths, and never too many.

use std::mem::take;
use std::time::Duration;

use super::point::TimelinePoint;

/// Points of equal length, and the one that time is in. It has no clock: time is told.
#[derive(Debug)]
pub(super) struct Series {
    length: Duration,
    most_points: usize,
    /// Never more than one less than the most, between calls.
    closed: Vec<TimelinePoint>,
    current: TimelinePoint,
}

impl Series {
    /// Points of `length` at first, up to `most_points`, which is an even number.
    pub(super) fn new(length: Duration, most_points: usize) -> Self {
        Self {
            length,
            most_points,
            closed: Vec::new(),
            current: TimelinePoint::default(),
        }
    }

    /// The point that time is in.
    pub(super) fn current(&mut self) -> &mut TimelinePoint {
        &mut self.current
    }

    /// Lets time pass until `elapsed` since the start, with so many requests under way.
    pub(super) fn advance_to(&mut self, elapsed: Duration, in_flight: usize) {
        while elapsed >= self.current.start + self.length {
            self.current
                .last(self.length.saturating_sub(self.current.length), in_flight);
            let next = self.current.successor();
            self.closed.push(std::mem::replace(&mut self.current, next));
            if self.closed.len() >= self.most_points {
                self.merge_neighbours();
            }
        }
        let lasted = elapsed.saturating_sub(self.current.start);
        self.current
            .last(lasted.saturating_sub(self.current.length), in_flight);
    }

    fn merge_neighbours(&mut self) {
        self.length *= 2;
        let mut halves = take(&mut self.closed).into_iter();
        while let Some(mut point) = halves.next() {
            if let Some(later) = halves.next() {
                point.absorb(&later);
            }
            self.closed.push(point);
        }
    }

    /// All points, the current one as the last; if it has lasted for less than half a point, it is part of the one before.
    pub(super) fn points(&self) -> Vec<TimelinePoint> {
        let mut points = self.closed.clone();
        match points.last_mut() {
            Some(before) if self.current.length < self.length / 2 => before.absorb(&self.current),
            _ => points.push(self.current.clone()),
        }
        points
    }

    /// All points as one.
    pub(super) fn whole(&self) -> TimelinePoint {
        let mut points = self.closed.iter().chain([&self.current]);
        let mut whole = points.next().cloned().unwrap_or_default();
        points.for_each(|point| whole.absorb(point));
        whole
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{
        CapacityFeedback, ConsumedCapacity, RequestFailure, TableName, WriteUnits,
    };
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// An answer after a pause, with so many requests left under way.
    #[derive(Clone, Debug)]
    struct Event {
        pause: Duration,
        in_flight: usize,
        feedback: CapacityFeedback,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let pause = prop_oneof![0_u64..900, 0_u64..30_000];
        let event = (
            pause,
            0_usize..40,
            0_usize..25,
            0_usize..25,
            1_u64..90_000,
            any::<bool>(),
        );
        let event = event.prop_map(
            |(pause, in_flight, written, refused, latency, failed)| Event {
                pause: Duration::from_millis(pause),
                in_flight,
                feedback: CapacityFeedback {
                    written_ops: written,
                    throttled_ops: refused,
                    hot_key_ops: refused / 3,
                    failure: failed.then_some(RequestFailure::Service),
                    latency: Duration::from_millis(latency),
                    consumed: vec![ConsumedCapacity {
                        table: TableName::new("users").unwrap(),
                        table_units: WriteUnits::new(written as u64),
                        index_units: vec![("i".to_owned(), WriteUnits::new(refused as u64))],
                    }],
                    ..CapacityFeedback::default()
                },
            },
        );
        proptest::collection::vec(event, 0..300)
    }

    /// The series after `events`, the time that has passed, and the same as one point that was never cut.
    fn after(events: &[Event], most_points: usize) -> (Series, Duration, TimelinePoint) {
        let mut series = Series::new(SECOND, most_points);
        let (mut elapsed, mut uncut, mut in_flight) = (Duration::ZERO, TimelinePoint::default(), 0);
        for event in events {
            elapsed += event.pause;
            series.advance_to(elapsed, in_flight);
            uncut.last(event.pause, in_flight);
            series.current().answer(&event.feedback);
            uncut.answer(&event.feedback);
            in_flight = event.in_flight;
        }
        (series, elapsed, uncut)
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_counted_twice_when_points_are_cut_and_merged(events in events()) {
            let (series, elapsed, uncut) = after(&events, 16);
            let whole = series.whole();
            prop_assert_eq!(&whole, &uncut);
            prop_assert_eq!(whole.length, elapsed);
            prop_assert_eq!(whole.latencies.quantiles(), uncut.latencies.quantiles());
            let mut points = series.points().into_iter();
            let mut sum = points.next().unwrap();
            points.for_each(|point| sum.absorb(&point));
            prop_assert_eq!(sum, whole);
        }

        #[test]
        fn points_are_few_and_equally_long_and_each_begins_where_the_last_ended(events in events()) {
            let (series, elapsed, _) = after(&events, 16);
            let points = series.points();
            prop_assert!(points.len() <= 16);
            let mut start = Duration::ZERO;
            for point in &points {
                prop_assert_eq!(point.start, start);
                start += point.length;
            }
            prop_assert_eq!(start, elapsed);
            let (last, others) = points.split_last().unwrap();
            prop_assert!(others.iter().all(|point| point.length == series.length));
            prop_assert!(others.is_empty() || last.length >= series.length / 2);
            prop_assert!(last.length < series.length * 3 / 2);
            // No longer than they have to be.
            prop_assert!(series.length == SECOND || elapsed >= series.length * 8);
        }
    }

    #[test]
    fn requests_that_are_under_way_for_long_are_seen_in_every_point() {
        let mut series = Series::new(SECOND, 16);
        series.advance_to(SECOND / 2, 0);
        series.advance_to(SECOND * 4, 3);
        let points = series.points();
        let most: Vec<u64> = points.iter().map(|point| point.in_flight.most).collect();
        assert_eq!(most, [3, 3, 3, 3]);
        let together: Vec<_> = points
            .iter()
            .map(|point| point.in_flight.together)
            .collect();
        assert_eq!(
            together,
            [SECOND * 3 / 2, SECOND * 3, SECOND * 3, SECOND * 3]
        );
    }

    #[test]
    fn a_limit_holds_until_another_is_told() {
        let mut series = Series::new(SECOND, 16);
        series.current().limit = Some(100);
        series.current().index("i").limit = Some(7);
        series.advance_to(SECOND * 5 / 2, 0);
        series.current().limit = Some(200);
        let points = series.points();
        let limits: Vec<_> = points.iter().map(|point| point.limit).collect();
        assert_eq!(limits, [Some(100), Some(100), Some(200)]);
        assert!(
            points
                .iter()
                .all(|point| point.indexes.get("i").and_then(|index| index.limit) == Some(7))
        );
    }
}

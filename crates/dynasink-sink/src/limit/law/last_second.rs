//! What came in about the last second.

use std::time::Duration;

/// The second is counted in so many parts.
const PARTS: usize = 10;

const PART: Duration = Duration::from_millis(100);

/// Units of the last second, to a tenth of one.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastSecond {
    parts: [f64; PARTS],
    /// The part that is being filled, counted from the start.
    part: u128,
    first: Option<Duration>,
}

impl LastSecond {
    pub(crate) fn add(&mut self, now: Duration, units: f64) {
        self.forget(now);
        self.first.get_or_insert(now);
        let part = self.part;
        if let Some(filling) = self.parts.get_mut(place(part)) {
            *filling += units;
        }
    }

    /// Units per second. Over less than a part of a second nothing can be said: what came counts as a part's.
    pub(crate) fn rate(&mut self, now: Duration) -> f64 {
        self.forget(now);
        let since_first = now.saturating_sub(self.first.unwrap_or(now));
        let filling = now.saturating_sub(PART * u32::try_from(self.part).unwrap_or(u32::MAX));
        let covered = (PART * 9 + filling).min(since_first).max(PART);
        self.parts.iter().sum::<f64>() / covered.as_secs_f64()
    }

    fn forget(&mut self, now: Duration) {
        let part = now.as_millis() / PART.as_millis();
        let passed = part.saturating_sub(self.part);
        if passed >= PARTS as u128 {
            self.parts = [0.0; PARTS];
        } else {
            for passed in 1..=passed {
                if let Some(oldest) = self.parts.get_mut(place(self.part + passed)) {
                    *oldest = 0.0;
                }
            }
        }
        self.part = self.part.max(part);
    }
}

fn place(part: u128) -> usize {
    usize::try_from(part % PARTS as u128).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_about_the_last_second_counts() {
        let mut last = LastSecond::default();
        for tick in 0..200 {
            last.add(Duration::from_millis(tick * 10), 5.0);
        }
        let rate = last.rate(Duration::from_millis(1_995));
        assert!((490.0..=510.0).contains(&rate), "{rate}");
        let later = last.rate(Duration::from_millis(2_450));
        assert!((200.0..=300.0).contains(&later), "{later}");
        assert!(last.rate(Duration::from_secs(60)).abs() < f64::EPSILON);
    }

    #[test]
    fn before_a_second_is_over_the_time_so_far_counts() {
        let mut last = LastSecond::default();
        assert!(last.rate(Duration::ZERO).abs() < f64::EPSILON);
        for tick in 0..=5 {
            last.add(Duration::from_millis(tick * 50), 10.0);
        }
        let rate = last.rate(Duration::from_millis(250));
        assert!((200.0..=250.0).contains(&rate), "{rate}");
    }
}

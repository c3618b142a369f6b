//! Where a value is on an axis, and which values are written at it.

use std::time::Duration;

/// How an axis is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Evenly, from zero to that value.
    Even(f64),
    /// Each decade as much as the other, from one value to another: both are powers of ten, and the first is lower.
    Decades(f64, f64),
}

impl Scale {
    /// From zero to a round number that is not below any of the values.
    pub(super) fn even(values: impl Iterator<Item = f64>) -> Self {
        let greatest = values.fold(0.0, f64::max);
        if greatest <= 0.0 {
            return Self::Even(1.0);
        }
        let step = round_step(greatest);
        Self::Even((greatest / step).ceil() * step)
    }

    /// The decades that all values are in. Those below a tenth count as that.
    pub(super) fn decades(values: impl Iterator<Item = f64>) -> Self {
        let powers = values.map(|value| value.max(0.1).log10());
        let (least, greatest) = powers.fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(least, greatest), power| (least.min(power), greatest.max(power)),
        );
        if least > greatest {
            return Self::Decades(1.0, 10.0);
        }
        let from = least.floor();
        let to = greatest.ceil().max(from + 1.0);
        Self::Decades(10.0_f64.powf(from), 10.0_f64.powf(to))
    }

    /// The part of the axis below `value`, from 0 to 1.
    pub(super) fn place(self, value: f64) -> f64 {
        let part = match self {
            Self::Even(most) => value / most,
            Self::Decades(from, to) => (value.max(from) / from).log10() / (to / from).log10(),
        };
        part.clamp(0.0, 1.0)
    }

    /// The values that are written at the axis, in order.
    pub(super) fn ticks(self) -> Vec<f64> {
        match self {
            Self::Even(most) => every(round_step(most), most),
            Self::Decades(from, to) => {
                let decades = (to / from).log10().round();
                let decade = |nth: f64| from * 10.0_f64.powf(nth);
                every(1.0, decades).into_iter().map(decade).collect()
            }
        }
    }
}

/// A step of 1, 2 or 5 times a power of ten that makes four to ten steps of `most`.
fn round_step(most: f64) -> f64 {
    let step = most / 4.0;
    let power = 10.0_f64.powf(step.log10().floor());
    [5.0, 2.0, 1.0]
        .into_iter()
        .map(|times| times * power)
        .find(|round| *round <= step)
        .unwrap_or(power)
}

/// Zero and all multiples of `step` up to `most`.
fn every(step: f64, most: f64) -> Vec<f64> {
    let multiples = (0_u32..).map(|nth| f64::from(nth) * step);
    // A rounding error takes none away.
    multiples
        .take_while(|value| *value <= most * 1.000_001)
        .collect()
}

/// Steps of time that people count in, in seconds.
const ROUND_TIMES: [u32; 18] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
    86_400,
];

/// The unit that times are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// `1.5`
    Seconds,
    /// `1:30`, of minutes and seconds.
    Minutes,
    /// `1:30`, of hours and minutes.
    Hours,
}

impl Clock {
    /// The unit for times up to `whole`.
    pub(super) fn of(whole: Duration) -> Self {
        match whole.as_secs() {
            0..120 => Self::Seconds,
            120..7_200 => Self::Minutes,
            _ => Self::Hours,
        }
    }

    /// What the times are.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes:seconds",
            Self::Hours => "hours:minutes",
        }
    }

    pub(super) fn write(self, seconds: f64) -> String {
        match self {
            Self::Seconds => short(seconds),
            Self::Minutes => format!("{:.0}:{:02.0}", (seconds / 60.0).floor(), seconds % 60.0),
            Self::Hours => format!(
                "{:.0}:{:02.0}",
                (seconds / 3_600.0).floor(),
                (seconds % 3_600.0 / 60.0).floor()
            ),
        }
    }
}

/// The times that are written at an axis of that length, in seconds: six at most.
pub(super) fn time_ticks(whole: Duration) -> Vec<f64> {
    let seconds = whole.as_secs_f64();
    if seconds < 1.0 {
        return every(round_step(seconds.max(0.001)) * 2.0, seconds);
    }
    let round = ROUND_TIMES
        .into_iter()
        .map(f64::from)
        .find(|step| seconds / step <= 5.0);
    // Of days it is whole ones.
    let step = round.unwrap_or_else(|| (seconds / 5.0 / 86_400.0).ceil() * 86_400.0);
    every(step, seconds)
}

/// A number with no more digits than it takes to read it off a chart.
pub(super) fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        0.0..10_000.0 => (value, ""),
        10_000.0..1_000_000.0 => (value / 1_000.0, "k"),
        _ => (value / 1_000_000.0, "M"),
    };
    // Steps have one digit that counts, or are multiples of such.
    let text = format!("{scaled:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_above_all_values() {
        for (values, end, ticks) in [
            (&[3.0, 997.0][..], "1000", "0 200 400 600 800 1000"),
            (&[0.3], "0.3", "0 0.05 0.1 0.15 0.2 0.25 0.3"),
            (&[25.0], "25", "0 5 10 15 20 25"),
            (&[41_234.0], "50k", "0 10k 20k 30k 40k 50k"),
            (&[0.0], "1", "0 0.2 0.4 0.6 0.8 1"),
            (&[], "1", "0 0.2 0.4 0.6 0.8 1"),
        ] {
            let scale = Scale::even(values.iter().copied());
            let Scale::Even(most) = scale else { panic!() };
            assert_eq!(short(most), end);
            let found: Vec<_> = scale.ticks().into_iter().map(short).collect();
            assert_eq!(found.join(" "), ticks);
        }
    }

    #[test]
    fn decades_hold_all_values_and_each_is_as_long_as_the_other() {
        let scale = Scale::decades([3.0, 250.0].into_iter());
        let ticks: Vec<_> = scale.ticks().into_iter().map(short).collect();
        assert_eq!(ticks, ["1", "10", "100", "1000"]);
        assert!((scale.place(10.0) - 1.0 / 3.0).abs() < 1e-9);
        assert!(scale.place(0.0).abs() < 1e-9);
        assert_eq!(Scale::decades([10.0].into_iter()).ticks().len(), 2);
        assert_eq!(Scale::decades(std::iter::empty()).ticks().len(), 2);
    }

    #[test]
    fn times_are_written_as_people_count_them() {
        for (seconds, expected) in [
            (0, "0"),
            (1, "0 1"),
            (47, "0 10 20 30 40"),
            (600, "0:00 2:00 4:00 6:00 8:00 10:00"),
            (9_000, "0:00 0:30 1:00 1:30 2:00 2:30"),
            (86_400 * 21, "0:00 120:00 240:00 360:00 480:00"),
        ] {
            let whole = Duration::from_secs(seconds);
            let clock = Clock::of(whole);
            let ticks: Vec<_> = time_ticks(whole)
                .into_iter()
                .map(|tick| clock.write(tick))
                .collect();
            assert_eq!(ticks.join(" "), expected, "{seconds}");
        }
        assert_eq!(time_ticks(Duration::from_millis(400)).len(), 3);
    }
}

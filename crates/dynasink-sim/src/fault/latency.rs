//! How long requests take.

use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;

use super::script::{ParseError, parse_duration};

/// How long requests take: lognormal, as those of services are, so that a few take much longer than most.
///
/// As text: `5ms` is always five milliseconds; `5ms..40ms` is five for the median, and forty for the slowest of a
/// hundred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    median: Duration,
    /// The standard deviation of the logarithm.
    sigma: f64,
}

pub(super) const LATENCY: &str =
    "a latency is a time such as `5ms`, or a median and a 99th percentile such as `5ms..40ms`";

/// How many standard deviations above the median the slowest of a hundred is.
const Z_99: f64 = 2.326;

impl Latency {
    /// Always `latency`.
    pub const fn fixed(latency: Duration) -> Self {
        Self {
            median: latency,
            sigma: 0.0,
        }
    }

    /// Half of the requests take up to `median`, and 99 of 100 up to `p99`.
    pub fn lognormal(median: Duration, p99: Duration) -> Self {
        let spread = p99.as_secs_f64() / median.as_secs_f64();
        let sigma = if spread > 1.0 {
            spread.ln() / Z_99
        } else {
            0.0
        };
        Self { median, sigma }
    }

    pub(crate) fn median(&self) -> Duration {
        self.median
    }

    pub(crate) fn draw(&self, mut chance: Rng) -> Duration {
        if self.sigma == 0.0 {
            return self.median;
        }
        // Box and Muller's way from even to normal chance.
        let (radius, angle) = (1.0 - chance.f64(), chance.f64() * std::f64::consts::TAU);
        let normal = (-2.0 * radius.ln()).sqrt() * angle.cos();
        self.median.mul_f64((self.sigma * normal).exp().min(1e6))
    }
}

impl Default for Latency {
    /// 5 milliseconds for the median and 25 for the slowest of a hundred.
    fn default() -> Self {
        Self::lognormal(Duration::from_millis(5), Duration::from_millis(25))
    }
}

impl FromStr for Latency {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parse = |text: &str| {
            parse_duration(text.trim()).ok_or_else(|| ParseError {
                part: text.to_owned(),
                problem: LATENCY,
            })
        };
        match text.split_once("..") {
            None => parse(text).map(Self::fixed),
            Some((median, p99)) => Ok(Self::lognormal(parse(median)?, parse(p99)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Dice, Stream};

    #[test]
    fn median_and_tail_are_as_asked() {
        let millis = Duration::from_millis;
        let latency: Latency = "10ms..80ms".parse().unwrap();
        assert_eq!(latency, Latency::lognormal(millis(10), millis(80)));
        let dice = Dice::new(1);
        let mut drawn: Vec<_> = (0..10_000)
            .map(|number| latency.draw(dice.roll(Stream::Latency, number)))
            .collect();
        drawn.sort_unstable();
        assert!(
            (millis(9)..millis(11)).contains(&drawn[5_000]),
            "{:?}",
            drawn[5_000]
        );
        assert!(
            (millis(65)..millis(95)).contains(&drawn[9_900]),
            "{:?}",
            drawn[9_900]
        );
    }

    #[test]
    fn a_fixed_latency_does_not_vary() {
        let latency: Latency = "1500us".parse().unwrap();
        let dice = Dice::new(1);
        for number in 0..100 {
            assert_eq!(
                latency.draw(dice.roll(Stream::Latency, number)),
                Duration::from_micros(1500)
            );
        }
        let narrow = Latency::lognormal(Duration::from_millis(5), Duration::from_millis(1));
        assert_eq!(narrow, Latency::fixed(Duration::from_millis(5)));
        for text in ["", "5", "fast", "5ms..", "-1ms"] {
            assert!(text.parse::<Latency>().is_err(), "{text}");
        }
    }
}

//! How long requests took.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer};

/// The grain in which latencies are kept.
const GRAIN: Duration = Duration::from_micros(100);

/// Quantiles are right to a hundredth of their value.
const DIGITS: u8 = 2;

/// The latencies of requests, as a histogram: some kilobytes, however many they are. Quantiles are right to a hundredth,
/// or to a tenth of a millisecond.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latencies(Option<Histogram<u32>>);

/// Quantiles of latencies, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyQuantiles {
    /// Half of the requests took no longer.
    pub p50_ms: f64,
    /// Nine in ten took no longer.
    pub p90_ms: f64,
    /// 99 in a hundred took no longer.
    pub p99_ms: f64,
    /// None took longer.
    pub max_ms: f64,
}

impl Latencies {
    pub(super) fn record(&mut self, latency: Duration) {
        // The digits are in the range that a histogram has, so that there always is one.
        if self.0.is_none() {
            self.0 = Histogram::new(DIGITS).ok();
        }
        if let Some(histogram) = &mut self.0 {
            let grains = latency.as_micros().div_ceil(GRAIN.as_micros());
            // It grows to what it is told, up to more than any request takes.
            let _grown = histogram.record(u64::try_from(grains).unwrap_or(u64::MAX));
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (_, None) => {}
            (None, Some(_)) => self.0.clone_from(&other.0),
            (Some(histogram), Some(other)) => {
                // Histograms that grow take in any other.
                let _grown = histogram.add(other);
            }
        }
    }

    /// The requests.
    pub fn requests(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    /// The quantiles, if there was any request.
    pub fn quantiles(&self) -> Option<LatencyQuantiles> {
        let histogram = self.0.as_ref().filter(|histogram| !histogram.is_empty())?;
        let in_ms = |grains: u64| grains as f64 * GRAIN.as_secs_f64() * 1_000.0;
        let quantile = |quantile| in_ms(histogram.value_at_quantile(quantile).min(histogram.max()));
        Some(LatencyQuantiles {
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
            max_ms: in_ms(histogram.max()),
        })
    }
}

/// As its quantiles, or nothing.
impl Serialize for Latencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.quantiles().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        for latency in milliseconds {
            latencies.record(Duration::from_millis(latency));
        }
        latencies
    }

    #[test]
    fn quantiles_are_right_to_a_hundredth() {
        let quantiles = of(1..=1_000).quantiles().unwrap();
        for (found, expected) in [
            (quantiles.p50_ms, 500.0),
            (quantiles.p90_ms, 900.0),
            (quantiles.p99_ms, 990.0),
            (quantiles.max_ms, 1_000.0),
        ] {
            assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
        }
    }

    #[test]
    fn no_request_has_no_latency_and_the_longest_are_kept() {
        assert_eq!(Latencies::default().quantiles(), None);
        let hour = of([3_600_000]).quantiles().unwrap();
        assert!((hour.p50_ms / 3_600_000.0 - 1.0).abs() < 0.01, "{hour:?}");
        let mut short = Latencies::default();
        short.record(Duration::ZERO);
        assert_eq!(
            short.quantiles().unwrap().max_ms.to_bits(),
            0.0_f64.to_bits()
        );
    }

    #[test]
    fn the_quantiles_of_a_sum_are_those_of_all_requests() {
        let mut sum = of([]);
        for part in [of(1..=10), of([]), of([90_000]), of(11..=500)] {
            sum.add(&part);
        }
        let all = of((1..=500).chain([90_000]));
        assert_eq!(sum.requests(), 501);
        assert_eq!(sum.quantiles(), all.quantiles());
    }
}

//! The law of the number in flight against scenarios, each a file that says what happens and what should come of it.
//!
//! The model: a client that may start so many requests a second, a twentieth of a second's at once, as far as the law
//! lets it; and a service that answers each after its latency.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use dynasink_aws::{Concurrency, ConcurrencyLaw};
use dynasink_core::{CapacityFeedback, WriteCost, WriteUnits};
use fastrand::Rng;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// The most requests in flight.
    max: usize,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    seconds: f64,
    /// Units per second.
    rate: u64,
    /// Whether the law is told the rate.
    #[serde(default = "yes")]
    known: bool,
    /// Units of a request.
    units: u64,
    /// The median latency.
    latency_ms: f64,
    /// The slowest request of a hundred takes so many times the median; one for a fixed latency.
    #[serde(default = "one")]
    tail: f64,
    /// The share of requests that fail.
    #[serde(default)]
    failing: f64,
    /// After how many seconds what follows is expected.
    settles_in: f64,
    /// The share of the rate that is used.
    fill: [f64; 2],
    /// The lowest and the highest limit.
    limit: [usize; 2],
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

/// Time in microseconds, so that answers have an order.
type Micros = u64;

fn micros(seconds: f64) -> Micros {
    let micros = Duration::from_secs_f64(seconds).as_micros();
    u64::try_from(micros).unwrap_or(u64::MAX)
}

impl Step {
    fn latency(&self, rng: &mut Rng) -> f64 {
        // The 99th percentile of a normal distribution is 2.326 standard deviations above its mean.
        let sigma = self.tail.ln() / 2.326;
        let normal =
            (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos();
        self.latency_ms / 1000.0 * (sigma * normal).exp()
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Answer {
    at: Micros,
    sent: Micros,
    units: u64,
    failed: bool,
}

fn play(name: &str, scenario: &Scenario) {
    let mut rng = Rng::with_seed(1);
    let mut law = ConcurrencyLaw::new(Concurrency::Auto {
        min: 1,
        max: scenario.max,
    });
    let mut in_flight: BinaryHeap<Reverse<Answer>> = BinaryHeap::new();
    let (mut now, mut end) = (0, 0);
    for (nth, step) in scenario.steps.iter().enumerate() {
        let per_second = step.rate as f64 / step.units as f64;
        let burst = (per_second / 20.0).max(1.0);
        let settled = end + micros(step.settles_in);
        end += micros(step.seconds);
        let (mut credit, mut started) = (0.0_f64, 0.0);
        let (mut lowest, mut highest) = (usize::MAX, 0);
        while now < end {
            while credit >= 1.0 && in_flight.len() < law.limit() {
                credit -= 1.0;
                started += f64::from(u8::from(now >= settled));
                in_flight.push(Reverse(Answer {
                    at: now + micros(step.latency(&mut rng)).max(1),
                    sent: now,
                    units: step.units,
                    failed: rng.f64() < step.failing,
                }));
            }
            if now >= settled {
                lowest = lowest.min(law.limit());
                highest = highest.max(law.limit());
            }
            let next_credit = if credit < 1.0 {
                now + micros((1.0 - credit) / per_second).max(1)
            } else {
                end
            };
            let answer = in_flight.peek().map_or(end, |Reverse(answer)| answer.at);
            let then = next_credit.min(answer).min(end);
            let elapsed = Duration::from_micros(then - now).as_secs_f64();
            credit = (credit + elapsed * per_second).min(burst);
            now = then;
            if answer == now
                && let Some(Reverse(answer)) = in_flight.pop()
            {
                let cost = WriteCost::of_table(WriteUnits::new(answer.units));
                let mut feedback = CapacityFeedback {
                    latency: Duration::from_micros(now - answer.sent),
                    in_flight: in_flight.len(),
                    ..CapacityFeedback::default()
                };
                if answer.failed {
                    feedback.failed_ops = 1;
                } else {
                    feedback.written_ops = 1;
                    feedback.written = cost;
                }
                law.observe(&feedback, step.known.then_some(WriteUnits::new(step.rate)));
            }
        }
        let fill = started / (per_second * (step.seconds - step.settles_in));
        let step_name = format!("{name}, step {}", nth + 1);
        let [least, most] = step.fill;
        assert!(
            (least..=most + 0.01).contains(&fill),
            "{step_name}: {fill:.3} of the rate is used"
        );
        let [least, most] = step.limit;
        assert!(
            least <= lowest && highest <= most,
            "{step_name}: the limit is between {lowest} and {highest}"
        );
    }
}

#[test]
fn every_scenario_ends_within_its_ranges() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/concurrency/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 5);
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let scenario = toml::from_str(&std::fs::read_to_string(&file).unwrap());
        play(
            &name,
            &scenario.unwrap_or_else(|error| panic!("{name}: {error}")),
        );
    }
}

//! A client that does what a law says: units come at its rate, requests go when theirs are there.

use std::collections::VecDeque;
use std::time::Duration;

use dynasink_sink::Observation;
use fastrand::Rng;

use crate::scenario::{Load, Report, Scenario};
use crate::service::Bucket;

const TICK: f64 = 0.001;

/// Seconds of the rate that a rested client has.
const BURST: f64 = 0.05;

/// A request on its way to the service, or its answer on its way back.
struct Request {
    arrives: f64,
    answered: f64,
    observation: Observation,
    items: Vec<f64>,
}

/// What is counted from the scenario's `from` on.
#[derive(Default)]
struct Counts {
    units: f64,
    sent_ops: f64,
    refused_ops: f64,
    greatest_rate: f64,
    /// Units of each second.
    seconds: Vec<f64>,
}

/// Runs the scenario in steps of a millisecond.
pub(crate) fn run(scenario: &Scenario) -> Report {
    let mut law = scenario.law.build();
    let mut bucket = Bucket::new(&scenario.service);
    let mut rng = Rng::with_seed(1);
    let half = scenario.service.latency as f64 / 2000.0;
    let (mut under_way, mut answers) = (VecDeque::<Request>::new(), VecDeque::<Request>::new());
    let (mut units, mut incoming, mut paused_until, mut waited) = (0.0, 0.0, 0.0, false);
    let mut next = draw(&scenario.load, &mut rng);
    let mut counts = Counts::default();
    let mut given_before = 0.0;
    let mut now = 0.0;
    while now < scenario.seconds {
        now += TICK;
        let counting = now >= scenario.from;
        if !counting {
            given_before = bucket.given;
        }
        bucket.pass(now);
        while under_way
            .front()
            .is_some_and(|request| request.arrives <= now)
        {
            let Some(mut request) = under_way.pop_front() else {
                break;
            };
            for item in &request.items {
                if bucket.take(*item) {
                    request.observation.units += item;
                    request.observation.written_ops += 1;
                } else {
                    request.observation.refused_ops += 1;
                }
            }
            if counting {
                counts.units += request.observation.units;
                counts.sent_ops += request.items.len() as f64;
                counts.refused_ops += request.observation.refused_ops as f64;
            }
            add_to_second(&mut counts.seconds, now, request.observation.units);
            answers.push_back(request);
        }
        while answers
            .front()
            .is_some_and(|request| request.answered <= now)
        {
            let Some(request) = answers.pop_front() else {
                break;
            };
            let observation = Observation {
                waited,
                ..request.observation
            };
            waited = false;
            // What is refused is sent again: its units come back, up to a burst, unless there is a pause.
            let refused: f64 = request.items.iter().sum::<f64>() - observation.units;
            if now >= paused_until {
                units += refused.min((law.rate() * BURST - units).max(0.0));
            }
            if let Some(pause) = law.observe(Duration::from_secs_f64(now), &observation) {
                units = units.min(0.0);
                paused_until = now + pause.as_secs_f64();
            }
        }
        counts.greatest_rate = counts.greatest_rate.max(law.rate());
        if now >= paused_until {
            let cost: f64 = next.iter().sum();
            let most = (law.rate() * BURST * 2.0).max(cost + 1.0);
            units = (units + law.rate() * TICK).min(most);
        }
        incoming = match scenario.load.ops {
            Some(ops) => incoming + ops * TICK,
            None => f64::INFINITY,
        };
        while incoming >= next.len() as f64 {
            let cost: f64 = next.iter().sum();
            if units < cost {
                waited = true;
                break;
            }
            units -= cost;
            incoming -= next.len() as f64;
            under_way.push_back(Request {
                arrives: now + half,
                answered: now + 2.0 * half,
                observation: Observation {
                    sent: Duration::from_secs_f64(now),
                    ..Observation::default()
                },
                items: std::mem::replace(&mut next, draw(&scenario.load, &mut rng)),
            });
        }
    }
    let offered = match scenario.load.ops {
        Some(ops) => ops * (scenario.seconds - scenario.from),
        None => bucket.given - given_before,
    };
    Report {
        share: counts.units / offered,
        refused: counts.refused_ops / counts.sent_ops,
        neighbour_refused: bucket.neighbour_refused / bucket.neighbour_asked.max(1.0),
        found_within: found_within(scenario, &counts.seconds),
        greatest_rate: counts.greatest_rate,
    }
}

/// The items of the next request.
fn draw(load: &Load, rng: &mut Rng) -> Vec<f64> {
    let mut items: Vec<f64> = Vec::new();
    while items.len() < load.batch {
        let item = f64::from(load.items[rng.usize(..load.items.len())]);
        if !items.is_empty() && items.iter().sum::<f64>() + item > load.batch_units {
            break;
        }
        items.push(item);
    }
    items
}

/// Tenths of seconds, for what is written in any whole second.
fn add_to_second(tenths: &mut Vec<f64>, now: f64, units: f64) {
    let tenth = Duration::from_secs_f64(now).as_millis() / 100;
    let tenth = usize::try_from(tenth).unwrap();
    if tenths.len() <= tenth {
        tenths.resize(tenth + 1, 0.0);
    }
    tenths[tenth] += units;
}

/// From the last change of the capacity until 0.95 of it is written in a second.
fn found_within(scenario: &Scenario, tenths: &[f64]) -> f64 {
    let (changed, capacity) = *scenario.service.capacity.last().unwrap();
    let first = usize::try_from(Duration::from_secs_f64(changed).as_millis() / 100).unwrap();
    let later = tenths.get(first..).unwrap_or_default();
    let whole = later
        .windows(10)
        .position(|second| second.iter().sum::<f64>() >= 0.95 * capacity);
    whole.map_or(f64::INFINITY, |tenths| tenths as f64 / 10.0)
}

//! A client that does what a law says: units come at its rate, requests go when theirs are there.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use dynasink_sink::{Observation, RateLaw};
use fastrand::Rng;

use crate::scenario::{Load, Report, Scenario};
use crate::service::Bucket;

const TICK: f64 = 0.001;

/// Ticks in a tenth of a second.
const TENTH: usize = 100;

/// Seconds of the rate that a rested client has.
const BURST: f64 = 0.05;

/// A request on its way to the service, or its answer on its way back.
#[derive(Debug)]
struct Request {
    arrives: f64,
    answered: f64,
    observation: Observation,
    items: Vec<f64>,
}

/// What is counted from the scenario's `from` on.
#[derive(Debug, Default)]
struct Counts {
    units: f64,
    sent_ops: f64,
    refused_ops: f64,
    greatest_rate: f64,
}

#[derive(Debug)]
struct Client<'a> {
    scenario: &'a Scenario,
    law: RateLaw,
    rng: Rng,
    units: f64,
    /// Operations that have come in and were not sent.
    incoming: f64,
    /// The items of the next request.
    next: Vec<f64>,
    paused_until: f64,
    waited: bool,
    under_way: VecDeque<Request>,
    answers: VecDeque<Request>,
    counts: Counts,
}

/// Runs the scenario in steps of a millisecond.
pub(crate) fn run(scenario: &Scenario) -> Report {
    let mut bucket = Bucket::new(&scenario.service);
    let mut client = Client::new(scenario);
    let (mut given_before, mut tenths) = (0.0, Vec::new());
    for tick in 1_usize.. {
        let now = tick as f64 * TICK;
        if now > scenario.seconds {
            break;
        }
        if now < scenario.from {
            given_before = bucket.given;
        }
        bucket.pass(now);
        let units = client.arrive(now, &mut bucket);
        if tick % TENTH == 1 {
            tenths.push(0.0);
        }
        if let Some(tenth) = tenths.last_mut() {
            *tenth += units;
        }
        client.learn(now);
        client.send(now);
    }
    let offered = match scenario.load.ops {
        Some(ops) => ops * (scenario.seconds - scenario.from),
        None => bucket.given - given_before,
    };
    let counts = client.counts;
    Report {
        share: counts.units / offered,
        refused: counts.refused_ops / counts.sent_ops,
        neighbour_refused: bucket.neighbour_refused / bucket.neighbour_asked.max(1.0),
        found_within: found_within(scenario, &tenths),
        greatest_rate: counts.greatest_rate,
    }
}

impl<'a> Client<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let mut rng = Rng::with_seed(1);
        Self {
            scenario,
            law: scenario.law.build(),
            next: draw(&scenario.load, &mut rng),
            rng,
            units: 0.0,
            incoming: 0.0,
            paused_until: 0.0,
            waited: false,
            under_way: VecDeque::new(),
            answers: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// Lets requests arrive at the service, and says how many units they have drawn.
    fn arrive(&mut self, now: f64, bucket: &mut Bucket<'_>) -> f64 {
        let mut units = 0.0;
        while let Some(mut request) = self
            .under_way
            .pop_front_if(|request| request.arrives <= now)
        {
            let observation = &mut request.observation;
            for item in &request.items {
                if bucket.take(*item) {
                    observation.units += item;
                    observation.written_ops += 1;
                } else {
                    observation.refused_ops += 1;
                }
            }
            units += observation.units;
            if now >= self.scenario.from {
                self.counts.units += observation.units;
                self.counts.sent_ops += request.items.len() as f64;
                self.counts.refused_ops += observation.refused_ops as f64;
            }
            self.answers.push_back(request);
        }
        units
    }

    /// Tells the law what has been answered.
    fn learn(&mut self, now: f64) {
        while let Some(request) = self.answers.pop_front_if(|request| request.answered <= now) {
            let observation = Observation {
                waited: mem::take(&mut self.waited),
                ..request.observation
            };
            // Units of what was refused come back, up to a burst, unless there is a pause.
            if now >= self.paused_until {
                let refused = request.items.iter().sum::<f64>() - observation.units;
                let room = self.law.rate() * BURST - self.units;
                self.units += refused.min(room.max(0.0));
            }
            let pause = self.law.observe(Duration::from_secs_f64(now), &observation);
            if let Some(pause) = pause {
                self.units = self.units.min(0.0);
                self.paused_until = now + pause.as_secs_f64();
            }
        }
        self.counts.greatest_rate = self.counts.greatest_rate.max(self.law.rate());
    }

    /// Sends what the rate allows.
    fn send(&mut self, now: f64) {
        let mut cost: f64 = self.next.iter().sum();
        if now >= self.paused_until {
            let most = (self.law.rate() * BURST * 2.0).max(cost + 1.0);
            self.units = (self.units + self.law.rate() * TICK).min(most);
        }
        self.incoming = match self.scenario.load.ops {
            Some(ops) => self.incoming + ops * TICK,
            None => f64::INFINITY,
        };
        let half = self.scenario.service.latency as f64 / 2000.0;
        while self.incoming >= self.next.len() as f64 {
            if self.units < cost {
                self.waited = true;
                break;
            }
            self.units -= cost;
            self.incoming -= self.next.len() as f64;
            let next = draw(&self.scenario.load, &mut self.rng);
            cost = next.iter().sum();
            self.under_way.push_back(Request {
                arrives: now + half,
                answered: now + 2.0 * half,
                observation: Observation {
                    sent: Duration::from_secs_f64(now),
                    ..Observation::default()
                },
                items: mem::replace(&mut self.next, next),
            });
        }
    }
}

/// The items of a request.
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

/// From the last change of the capacity until 0.95 of it is written in a second.
fn found_within(scenario: &Scenario, tenths: &[f64]) -> f64 {
    let Some((changed, capacity)) = scenario.service.capacity.last() else {
        return f64::INFINITY;
    };
    let seconds = tenths.windows(10).enumerate();
    let later = seconds.map(|(tenth, second)| (tenth as f64 / 10.0, second));
    let mut later = later.filter(|(from, _)| from >= changed);
    let found = later.find(|(_, second)| second.iter().sum::<f64>() >= 0.95 * capacity);
    found.map_or(f64::INFINITY, |(from, _)| from - changed)
}

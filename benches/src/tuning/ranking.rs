//! Settings in the order of what they are worth, each with the reason why it is no better.

use super::figures::{percent, rounded, short, time};
use super::sample::Sample;
use super::setting::{Batch, InFlight, Pace, Setting, Window};
use super::trial::Trial;

/// Two times that differ by less are the same. The seed alone makes a difference of that kind; and what is found out
/// while a load runs also follows a real table, which is not as steady as a simulated one.
const SAME: f64 = 0.03;
/// Refusals that nobody minds. More are worth a slower setting only if it is not slower.
const FEW_REFUSED: f64 = 0.05;

/// So many times the requests of others are not worth it to be refused less: each takes connections and processor time.
const MANY_REQUESTS: u64 = 2;

/// Trials, the best first.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// The recommended one first, the others by the time that they take.
    pub ranked: Vec<Ranked>,
    /// What a load does that is told nothing.
    pub standard: Setting,
}

/// A trial in its place.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The trial.
    pub trial: Trial,
    /// How long the whole load takes with it, in seconds.
    pub seconds: f64,
    /// Why it is no better; nothing for the first.
    pub why: String,
}

/// The trial to recommend: of those that take the shortest time, within 3 %, without many requests and with few
/// refusals, the one that sets least; then the one with the fewest refusals and requests.
pub(super) fn preferred<'t>(
    trials: &'t [Trial],
    standard: &Setting,
    seconds: impl Fn(&Trial) -> f64,
) -> Option<&'t Trial> {
    let complete = || {
        let fewest = trials.iter().map(|trial| trial.dead).min().unwrap_or(0);
        let above = |setting: &Setting| matches!(setting.rate, Pace::Fixed { percent, .. } if percent > 100);
        trials
            .iter()
            .filter(move |trial| trial.dead == fewest && !above(&trial.setting))
    };
    let shortest = complete().map(&seconds).fold(f64::INFINITY, f64::min);
    let short = || complete().filter(|trial| seconds(trial) <= shortest * (1.0 + SAME));
    let fewest = short().map(|trial| trial.requests).min().unwrap_or(0);
    let fast = || short().filter(|trial| trial.requests <= fewest * MANY_REQUESTS);
    let fewest = fast()
        .map(Trial::refused_share)
        .fold(f64::INFINITY, f64::min);
    let few = fewest.max(FEW_REFUSED);
    fast()
        .filter(|trial| trial.refused_share() <= few)
        .min_by(|a, b| {
            let differences = |trial: &Trial| trial.setting.differences(standard);
            differences(a)
                .cmp(&differences(b))
                .then(a.refused.cmp(&b.refused))
                .then(a.requests.cmp(&b.requests))
        })
}

impl Ranking {
    /// Orders `trials`, of which the first is the load that is told nothing. There is at least that one.
    pub(super) fn of(trials: Vec<Trial>, sample: &Sample) -> Self {
        let expected = |trial: &Trial| trial.expected_seconds(sample);
        let standard = trials
            .first()
            .map_or_else(|| Setting::standard(1), |trial| trial.setting);
        let best = preferred(&trials, &standard, expected).map(|trial| trial.setting);
        let mut ranked: Vec<_> = trials
            .into_iter()
            .map(|trial| Ranked {
                seconds: expected(&trial),
                trial,
                why: String::new(),
            })
            .collect();
        ranked.sort_by(|a, b| {
            let behind = |ranked: &Ranked| best != Some(ranked.trial.setting);
            behind(a)
                .cmp(&behind(b))
                .then(a.trial.dead.cmp(&b.trial.dead))
                .then(a.seconds.total_cmp(&b.seconds))
        });
        if let Some((best, others)) = ranked.split_first_mut() {
            for other in others {
                other.why = why(other, best, sample);
            }
        }
        Self { ranked, standard }
    }

    /// The recommended trial.
    pub fn best(&self) -> Option<&Ranked> {
        self.ranked.first()
    }

    /// The one that takes longest.
    pub fn worst(&self) -> Option<&Ranked> {
        self.ranked
            .iter()
            .max_by(|a, b| a.seconds.total_cmp(&b.seconds))
    }

    /// The trials that differ from `base` in nothing but what `vary` sets right.
    pub(super) fn beside(
        &self,
        base: &Setting,
        vary: impl Fn(&Setting) -> Setting,
    ) -> impl Iterator<Item = &Ranked> {
        let ranked = self.ranked.iter();
        ranked.filter(move |ranked| vary(&ranked.trial.setting) == *base)
    }
}

/// Why `other` is no better than `best`.
fn why(other: &Ranked, best: &Ranked, sample: &Sample) -> String {
    let (trial, fastest) = (&other.trial, &best.trial);
    if trial.dead > fastest.dead {
        return format!(
            "gives up {} rows",
            rounded(trial.dead as f64 * sample.scale())
        );
    }
    let slower = other.seconds / best.seconds - 1.0;
    let refused = trial.refused_share();
    if slower <= SAME {
        let times = trial.requests as f64 / fastest.requests.max(1) as f64;
        return if refused > fastest.refused_share() + 0.005 {
            format!(
                "as fast, but {} of the operations are refused",
                percent(refused)
            )
        } else if times >= 1.2 {
            format!("as fast, with {times:.1} times the requests")
        } else {
            "as fast: nothing is gained by setting it".to_owned()
        };
    }
    reason(trial, fastest).unwrap_or_else(|| {
        if refused > 2.0 * fastest.refused_share().max(0.005) {
            format!("{} of the operations are refused", percent(refused))
        } else {
            format!("takes {} longer", time(other.seconds - best.seconds))
        }
    })
}

/// What of the things that are set otherwise makes it slower, if one of them shows.
fn reason(trial: &Trial, best: &Trial) -> Option<String> {
    let (setting, other) = (&trial.setting, &best.setting);
    if setting.batch != other.batch
        && let Batch::AtMost(_) = setting.batch
    {
        let times = trial.requests as f64 / best.requests.max(1) as f64;
        return Some(format!(
            "{times:.1} times the requests, {} in flight",
            short(trial.in_flight)
        ));
    }
    if let InFlight::Fixed(requests) = setting.concurrency
        && setting.concurrency != other.concurrency
        && trial.in_flight >= 0.8 * requests as f64
    {
        let latency = trial.latency.as_secs_f64();
        let most = requests as f64 * trial.batch_fill() / latency.max(1e-6);
        return Some(format!(
            "{requests} in flight of {} rows, {} ms each, are {} rows/s at most",
            short(trial.batch_fill()),
            short(latency * 1e3),
            rounded(most)
        ));
    }
    if let Pace::Fixed { wcu, percent: of } = setting.rate
        && setting.rate != other.rate
    {
        let refused = trial.refused_share();
        if of < 100 && trial.steady_rate() >= 0.9 * wcu as f64 {
            return Some(format!(
                "holds back: the table has {} % more to give",
                100 - of
            ));
        }
        if of >= 100 && refused > FEW_REFUSED {
            let refused = percent(refused);
            return Some(format!(
                "asks for all there is or more: {refused} of the operations are refused"
            ));
        }
    }
    if setting.window != other.window && trial.superseded < best.superseded {
        let more = best.superseded - trial.superseded;
        let them = if setting.window == Window::Off {
            "no row is"
        } else {
            "fewer rows are"
        };
        return Some(format!(
            "{them} merged: {} more writes in the sample",
            rounded(more as f64)
        ));
    }
    (setting.readers < other.readers).then(|| {
        format!(
            "rows of {} row groups at a time: fewer partitions share the work",
            setting.readers
        )
    })
}

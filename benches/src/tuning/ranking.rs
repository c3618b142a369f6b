//! Settings in the order of what they are worth, each with the reason why it is no better.

use super::figures::{percent, rounded, short, time};
use super::sample::Sample;
use super::setting::{Batch, InFlight, Pace, Setting, Window};
use super::table::TunedTable;
use super::trial::Trial;

/// Two times that differ by less are the same. The seed alone makes a difference of that kind; and what is found out
/// while a load runs also follows a real table, which is not as steady as a simulated one.
const SAME: f64 = 0.03;
/// Refusals that nobody minds.
const FEW_REFUSED: f64 = 0.05;
/// So much longer may a load take if few are refused then: each refusal is a request for nothing, and on a real table it
/// also holds back the others who write to it.
const WORTH_FEW_REFUSED: f64 = 0.1;

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
/// refusals, the one that sets least; then the one with the fewest refusals and requests. One with many refusals is none of
/// them if another has few and takes up to 10 % longer.
pub(super) fn preferred<'t>(
    trials: &'t [Trial],
    standard: &Setting,
    seconds: impl Fn(&Trial) -> f64,
) -> Option<&'t Trial> {
    let complete = || {
        let fewest = trials.iter().map(|trial| trial.dead).min().unwrap_or(0);
        trials
            .iter()
            .filter(move |trial| trial.dead == fewest && !above_capacity(&trial.setting))
    };
    let with_few_refused = complete().filter(|trial| !refuses_many(trial));
    let shortest = with_few_refused.map(&seconds).fold(f64::INFINITY, f64::min);
    let worth_it = |trial: &Trial| shortest > seconds(trial) * (1.0 + WORTH_FEW_REFUSED);
    let sound = || complete().filter(|trial| !refuses_many(trial) || worth_it(trial));
    let shortest = sound().map(&seconds).fold(f64::INFINITY, f64::min);
    let short = || sound().filter(|trial| seconds(trial) <= shortest * (1.0 + SAME));
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

/// Whether it asks for more than the table has.
fn above_capacity(setting: &Setting) -> bool {
    matches!(setting.rate, Pace::Fixed { percent, .. } if percent > 100)
}

fn refuses_many(trial: &Trial) -> bool {
    trial.refused_share() > FEW_REFUSED
}

impl Ranking {
    /// Orders `trials`, of which the first is the load that is told nothing. There is at least that one.
    pub(super) fn of(trials: Vec<Trial>, table: &TunedTable, sample: &Sample) -> Self {
        let expected = |trial: &Trial| trial.expected_seconds(sample, table);
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

    /// What is to be known before the recommended trial is followed: that many of its operations are refused, and nothing
    /// that was tried does without.
    pub fn caution(&self) -> Option<String> {
        let best = self.best().filter(|best| refuses_many(&best.trial))?;
        Some(format!(
            "{} of the operations are refused: within the table's capacity nothing that was tried has {} or fewer \
             and takes at most {} longer",
            percent(best.trial.refused_share()),
            percent(FEW_REFUSED),
            percent(WORTH_FEW_REFUSED),
        ))
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
    if slower < -SAME {
        let less = time(best.seconds - other.seconds);
        return if refuses_many(trial) {
            let refused = percent(refused);
            format!("takes {less} less, but {refused} of the operations are refused")
        } else {
            format!("takes {less} less, but asks for more than the table has")
        };
    }
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
        if of < 100 && trial.steady_rate() >= 0.9 * wcu as f64 {
            return Some(format!(
                "holds back: the table has {} % more to give",
                100 - of
            ));
        }
        if of >= 100 && refuses_many(trial) {
            let refused = percent(trial.refused_share());
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    /// A trial of 1,000 applied operations with so many requests in flight.
    fn trial(in_flight: usize, seconds: f64, refused: u64) -> Trial {
        Trial {
            setting: Setting {
                concurrency: InFlight::Fixed(in_flight),
                ..Setting::standard(1)
            },
            elapsed: Duration::from_secs_f64(seconds),
            units: BTreeMap::new(),
            seconds: Vec::new(),
            busiest_partition: Vec::new(),
            applied: 1_000,
            refused,
            requests: 40,
            in_flight: 1.0,
            latency: Duration::from_millis(8),
            superseded: 0,
            dead: 0,
        }
    }

    fn preferred_of(trials: &[Trial]) -> InFlight {
        let seconds = |trial: &Trial| trial.elapsed.as_secs_f64();
        let best = preferred(trials, &Setting::standard(1), seconds);
        best.unwrap().setting.concurrency
    }

    fn ranking_of(trials: Vec<Trial>) -> Ranking {
        let ranked = trials.into_iter().map(|trial| Ranked {
            seconds: trial.elapsed.as_secs_f64(),
            trial,
            why: String::new(),
        });
        Ranking {
            ranked: ranked.collect(),
            standard: Setting::standard(1),
        }
    }

    #[test]
    fn many_refusals_are_not_recommended_where_few_take_little_longer() {
        let refused = trial(8, 10.0, 540);
        assert_eq!(
            preferred_of(&[refused.clone(), trial(2, 10.9, 20)]),
            InFlight::Fixed(2)
        );
        // Within 10 % of the one that is 2 % slower, and not of the fastest.
        assert_eq!(
            preferred_of(&[refused.clone(), trial(4, 10.2, 300), trial(2, 11.1, 20)]),
            InFlight::Fixed(8)
        );
        assert_eq!(
            preferred_of(&[refused, trial(2, 11.1, 20)]),
            InFlight::Fixed(8)
        );
    }

    #[test]
    fn of_the_few_refused_the_fastest_is_recommended() {
        let trials = [trial(8, 10.0, 540), trial(4, 10.3, 50), trial(2, 10.9, 0)];
        assert_eq!(preferred_of(&trials), InFlight::Fixed(4));
    }

    #[test]
    fn a_recommendation_with_many_refusals_says_so() {
        assert_eq!(ranking_of(vec![trial(8, 10.0, 50)]).caution(), None);
        let caution = ranking_of(vec![trial(8, 10.0, 540)]).caution().unwrap();
        assert!(
            caution.starts_with("35.1 % of the operations are refused"),
            "{caution}"
        );
        assert!(caution.contains("5.0 % or fewer"), "{caution}");
    }

    #[test]
    fn what_is_faster_and_refused_more_is_not_called_as_fast() {
        let ranking = ranking_of(vec![trial(2, 10.9, 20), trial(8, 10.0, 540)]);
        let said = why(
            &ranking.ranked[1],
            &ranking.ranked[0],
            &Sample::new(Vec::new(), [], 1, 0),
        );
        assert_eq!(
            said,
            "takes 0.9 s less, but 35.1 % of the operations are refused"
        );
    }
}

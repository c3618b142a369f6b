//! Which settings are tried: in stages, each around the best of those before.
//!
//! 1. The rate, found out and fixed; the requests in flight, found out and fixed; the best of both together.
//! 2. Around the best of these: operations of a request, where rows of one key are merged, row groups read at once.
//!
//! The whole product would be thousands of trials and say little more: what one setting costs hardly depends on the
//! others but for rate and concurrency.

use std::num::NonZeroUsize;

use super::error::Result;
use super::ranking::preferred;
use super::setting::{Batch, InFlight, Pace, Setting, Window};
use super::trial::Trial;

/// Fixed rates, in percent of the capacity.
const RATES: [u32; 5] = [50, 80, 90, 100, 120];
/// Fixed numbers of requests in flight.
const IN_FLIGHT: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Bounds on the operations of a request.
const BATCHES: [usize; 4] = [1, 5, 10, 15];
/// Windows of merging, besides the one that a load has.
const WINDOWS: [NonZeroUsize; 2] = [
    NonZeroUsize::new(1_000).unwrap(),
    NonZeroUsize::new(100_000).unwrap(),
];
/// Row groups that are read at once, besides as many as are mixed.
const READERS: [usize; 2] = [1, 4];

/// Tries settings for a table that takes `wcu` units a second, in a load that may mix up to `readable_at_once` row
/// groups. The first trial is the load that is told nothing.
pub(super) fn sweep(
    readable_at_once: usize,
    wcu: u64,
    run: impl FnMut(&Setting) -> Result<Trial>,
) -> Result<Vec<Trial>> {
    let standard = Setting::standard(readable_at_once);
    let mut stages = Stages {
        run,
        trials: Vec::new(),
    };
    stages.try_all([standard])?;

    let rates = RATES.map(|percent| Setting {
        rate: fixed(wcu, percent),
        ..standard
    });
    let fastest = stages.try_all(rates)?.best(&standard, 1);
    let in_flight = IN_FLIGHT.map(|requests| Setting {
        concurrency: InFlight::Fixed(requests),
        ..standard
    });
    let fullest = stages.try_all(in_flight)?.best(&standard, 1 + RATES.len());
    stages.try_all([Setting {
        rate: fastest.rate,
        concurrency: fullest.concurrency,
        ..standard
    }])?;

    let best = stages.best(&standard, 0);
    stages.try_all(BATCHES.map(|ops| Setting {
        batch: Batch::AtMost(ops),
        ..best
    }))?;
    stages.try_all([Setting {
        window: Window::Off,
        ..best
    }])?;
    stages.try_all(WINDOWS.map(|ops| Setting {
        window: Window::Ops(ops),
        ..best
    }))?;
    let fewer = READERS.into_iter().filter(|n| *n < readable_at_once);
    stages.try_all(fewer.map(|readers| Setting { readers, ..best }))?;
    Ok(stages.trials)
}

/// That percentage of the capacity.
fn fixed(wcu: u64, percent: u32) -> Pace {
    Pace::Fixed {
        wcu: (wcu * u64::from(percent) / 100).max(1),
        percent,
    }
}

struct Stages<F> {
    run: F,
    trials: Vec<Trial>,
}

impl<F: FnMut(&Setting) -> Result<Trial>> Stages<F> {
    /// Tries those that were not tried yet.
    fn try_all(&mut self, settings: impl IntoIterator<Item = Setting>) -> Result<&Self> {
        for setting in settings {
            if self.trials.iter().all(|trial| trial.setting != setting) {
                let trial = (self.run)(&setting)?;
                self.trials.push(trial);
            }
        }
        Ok(self)
    }

    /// The best setting of the trials from `first` on.
    fn best(&self, standard: &Setting, first: usize) -> Setting {
        let trials = self.trials.get(first..).unwrap_or(&[]);
        let seconds = |trial: &Trial| trial.elapsed.as_secs_f64();
        preferred(trials, standard, seconds).map_or(*standard, |trial| trial.setting)
    }
}

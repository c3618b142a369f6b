//! One setting, tried: the real pipe on the simulator, in virtual time.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dynasink::{
    AdaptiveSizer, BatchSinkExt, CapacityFeedback, CapacityObserver, ObserverError, Outcome,
    OutcomeEvent, OutcomeObserver, Outcomes, Rate, SizerLaw, WriteOp, WriteSinkExt, Writer,
    WriterError, drive,
};
use dynasink_sim::{Resource, Simulator};
use futures::{Sink, StreamExt, stream};

use super::error::{Error, Result};
use super::sample::Sample;
use super::setting::{BoundedSizer, Setting};
use super::table::TunedTable;

/// What came of a setting.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The setting.
    pub setting: Setting,
    /// Until the last operation was applied.
    pub elapsed: Duration,
    /// Units that were drawn, by what they were drawn from.
    pub units: BTreeMap<Resource, u64>,
    /// Units drawn from the table in each second.
    pub seconds: Vec<u64>,
    /// The most that any one partition gave in each second.
    pub busiest_partition: Vec<u64>,
    /// Operations applied.
    pub applied: u64,
    /// Operations refused, each time.
    pub refused: u64,
    /// Requests.
    pub requests: u64,
    /// Requests in flight on average, when one is answered.
    pub in_flight: f64,
    /// What a request takes on average.
    pub latency: Duration,
    /// Rows whose place a later row of their key took.
    pub superseded: u64,
    /// Rows that were given up.
    pub dead: u64,
}

impl Trial {
    /// Units drawn from the table.
    pub fn table_units(&self) -> u64 {
        self.seconds.iter().sum()
    }

    /// Refused operations, of all that were decided about.
    pub fn refused_share(&self) -> f64 {
        self.refused as f64 / (self.refused + self.applied).max(1) as f64
    }

    /// Operations of a request, on average.
    pub fn batch_fill(&self) -> f64 {
        (self.refused + self.applied) as f64 / self.requests.max(1) as f64
    }

    /// Units per second of the table once it runs: without the first second and the last two, where there are enough.
    pub fn steady_rate(&self) -> f64 {
        let full = self.seconds.len().saturating_sub(2);
        match self.seconds.get(1..full) {
            Some(steady) if steady.len() >= 5 => {
                steady.iter().sum::<u64>() as f64 / steady.len() as f64
            }
            _ => self.table_units() as f64 / self.elapsed.as_secs_f64().max(1e-3),
        }
    }

    /// How long the whole load takes, in seconds: the sample as it went, and the rest at the pace that it had; and no
    /// less than each index needs for its units.
    pub fn expected_seconds(&self, sample: &Sample, table: &TunedTable) -> f64 {
        let rest = self.table_units() as f64 * (sample.scale() - 1.0);
        let measured = self.elapsed.as_secs_f64() + rest / self.steady_rate().max(1e-9);
        let name = table.schema().name().as_str();
        let of_indexes = table.indexes().iter().map(|(index, wcu)| {
            let index = Resource::Index(name.to_owned(), index.clone());
            let units = self.units.get(&index).copied().unwrap_or(0);
            units as f64 * sample.scale() / *wcu as f64
        });
        of_indexes.fold(measured, f64::max)
    }
}

/// Tries `setting`.
pub(super) fn run(
    table: &TunedTable,
    sample: &Sample,
    setting: &Setting,
    seed: u64,
) -> Result<Trial> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(write(table, sample, setting, seed))
}

async fn write(table: &TunedTable, sample: &Sample, setting: &Setting, seed: u64) -> Result<Trial> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Trial {
        setting: setting.beside(setting),
        source,
    };
    let simulator = table.simulator(seed);
    let capacity = table.schema().billing_mode().write_capacity();
    let limiter = Rate::from(setting.rate)
        .limiter(table.schema())
        .map_err(|error| failed(Box::new(error)))?;
    let sizer = BoundedSizer {
        sizer: AdaptiveSizer::new(SizerLaw::new(capacity)).paced_by(limiter.clone()),
        batch: setting.batch,
    };
    let heard = Arc::new(Heard::default());
    let outcomes = Outcomes::of(Arc::clone(&heard));
    let batched = Writer::builder(simulator.clone())
        .concurrency(setting.concurrency.into())
        .outcomes(outcomes.clone())
        .admission(limiter.clone())
        .sizer(sizer.clone())
        .capacity_observer(Arc::clone(&heard))
        .jitter_seed(seed)
        .build()
        .rate_limited(limiter)
        .batched(sizer);
    let ops = sample.in_order(setting.readers);
    match setting.window.dedup() {
        Some(dedup) => send(ops, batched.deduplicated(dedup.with_outcomes(outcomes))).await,
        None => send(ops, batched).await,
    }
    .map_err(failed)?;
    Ok(heard.trial(*setting, &simulator, table))
}

async fn send<S>(ops: Vec<WriteOp>, sink: S) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: Sink<WriteOp, Error = WriterError>,
{
    let ops = stream::iter(ops).map(Ok::<_, Infallible>);
    drive(ops, Box::pin(sink)).await?;
    Ok(())
}

/// What is heard while a load runs.
#[derive(Debug, Default)]
struct Heard(Mutex<Counts>);

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    superseded: u64,
    dead: u64,
    answers: u64,
    in_flight: u64,
    latency: Duration,
}

impl Heard {
    fn trial(&self, setting: Setting, simulator: &Simulator, table: &TunedTable) -> Trial {
        let counts = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let audit = simulator.audit();
        let totals = audit.totals();
        let name = table.schema().name().as_str();
        let mut units = BTreeMap::new();
        let mut busiest: BTreeMap<u64, u64> = BTreeMap::new();
        for resource in audit.resources() {
            let drawn = audit.units_per_second(resource);
            units.insert(resource.clone(), drawn.values().sum());
            if matches!(resource, Resource::Partition(of, _) if of == name) {
                for (second, units) in drawn {
                    let most = busiest.entry(second).or_default();
                    *most = units.max(*most);
                }
            }
        }
        let drawn = audit.units_per_second(&Resource::Table(name.to_owned()));
        let seconds = drawn.last_key_value().map_or(0, |(last, _)| last + 1);
        let each = |of: &BTreeMap<u64, u64>| {
            let units = (0..seconds).map(|second| of.get(&second).copied().unwrap_or(0));
            units.collect()
        };
        let answers = counts.answers.max(1);
        Trial {
            setting,
            elapsed: audit.last_applied().unwrap_or_default(),
            units,
            seconds: each(&drawn),
            busiest_partition: each(&busiest),
            applied: totals.applied,
            refused: totals.refused,
            requests: totals.requests,
            in_flight: counts.in_flight as f64 / answers as f64,
            latency: counts.latency.div_f64(answers as f64),
            superseded: counts.superseded,
            dead: counts.dead,
        }
    }
}

impl CapacityObserver for Heard {
    fn observe(&self, feedback: &CapacityFeedback) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.answers += 1;
        counts.in_flight += feedback.in_flight as u64 + 1;
        counts.latency += feedback.latency;
    }
}

impl OutcomeObserver for Heard {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event.outcome {
            Outcome::Superseded { .. } => counts.superseded += 1,
            Outcome::Dead(_) => counts.dead += 1,
            _ => {}
        }
        Ok(())
    }
}

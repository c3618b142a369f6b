//! One policy in one scenario.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::measured::Measured;
use crate::policy::{Client, Ended, Policy, RateGauge};
use crate::scenario::Scenario;
use crate::trace::{Recorder, Second};

/// The client that loads.
const LOAD: &str = "load";

/// The client that was there before.
const OTHER: &str = "other";

/// How long a policy may take: a few times as long as any optimum.
const PATIENCE: Duration = Duration::from_hours(24);

/// Lets `policy` write the input of `scenario`, and measures how it fared. It runs in the time of the runtime that it is
/// called in: with tokio's clock paused, hours pass in seconds. On a current-thread runtime two runs are the same.
///
/// # Panics
///
/// If the scenario's table cannot be, which reading it has checked.
pub async fn run(scenario: &Arc<Scenario>, policy: &dyn Policy) -> Measured {
    measure(scenario, policy, None).await
}

/// The same, with what happened in each second.
///
/// # Panics
///
/// As [`run`].
pub async fn run_traced(scenario: &Arc<Scenario>, policy: &dyn Policy) -> (Measured, Vec<Second>) {
    let mut seconds = Vec::new();
    let measured = measure(scenario, policy, Some(&mut seconds)).await;
    (measured, seconds)
}

#[expect(
    clippy::expect_used,
    reason = "the table was checked when the scenario was read"
)]
async fn measure(
    scenario: &Arc<Scenario>,
    policy: &dyn Policy,
    trace: Option<&mut Vec<Second>>,
) -> Measured {
    let service = scenario.service().expect("the scenario was checked");
    let table = scenario.table.seen().expect("the scenario was checked");
    let rate = RateGauge::default();
    let other = scenario.other.clone().map(|other| {
        let service = service.as_client(OTHER);
        Task(tokio::spawn(other.write(service, table.clone())))
    });
    let recorder = Recorder::default();
    let watching = trace.is_some().then(|| {
        let watch = recorder.clone().watch(service.clone(), LOAD, rate.clone());
        Task(tokio::spawn(watch))
    });
    let client = Client {
        transport: service.as_client(LOAD),
        ops: scenario.input.ops(&table, scenario.seed),
        table,
        scenario: Arc::clone(scenario),
        rate,
    };
    let ended = timeout(PATIENCE, policy.write(client)).await;
    let with_other = other.is_some();
    drop((other, watching));

    let load = service.audit_of(LOAD);
    let other = with_other.then(|| service.audit_of(OTHER));
    if let Some(trace) = trace {
        *trace = recorder.seconds(&load, other.as_ref());
    }
    let given_up = match ended {
        Ok(Ended { given_up }) => given_up,
        Err(_) => scenario.input.ops.saturating_sub(load.totals().applied),
    };
    Measured::of(scenario, &load, other.as_ref(), given_up)
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Task(tokio::task::JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

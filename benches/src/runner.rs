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

#[cfg(test)]
mod tests {
    use dynasink::{Transport, WriteBatchBuilder, WriteOp};
    use futures::StreamExt;
    use futures::future::{BoxFuture, FutureExt};

    use super::*;

    /// Sends what it has as often as it can, one request after another. It wastes requests, and no capacity.
    struct Flood;

    impl Policy for Flood {
        fn name(&self) -> &'static str {
            "flood"
        }

        fn write(&self, client: Client) -> BoxFuture<'_, Ended> {
            async move {
                let mut ops = client.ops;
                let mut left: Vec<WriteOp> = Vec::new();
                loop {
                    left.extend(ops.by_ref().take(25 - left.len()).collect::<Vec<_>>().await);
                    let mut batch = WriteBatchBuilder::new();
                    let push = |op: WriteOp| batch.push(op).err();
                    let kept: Vec<_> = left.into_iter().filter_map(push).collect();
                    let Some(batch) = batch.take() else {
                        return Ended::default();
                    };
                    let sent = batch.ops().iter().cloned();
                    left = match client.transport.batch_write(&batch).await {
                        Ok(answer) => sent
                            .filter(|op| answer.unprocessed.contains(op.key()))
                            .collect(),
                        Err(_) => sent.collect(),
                    };
                    left.extend(kept);
                }
            }
            .boxed()
        }
    }

    /// Gives everything up.
    struct Nothing;

    impl Policy for Nothing {
        fn name(&self) -> &'static str {
            "nothing"
        }

        fn write(&self, client: Client) -> BoxFuture<'_, Ended> {
            let given_up = client.scenario.input.ops;
            async move { Ended { given_up } }.boxed()
        }
    }

    fn scenario(text: &str) -> Arc<Scenario> {
        let text = format!("about = 'x'\nlatency = '10ms'\n{text}");
        Arc::new(text.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_all_the_time_has_the_optimum_and_never_more() {
        let input = "[input]\nops = 6000\nsize = 1000\n";
        for (bottleneck, table) in [
            (
                "table",
                "capacity = { provisioned = 500 }\npartitions = 4\nidle = '0s'",
            ),
            (
                "table",
                "capacity = { provisioned = 200 }\npartitions = 4\nidle = '10s'",
            ),
            (
                "table",
                "capacity = { on-demand = { start = 400, ramp = '5s' } }\npartitions = 8\nidle = '1s'",
            ),
            (
                "partition 0",
                "capacity = { provisioned = 3000 }\npartitions = 1\nidle = '0s'",
            ),
            (
                "index by_owner",
                "capacity = { provisioned = 500 }\npartitions = 4\nidle = '0s'\n\
                [[table.index]]\nname = 'by_owner'\ncapacity = 200",
            ),
            (
                "table",
                "capacity = { provisioned = 500 }\npartitions = 4\nidle = '0s'\n\
                [[change]]\nat = '5s'\ncapacity = 100\n[[change]]\nat = '9s'\ncapacity = 800",
            ),
        ] {
            let scenario = scenario(&format!("[table]\n{table}\n{input}"));
            let measured = run(&scenario, &Flood).await;
            assert_eq!(measured.applied, 6000);
            assert_eq!(measured.optimum.bottleneck.to_string(), bottleneck);
            let share = measured.share;
            assert!((0.98..=1.001).contains(&share), "{share} of {table}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_other_client_comes_first_and_is_not_the_load() {
        let scenario = scenario(
            "[table]\ncapacity = { provisioned = 200 }\npartitions = 4\nidle = '0s'\n\
            [other]\nunits = 100\non = '5s'\noff = '5s'\n[input]\nops = 3000\nsize = 1000",
        );
        let (measured, seconds) = run_traced(&scenario, &Flood).await;
        assert_eq!(measured.applied, 3000);
        let refused = measured.others_refused.unwrap();
        assert!(refused > 0.1, "a flood leaves nothing: {refused}");
        assert!((19.9..20.1).contains(&measured.optimum.time.as_secs_f64()));
        let others: u64 = seconds.iter().map(|second| second.others_units).sum();
        let load: u64 = seconds
            .iter()
            .filter_map(|second| second.units.get(&table()))
            .sum();
        assert!(others < 1000 && load > 2900, "{others} {load}");
        assert!(seconds.iter().any(|second| second.refused > 0));
    }

    fn table() -> dynasink_sim::Resource {
        dynasink_sim::Resource::Table(crate::Table::NAME.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn who_writes_nothing_has_no_share_and_misses_every_range() {
        let scenario = scenario(
            "[table]\ncapacity = { provisioned = 200 }\n[input]\nops = 10\nsize = 1000\n\
            [expect]\nshare = 0.1\nrefused = 0.0",
        );
        let measured = run(&scenario, &Nothing).await;
        assert!(measured.share.abs() < 1e-9);
        assert_eq!(measured.given_up, 10);
        let misses = scenario.expect.misses(&measured);
        assert_eq!(misses.len(), 2, "share and given up: {misses:?}");
    }
}

//! The pipe of this project.

use dynasink::{ObserverError, Tally};
use dynasink::{OutcomeEvent, OutcomeObserver, Pipeline, drive};
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};

use crate::policy::{Client, Ended, Policy};

/// The standard pipe, as users have it: its rate is the scenario's, and everything else is by default.
#[derive(Clone, Copy, Debug)]
pub struct Dynasink;

/// Takes dead rows, so that the load goes on without them. The tally counts them.
#[derive(Debug)]
struct DeadRows;

impl OutcomeObserver for DeadRows {
    fn observe(&self, _event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        Ok(())
    }
}

impl Policy for Dynasink {
    fn name(&self) -> &'static str {
        "Dynasink"
    }

    fn write(&self, client: Client) -> BoxFuture<'_, Ended> {
        async move {
            let Client {
                transport,
                table,
                scenario,
                ops,
                rate,
            } = client;
            // Each operation is to be written: rows of one key are not merged.
            let pipeline = Pipeline::builder(transport, &table)
                .rate(scenario.rate)
                .dedup(None)
                .jitter_seed(scenario.seed)
                .observer(DeadRows)
                .build();
            let Ok(pipeline) = pipeline else {
                return Ended {
                    given_up: scenario.input.ops,
                };
            };
            let (tally, limiter) = (pipeline.tally(), pipeline.limiter());
            rate.show(move || limiter.rate().get() as f64);
            let ops = ops.map(Ok::<_, std::convert::Infallible>);
            let written = drive(ops, pipeline).await;
            Ended {
                given_up: given_up(&tally, written.is_ok()),
            }
        }
        .boxed()
    }
}

fn given_up(tally: &Tally, ended: bool) -> u64 {
    let counts = tally.counts();
    let unresolved = if ended { 0 } else { counts.unresolved() };
    counts.dead + unresolved
}

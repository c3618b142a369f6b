//! Other traffic on the table.

use std::time::Duration;

use dynasink::{TableSchema, Transport, WriteBatchBuilder};
use dynasink_sim::Simulator;
use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval};

use crate::scenario::duration;
use crate::scenario::op_maker::OpMaker;

/// How often it sends.
const TICK: Duration = Duration::from_millis(50);

/// Keys of its own, which it writes again and again.
const KEYS: u64 = 10_000;

/// A client that writes items of one unit, evenly while it is on and nothing while it is off, off first. What is refused
/// is refused: its users would see an error.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OtherClient {
    /// Units per second while it is on.
    pub units: u64,
    /// For how long it is on.
    #[serde(deserialize_with = "duration")]
    pub on: Duration,
    /// For how long it is off.
    #[serde(deserialize_with = "duration")]
    pub off: Duration,
}

impl OtherClient {
    /// Units per second that it asks for at that time, and when that changes.
    pub(crate) fn demand(&self, at: Duration) -> (u64, Duration) {
        let period = (self.off + self.on).max(Duration::from_millis(1));
        let periods = at.as_nanos() / period.as_nanos();
        let periods = u32::try_from(periods).unwrap_or(u32::MAX);
        let start = period.saturating_mul(periods);
        if at < start + self.off {
            (0, start + self.off)
        } else {
            (self.units, start + period)
        }
    }

    /// Writes until it is dropped.
    pub(crate) async fn write(self, service: Simulator, table: TableSchema) {
        let mut maker = OpMaker::new(&table);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut asked, mut sent) = (0.0, 0_u64);
        loop {
            ticks.tick().await;
            let (units, _) = self.demand(service.now());
            asked += units as f64 * TICK.as_secs_f64();
            while (sent as f64) + 1.0 <= asked {
                let mut batch = WriteBatchBuilder::new();
                while (sent as f64) + 1.0 <= asked {
                    let key = sent % KEYS;
                    let op = maker.op(&format!("other-{key}"), key, 100);
                    if batch.push(op).is_err() {
                        break;
                    }
                    sent += 1;
                }
                let service = service.clone();
                tokio::spawn(async move {
                    let Some(batch) = batch.take() else { return };
                    // The audit tells what becomes of it.
                    drop(service.batch_write(&batch).await);
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_off_first_and_then_on() {
        let seconds = Duration::from_secs;
        let other = OtherClient {
            units: 500,
            on: seconds(10),
            off: seconds(5),
        };
        for (at, units, until) in [
            (0, 0, 5),
            (4, 0, 5),
            (5, 500, 15),
            (14, 500, 15),
            (15, 0, 20),
        ] {
            assert_eq!(other.demand(seconds(at)), (units, seconds(until)), "{at}");
        }
    }
}

//! Who writes: a control law, from the operations to the requests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use dynasink::{TableSchema, WriteOp};
use dynasink_sim::Simulator;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::scenario::Scenario;

/// What a policy has to work with.
pub struct Client {
    /// The service, by its door for writers. What goes through it is counted as the load's.
    pub transport: Simulator,
    /// The table as the client sees it: an unknown capacity is not in it.
    pub table: TableSchema,
    /// What it is part of: how fast to write, and with which seed.
    pub scenario: Arc<Scenario>,
    /// What is to be written. Always ready.
    pub ops: BoxStream<'static, WriteOp>,
    /// Where it may show its rate, for a trace.
    pub rate: RateGauge,
}

/// What only the policy itself can tell of its end. The service's audit tells the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Operations that it gave up.
    pub given_up: u64,
}

/// A control law that takes operations to a table.
pub trait Policy: Send + Sync {
    /// Its name in tables.
    fn name(&self) -> &'static str;

    /// Writes all operations, and is ready when each is written or given up.
    fn write(&self, client: Client) -> BoxFuture<'_, Ended>;
}

/// Where a policy shows at which rate it writes.
#[derive(Clone, Default)]
pub struct RateGauge(Arc<Mutex<Option<Read>>>);

/// Reads the rate, in units per second.
type Read = Box<dyn Fn() -> f64 + Send>;

impl RateGauge {
    /// Shows what `read` says from now on, in units per second.
    pub fn show(&self, read: impl Fn() -> f64 + Send + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(read));
    }

    /// The rate, if the policy has one to show.
    pub fn read(&self) -> Option<f64> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().map(|read| read())
    }
}

impl fmt::Debug for RateGauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RateGauge").field(&self.read()).finish()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("table", &self.table)
            .field("scenario", &self.scenario)
            .finish_non_exhaustive()
    }
}

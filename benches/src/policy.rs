//! How a client writes a load: ours, or that of a peer.

use std::sync::Arc;

use dynasink::{TableSchema, WriteOp};
use dynasink_sim::Simulator;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

/// What a load is about.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What chance goes by.
    pub seed: u64,
}

/// What a policy has to work with.
#[expect(
    missing_debug_implementations,
    reason = "a stream of operations has nothing to show"
)]
pub struct Client {
    /// The service.
    pub transport: Simulator,
    /// The table as the client sees it.
    pub table: TableSchema,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// What is to be written.
    pub ops: BoxStream<'static, WriteOp>,
}

/// How a load ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Operations that were not written and will not be tried again.
    pub given_up: u64,
}

/// How a client writes a load.
pub trait Policy: Send + Sync {
    /// What the table of results calls it.
    fn name(&self) -> &'static str;

    /// Writes all operations, or gives up on some.
    fn write(&self, client: Client) -> BoxFuture<'_, Ended>;
}

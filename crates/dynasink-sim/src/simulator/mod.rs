//! A DynamoDB that throttles and fails on demand.

mod api;
mod collections;
mod course;
mod state;
mod transport;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::{Client, config};
use dynasink_core::{PrimaryKey, WriteUnits};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::audit::Audit;
use crate::capacity::CapacityModel;
use crate::connector;
use crate::embedded::EmbeddedStore;
use crate::fault::{Change, Dice, Faults, Latency};
use crate::store::Store;
use crate::table::SimulatedTable;
use state::State;

/// A DynamoDB that throttles and fails on demand, and remembers all that happened.
///
/// Clones are one service. Its time is tokio's: under paused time (`#[tokio::test(start_paused = true)]`) hours pass
/// in seconds, and one seed always gives one trace. Build it inside the runtime whose time it is to follow.
///
/// # Doors
///
/// - [`Transport`](dynasink_aws::Transport), for a [`Writer`](dynasink_aws::Writer) without the AWS SDK: a few
///   microseconds an operation.
/// - [`client`](Self::client) and [`http_client`](Self::http_client), for the AWS SDK in this process without a
///   socket.
/// - [`Server`](crate::Server), for any client over HTTP.
///
/// # Tables
///
/// Without an [`EmbeddedStore`] it holds the tables that it is given
/// ([`SimulatorBuilder::table`]) in memory: the SDK can write to them and describe them, and
/// [`items`](Self::items) says what they hold. On an embedded store the whole API is there, and tables are created
/// through it.
///
/// ```
/// use std::time::Duration;
///
/// use dynasink_aws::Writer;
/// use dynasink_core::{BillingMode, KeyType, Outcomes, TableSchema, WriteBatch, WriteUnits};
/// use dynasink_sim::{Resource, SimulatedTable, Simulator};
/// use futures::SinkExt;
///
/// # #[derive(Debug)]
/// # struct Log;
/// # impl dynasink_core::OutcomeObserver for Log {
/// #     fn observe(&self, _: &dynasink_core::OutcomeEvent<'_>) -> Result<(), dynasink_core::ObserverError> { Ok(()) }
/// # }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let orders = TableSchema::builder("orders")
///     .partition_key("id", KeyType::N)
///     .billing_mode(BillingMode::Provisioned { write: WriteUnits::new(10) })
///     .build()?;
/// let simulator = Simulator::builder()
///     .seed(7)
///     .table(SimulatedTable::new(orders.clone()).idle(Duration::ZERO))
///     .faults("lost=5%, internal=5%".parse()?)
///     .build();
///
/// let mut writer = Writer::builder(simulator.clone()).outcomes(Outcomes::of(Log)).jitter_seed(7).build();
/// for id in 0..100 {
///     writer.feed(WriteBatch::of(orders.put_serde(&serde_json::json!({ "id": id }))?)).await?;
/// }
/// writer.close().await?;
///
/// let audit = simulator.audit();
/// assert_eq!(simulator.items("orders").len(), 100);
/// assert!(audit.totals().refused > 0, "ten units a second are not enough for a hundred at once");
/// assert_eq!(audit.illegal().count(), 0);
/// assert!(audit.most_units_within(&Resource::Table("orders".into()), 5) < 100);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Simulator {
    service: Arc<Simulation>,
    /// Whose requests come through this clone, if they are counted apart.
    client: Option<Arc<str>>,
}

struct Simulation {
    start: Instant,
    dice: Dice,
    settings: Settings,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Settings {
    latency: Latency,
    faults: Faults,
    model: CapacityModel,
    client_timeout: Duration,
    keeps_requests: bool,
    keeps_items: bool,
    collection_limit: u64,
    provisioned: Option<WriteUnits>,
    partitions: Option<usize>,
    idle: Option<Duration>,
}

/// Settings of a [`Simulator`].
#[derive(Debug)]
#[must_use]
pub struct SimulatorBuilder {
    seed: u64,
    settings: Settings,
    tables: Vec<SimulatedTable>,
    store: Option<EmbeddedStore>,
}

/// The most that one partition key's items may take up in a table with local indexes, these included.
///
/// Source: Developer Guide, *Item collection size limit*.
const COLLECTION_LIMIT: u64 = 10 * 1024 * 1024 * 1024;

/// How long the transport door waits for an answer.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

impl Simulator {
    /// Starts the settings of a simulator.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder {
            seed: 0,
            settings: Settings {
                latency: Latency::default(),
                faults: Faults::none(),
                model: CapacityModel::default(),
                client_timeout: CLIENT_TIMEOUT,
                keeps_requests: true,
                keeps_items: true,
                collection_limit: COLLECTION_LIMIT,
                provisioned: None,
                partitions: None,
                idle: None,
            },
            tables: Vec::new(),
            store: None,
        }
    }

    /// What really happened, so far.
    pub fn audit(&self) -> Audit {
        self.state().audit.clone()
    }

    /// The same service as `client` sees it: the requests of this clone are counted in
    /// [`audit_of`](Self::audit_of) that name too. It tells a load from the other traffic on its table.
    pub fn as_client(&self, client: &str) -> Self {
        Self {
            service: Arc::clone(&self.service),
            client: Some(client.into()),
        }
    }

    /// What became of the requests of one client, so far: totals and units per second, without the requests. Empty
    /// for a client that sent none.
    pub fn audit_of(&self, client: &str) -> Audit {
        self.state()
            .clients
            .get(client)
            .cloned()
            .unwrap_or_default()
    }

    /// The items of a table of a simulator in memory, as DynamoDB JSON by their keys. Of an embedded store's tables
    /// it has none: read them through the store.
    pub fn items(&self, table: &str) -> Vec<(PrimaryKey, Map<String, Value>)> {
        self.state().items(table)
    }

    /// Makes a change to the service now.
    pub fn change(&self, change: &Change) {
        let now = self.now();
        self.state().change(change, &self.service.settings, now);
    }

    /// How many partitions a table has by now; none if there is no such table.
    pub fn partitions(&self, table: &str) -> Option<usize> {
        self.state().partitions(table)
    }

    /// The in-process door: an HTTP client for [`aws_sdk_dynamodb::config::Builder::http_client`]. No socket is
    /// opened, credentials are not checked, and everything happens on the caller's thread.
    pub fn http_client(&self) -> SharedHttpClient {
        connector::http_client(self.clone().into())
    }

    /// An SDK configuration for this simulator, to be changed or built: the in-process door, a region, invented
    /// credentials. SDK retries and timeouts are off.
    pub fn sdk_config(&self) -> config::Builder {
        connector::sdk_config(self.clone().into())
    }

    /// An SDK client for this simulator, with [`sdk_config`](Self::sdk_config).
    pub fn client(&self) -> Client {
        Client::from_conf(self.sdk_config().build())
    }

    /// The time since the simulation's start.
    pub fn now(&self) -> Duration {
        self.service.start.elapsed()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.service
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("settings", &self.service.settings)
            .finish_non_exhaustive()
    }
}

impl SimulatorBuilder {
    /// What chance goes by. One seed gives one trace.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A table to have in memory.
    pub fn table(mut self, table: SimulatedTable) -> Self {
        self.tables.push(table);
        self
    }

    /// Keeps tables and items in `store` in place of memory, and has its whole API.
    pub fn embedded(mut self, store: EmbeddedStore) -> Self {
        self.store = Some(store);
        self
    }

    /// Every table of the embedded store has that much provisioned write capacity, and each of its global indexes
    /// too, whatever it was created with. `DescribeTable` says so.
    pub fn provisioned(mut self, write: WriteUnits) -> Self {
        self.settings.provisioned = Some(write);
        self
    }

    /// Every table starts with that many partitions, where [`SimulatedTable::partitions`] does not say.
    pub fn partitions(mut self, partitions: usize) -> Self {
        self.settings.partitions = Some(partitions.max(1));
        self
    }

    /// Every table of the embedded store was unused for that long when its first request comes: see
    /// [`SimulatedTable::idle`].
    pub fn idle(mut self, idle: Duration) -> Self {
        self.settings.idle = Some(idle);
        self
    }

    /// How long requests take.
    pub fn latency(mut self, latency: Latency) -> Self {
        self.settings.latency = latency;
        self
    }

    /// What goes wrong.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.settings.faults = faults;
        self
    }

    /// The rules of capacity.
    pub fn capacity_model(mut self, model: CapacityModel) -> Self {
        self.settings.model = model;
        self
    }

    /// How long a client at the [`Transport`](dynasink_aws::Transport) door waits for an answer: 30 seconds unless
    /// set. Clients at the other doors have timeouts of their own.
    pub fn client_timeout(mut self, timeout: Duration) -> Self {
        self.settings.client_timeout = timeout;
        self
    }

    /// Bytes that an item collection may take up in a table with local indexes: 10 GB unless set.
    pub fn collection_limit(mut self, bytes: u64) -> Self {
        self.settings.collection_limit = bytes;
        self
    }

    /// Keeps totals and units per second in the audit, and no requests: for simulations of hours. The units take some
    /// tens of bytes for each second in which a table, an index or a partition is written to.
    pub fn totals_only(mut self) -> Self {
        self.settings.keeps_requests = false;
        self
    }

    /// Keeps in memory how large each item is, and not what it holds: for simulations of many large items.
    /// [`Simulator::items`] then has none.
    pub fn sizes_only(mut self) -> Self {
        self.settings.keeps_items = false;
        self
    }

    /// The simulator. Its time starts now.
    pub fn build(self) -> Simulator {
        let store = self.store.map_or_else(
            || Store::Memory(std::collections::BTreeMap::new()),
            Store::Embedded,
        );
        let mut state = State::new(store, &self.settings);
        for table in self.tables {
            state.add_table(table, &self.settings, Duration::ZERO);
        }
        Simulator {
            service: Arc::new(Simulation {
                start: Instant::now(),
                dice: Dice::new(self.seed),
                settings: self.settings,
                state: Mutex::new(state),
            }),
            client: None,
        }
    }
}

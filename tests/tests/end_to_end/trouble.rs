//! The standard pipe over sockets, into a service in which everything goes wrong that a load survives.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use dynasink::{
    Concurrency, Dedup, DedupWindow, DynamoDb, Pipeline, PrimaryKey, Rate, RetryPolicy, WriteUnits,
};
use dynasink_sim::{EmbeddedStore, Fault, RequestRecord, Simulator};
use dynasink_tests::{Endpoint, TestTable, assert_same_items};

use crate::last_write_wins::{History, KEYS, write};

/// How long the client waits for an answer. Requests that are answered take milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(500);

const FAULTS: &str = "internal=3%, unavailable=2%, gateway=2%, refused=2%, reset=3%, lost=3%, truncated=3%, empty=2%, \
    garbage=2%, partial=10%, slow:20ms=3%, hang@5, silent@9, hang=1%, silent=1%";

fn simulator(seed: u64) -> Simulator {
    Simulator::builder()
        .seed(seed)
        .embedded(EmbeddedStore::in_memory().unwrap())
        .provisioned(WriteUnits::new(2000))
        .partitions(3)
        .latency("1ms..10ms".parse().unwrap())
        .faults(FAULTS.parse().unwrap())
        .build()
}

/// A key that two requests carried at one time, if there is any. When a client leaves that gets no answer, the
/// service may hear of it after the next request has come.
fn key_twice_in_flight(requests: &[RequestRecord]) -> Option<&PrimaryKey> {
    let mut busy_until: HashMap<&PrimaryKey, Duration> = HashMap::new();
    for request in requests {
        for write in &request.writes {
            if busy_until.get(&write.key) > Some(&request.arrived) {
                return Some(&write.key);
            }
            if !matches!(request.fault, Some(Fault::Hang | Fault::Silent)) {
                busy_until.insert(&write.key, request.ended.unwrap_or(Duration::MAX));
            }
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_write_wins_though_the_service_is_in_trouble() {
    for (seed, concurrency) in [(21, 1), (22, 8)] {
        let simulator = simulator(seed);
        let endpoint = Endpoint::served(simulator.clone());
        let table = TestTable::create(&endpoint, &KEYS).await;
        let history = History::drawn(seed, 1000);

        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let client = endpoint.sdk_config().timeout_config(timeouts).build();
        let mut retry = RetryPolicy::default();
        retry.failed.cap = Duration::from_millis(20);
        let window = NonZeroUsize::new(20).unwrap();
        let window = DedupWindow::new(window, DedupWindow::DEFAULT_BYTES);
        let pipe = Pipeline::builder(DynamoDb::new(Client::from_conf(client)), table.schema())
            .dedup(Some(Dedup::keep_last(window)))
            .rate(Rate::Fixed(WriteUnits::new(1500)))
            .concurrency(Concurrency::Fixed(concurrency))
            .retry_policy(retry);
        let counts = write(&history, table.schema(), pipe).await.unwrap();

        let left = table.by_key(history.left_by_last());
        assert_same_items(&table.items().await, &left);
        assert_eq!(counts.dead, 0, "seed {seed}: {counts:?}");
        assert!(
            counts.superseded > 0 && counts.retried_ops > 0,
            "{counts:?}"
        );
        let audit = simulator.audit();
        assert_eq!(audit.illegal().count(), 0);
        assert_eq!(key_twice_in_flight(audit.requests()), None);
        for fault in [Fault::Hang, Fault::Silent] {
            let mut requests = audit.requests().iter();
            assert!(
                requests.any(|request| request.fault == Some(fault)),
                "no request had {fault:?}"
            );
        }
    }
}

//! Connections break before and after requests are applied, and nothing is lost.

use std::time::Duration;

use dynasink::{Concurrency, DynamoDb, KeyType, Pipeline, PipelineBuilder, RetryPolicy};
use dynasink_tests::{Endpoint, Fate, LossyNetwork, TestTable, assert_same_items, rows_of_parquet};

use crate::last_write_wins::{History, KEYS, write};
use crate::load::load;
use crate::real_data::example;

dynasink_tests::claims_about_every_endpoint!(
    every_row_arrives_though_connections_break,
    the_last_write_wins_though_connections_break,
);

/// How many of 100 requests are not answered.
const LOST: u8 = 30;

/// The pipe into the table by way of the network, which tries again soon: the network is as bad later as now.
fn pipe(
    endpoint: &Endpoint,
    network: &LossyNetwork,
    table: &TestTable,
) -> PipelineBuilder<DynamoDb> {
    let mut retry = RetryPolicy::default();
    retry.failed.cap = Duration::from_millis(20);
    let client = endpoint.client_by_way_of(&network.url());
    Pipeline::builder(DynamoDb::new(client), table.schema()).retry_policy(retry)
}

fn assert_lossy(network: &LossyNetwork) {
    for fate in [
        Fate::Delivered,
        Fate::RequestLost,
        Fate::AnswerLost,
        Fate::AnswerCut,
    ] {
        assert!(network.count(fate) > 0, "no request was {fate:?}");
    }
}

async fn every_row_arrives_though_connections_break(endpoint: Endpoint) {
    let Some(network) = LossyNetwork::before(endpoint.url(), LOST, 1).await else {
        return;
    };
    let file = example("planes");
    let table = TestTable::create(&endpoint, &[("tailnum", KeyType::S)]).await;
    let expected = table.by_key(rows_of_parquet(&file));

    let pipe = pipe(&endpoint, &network, &table);
    let report = load([&file], table.schema(), pipe).await.unwrap();

    assert_same_items(&table.items().await, &expected);
    assert_lossy(&network);
    assert!(report.counts.retried_ops > 0);
}

async fn the_last_write_wins_though_connections_break(endpoint: Endpoint) {
    for (seed, concurrency) in [(11, 1), (12, 8)] {
        let Some(network) = LossyNetwork::before(endpoint.url(), LOST, seed).await else {
            return;
        };
        let table = TestTable::create(&endpoint, &KEYS).await;
        let history = History::drawn(seed, 1500);

        let pipe = pipe(&endpoint, &network, &table)
            .dedup(None)
            .concurrency(Concurrency::Fixed(concurrency));
        let counts = write(&history, table.schema(), pipe).await.unwrap();

        let left = table.by_key(history.left_by_last());
        assert_same_items(&table.items().await, &left);
        assert_lossy(&network);
        assert_eq!((counts.superseded, counts.dead), (0, 0));
    }
}

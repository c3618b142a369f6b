//! The same requests to the simulator, to the embedded store alone and to the endpoint of the environment, with the
//! answers compared: where two of them differ, `differences.json` says so, and says who is right.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in test functions only, not in what they share"
)]

mod answer;
mod listed;
mod peer;
mod script;
mod tables;

use std::env;

use dynasink_tests::Endpoint;

use crate::listed::{Listed, Observed};
use crate::peer::Peer;
use crate::tables::Tables;

/// The environment variable that says whose answers the endpoint of the environment gives; dynalite's unless set.
const PEER_VARIABLE: &str = "DYNASINK_TEST_PEER";

/// Sends the whole script to the simulator in memory and to `peer`: by the request, what each of them answers where
/// they differ.
async fn differences(tables: &Tables, peer: &Peer) -> Observed {
    let simulator = Peer::simulator_in_memory(tables).await;
    let mut observed = Observed::new();
    for request in script::requests() {
        let answers = [simulator.ask(&request).await, peer.ask(&request).await];
        if let Some(differ) = answers[0].differs_from(&answers[1]) {
            let earlier = observed.insert(request.name.clone(), differ);
            assert_eq!(earlier, None, "two requests are called {:?}", request.name);
        }
    }
    observed
}

#[tokio::test]
async fn the_simulator_on_an_embedded_store_differs_as_listed() {
    let tables = Tables::named(str::to_owned);
    let peer = Peer::simulator_on_embedded_store(&tables).await;
    let observed = differences(&tables, &peer).await;
    Listed::read().assert_lists("simulator on an embedded store", &observed);
}

#[tokio::test]
async fn the_embedded_store_differs_as_listed() {
    let tables = Tables::named(str::to_owned);
    let peer = Peer::embedded_store(&tables).await;
    Listed::read().assert_lists("dynoxide", &differences(&tables, &peer).await);
}

#[tokio::test]
async fn the_endpoint_of_the_environment_differs_as_listed() {
    let Some(endpoint) = Endpoint::named_by_environment().await else {
        return;
    };
    let name = env::var(PEER_VARIABLE).unwrap_or_else(|_| "dynalite".to_owned());
    let differ = |endpoint: Endpoint| async move {
        let tables = Tables::named(|_| endpoint.fresh_table_name());
        let peer = Peer::endpoint(&endpoint, &tables).await;
        Listed::read().assert_lists(&name, &differences(&tables, &peer).await);
    };
    endpoint.check(differ).await;
}

#[test]
fn the_guide_tells_what_is_listed() {
    Listed::read().assert_told_in_the_guide();
}

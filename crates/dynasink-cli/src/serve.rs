//! `dynasink serve`.

use std::io::{Write, stderr};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use dynasink::WriteUnits;
use dynasink_sim::{EmbeddedStore, Endpoint, Latency, Server, Simulator, Totals};

use crate::args::{ServeArgs, SimulationArgs};
use crate::failure::{ALL_WRITTEN, Failure};
use crate::output::print;
use crate::signals::Signals;

pub(crate) async fn run(args: &ServeArgs) -> Result<ExitCode, Failure> {
    let store = match &args.embedded {
        // An empty store under a mistyped name would look like lost data.
        Some(file) if !file.is_file() => {
            return Err(Failure::refused_because(format!(
                "{}: there is no such store; `dynasink load --embedded` makes one",
                file.display()
            )));
        }
        Some(file) => EmbeddedStore::open(file),
        None => EmbeddedStore::in_memory(),
    };
    let store = store.map_err(|error| Failure::refused(&error))?;
    let simulator = simulator(&args.simulation, &store);
    let endpoint = simulator
        .clone()
        .map_or_else(|| Endpoint::from(store), Endpoint::from);
    let signals = Signals::listen();
    let server = Server::bind((Ipv4Addr::LOCALHOST, args.port).into(), endpoint)
        .map_err(|error| Failure::refused(&error))?;
    print(|out| writeln!(out, "{}", server.url()))?;
    server
        .run(async move { signals.first().await })
        .await
        .map_err(|error| Failure::stopped(&error))?;
    if let Some(simulator) = simulator {
        let Totals {
            requests,
            applied,
            refused,
            illegal,
            units,
        } = simulator.audit().totals();
        let _told = writeln!(
            stderr(),
            "{requests} requests to write: {applied} operations applied for {units} write units, {refused} refused \
             for want of capacity, {illegal} illegal requests"
        );
    }
    Ok(ALL_WRITTEN.into())
}

/// A simulator before `store`, if any of its options is given.
fn simulator(args: &SimulationArgs, store: &EmbeddedStore) -> Option<Simulator> {
    let SimulationArgs {
        wcu,
        partitions,
        idle,
        latency,
        faults,
        seed,
    } = args;
    let nothing_asked = wcu.is_none()
        && partitions.is_none()
        && idle.is_none()
        && latency.is_none()
        && faults.is_none()
        && seed.is_none();
    if nothing_asked {
        return None;
    }
    let mut simulator = Simulator::builder()
        .embedded(store.clone())
        .seed(seed.unwrap_or_default())
        .latency(latency.unwrap_or(Latency::fixed(Duration::ZERO)))
        .faults(faults.clone().unwrap_or_default())
        .totals_only();
    if let Some(wcu) = wcu {
        simulator = simulator.provisioned(WriteUnits::new(*wcu));
    }
    if let Some(idle) = idle {
        simulator = simulator.idle(*idle);
    }
    if let Some(partitions) = partitions {
        simulator = simulator.partitions(partitions.get());
    }
    Some(simulator.build())
}

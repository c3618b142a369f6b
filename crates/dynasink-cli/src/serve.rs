//! `dynasink serve`.

use std::io::{Write, stdout};
use std::net::Ipv4Addr;
use std::process::ExitCode;

use dynasink_sim::{EmbeddedStore, Server};

use crate::args::ServeArgs;
use crate::failure::{ALL_WRITTEN, Failure};
use crate::signals;

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
    let server = Server::bind((Ipv4Addr::LOCALHOST, args.port).into(), store)
        .map_err(|error| Failure::refused(&error))?;
    writeln!(stdout(), "{}", server.url()).map_err(|error| Failure::stopped(&error))?;
    server
        .run(signals::first())
        .await
        .map_err(|error| Failure::stopped(&error))?;
    Ok(ALL_WRITTEN.into())
}

//! The `dynasink` command, run as a process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod changes;
#[cfg(unix)]
mod control;
mod export;
mod filter;
#[cfg(unix)]
mod interrupt;
mod item_collections;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod lifecycle;
mod load;
mod mapping;
mod object_stores;
mod plan;
mod replay;
mod report;
#[cfg(unix)]
mod resume;
#[cfg(unix)]
mod running;
#[cfg(unix)]
mod serve;
mod sources;
mod store;
mod verify;
mod workplace;

//! The `dynasink` command, run as a process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod changes;
#[cfg(unix)]
mod control;
mod filter;
#[cfg(unix)]
mod interrupt;
mod item_collections;
#[cfg(unix)]
mod lifecycle;
mod load;
mod mapping;
mod object_stores;
#[cfg(unix)]
mod running;
#[cfg(unix)]
mod serve;
mod sources;
mod workplace;

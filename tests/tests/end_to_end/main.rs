//! Rows into tables, over HTTP, with what was read back compared to what was put in.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in test functions only, not in what they share"
)]

mod capacity;
mod dead_letters;
mod last_write_wins;
mod load;
mod lossy_network;
mod real_data;
mod refusals;
mod trouble;
mod types;

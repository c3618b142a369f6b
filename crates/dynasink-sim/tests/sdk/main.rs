//! The store as an AWS SDK client sees it, through both doors.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in test functions only, not in what they share"
)]

mod clients;
mod doors;
mod embedded;
mod orders;
mod server;
mod simulator;

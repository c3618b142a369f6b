//! Reading items: by their keys with `BatchGetItem`, and all of a table with `Scan`.
//!
//! A [`Reader`] asks again for what the service leaves out, within bounds, and keeps to a rate in read capacity units
//! ([`ReadLimiter`]). Like the writer it sees the service through a trait, [`ReadTransport`].

mod answer;
mod client;
mod limiter;
mod reader;
#[cfg(test)]
mod tests;
mod transport;

pub use limiter::ReadLimiter;
pub use reader::{ReadUsage, Reader};
pub use transport::{KeyBatch, KeysAnswer, ReadTransport, ScanAnswer, ScanRequest, StoredItem};

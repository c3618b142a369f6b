//! Parquet files, good and bad, through the source and the decoder.
//!
//! The files of `tests/data` were made for this project, one for each hazard.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in test functions only, not in what they share"
)]

mod bad;
mod batches;
mod conflicts;
#[cfg(feature = "encryption")]
mod encrypted;
mod filter;
mod ipc;
mod load;
mod selection;
mod together;
mod traps;
mod values;
#[cfg(feature = "variant")]
mod variant;

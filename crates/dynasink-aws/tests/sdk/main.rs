//! The crate through the SDK's whole path: serialization, signing, timeouts and error parsing are the real ones,
//! and only what would be the network is not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod changes;
mod classify;
mod endpoint;
mod reads;
mod serde_types;
mod signature;
mod store;
mod tables;

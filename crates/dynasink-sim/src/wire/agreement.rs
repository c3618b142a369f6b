//! The checks here against two others: the client's, and the embedded store's.

mod client;
mod size;
mod store;

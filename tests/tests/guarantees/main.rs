//! What is promised, whatever fails: on the simulator, in virtual time, by seed. The simulator's audit is asked for
//! the truth, not the client.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod load;
mod many_files;
mod properties;
mod rate;
mod requests;
mod resume;
mod scenarios;

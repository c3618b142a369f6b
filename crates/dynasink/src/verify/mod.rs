//! Whether a table holds what a source says it should.
//!
//! The source is read twice. The first reading, into a [`CensusTaker`], finds out which row of each key counts. The second,
//! into a [`Verifier`], compares these rows with the items of the table, by typed value, and notes each difference in a
//! [`DifferenceFile`]. What the table holds beyond the source is found by [`find_extra`], which scans it.

mod census;
mod differences;
mod expiry;
mod extra;
mod sample;
mod tally;
mod verdict;
mod verifier;

pub use census::CensusTaker;
pub use differences::DifferenceFile;
pub use extra::find_extra;
pub use sample::Sample;
pub use tally::{VerifyCounts, VerifyTally};
pub use verifier::Verifier;

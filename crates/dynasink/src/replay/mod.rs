//! Dead letters made operations again.
//!
//! [`DeadLetters`] reads a [`DeadLetterFile`](crate::DeadLetterFile) back. A letter with an item is an operation again; a
//! row that never became an item is read again from its file, by its position ([`RowsAgain`]).
//! [`Pipeline::replay`](crate::Pipeline::replay) writes both.

mod absent;
mod file_numbers;
mod last_letters;
mod letter;
mod letters;
mod rows_again;

pub(crate) use absent::OnlyAbsent;
pub(crate) use letter::Letter;
pub use letters::DeadLetters;
pub use rows_again::RowsAgain;

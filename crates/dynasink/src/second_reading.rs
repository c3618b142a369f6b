//! Whether a source that is read twice was the same both times.

use dynasink_sink::KeyChoice;

use crate::error::{Error, Result};

/// Checks that the second reading, which is over, has met the keys of the first.
///
/// # Errors
///
/// [`Error::SourceChanged`].
pub(crate) fn check_keys(choice: &KeyChoice) -> Result<()> {
    let (expected, found) = (choice.keys(), choice.kept());
    if expected == found {
        Ok(())
    } else {
        Err(Error::SourceChanged { expected, found })
    }
}

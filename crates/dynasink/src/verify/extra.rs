//! Items of a table that no row of the source has the key of.

use std::num::NonZeroU32;

use dynasink_aws::{Error, ReadTransport, Reader};
use dynasink_core::{StageError, TableSchema};
use dynasink_sink::KeyChoice;
use futures::{StreamExt, TryStreamExt, stream};

use super::differences::DifferenceFile;
use super::tally::VerifyTally;

/// Scans `table` in `segments` parts at once, and notes the items whose key is not in `choice`.
///
/// A row that cannot be an item has no key, so that an item which an earlier version of it put is an extra one.
///
/// # Errors
///
/// [`Error::Read`] if the table cannot be scanned, [`Error::Stage`] if a difference cannot be noted.
pub async fn find_extra<T: ReadTransport>(
    reader: &Reader<T>,
    table: &TableSchema,
    segments: NonZeroU32,
    choice: &KeyChoice,
    differences: &DifferenceFile,
    tally: &VerifyTally,
) -> Result<(), Error> {
    let scans = (0..segments.get()).map(|part| reader.scan(table, part, segments.get()).boxed());
    let mut pages = stream::select_all(scans);
    while let Some(items) = pages.try_next().await? {
        let extra = items.iter().filter(|item| !choice.contains(&item.key));
        let mut found = 0;
        for item in extra {
            differences.note_extra(item).map_err(StageError::from)?;
            found += 1;
        }
        tally.count(|counts| {
            counts.scanned += items.len() as u64;
            counts.extra += found;
        });
    }
    Ok(())
}

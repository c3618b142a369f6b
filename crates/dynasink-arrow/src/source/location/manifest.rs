//! Manifests: text files that list sources, one a line.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

/// A source that a manifest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) source: OsString,
    /// From one.
    pub(super) line: usize,
}

/// The sources that the manifest lists, in its order: blocking.
pub(super) fn read(file: &Path) -> Result<Vec<Entry>> {
    let name = || file.to_string_lossy().into_owned();
    let text = fs::read_to_string(file).map_err(|source| Error::ReadManifest {
        file: name(),
        source,
    })?;
    let entries = entries(&text);
    if entries.is_empty() {
        return Err(Error::NothingFound {
            place: name(),
            reason: "the manifest lists no source".to_owned(),
        });
    }
    Ok(entries)
}

/// Every line that is not empty and does not start with `#`, without the blanks around it.
fn entries(text: &str) -> Vec<Entry> {
    // Some editors start a file with a byte order mark.
    text.trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, source)| !source.is_empty() && !source.starts_with('#'))
        .map(|(line, source)| Entry {
            source: source.into(),
            line,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_no_sources() {
        let text =
            "\u{feff}# files of January\r\n\r\n  a b.parquet \r\ns3://b/x#1.parquet\n\t# c\n";
        let entries = entries(text);
        let found: Vec<_> = entries
            .iter()
            .map(|entry| (entry.line, entry.source.to_str().unwrap()))
            .collect();
        assert_eq!(found, [(3, "a b.parquet"), (4, "s3://b/x#1.parquet")]);
    }
}

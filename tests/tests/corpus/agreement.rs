//! Whether two readers gave the same rows.

use std::fmt::Write;

use crate::reading::{Reading, Row};

/// How a file ended, at both readers.
#[derive(Debug)]
pub(crate) struct Found {
    /// `3 rows`, or the name of an error.
    pub(crate) ours: String,
    /// `3 rows`, `refused`, `not asked`; none if there is no other reader here.
    pub(crate) theirs: Option<String>,
    /// The rows that both gave and that differ.
    pub(crate) differing: Vec<usize>,
    /// What was said and what differs, for whoever looks into it.
    pub(crate) details: String,
    /// The most memory that we took, in bytes.
    pub(crate) peak: u64,
}

/// Compares what we read with what the other reader did.
pub(crate) fn of(ours: &Reading, theirs: Option<&Option<Reading>>) -> Found {
    let mut details = String::new();
    if let Some((_, message)) = &ours.refused {
        writeln!(details, "  ours: {message}").unwrap();
    }
    let mut differing = Vec::new();
    if let Some(Some(theirs)) = theirs {
        if let Some((_, message)) = &theirs.refused {
            writeln!(details, "  pyarrow: {message}").unwrap();
        } else if ours.refused.is_none() {
            let rows = ours.rows.iter().zip(&theirs.rows).enumerate();
            for (row, (ours, theirs)) in rows.filter(|(_, (ours, theirs))| ours != theirs) {
                if differing.is_empty() {
                    details.push_str(&first_difference(row, ours, theirs));
                }
                differing.push(row);
            }
        }
    }
    Found {
        ours: end_of(ours, |(error, _)| error.clone()),
        theirs: theirs.map(|theirs| match theirs {
            Some(theirs) => end_of(theirs, |_| "refused".to_owned()),
            None => "not asked".to_owned(),
        }),
        differing,
        details,
        peak: ours.peak,
    }
}

fn end_of(reading: &Reading, refused: impl Fn(&(String, String)) -> String) -> String {
    match &reading.refused {
        Some(error) => refused(error),
        None => format!("{} rows", reading.rows.len()),
    }
}

fn first_difference(row: usize, ours: &Row, theirs: &Row) -> String {
    let (Ok(our_item), Ok(their_item)) = (ours, theirs) else {
        return format!("  row {row}: {ours:?}\n  pyarrow: {theirs:?}\n");
    };
    let names = our_item.keys().chain(their_item.keys());
    let differing = names
        .filter(|name| our_item.get(*name) != their_item.get(*name))
        .map(|name| {
            let (ours, theirs) = (our_item.get(name), their_item.get(name));
            format!("  row {row}, {name:?}: {ours:?}\n  pyarrow: {theirs:?}\n")
        });
    differing.take(1).collect()
}

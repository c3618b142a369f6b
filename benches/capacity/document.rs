//! The tables in the book.

use std::io;
use std::path::Path;

const BEGIN: &str = "<!-- BEGIN: just capacity --write -->\n";
const END: &str = "<!-- END -->\n";

/// Writes the tables between the markers of the book's page.
pub(crate) fn write(tables: &str) -> io::Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/capacity.md");
    let text = std::fs::read_to_string(&page)?;
    let written = between_markers(&text, tables)
        .ok_or_else(|| io::Error::other("docs/src/capacity.md has no markers"))?;
    std::fs::write(&page, written)
}

fn between_markers(text: &str, tables: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

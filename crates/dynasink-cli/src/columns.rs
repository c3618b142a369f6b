//! Text in columns that stand below each other.

use std::io::{self, Write};

/// Rows of `N` texts.
#[derive(Debug)]
pub(crate) struct Columns<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Columns<N> {
    pub(crate) fn new(headings: [&str; N]) -> Self {
        Self(vec![headings.map(str::to_owned)])
    }

    pub(crate) fn row(&mut self, row: [String; N]) {
        self.0.push(row);
    }

    /// Writes them, each column as wide as its widest text.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut widths = [0; N];
        for row in &self.0 {
            for (width, text) in widths.iter_mut().zip(row) {
                *width = text.chars().count().max(*width);
            }
        }
        for row in &self.0 {
            let mut line = String::new();
            for (width, text) in widths.iter().zip(row) {
                line.push_str("  ");
                line.push_str(text);
                line.extend(std::iter::repeat_n(' ', width - text.chars().count()));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_widest_text() {
        let mut columns = Columns::new(["a", "b"]);
        columns.row(["é wide".to_owned(), "x".to_owned()]);
        let mut out = Vec::new();
        columns.write(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  a       b\n  é wide  x\n"
        );
    }
}

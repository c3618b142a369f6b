//! Patterns such as `a/*/b-*.parquet` and `a/**`.

use globset::{GlobBuilder, GlobMatcher};

use super::folder::is_hidden;
use crate::error::{Error, Result};

/// What makes a name a pattern.
const SPECIAL: [char; 4] = ['*', '?', '[', '{'];

/// A pattern of paths, whose parts are separated by `/`.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    base: String,
    below: GlobMatcher,
    /// One for each part before the first `**`, by which folders are left out early.
    parts: Vec<GlobMatcher>,
    /// Whether a part asks for hidden names.
    hidden: bool,
}

/// How a path is among those that a pattern means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It has the pattern.
    Whole,
    /// A folder that it is in has the pattern.
    Below,
}

impl Pattern {
    /// Whether `text` could be one.
    pub(super) fn is_one(text: &str) -> bool {
        text.contains(SPECIAL)
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let parts: Vec<&str> = text.split('/').collect();
        let literal = parts
            .iter()
            .take_while(|part| !Self::is_one(part))
            .count()
            // The last part is what is looked for.
            .min(parts.len() - 1);
        let (base, below) = parts.split_at(literal);
        let compile = |glob: &str| {
            let built = GlobBuilder::new(glob).literal_separator(true).build();
            built
                .map(|glob| glob.compile_matcher())
                .map_err(|source| Error::Pattern {
                    pattern: text.to_owned(),
                    source,
                })
        };
        // A brace may have parts of a path in it, and is looked at as a whole then.
        let by_parts = !below.iter().any(|part| part.contains('{'));
        Ok(Self {
            base: match base {
                [""] => "/".to_owned(),
                base => base.join("/"),
            },
            parts: below
                .iter()
                .take_while(|part| by_parts && **part != "**")
                .map(|part| compile(part))
                .collect::<Result<_>>()?,
            hidden: below.iter().any(|part| is_hidden(part)),
            below: compile(&below.join("/"))?,
        })
    }

    /// The folder that everything with the pattern is in; empty if that is where one is.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether hidden files are asked for.
    pub(super) fn asks_for_hidden(&self) -> bool {
        self.hidden
    }

    /// Whether the pattern means the file at `path` below the base.
    pub(super) fn of_file(&self, path: &str) -> Option<Match> {
        if self.below.is_match(path) {
            return Some(Match::Whole);
        }
        path.match_indices('/')
            .any(|(end, _)| {
                path.get(..end)
                    .is_some_and(|folder| self.below.is_match(folder))
            })
            .then_some(Match::Below)
    }

    /// Whether anything in the folder at `path` below the base may have the pattern.
    pub(super) fn may_be_in(&self, path: &str) -> bool {
        path.split('/')
            .zip(&self.parts)
            .all(|(name, part)| part.is_match(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(pattern: &str, path: &str) -> Option<Match> {
        Pattern::parse(pattern).unwrap().of_file(path)
    }

    #[test]
    fn a_star_stays_within_a_folder_and_two_do_not() {
        assert_eq!(means("*.parquet", "a.parquet"), Some(Match::Whole));
        assert_eq!(means("*.parquet", "x/a.parquet"), None);
        assert_eq!(means("**/*.parquet", "x/y/a.parquet"), Some(Match::Whole));
        assert_eq!(means("**/*.parquet", "a.parquet"), Some(Match::Whole));
        assert_eq!(
            means("*/b-[0-9].parquet", "x/b-7.parquet"),
            Some(Match::Whole)
        );
        assert_eq!(means("{a,b/c}.parquet", "b/c.parquet"), Some(Match::Whole));
    }

    #[test]
    fn files_below_a_folder_that_has_the_pattern_are_meant() {
        assert_eq!(
            means("dt=2024-*", "dt=2024-01/x/a.parquet"),
            Some(Match::Below)
        );
        assert_eq!(
            means("dt=2024-*/", "dt=2024-01/a.parquet"),
            Some(Match::Below)
        );
        assert_eq!(means("dt=2024-*", "dt=2023-01/a.parquet"), None);
    }

    #[test]
    fn the_base_is_what_has_nothing_special() {
        let base = |text| Pattern::parse(text).unwrap().base().to_owned();
        assert_eq!(base("*.parquet"), "");
        assert_eq!(base("a/b/*.parquet"), "a/b");
        assert_eq!(base("/a/b*/c"), "/a");
        assert_eq!(base("/*.parquet"), "/");
        assert_eq!(base("../a/?"), "../a");
    }

    #[test]
    fn folders_that_cannot_have_it_are_left_out_early() {
        let pattern = Pattern::parse("root/a*/*/**/x").unwrap();
        assert!(pattern.may_be_in("ab"));
        assert!(pattern.may_be_in("ab/any/thing/at/all"));
        assert!(!pattern.may_be_in("b"));
        assert!(!pattern.may_be_in("b/a"));
        assert!(Pattern::parse("{a/b,c}/x").unwrap().may_be_in("a"));
    }

    #[test]
    fn a_malformed_pattern_is_named() {
        let error = Pattern::parse("a/[b").unwrap_err();
        assert!(matches!(error, Error::Pattern { .. }), "{error}");
    }
}

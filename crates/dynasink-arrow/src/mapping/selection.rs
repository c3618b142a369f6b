//! Which columns become attributes of their own names without being told to.

use globset::{Glob, GlobMatcher};

use super::address::Columns;
use super::error::{KeyPath, MappingError, MappingProblem};
use super::spec::{Defaults, Unnamed};

/// The columns without an entry of their own that are taken.
pub(super) struct Selection {
    unnamed: Unnamed,
    include: Vec<GlobMatcher>,
    exclude: Vec<GlobMatcher>,
}

impl Selection {
    /// A glob that no column matches is a mistake.
    pub(super) fn new(defaults: &Defaults, columns: &Columns<'_>) -> Result<Self, MappingError> {
        let globs = |key: &str, globs: &[String]| {
            let keys = KeyPath::of(["defaults", key]);
            let glob = |(at, glob): (usize, &String)| {
                matcher(glob, columns).map_err(|problem| keys.index(at).error(problem))
            };
            globs.iter().enumerate().map(glob).collect::<Result<_, _>>()
        };
        Ok(Self {
            unnamed: defaults.unnamed,
            include: globs("include", &defaults.include)?,
            exclude: globs("exclude", &defaults.exclude)?,
        })
    }

    pub(super) fn takes(&self, column: &str) -> bool {
        let matches = |globs: &[GlobMatcher]| globs.iter().any(|glob| glob.is_match(column));
        self.unnamed == Unnamed::Keep
            && (self.include.is_empty() || matches(&self.include))
            && !matches(&self.exclude)
    }
}

fn matcher(text: &str, columns: &Columns<'_>) -> Result<GlobMatcher, MappingProblem> {
    let glob = Glob::new(text).map_err(|error| MappingProblem::Glob {
        glob: text.to_owned(),
        reason: error.kind().to_string(),
    })?;
    let glob = glob.compile_matcher();
    if columns.names().any(|name| glob.is_match(name)) {
        Ok(glob)
    } else {
        Err(MappingProblem::GlobMatchesNothing {
            glob: text.to_owned(),
            available: columns.near(text),
        })
    }
}

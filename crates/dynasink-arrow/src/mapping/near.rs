//! The answer to a name or a word that is not among those that there are.

use std::cmp::Ordering;
use std::fmt;

/// What there is in the place of what was asked for, and which of it was meant, most likely.
///
/// It displays the nearest name, if one is near, and then all names, up to a number that a line can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near(Box<Answer>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    what: &'static str,
    names: Vec<String>,
    nearest: Option<String>,
}

/// How alike two names must be, from 0 to 1, for one to be meant by the other.
const ALIKE: f64 = 0.75;
/// How many names an error lists.
const LISTED: usize = 30;

/// How alike two names are.
#[derive(Clone, Copy)]
struct Likeness {
    /// One letter is missing, too many or another, or two have changed places.
    one_edit: bool,
    /// From 0 to 1; short names differ much by one letter.
    similarity: f64,
}

impl Likeness {
    fn of(asked: &str, name: &str) -> Self {
        // Of two letters, one edit leaves too little to tell, unless they begin alike: `pk` is not `sk`.
        let tells = asked.chars().count() > 2
            || asked.len() > 1 && asked.chars().next() == name.chars().next();
        Self {
            one_edit: tells && strsim::damerau_levenshtein(asked, name) <= 1,
            similarity: strsim::jaro_winkler(asked, name),
        }
    }

    fn is_meant(self) -> bool {
        self.one_edit || self.similarity >= ALIKE
    }

    fn cmp_to(self, other: Self) -> Ordering {
        let by_edit = self.one_edit.cmp(&other.one_edit);
        by_edit.then_with(|| self.similarity.total_cmp(&other.similarity))
    }
}

impl Near {
    /// The answer to `asked`, where `names` are the columns that there are.
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` arguments cannot elide it yet"
    )]
    pub(crate) fn for_name<'a>(asked: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::to(asked, "columns", names)
    }

    /// The answer to `asked`, where `names` are `what` there is, in the plural.
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` arguments cannot elide it yet"
    )]
    pub(crate) fn to<'a>(
        asked: &str,
        what: &'static str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let lower = asked.to_lowercase();
        let nearest = names
            .iter()
            .map(|name| (Likeness::of(&lower, &name.to_lowercase()), name))
            .filter(|(likeness, _)| likeness.is_meant())
            .max_by(|a, b| a.0.cmp_to(b.0))
            .map(|(_, name)| name.clone());
        Self(Box::new(Answer {
            what,
            names,
            nearest,
        }))
    }

    /// The name that was meant, most likely.
    pub fn nearest(&self) -> Option<&str> {
        self.0.nearest.as_deref()
    }

    /// All names.
    pub fn names(&self) -> &[String] {
        &self.0.names
    }
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Answer {
            what,
            names,
            nearest,
        } = self.0.as_ref();
        if let Some(nearest) = nearest {
            write!(f, "is {nearest:?} meant? ")?;
        }
        if names.is_empty() {
            return write!(f, "there are no {what}");
        }
        write!(f, "the {what} are ")?;
        for (at, name) in names.iter().take(LISTED).enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{name:?}")?;
        }
        match names.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let near = Near::to("custmer_id", "columns", ["order_date", "Customer_Id"]);
        assert_eq!(near.nearest(), Some("Customer_Id"));
        assert_eq!(
            near.to_string(),
            "is \"Customer_Id\" meant? the columns are \"order_date\", \"Customer_Id\""
        );
        assert_eq!(
            Near::to("pk", "columns", ["carrier", "name"]).nearest(),
            None
        );
    }

    #[test]
    fn a_slip_of_one_letter_is_suggested_in_short_names_too() {
        let nearest = |asked, names: [&str; 2]| {
            let near = Near::to(asked, "words", names);
            near.nearest().map(str::to_owned)
        };
        assert_eq!(nearest("dsm", ["flink", "dms"]).as_deref(), Some("dms"));
        assert_eq!(nearest("az", ["drop", "as"]).as_deref(), Some("as"));
        assert_eq!(
            nearest("epoch_m", ["epoch_ms", "epoch_us"]).as_deref(),
            Some("epoch_ms")
        );
        assert_eq!(nearest("pk", ["sk", "carrier"]), None);
        assert_eq!(nearest("x", ["y", "z"]), None);
    }

    #[test]
    fn a_long_list_of_names_is_cut() {
        let names: Vec<String> = (0..32).map(|n| format!("c{n:03}")).collect();
        let near = Near::to("zzzzzzz", "columns", names.iter().map(String::as_str));
        assert!(near.to_string().ends_with("\"c029\" and 2 more"), "{near}");
    }
}

//! The words of a template.

use std::num::NonZeroU32;

use super::filter::Filter;
use super::strftime::Strftime;

/// Most digits that a number can be padded to, and most behind a point: as many as a number has in DynamoDB.
const MAX_DIGITS: usize = 38;

/// A template, of which nothing is known but that it is well-formed.
///
/// ```
/// use dynasink_arrow::Template;
///
/// let template = Template::parse("ORDER#{date:%Y-%m-%d}#{id:010}")?;
/// assert_eq!(template.columns().collect::<Vec<_>>(), ["date", "id"]);
///
/// let error = Template::parse("ORDER#{id").unwrap_err();
/// assert_eq!(error.to_string(), "the placeholder has no end: close it with }, or write {{ for a brace (byte 6 of the template)");
/// # Ok::<(), dynasink_arrow::TemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    pub(super) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Literal(String),
    Placeholder(Placeholder),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placeholder {
    pub(super) column: String,
    pub(super) format: Option<Format>,
    pub(super) filters: Vec<Filter>,
    /// Where it stands in the template.
    pub(super) position: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Format {
    ZeroPadded(usize),
    Decimals(usize),
    Strftime(Strftime),
}

/// Why a text is not a template, or not one for these columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (byte {position} of the template)")]
pub struct TemplateError {
    position: usize,
    reason: String,
}

impl TemplateError {
    pub(super) fn new(position: usize, reason: impl Into<String>) -> Self {
        Self {
            position,
            reason: reason.into(),
        }
    }

    /// Where it is wrong: bytes from the start.
    pub fn position(&self) -> usize {
        self.position
    }

    /// What is wrong, and what to do.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl Template {
    /// Reads `text`.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] if it is not well-formed.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.is_empty() {
            return Err(TemplateError::new(0, "the template is empty"));
        }
        let mut cursor = Cursor { text, rest: text };
        let mut parts = Vec::new();
        let mut literal = String::new();
        loop {
            literal.push_str(cursor.until(&['{', '}']));
            let position = cursor.position();
            if cursor.take("{{") {
                literal.push('{');
            } else if cursor.take("}}") {
                literal.push('}');
            } else if cursor.take("{") {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::Placeholder(placeholder(&mut cursor, position)?));
            } else if cursor.rest.is_empty() {
                break;
            } else {
                return Err(TemplateError::new(
                    position,
                    "this brace closes nothing: write }} for a brace",
                ));
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { parts })
    }

    /// The columns that it names, in its order; one that stands twice comes twice.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Placeholder(placeholder) => Some(placeholder.column.as_str()),
        })
    }
}

/// What is left of a text.
struct Cursor<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    fn position(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What comes before the first of `stops`, or before the end.
    fn until(&mut self, stops: &[char]) -> &'t str {
        let at = self.rest.find(stops).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(at);
        self.rest = rest;
        taken
    }
}

/// The placeholder whose brace at `position` was just read.
fn placeholder(cursor: &mut Cursor<'_>, position: usize) -> Result<Placeholder, TemplateError> {
    let no_end = || {
        TemplateError::new(
            position,
            "the placeholder has no end: close it with }, or write {{ for a brace",
        )
    };
    let column = if cursor.take("\"") {
        quoted_name(cursor, position)?
    } else {
        cursor.until(&['{', '}', ':', '|', '"']).to_owned()
    };
    if cursor.rest.is_empty() {
        return Err(no_end());
    }
    if cursor.rest.starts_with(['{', '"']) {
        return Err(TemplateError::new(
            cursor.position(),
            "the name of a column with this character is written in quotes: {\"odd name\"}",
        ));
    }
    if column.is_empty() {
        return Err(TemplateError::new(
            position,
            "the placeholder names no column: write {column}, or {{ for a brace",
        ));
    }
    let format_at = cursor.position();
    let format = if cursor.take(":") {
        let words = cursor.until(&['}', '|']);
        if cursor.rest.is_empty() {
            return Err(no_end());
        }
        Some(format(words).map_err(|reason| TemplateError::new(format_at, reason))?)
    } else {
        None
    };
    let mut filters = Vec::new();
    loop {
        let filter_at = cursor.position();
        if !cursor.take("|") {
            break;
        }
        let words = cursor.until(&['}', '|']);
        if cursor.rest.is_empty() {
            return Err(no_end());
        }
        filters.push(filter(words).map_err(|reason| TemplateError::new(filter_at, reason))?);
    }
    if cursor.take("}") {
        Ok(Placeholder {
            column,
            format,
            filters,
            position,
        })
    } else if cursor.rest.is_empty() {
        Err(no_end())
    } else {
        Err(TemplateError::new(
            cursor.position(),
            "after the name of a column comes }, a format (:) or a filter (|)",
        ))
    }
}

/// The name whose opening quote was just read; `""` is a quote in it.
fn quoted_name(cursor: &mut Cursor<'_>, position: usize) -> Result<String, TemplateError> {
    let mut name = String::new();
    loop {
        name.push_str(cursor.until(&['"']));
        if cursor.take("\"\"") {
            name.push('"');
        } else if cursor.take("\"") {
            return Ok(name);
        } else {
            return Err(TemplateError::new(
                position,
                "the quoted name of the column has no end: close it with a quote",
            ));
        }
    }
}

fn format(words: &str) -> Result<Format, String> {
    if words.contains('%') {
        return Strftime::parse(words).map(Format::Strftime);
    }
    let digits = |text: &str, least| {
        text.parse()
            .ok()
            .filter(|digits| (least..=MAX_DIGITS).contains(digits))
    };
    if let Some(width) = words.strip_prefix('0') {
        return digits(width, 1).map(Format::ZeroPadded).ok_or_else(|| {
            format!("a padded number is 0 and its width, at most {MAX_DIGITS}: {{id:010}}")
        });
    }
    if let Some(places) = words.strip_prefix('.') {
        return digits(places, 0).map(Format::Decimals).ok_or_else(|| {
            format!("digits behind the point are a point and how many, at most {MAX_DIGITS}: {{price:.2}}")
        });
    }
    Err("this is no format: there are {id:010}, {price:.2} and {date:%Y-%m-%d}".to_owned())
}

fn filter(words: &str) -> Result<Filter, String> {
    match words {
        "lower" => return Ok(Filter::Lower),
        "upper" => return Ok(Filter::Upper),
        _ => {}
    }
    let argument = |name| {
        words
            .strip_prefix(name)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    if let Some(digits) = argument("sha256") {
        return digits
            .parse()
            .ok()
            .and_then(Filter::sha256)
            .ok_or_else(|| "sha256 has 1 to 64 hexadecimal digits: {id|sha256(8)}".to_owned());
    }
    if let Some(shards) = argument("shard") {
        return shards
            .parse::<NonZeroU32>()
            .map(Filter::Shard)
            .map_err(|_| "shard has a number of shards above zero: {id|shard(16)}".to_owned());
    }
    Err("this is no filter: there are lower, upper, sha256(8) and shard(16)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> TemplateError {
        Template::parse(text).unwrap_err()
    }

    #[test]
    fn braces_are_doubled_and_names_may_be_quoted() {
        let template = Template::parse("a{{b}}{\"x:\"\"y\"\" {z}\"}{ü}").unwrap();
        assert_eq!(template.parts[0], Part::Literal("a{b}".to_owned()));
        assert_eq!(template.columns().collect::<Vec<_>>(), ["x:\"y\" {z}", "ü"]);
        let braced = Template::parse("{{{id}}}").unwrap();
        assert_eq!(braced.parts.len(), 3);
        assert_eq!(braced.parts[2], Part::Literal("}".to_owned()));
    }

    #[test]
    fn formats_and_filters_follow_the_name() {
        let template = Template::parse("{id:010|lower|sha256(64)|shard(4294967295)}").unwrap();
        let [Part::Placeholder(placeholder)] = template.parts.as_slice() else {
            panic!("{template:?}")
        };
        assert_eq!(placeholder.format, Some(Format::ZeroPadded(10)));
        assert_eq!(placeholder.filters.len(), 3);
        let times = Template::parse("{t:%H:%M}").unwrap();
        assert_eq!(times.columns().collect::<Vec<_>>(), ["t"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, position) in [
            ("", 0),
            ("a}b", 1),
            ("ab{c", 2),
            ("ab{", 2),
            ("{}", 0),
            ("{:010}", 0),
            ("é{a{b}", 4),
            ("{a\"b}", 2),
            ("{\"a}", 0),
            ("{\"a\"b}", 4),
            ("{a:}", 2),
            ("{a:5}", 2),
            ("{a:0}", 2),
            ("{a:039}", 2),
            ("{a:.39}", 2),
            ("{a:%Q}", 2),
            ("{a:%}", 2),
            ("{a|}", 2),
            ("{a|trim}", 2),
            ("{a|lower|sha256(0)}", 8),
            ("{a|sha256(65)}", 2),
            ("{a|shard(0)}", 2),
            ("{a|shard(-1)}", 2),
            ("{a|shard(4294967296)}", 2),
            ("{a|shard(4}", 2),
            ("{a|lower", 0),
            ("{a:010", 0),
        ] {
            assert_eq!(
                error(text).position(),
                position,
                "{text:?}: {}",
                error(text)
            );
        }
    }

    #[test]
    fn any_text_is_a_template_or_an_error() {
        let alphabet: Vec<char> = "{}{}:|\"%0a.9é-()#YmdHMSfsj3lowershard".chars().collect();
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let text: String = (0..rng.usize(..24))
                .filter_map(|_| rng.choice(&alphabet))
                .collect();
            if let Err(error) = Template::parse(&text) {
                assert!(text.is_char_boundary(error.position()), "{text:?}");
            }
        }
    }
}

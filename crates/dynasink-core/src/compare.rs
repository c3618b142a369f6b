//! Whether two items hold the same, by typed value.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::number::Number;

/// A text that is not an item of DynamoDB JSON, so that there is nothing to compare.
#[derive(Debug, thiserror::Error)]
#[error("the text is not an item of DynamoDB JSON: it must be one JSON object")]
pub struct NotAnItem {
    source: Option<serde_json::Error>,
}

/// Where the items `left` and `right`, both DynamoDB JSON, differ: the paths of the first `most` values that do, such as
/// `lines[3].price`, in the order of their names. None if the items are equal.
///
/// Values are equal when DynamoDB takes them for equal: numbers by value, so that `1`, `1.0` and `1e0` are one; sets
/// whatever the order of their members; maps whatever the order of their names; lists in their order; binary values by
/// their bytes. A value of another type is another value. A list of another length differs at its first element that the
/// other does not have. Names that are not plain words stand in quotes.
///
/// Source: *Supported data types and naming rules in Amazon DynamoDB*.
///
/// ```
/// use dynasink_core::differing_paths;
///
/// let left = br#"{"id":{"N":"1"},"tags":{"SS":["a","b"]},"lines":{"L":[{"M":{"price":{"N":"1.5"}}}]}}"#;
/// let right = br#"{"tags":{"SS":["b","a"]},"id":{"N":"1.0"},"lines":{"L":[{"M":{"price":{"N":"2"}}}]}}"#;
/// assert_eq!(differing_paths(left, right, 3)?, ["lines[0].price"]);
/// # Ok::<(), dynasink_core::NotAnItem>(())
/// ```
///
/// # Errors
///
/// [`NotAnItem`] if one of them is no JSON object.
pub fn differing_paths(left: &[u8], right: &[u8], most: usize) -> Result<Vec<String>, NotAnItem> {
    if left == right {
        return Ok(Vec::new());
    }
    let mut differences = Differences {
        most,
        path: String::new(),
        found: Vec::new(),
    };
    differences.of_maps(&item(left)?, &item(right)?);
    Ok(differences.found)
}

fn item(json: &[u8]) -> Result<Map<String, Value>, NotAnItem> {
    match serde_json::from_slice(json) {
        Ok(Value::Object(attributes)) => Ok(attributes),
        Ok(_) => Err(NotAnItem { source: None }),
        Err(error) => Err(NotAnItem {
            source: Some(error),
        }),
    }
}

/// What has been found, and where the walk is.
struct Differences {
    most: usize,
    path: String,
    found: Vec<String>,
}

impl Differences {
    fn of_maps(&mut self, left: &Map<String, Value>, right: &Map<String, Value>) {
        let names: BTreeSet<_> = left.keys().chain(right.keys()).collect();
        for name in names {
            self.within(
                |path| write_name(path, name),
                |differences| match (left.get(name), right.get(name)) {
                    (Some(left), Some(right)) => differences.of_values(left, right),
                    _ => differences.note(),
                },
            );
            if self.is_full() {
                return;
            }
        }
    }

    fn of_lists(&mut self, left: &[Value], right: &[Value]) {
        for at in 0..left.len().max(right.len()) {
            let both = (left.get(at), right.get(at));
            self.within(
                |path| {
                    // Writing to a string cannot fail.
                    let _infallible = write!(path, "[{at}]");
                },
                |differences| match both {
                    (Some(left), Some(right)) => differences.of_values(left, right),
                    _ => differences.note(),
                },
            );
            if self.is_full() || both.0.is_none() || both.1.is_none() {
                return;
            }
        }
    }

    /// Compares values with their types: `{"N":"1"}`.
    fn of_values(&mut self, left: &Value, right: &Value) {
        match (typed(left), typed(right)) {
            (Some(("M", Value::Object(left))), Some(("M", Value::Object(right)))) => {
                self.of_maps(left, right);
            }
            (Some(("L", Value::Array(left))), Some(("L", Value::Array(right)))) => {
                self.of_lists(left, right);
            }
            (Some((kind, left)), Some((other, right))) if kind == other => {
                if !are_equal(kind, left, right) {
                    self.note();
                }
            }
            (None, None) if left == right => {}
            _ => self.note(),
        }
    }

    fn within(&mut self, step: impl FnOnce(&mut String), compare: impl FnOnce(&mut Self)) {
        let outside = self.path.len();
        step(&mut self.path);
        compare(self);
        self.path.truncate(outside);
    }

    fn note(&mut self) {
        if !self.is_full() {
            self.found.push(self.path.clone());
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }
}

fn write_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let is_plain = !name.is_empty() && !name.contains(['.', '[', ']', '"']);
    if is_plain {
        path.push_str(name);
    } else {
        // Writing to a string cannot fail.
        let _infallible = write!(path, "{name:?}");
    }
}

/// The type of a value of DynamoDB JSON, and what it holds.
fn typed(value: &Value) -> Option<(&str, &Value)> {
    let mut entries = value.as_object()?.iter();
    match (entries.next(), entries.next()) {
        (Some((kind, value)), None) => Some((kind, value)),
        _ => None,
    }
}

/// Whether two values of that type, which is not a list or a map, are equal.
fn are_equal(kind: &str, left: &Value, right: &Value) -> bool {
    match (kind, left, right) {
        ("N" | "B", Value::String(left), Value::String(right)) => {
            canonical(kind, left) == canonical(kind, right)
        }
        ("SS" | "NS" | "BS", Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && match (members(kind, left), members(kind, right)) {
                    (Some(left), Some(right)) => left == right,
                    _ => left == right,
                }
        }
        _ => left == right,
    }
}

/// The members of a set, each in its one form.
fn members<'v>(kind: &str, members: &'v [Value]) -> Option<BTreeSet<Cow<'v, [u8]>>> {
    let members = members
        .iter()
        .map(|member| Some(canonical(kind, member.as_str()?)));
    members.collect()
}

/// The one form of all texts of one value. A text that is not of its type is its own form.
fn canonical<'v>(kind: &str, text: &'v str) -> Cow<'v, [u8]> {
    let owned = match kind {
        "N" | "NS" => text
            .parse::<Number>()
            .ok()
            .map(|number| number.to_string().into_bytes()),
        "B" | "BS" => STANDARD.decode(text).ok(),
        _ => None,
    };
    owned.map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
}

#[cfg(test)]
mod tests;

//! The JSON of encoded items: writing strings, and finding attributes in what this crate has written.

use std::borrow::Cow;

/// Appends `text` as a JSON string with its quotes.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    // Writing to a `Vec` cannot fail, and a `str` always has a JSON form.
    let written = serde_json::to_writer(out, text);
    debug_assert!(written.is_ok());
}

/// A value of an encoded item, as it stands there: `{"S":"abc"}`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EncodedValue<'a>(&'a [u8]);

impl<'a> EncodedValue<'a> {
    pub(crate) fn json(self) -> &'a [u8] {
        self.0
    }

    /// The type descriptor: `S` in `{"S":"abc"}`.
    pub(crate) fn descriptor(self) -> &'a [u8] {
        let rest = self.0.get(2..).unwrap_or_default();
        &rest[..memchr::memchr(b'"', rest).unwrap_or(rest.len())]
    }

    /// The text of a scalar without its quotes, unescaped: `abc` in `{"S":"abc"}`.
    pub(crate) fn text(self) -> Cow<'a, str> {
        let start = self.descriptor().len() + r#"{"":"#.len();
        let string = self
            .0
            .get(start..self.0.len().saturating_sub(1))
            .unwrap_or_default();
        unescape(string)
    }
}

/// The text of a JSON string that this crate has written.
pub(crate) fn unescape(string: &[u8]) -> Cow<'_, str> {
    let inner = string
        .get(1..string.len().saturating_sub(1))
        .unwrap_or_default();
    if memchr::memchr(b'\\', inner).is_none() {
        String::from_utf8_lossy(inner)
    } else {
        serde_json::from_slice(string).map_or_else(|_| String::from_utf8_lossy(inner), Cow::Owned)
    }
}

/// Walks over the top-level attributes of an encoded item: JSON name (with quotes) and value.
///
/// It relies on the form that the encoder writes: an object without white space.
#[derive(Clone, Debug)]
pub(crate) struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    pub(crate) fn of(item: &'a [u8]) -> Self {
        Self {
            rest: item.get(1..).unwrap_or_default(),
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], EncodedValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.first()? != &b'"' {
            return None;
        }
        let name_len = string_len(self.rest)?;
        let (name, rest) = self.rest.split_at(name_len);
        let rest = rest.get(1..)?;
        let (value, rest) = rest.split_at(container_len(rest)?);
        self.rest = rest.get(1..).unwrap_or_default();
        Some((name, EncodedValue(value)))
    }
}

/// Bytes of the JSON string that `json` starts with, quotes included.
fn string_len(json: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', json.get(at..)?)?;
        if json[found] == b'"' {
            return Some(found + 1);
        }
        at = found + 2;
    }
}

/// Bytes of the JSON object that `json` starts with, brackets included.
fn container_len(json: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match json.get(at)? {
            b'"' => {
                at += string_len(&json[at..])?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_whatever_their_values_hold() {
        let item = br#"{"a":{"S":"}\"{,\\"},"q\"":{"M":{"x":{"L":[{"N":"1"},{"BOOL":true}]}}},"k":{"N":"7"}}"#;
        let found: Vec<_> = Attributes::of(item)
            .map(|(name, value)| (unescape(name).into_owned(), value.descriptor().to_vec()))
            .collect();
        let expected = [("a", "S"), ("q\"", "M"), ("k", "N")];
        assert_eq!(
            found,
            expected.map(|(name, kind)| (name.to_owned(), kind.as_bytes().to_vec()))
        );
        assert_eq!(Attributes::of(item).next().unwrap().1.text(), "}\"{,\\");
        assert_eq!(Attributes::of(b"{}").count(), 0);
    }
}

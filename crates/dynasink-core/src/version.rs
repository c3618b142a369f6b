//! Versions of an item, of which the greatest is the one to keep.

use std::cmp::Ordering;
use std::fmt;

/// Which of several operations of one key is the newest, as their source says: a sequence number, a time, a text.
///
/// Numbers are compared with numbers and texts with texts, by their bytes; a number and a text have no order.
/// Numbers are integers of whatever unit the source has: its versions must all be in one.
///
/// ```
/// use dynasink_core::Version;
///
/// assert!(Version::integer(-1) < Version::integer(u64::MAX));
/// assert!(Version::text("2024-02-29") < Version::text("2024-03-01"));
/// assert_eq!(Version::integer(1).partial_cmp(&Version::text("1")), None);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(Kind);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Kind {
    Integer(i128),
    /// An integer that 128 bits do not hold.
    Wide(Box<Wide>),
    Text(Box<str>),
}

/// 256 bits in two's complement, compared as the number that they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Wide {
    high: i128,
    low: u128,
}

impl Version {
    /// A number.
    pub fn integer(value: impl Into<i128>) -> Self {
        Self(Kind::Integer(value.into()))
    }

    /// A number of 256 bits in two's complement, of which these are the halves.
    pub fn wide(high: i128, low: u128) -> Self {
        let narrow = low.cast_signed();
        Self(if high == sign(narrow) {
            Kind::Integer(narrow)
        } else {
            Kind::Wide(Box::new(Wide { high, low }))
        })
    }

    /// A text, ordered by its bytes, which is the order of its code points.
    pub fn text(value: impl Into<Box<str>>) -> Self {
        Self(Kind::Text(value.into()))
    }

    /// Bytes of memory that it holds beside its own size.
    pub(crate) fn memory(&self) -> usize {
        match &self.0 {
            Kind::Integer(_) => 0,
            Kind::Wide(_) => size_of::<Wide>(),
            Kind::Text(text) => text.len(),
        }
    }

    fn number(&self) -> Option<Wide> {
        match &self.0 {
            Kind::Integer(value) => Some(Wide {
                high: sign(*value),
                low: value.cast_unsigned(),
            }),
            Kind::Wide(value) => Some(**value),
            Kind::Text(_) => None,
        }
    }
}

/// What the upper half of a number is whose lower half holds it all.
fn sign(value: i128) -> i128 {
    if value < 0 { -1 } else { 0 }
}

impl PartialOrd for Version {
    /// None for a number and a text.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Kind::Text(left), Kind::Text(right)) => Some(left.cmp(right)),
            _ => Some(self.number()?.cmp(&other.number()?)),
        }
    }
}

impl fmt::Debug for Version {
    /// Shows no value: versions are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Integer(_) | Kind::Wide(_) => "Version(number)",
            Kind::Text(_) => "Version(text)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_width_are_in_the_order_of_their_values() {
        let ascending = [
            Version::wide(i128::MIN, 0),
            Version::wide(-2, u128::MAX),
            Version::integer(i128::MIN),
            Version::integer(-1),
            Version::integer(0),
            Version::integer(i128::MAX),
            Version::wide(0, u128::MAX),
            Version::wide(1, 0),
            Version::wide(i128::MAX, u128::MAX),
        ];
        for (at, left) in ascending.iter().enumerate() {
            for (other, right) in ascending.iter().enumerate() {
                assert_eq!(left.partial_cmp(right), Some(at.cmp(&other)));
                assert_eq!(left == right, at == other);
            }
        }
    }

    #[test]
    fn one_number_is_one_version_however_it_was_made() {
        assert_eq!(Version::wide(-1, u128::MAX), Version::integer(-1));
        assert_eq!(Version::wide(0, 7), Version::integer(7));
        assert_ne!(Version::wide(0, u128::MAX), Version::integer(-1));
    }
}

//! What becomes of a text before it stands in a key.

use std::num::NonZeroU32;

use sha2::{Digest, Sha256};

use super::extent::{Alphabet, Extent};

/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

/// One filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Lower,
    Upper,
    /// So many hexadecimal digits.
    Sha256(usize),
    Shard(NonZeroU32),
}

impl Filter {
    /// The first `digits` digits of a SHA-256, if it has so many.
    pub(super) fn sha256(digits: usize) -> Option<Self> {
        (1..=SHA256_DIGITS)
            .contains(&digits)
            .then_some(Self::Sha256(digits))
    }

    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Sha256(digits) => Sha256::digest(text.as_bytes())
                .iter()
                .flat_map(|byte| [byte >> 4, byte & 0xf])
                .take(digits)
                .filter_map(|digit| char::from_digit(digit.into(), 16))
                .collect(),
            Self::Shard(shards) => shard(text, shards).to_string(),
        }
    }

    /// How far the texts that it makes of such texts reach.
    pub(super) fn extent(self, of: Extent) -> Extent {
        match (self, of) {
            (Self::Lower | Self::Upper, Extent::Fixed(bytes)) => Extent::Fixed(bytes),
            (Self::Lower | Self::Upper, Extent::Variable(alphabet)) => {
                Extent::Variable(alphabet.in_both_cases())
            }
            (Self::Sha256(digits), _) => Extent::Fixed(digits),
            // One digit each.
            (Self::Shard(shards), _) if shards.get() <= 10 => Extent::Fixed(1),
            (Self::Shard(_), _) => Extent::Variable(Alphabet::Digits),
        }
    }

    /// Why it makes one text of several, if it does. The texts of strings have letters in both cases; others are
    /// written in one way only.
    pub(super) fn loss(self, of_strings: bool) -> Option<&'static str> {
        match self {
            Self::Lower | Self::Upper if !of_strings => None,
            Self::Lower => Some("`lower` makes one text of capital and small letters"),
            Self::Upper => Some("`upper` makes one text of capital and small letters"),
            Self::Sha256(_) => Some("`sha256` can make one text of two, rarely as that is"),
            Self::Shard(_) => Some("`shard` makes one number of many values"),
        }
    }
}

/// A number below `shards`: the first eight bytes of the SHA-256, modulo that. It must never change, since whoever
/// reads an item has to find the shard of its key.
fn shard(text: &str, shards: NonZeroU32) -> u64 {
    let hash = Sha256::digest(text.as_bytes());
    let first = hash
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    first % u64::from(shards.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Filter::Sha256(64).apply("abc"), hash);
        assert_eq!(Filter::Sha256(7).apply("abc"), "ba7816b");
    }

    #[test]
    fn a_shard_is_the_same_for_ever() {
        // Python: int.from_bytes(hashlib.sha256(b"abc").digest()[:8], "big") % 1000
        let shard = |text, shards| {
            let shards = NonZeroU32::new(shards).unwrap();
            Filter::Shard(shards).apply(text)
        };
        assert_eq!(shard("abc", 1000), "74");
        assert_eq!(shard("abc", 1), "0");
        assert_eq!(shard("", 16), "4");
    }
}

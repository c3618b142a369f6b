//! Decimal numbers as they are written, without a limit on their digits.

/// A number: `digits` times ten to the power of `exponent`. The digits start and end with none that is zero, so
/// that equal numbers are equal; zero has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Exact {
    /// Reads `-12.5`, `.5`, `1e-3` and the like.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, i64::from(power.parse::<i32>().ok()?)),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        if all.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let digits = all.trim_end_matches('0');
        let zeros = i64::try_from(all.len() - digits.len()).ok()?;
        let digits = digits.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        Some(Self {
            negative,
            exponent: power - i64::try_from(fraction.len()).ok()? + zeros,
            digits,
        })
    }

    /// The digits of the whole number that this one is after multiplication with ten to the power of `scale`, if
    /// it is whole then and of a length that any type has.
    pub(super) fn scaled(&self, scale: i64) -> Option<String> {
        /// Digits of the largest 256-bit number.
        const LONGEST: usize = 78;
        if self.digits.is_empty() {
            return Some("0".to_owned());
        }
        let zeros = usize::try_from(self.exponent.checked_add(scale)?).ok()?;
        if zeros.checked_add(self.digits.len())? > LONGEST {
            return None;
        }
        let sign = if self.negative { "-" } else { "" };
        Some(format!("{sign}{}{}", self.digits, "0".repeat(zeros)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        for (left, right) in [
            ("1.50", "15e-1"),
            ("100", "1e2"),
            ("-0", "0.000"),
            (".5", "0.5"),
            ("1.", "+1"),
        ] {
            assert_eq!(Exact::parse(left).unwrap(), Exact::parse(right).unwrap());
        }
        for text in [
            "",
            ".",
            "e5",
            "1e",
            "1e99999999999",
            "0x10",
            "1 ",
            "--1",
            "NaN",
        ] {
            assert_eq!(Exact::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_scales_to_a_whole_one_or_not_at_all() {
        let scaled = |text: &str, scale| Exact::parse(text).unwrap().scaled(scale);
        assert_eq!(scaled("1.5", 2).as_deref(), Some("150"));
        assert_eq!(scaled("-1.50", 1).as_deref(), Some("-15"));
        assert_eq!(scaled("1500", -2).as_deref(), Some("15"));
        assert_eq!(scaled("0", -100).as_deref(), Some("0"));
        assert_eq!(scaled("1.5", 0), None);
        assert_eq!(scaled("1e78", 0), None);
        assert_eq!(scaled("1e2147483647", 9), None);
    }
}

//! Decimals of any length: what a number is before it is held against the limits of DynamoDB.

use std::fmt;
use std::str::FromStr;

use crate::limits::MAX_NUMBER_DIGITS;
use crate::number::{self, Number, NumberError};

/// An exact decimal of any length and any exponent, which can be rounded before it becomes a [`Number`].
///
/// Its text is canonical like that of a [`Number`]: plain digits from 1E-7 up to 1E21, `dE±x` elsewhere.
///
/// ```
/// use dynasink_core::{Decimal, Number, NumberError};
///
/// let long: Decimal = "1.000000000000000000000000000000000000000001".parse()?;
/// assert_eq!(Number::try_from(&long), Err(NumberError::TooManyDigits));
/// assert_eq!(Number::try_from(&long.rounded_to_limit())?, "1".parse()?);
///
/// let price: Decimal = "2.675".parse()?;
/// assert_eq!(price.rounded(2).to_string(), "2.68");
/// # Ok::<(), NumberError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Significant digits as ASCII, without leading or trailing zeros. Zero has none.
    digits: Vec<u8>,
    /// Decimal exponent of the first digit.
    exponent: i64,
}

impl Decimal {
    /// Reads `text` as a decimal number and divides it by ten to the power of `scale`, as
    /// [`Number::parse_scaled`] does.
    ///
    /// # Errors
    ///
    /// [`NumberError::Syntax`] if the text is no decimal number.
    pub fn parse_scaled(text: &str, scale: i32) -> Result<Self, NumberError> {
        let number::Parts {
            negative,
            significand,
            exponent,
        } = number::Parts::of(text)?;
        let point = significand.iter().position(|&byte| byte == b'.');
        let integer_digits = point.unwrap_or(significand.len());
        let mut digits = significand.to_vec();
        if let Some(point) = point {
            digits.remove(point);
        }
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(NumberError::Syntax);
        }
        let first = i64::try_from(integer_digits)
            .unwrap_or(i64::MAX)
            .saturating_sub(1)
            .saturating_add(exponent.saturating_sub(i64::from(scale)));
        Ok(Self::normal(negative, digits, first))
    }

    /// Trims the zeros at both ends.
    fn normal(negative: bool, mut digits: Vec<u8>, exponent: i64) -> Self {
        let leading = digits.iter().take_while(|&&digit| digit == b'0').count();
        digits.drain(..leading);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let zero = digits.is_empty();
        let leading = i64::try_from(leading).unwrap_or(i64::MAX);
        Self {
            negative: negative && !zero,
            digits,
            exponent: if zero {
                0
            } else {
                exponent.saturating_sub(leading)
            },
        }
    }

    /// Rounded half to even to so many digits behind the point; below zero, to tens, hundreds and so on.
    #[must_use]
    pub fn rounded(self, places: i32) -> Self {
        let kept = self
            .exponent
            .saturating_add(i64::from(places))
            .saturating_add(1);
        self.keep(kept)
    }

    /// Rounded half to even to the 38 digits that DynamoDB keeps.
    #[must_use]
    pub fn rounded_to_limit(self) -> Self {
        self.keep(i64::try_from(MAX_NUMBER_DIGITS).unwrap_or(i64::MAX))
    }

    /// Keeps so many digits; less than none if the first one is that far behind the last place.
    fn keep(self, kept: i64) -> Self {
        let Ok(kept) = usize::try_from(kept) else {
            return Self::normal(false, Vec::new(), 0);
        };
        let Some((digits, dropped)) = self.digits.split_at_checked(kept) else {
            return self;
        };
        let odd = digits.last().is_some_and(|digit| digit % 2 == 1);
        // There are no zeros at the end, so that digits behind a 5 are more than a half.
        let up = match dropped {
            [] => return self,
            [b'5'] => odd,
            [first, ..] => *first >= b'5',
        };
        let mut digits = digits.to_vec();
        let mut exponent = self.exponent;
        if up {
            if let Some(at) = digits.iter().rposition(|&digit| digit != b'9') {
                digits.truncate(at + 1);
                digits[at] += 1;
            } else {
                digits = vec![b'1'];
                exponent = exponent.saturating_add(1);
            }
        }
        Self::normal(self.negative, digits, exponent)
    }
}

impl FromStr for Decimal {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse_scaled(text, 0)
    }
}

macro_rules! from_float {
    ($($float:ty)*) => {$(
        impl TryFrom<$float> for Decimal {
            type Error = NumberError;

            /// The shortest decimal that reads back as the same float.
            fn try_from(value: $float) -> Result<Self, NumberError> {
                if value.is_finite() {
                    ryu::Buffer::new().format_finite(value).parse()
                } else {
                    Err(NumberError::NotFinite)
                }
            }
        }
    )*};
}

from_float!(f32 f64);

impl TryFrom<&Decimal> for Number {
    type Error = NumberError;

    /// The number, if DynamoDB can hold it exactly.
    fn try_from(decimal: &Decimal) -> Result<Self, NumberError> {
        Self::from_digits(decimal.negative, &decimal.digits, decimal.exponent)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(self.digits.len() + 24);
        number::write_canonical(self.negative, &self.digits, self.exponent, &mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn halves_go_to_the_even_digit() {
        for (text, places, expected) in [
            ("0.5", 0, "0"),
            ("1.5", 0, "2"),
            ("2.5", 0, "2"),
            ("-2.5", 0, "-2"),
            ("2.51", 0, "3"),
            ("0.4999", 0, "0"),
            ("-0.4", 0, "0"),
            ("0.05", 0, "0"),
            ("0.95", 1, "1"),
            ("9.99", 1, "10"),
            ("99.5", 0, "100"),
            ("1.25", 1, "1.2"),
            ("1.35", 1, "1.4"),
            ("1250", -2, "1200"),
            ("1350", -2, "1400"),
            ("50", -2, "0"),
            ("51", -2, "100"),
            ("49", -3, "0"),
            ("1.5", 7, "1.5"),
            ("0", 2, "0"),
            ("1e-999999999", 2, "0"),
            ("1e999999999", 2, "1E+999999999"),
        ] {
            assert_eq!(
                decimal(text).rounded(places).to_string(),
                expected,
                "{text} to {places}"
            );
        }
    }

    #[test]
    fn what_is_too_long_is_rounded_to_38_digits() {
        let nines = "9".repeat(39);
        assert_eq!(
            Number::try_from(&decimal(&nines)),
            Err(NumberError::TooManyDigits)
        );
        let rounded = decimal(&nines).rounded_to_limit();
        assert_eq!(Number::try_from(&rounded).unwrap().to_string(), "1E+39");
        let even = format!("{}25", "1".repeat(37));
        assert_eq!(
            decimal(&even).rounded_to_limit().to_string(),
            format!("1.{}2E+38", "1".repeat(36))
        );
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in ["", "-", ".", "e5", "1e", "1.2.3", "NaN", " 1", "１"] {
            assert_eq!(
                text.parse::<Decimal>(),
                Err(NumberError::Syntax),
                "{text:?}"
            );
        }
        assert_eq!(Decimal::try_from(f64::NAN), Err(NumberError::NotFinite));
        assert_eq!(Decimal::try_from(1e300).unwrap().to_string(), "1E+300");
    }

    proptest! {
        #[test]
        fn a_decimal_within_the_limits_is_the_number(text in "-?[0-9]{1,45}(\\.[0-9]{0,10})?(e-?[0-9]{1,3})?", scale in -50..50) {
            let decimal = Decimal::parse_scaled(&text, scale).unwrap();
            prop_assert_eq!(Number::try_from(&decimal), Number::parse_scaled(&text, scale));
            if let Ok(number) = Number::parse_scaled(&text, scale) {
                prop_assert_eq!(decimal.to_string(), number.to_string());
            }
        }

        #[test]
        fn rounding_is_that_of_integers(value in any::<i64>(), places in 1_u32..18) {
            let unit = 10_i128.pow(places);
            let value = i128::from(value);
            let (below, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
            let up = rest * 2 > unit || (rest * 2 == unit && below.rem_euclid(2) == 1);
            let expected = (below + i128::from(up)) * unit;
            let rounded = decimal(&value.to_string()).rounded(-i32::try_from(places).unwrap());
            prop_assert_eq!(Number::try_from(&rounded), Number::try_from(expected));
        }
    }
}

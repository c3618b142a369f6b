//! DynamoDB's number type: exact decimals of up to 38 digits, in one canonical text.

use std::fmt;
use std::str::FromStr;

use crate::limits::{MAX_NUMBER_DIGITS, MAX_NUMBER_EXPONENT, MIN_NUMBER_EXPONENT};

/// A number that DynamoDB can hold exactly.
///
/// Two numbers are equal when DynamoDB takes them for the same key: `1`, `1.0` and `1e0` are one number.
/// Its text is canonical: plain digits from 1E-7 up to 1E21, `dE±x` elsewhere, no zeros to trim, no `-0`.
///
/// Source: *Supported data types and naming rules in Amazon DynamoDB*, "Number".
///
/// ```
/// use dynasink_core::Number;
///
/// let price: Number = "1.50".parse()?;
/// assert_eq!(price.to_string(), "1.5");
/// assert_eq!(price, "15e-1".parse()?);
/// assert_eq!(Number::try_from(1e300_f64).unwrap_err().to_string(), "its magnitude is above 9.99E+125");
/// # Ok::<(), dynasink_core::NumberError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    /// Significant digits as ASCII, without leading or trailing zeros. Zero has none.
    digits: [u8; MAX_NUMBER_DIGITS],
    len: u8,
    /// Decimal exponent of the first digit.
    exponent: i16,
}

/// Why a value is not a number that DynamoDB can hold exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("it is not a decimal number")]
    Syntax,
    /// NaN or an infinity.
    #[error("it is not finite")]
    NotFinite,
    /// More than 38 significant digits.
    #[error("it has more than 38 significant digits")]
    TooManyDigits,
    /// The magnitude is above 9.99…E+125.
    #[error("its magnitude is above 9.99E+125")]
    TooLarge,
    /// The magnitude is below 1E-130 and not zero.
    #[error("its magnitude is below 1E-130")]
    TooSmall,
}

impl Number {
    /// Zero, which has no sign.
    pub const ZERO: Self = Self {
        negative: false,
        digits: [0; MAX_NUMBER_DIGITS],
        len: 0,
        exponent: 0,
    };

    /// Reads `text` as a decimal number and divides it by ten to the power of `scale`.
    ///
    /// `parse_scaled("1050", 2)` is 10.5: the form in which columnar formats keep decimals.
    ///
    /// # Errors
    ///
    /// [`NumberError`] when the text is no number, or not one that DynamoDB can hold exactly.
    pub fn parse_scaled(text: &str, scale: i32) -> Result<Self, NumberError> {
        let parts = Parts::of(text)?;
        Self::from_significand(
            parts.negative,
            parts.significand,
            parts.exponent.saturating_sub(i64::from(scale)),
        )
    }

    /// `value` divided by ten to the power of `scale`, as [`parse_scaled`](Self::parse_scaled) of its text.
    ///
    /// # Errors
    ///
    /// [`NumberError`] when it is not a number that DynamoDB can hold exactly.
    pub fn from_scaled(value: i128, scale: i32) -> Result<Self, NumberError> {
        let mut buffer = itoa::Buffer::new();
        // Most integers are short, and short ones are written faster.
        let text = match i64::try_from(value) {
            Ok(value) => buffer.format(value),
            Err(_) => buffer.format(value),
        };
        let (negative, mut digits) = split_sign(text.as_bytes());
        let integer_digits = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        while let [rest @ .., b'0'] = digits {
            digits = rest;
        }
        Self::from_digits(negative, digits, integer_digits - 1 - i64::from(scale))
    }

    /// The number of these significant digits, which have no zeros to trim, the first of which has this exponent.
    pub(crate) fn from_digits(
        negative: bool,
        digits: &[u8],
        exponent: i64,
    ) -> Result<Self, NumberError> {
        let mut number = Self::ZERO;
        if digits.is_empty() {
            return Ok(number);
        }
        let Some(place) = number.digits.get_mut(..digits.len()) else {
            return Err(NumberError::TooManyDigits);
        };
        place.copy_from_slice(digits);
        number.len = u8::try_from(digits.len()).map_err(|_| NumberError::TooManyDigits)?;
        number.negative = negative;
        number.exponent = exponent_in_range(exponent)?;
        Ok(number)
    }

    fn from_significand(
        negative: bool,
        significand: &[u8],
        exponent: i64,
    ) -> Result<Self, NumberError> {
        let mut number = Self::ZERO;
        // The decimal exponent of the next digit, relative to the decimal point of the text.
        let integer_digits = significand
            .iter()
            .position(|&b| b == b'.')
            .unwrap_or(significand.len());
        let mut position = i64::try_from(integer_digits).unwrap_or(i64::MAX);
        let mut first = None;
        let mut pending_zeros = 0_usize;
        let mut seen_digit = false;
        for (at, &byte) in significand.iter().enumerate() {
            match byte {
                b'.' if at == integer_digits => continue,
                b'0'..=b'9' => seen_digit = true,
                _ => return Err(NumberError::Syntax),
            }
            position -= 1;
            if byte == b'0' {
                pending_zeros += 1;
                continue;
            }
            if first.is_none() {
                first = Some(position);
                pending_zeros = 0;
            }
            let len = usize::from(number.len) + pending_zeros;
            if len >= MAX_NUMBER_DIGITS {
                return Err(NumberError::TooManyDigits);
            }
            number.digits[usize::from(number.len)..len].fill(b'0');
            number.digits[len] = byte;
            number.len = u8::try_from(len + 1).map_err(|_| NumberError::TooManyDigits)?;
            pending_zeros = 0;
        }
        if !seen_digit {
            return Err(NumberError::Syntax);
        }
        let Some(first) = first else {
            return Ok(Self::ZERO);
        };
        let exponent = first.saturating_add(exponent);
        number.negative = negative;
        number.exponent = exponent_in_range(exponent)?;
        Ok(number)
    }

    fn significant_digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.len)]
    }

    /// The bytes that DynamoDB counts for this number: one, plus one for each pair of digits around the
    /// decimal point, plus one if it is negative.
    ///
    /// Implementations disagree on whether pairs are aligned on the decimal point; this is the aligned
    /// and so the larger count, which makes limits safe.
    ///
    /// Source: *DynamoDB item sizes and formats*, "Numbers".
    pub fn size(&self) -> u64 {
        if self.len == 0 {
            return 1;
        }
        let first = i64::from(self.exponent);
        let last = first - i64::from(self.len) + 1;
        let pairs = first.div_euclid(2) - last.div_euclid(2) + 1;
        1 + pairs.unsigned_abs() + u64::from(self.negative)
    }

    /// Appends the canonical text.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        write_canonical(
            self.negative,
            self.significant_digits(),
            i64::from(self.exponent),
            out,
        );
    }
}

/// Appends the canonical text of significant digits, which have no zeros to trim, the first of which has this exponent.
#[inline]
pub(crate) fn write_canonical(negative: bool, digits: &[u8], exponent: i64, out: &mut Vec<u8>) {
    if digits.is_empty() {
        out.push(b'0');
        return;
    }
    if negative {
        out.push(b'-');
    }
    match exponent {
        0..=20 => {
            let integer = usize::try_from(exponent + 1).unwrap_or_default();
            if digits.len() <= integer {
                out.extend_from_slice(digits);
                out.resize(out.len() + integer - digits.len(), b'0');
            } else {
                out.extend_from_slice(&digits[..integer]);
                out.push(b'.');
                out.extend_from_slice(&digits[integer..]);
            }
        }
        -7..=-1 => {
            out.extend_from_slice(b"0.");
            let zeros = usize::try_from(-exponent - 1).unwrap_or_default();
            out.resize(out.len() + zeros, b'0');
            out.extend_from_slice(digits);
        }
        _ => {
            out.push(digits[0]);
            if digits.len() > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            out.push(b'E');
            out.push(if exponent < 0 { b'-' } else { b'+' });
            out.extend_from_slice(
                itoa::Buffer::new()
                    .format(exponent.unsigned_abs())
                    .as_bytes(),
            );
        }
    }
}

/// `exponent`, if a number of DynamoDB can have it.
fn exponent_in_range(exponent: i64) -> Result<i16, NumberError> {
    if exponent > i64::from(MAX_NUMBER_EXPONENT) {
        return Err(NumberError::TooLarge);
    }
    if exponent < i64::from(MIN_NUMBER_EXPONENT) {
        return Err(NumberError::TooSmall);
    }
    i16::try_from(exponent).map_err(|_| NumberError::TooLarge)
}

/// The parts of a number's text.
pub(crate) struct Parts<'a> {
    pub(crate) negative: bool,
    /// Digits and a point, not checked yet.
    pub(crate) significand: &'a [u8],
    pub(crate) exponent: i64,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(text: &'a str) -> Result<Self, NumberError> {
        let (negative, unsigned) = split_sign(text.as_bytes());
        let (significand, exponent) = match unsigned.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => (&unsigned[..at], parse_exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        Ok(Self {
            negative,
            significand,
            exponent,
        })
    }
}

/// Whether there is a minus, and what follows the sign.
fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    }
}

fn parse_exponent(text: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = split_sign(text);
    if digits.is_empty() {
        return Err(NumberError::Syntax);
    }
    let mut exponent = 0_i64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err(NumberError::Syntax);
        }
        exponent = exponent
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'));
    }
    Ok(if negative { -exponent } else { exponent })
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse_scaled(text, 0)
    }
}

impl TryFrom<f64> for Number {
    type Error = NumberError;

    /// The shortest decimal that reads back as the same `f64`.
    fn try_from(value: f64) -> Result<Self, NumberError> {
        if value.is_finite() {
            ryu::Buffer::new().format_finite(value).parse()
        } else {
            Err(NumberError::NotFinite)
        }
    }
}

impl TryFrom<f32> for Number {
    type Error = NumberError;

    /// The shortest decimal that reads back as the same `f32`: 0.1 and not 0.10000000149011612.
    fn try_from(value: f32) -> Result<Self, NumberError> {
        if value.is_finite() {
            ryu::Buffer::new().format_finite(value).parse()
        } else {
            Err(NumberError::NotFinite)
        }
    }
}

impl TryFrom<i128> for Number {
    type Error = NumberError;

    fn try_from(value: i128) -> Result<Self, NumberError> {
        Self::from_scaled(value, 0)
    }
}

impl TryFrom<u128> for Number {
    type Error = NumberError;

    fn try_from(value: u128) -> Result<Self, NumberError> {
        itoa::Buffer::new().format(value).parse()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(48);
        self.write_to(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({self})")
    }
}

#[cfg(test)]
mod tests;

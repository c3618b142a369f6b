//! Write capacity units, the currency of every write.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use crate::limits::BYTES_PER_WRITE_UNIT;

/// Write capacity units (WCU): one pays for one write of an item of up to 1 KB.
///
/// ```
/// use dynasink_core::WriteUnits;
///
/// assert_eq!(WriteUnits::for_item_size(1), WriteUnits::new(1));
/// assert_eq!(WriteUnits::for_item_size(1024), WriteUnits::new(1));
/// assert_eq!(WriteUnits::for_item_size(1025), WriteUnits::new(2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteUnits(u64);

impl WriteUnits {
    /// No units.
    pub const ZERO: Self = Self(0);

    /// That many units.
    pub const fn new(units: u64) -> Self {
        Self(units)
    }

    /// What it costs to put an item of `bytes` where no larger item of the same key lies.
    ///
    /// An overwrite costs the larger of the old and the new item, and each index that the write touches
    /// costs units of its own: the service's `ConsumedCapacity` settles the difference.
    ///
    /// Source: *Capacity unit consumption for write operations*.
    pub const fn for_item_size(bytes: u64) -> Self {
        let units = bytes.div_ceil(BYTES_PER_WRITE_UNIT);
        Self(if units == 0 { 1 } else { units })
    }

    /// The units that a `ConsumedCapacity` names as a floating-point number.
    ///
    /// Writes consume whole units; anything that is not a positive finite number counts as none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float to integer casts saturate, and negative values and NaN become 0"
    )]
    pub fn from_consumed(units: f64) -> Self {
        Self(units.round() as u64)
    }

    /// The number of units.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The units left after taking `other`, none if that is more.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for WriteUnits {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for WriteUnits {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for WriteUnits {
    fn sum<I: Iterator<Item = Self>>(units: I) -> Self {
        units.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for WriteUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} WCU", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_costs_its_size_in_started_kilobytes_and_at_least_one() {
        for (bytes, units) in [(0, 1), (1, 1), (1024, 1), (1025, 2), (400 * 1024, 400)] {
            assert_eq!(
                WriteUnits::for_item_size(bytes).get(),
                units,
                "{bytes} bytes"
            );
        }
    }

    #[test]
    fn consumed_capacity_that_is_no_amount_counts_as_none() {
        assert_eq!(WriteUnits::from_consumed(2.0).get(), 2);
        assert_eq!(WriteUnits::from_consumed(f64::NAN), WriteUnits::ZERO);
        assert_eq!(WriteUnits::from_consumed(-3.0), WriteUnits::ZERO);
    }
}

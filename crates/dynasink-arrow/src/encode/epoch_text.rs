//! Integers that count from 1970 by ISO 8601, in UTC.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};

use super::fallback::Stored;
use super::refusal::Refusal;
use super::temporal::{self, Iso};
use super::text::Text;

struct EpochTexts {
    /// Null where the integer is wider than 64 bits with a sign.
    counts: Int64Array,
    texts: Box<dyn Text>,
}

/// The texts of `array`, whose integers are so many of `unit` since 1970; none if it has no integers.
pub(super) fn texts(array: &dyn Array, unit: TimeUnit) -> Option<Box<dyn Text>> {
    if !array.data_type().is_integer() {
        return None;
    }
    let counts = cast(array, &DataType::Int64).ok()?;
    let utc = DataType::Timestamp(unit, Some("UTC".into()));
    let timestamps = cast(&counts, &utc).ok()?;
    Some(Box::new(EpochTexts {
        counts: counts.as_primitive_opt::<Int64Type>()?.clone(),
        texts: temporal::texts(&timestamps, Iso::of_type(&utc)?)?,
    }))
}

impl Text for EpochTexts {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        if self.counts.is_null(row) {
            return Err(Refusal::OutOfRange(
                "it is beyond the 64 bits with a sign that a timestamp has",
            ));
        }
        self.texts.text(row, buffer)
    }
}

impl Stored for EpochTexts {
    fn ticks(&self, row: usize) -> Option<i64> {
        self.texts.ticks(row)
    }
}

//! Which rows of a batch a predicate is true of.

use std::sync::Arc;

use arrow_arith::boolean::{and_kleene, not, or_kleene};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Datum, RecordBatch, Scalar, StringViewArray, new_null_array,
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType};
use arrow_select::nullif::nullif;
use half::f16;

use super::bind::{Bound, BoundColumn};
use super::predicate::Comparison;

impl Bound {
    /// True, false or null for each row.
    pub(super) fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        match self {
            Self::All(parts) => fold(parts, batch, true, and_kleene),
            Self::Any(parts) => fold(parts, batch, false, or_kleene),
            Self::Not(part) => not(&part.evaluate(batch)?),
            Self::Compare(column, comparison, literal) => {
                compare(&column.values(batch)?, *comparison, literal)
            }
            Self::Like(column, pattern) => {
                let pattern = Scalar::new(StringViewArray::from(vec![pattern.as_str()]));
                arrow_string::like::like(&column.values(batch)?, &pattern)
            }
            Self::IsNull(column) => {
                let values = column.raw(batch)?;
                Ok(match values.logical_nulls() {
                    Some(nulls) => BooleanArray::new(!nulls.inner(), None),
                    None => BooleanArray::from(vec![false; values.len()]),
                })
            }
            Self::Unknown => Ok(BooleanArray::new_null(batch.num_rows())),
        }
    }
}

fn fold(
    parts: &[Bound],
    batch: &RecordBatch,
    empty: bool,
    join: impl Fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>,
) -> Result<BooleanArray, ArrowError> {
    let mut joined: Option<BooleanArray> = None;
    for part in parts {
        let part = part.evaluate(batch)?;
        joined = Some(match joined {
            Some(joined) => join(&joined, &part)?,
            None => part,
        });
    }
    Ok(joined.unwrap_or_else(|| BooleanArray::from(vec![empty; batch.num_rows()])))
}

impl BoundColumn {
    /// The values of the column, in the type that they are compared as.
    fn values(&self, batch: &RecordBatch) -> Result<ArrayRef, ArrowError> {
        let raw = self.raw(batch)?;
        if raw.data_type() == &self.compared_as {
            return Ok(raw);
        }
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        cast_with_options(&raw, &self.compared_as, &options)
    }

    /// The values of the column as they were read; a field of a null struct is null.
    fn raw(&self, batch: &RecordBatch) -> Result<ArrayRef, ArrowError> {
        if self.missing {
            return Ok(new_null_array(&self.compared_as, batch.num_rows()));
        }
        let absent = || {
            ArrowError::SchemaError(format!(
                "the batch lacks the column {}",
                self.path.join(".")
            ))
        };
        let (root, fields) = self.path.split_first().ok_or_else(absent)?;
        let mut values = Arc::clone(batch.column_by_name(root).ok_or_else(absent)?);
        for field in fields {
            let parent = values.as_struct_opt().ok_or_else(absent)?;
            let child = parent.column_by_name(field).ok_or_else(absent)?;
            values = match parent.nulls() {
                Some(nulls) => nullif(child, &BooleanArray::new(!nulls.inner(), None))?,
                None => Arc::clone(child),
            };
        }
        Ok(values)
    }
}

/// Compares each value with `literal`, as SQL does but for NaN, which is neither equal to, nor below, nor above
/// any number. Zeros are equal whatever their sign.
pub(super) fn compare(
    values: &ArrayRef,
    comparison: Comparison,
    literal: &Scalar<ArrayRef>,
) -> Result<BooleanArray, ArrowError> {
    let values = &ordered(values, comparison);
    let literal: ArrayRef = ordered(&literal.clone().into_inner(), comparison);
    let literal: &dyn Datum = &Scalar::new(literal);
    match comparison {
        Comparison::Equal => cmp::eq(values, literal),
        Comparison::Less => cmp::lt(values, literal),
        Comparison::LessOrEqual => cmp::lt_eq(values, literal),
        Comparison::Greater => cmp::gt(values, literal),
        Comparison::GreaterOrEqual => cmp::gt_eq(values, literal),
    }
}

/// The comparison kernels order floats by IEEE 754's totalOrder: negative NaN, numbers with -0 before 0, NaN. This
/// puts every NaN where the comparison is false, and makes the zeros one.
pub(super) fn ordered(values: &ArrayRef, comparison: Comparison) -> ArrayRef {
    let above = matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual);
    macro_rules! ordered {
        ($kind:ty, $nan:expr, $zero:expr) => {{
            let nan = if above { -$nan } else { $nan };
            Arc::new(
                values
                    .as_primitive::<$kind>()
                    .unary::<_, $kind>(|value| if value.is_nan() { nan } else { value + $zero }),
            )
        }};
    }
    match values.data_type() {
        DataType::Float16 => ordered!(Float16Type, f16::NAN, f16::ZERO),
        DataType::Float32 => ordered!(Float32Type, f32::NAN, 0.0),
        DataType::Float64 => ordered!(Float64Type, f64::NAN, 0.0),
        _ => Arc::clone(values),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::types::Int8Type;
    use arrow_array::{
        DictionaryArray, Float64Array, Int32Array, Int64Array, StringArray, StructArray,
    };
    use arrow_buffer::NullBuffer;
    use arrow_schema::{Field, Fields};

    use super::super::bind::Schemas;
    use super::super::parse::parse;
    use super::*;

    fn kept(text: &str, batch: &RecordBatch) -> Vec<Option<bool>> {
        let schema = batch.schema();
        let bound = Schemas {
            own: &schema,
            united: &schema,
        }
        .bind(&parse(text).unwrap())
        .unwrap();
        bound.evaluate(batch).unwrap().iter().collect()
    }

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap()
    }

    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);

    #[test]
    fn null_is_neither_true_nor_false() {
        let n = Int64Array::from(vec![Some(1), None, Some(3)]);
        let batch = batch(vec![("n", Arc::new(n))]);
        assert_eq!(kept("n = 1", &batch), [YES, None, NO]);
        assert_eq!(kept("NOT n = 1", &batch), [NO, None, YES]);
        assert_eq!(kept("n = 1 OR n IS NULL", &batch), [YES, YES, NO]);
        assert_eq!(kept("n = 1 AND n IS NULL", &batch), [NO, None, NO]);
        assert_eq!(kept("n IN (1, NULL)", &batch), [YES, None, None]);
        assert_eq!(kept("n NOT IN (1, NULL)", &batch), [NO, None, None]);
        assert_eq!(kept("n <> NULL", &batch), [None, None, None]);
        assert_eq!(kept("n IS NOT NULL", &batch), [YES, NO, YES]);
        assert_eq!(kept("n BETWEEN 2 AND 3", &batch), [NO, None, YES]);
    }

    #[test]
    fn nan_is_not_below_or_above_anything_and_zeros_are_one() {
        let f = Float64Array::from(vec![f64::NAN, -f64::NAN, -0.0, 0.0, 1.0, f64::INFINITY]);
        let batch = batch(vec![("f", Arc::new(f))]);
        assert_eq!(kept("f > 0", &batch), [NO, NO, NO, NO, YES, YES]);
        assert_eq!(kept("f >= 0", &batch), [NO, NO, YES, YES, YES, YES]);
        assert_eq!(kept("f < 1", &batch), [NO, NO, YES, YES, NO, NO]);
        assert_eq!(kept("f = 0", &batch), [NO, NO, YES, YES, NO, NO]);
        assert_eq!(kept("f = -0.0", &batch), [NO, NO, YES, YES, NO, NO]);
        assert_eq!(kept("f <> 0", &batch), [YES, YES, NO, NO, YES, YES]);
    }

    #[test]
    fn a_field_of_a_null_struct_is_null() {
        let fields = Fields::from(vec![Field::new("b", DataType::Int32, true)]);
        let b = Arc::new(Int32Array::from(vec![Some(1), Some(1), None]));
        let nulls = NullBuffer::from(vec![true, false, true]);
        let a = StructArray::new(fields, vec![b], Some(nulls));
        let batch = batch(vec![("a", Arc::new(a))]);
        assert_eq!(kept("a.b = 1", &batch), [YES, None, None]);
        assert_eq!(kept("a.b IS NULL", &batch), [NO, YES, YES]);
        assert_eq!(kept("a IS NULL", &batch), [NO, YES, NO]);
    }

    #[test]
    fn strings_are_compared_whatever_holds_them() {
        let plain = StringArray::from(vec![Some("abc"), Some("a%c"), None]);
        let short: DictionaryArray<Int8Type> =
            vec![Some("abc"), Some("a%c"), None].into_iter().collect();
        let batch = batch(vec![("s", Arc::new(plain)), ("d", Arc::new(short))]);
        for column in ["s", "d"] {
            assert_eq!(kept(&format!("{column} = 'abc'"), &batch), [YES, NO, None]);
            assert_eq!(
                kept(&format!("{column} LIKE 'a%'"), &batch),
                [YES, YES, None]
            );
            assert_eq!(
                kept(&format!("{column} LIKE 'a\\%_'"), &batch),
                [NO, YES, None]
            );
            assert_eq!(
                kept(&format!("{column} NOT LIKE '_b_'"), &batch),
                [NO, YES, None]
            );
            assert_eq!(kept(&format!("{column} IS NULL"), &batch), [NO, NO, YES]);
        }
    }
}

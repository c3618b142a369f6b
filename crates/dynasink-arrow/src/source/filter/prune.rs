//! What a predicate can be in portions of a file of which only bounds are known.
//!
//! For each portion two things are worked out: whether the predicate may be true of a row in it, and whether it may
//! be false. What is not known may be anything, so that a portion is passed over only if its bounds rule it out.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Scalar};

use super::bind::{Bound, BoundColumn};
use super::evaluate::compare;
use super::predicate::Comparison;

/// What is known of a column in each of some portions.
#[derive(Debug)]
pub(super) struct Bounds {
    /// No value is below it; null where nothing is known.
    pub(super) min: ArrayRef,
    /// No value is above it; null where nothing is known.
    pub(super) max: ArrayRef,
    pub(super) nulls: Vec<Nulls>,
}

/// How many of the values of a portion are null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nulls {
    Unknown,
    None,
    Some,
    All,
}

impl Nulls {
    pub(super) fn of(count: Option<u64>, rows: u64) -> Self {
        match count {
            // A count of another portion or a wrong one: nothing is known.
            Some(count) if count > rows => Self::Unknown,
            Some(0) => Self::None,
            Some(count) if count == rows => Self::All,
            Some(_) => Self::Some,
            None => Self::Unknown,
        }
    }
}

/// Portions of a file.
pub(super) trait Portions {
    /// How many there are.
    fn count(&self) -> usize;

    /// What is known of a column in each of them, in the type that it is compared as.
    fn bounds(&self, column: &BoundColumn) -> Option<Bounds>;
}

/// For each portion, what a predicate may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Possible {
    /// Whether it may be true of a row.
    pub(super) yes: Vec<bool>,
    /// Whether it may be false of a row.
    pub(super) no: Vec<bool>,
}

impl Possible {
    fn anything(count: usize) -> Self {
        Self {
            yes: vec![true; count],
            no: vec![true; count],
        }
    }

    fn nothing(count: usize) -> Self {
        Self {
            yes: vec![false; count],
            no: vec![false; count],
        }
    }
}

fn each(left: &mut [bool], right: &[bool], join: impl Fn(bool, bool) -> bool) {
    for (left, right) in left.iter_mut().zip(right) {
        *left = join(*left, *right);
    }
}

impl Bound {
    pub(super) fn possible(&self, portions: &impl Portions) -> Possible {
        let count = portions.count();
        match self {
            Self::All(parts) => {
                let mut all = Possible {
                    yes: vec![true; count],
                    no: vec![false; count],
                };
                for part in parts {
                    let part = part.possible(portions);
                    each(&mut all.yes, &part.yes, |a, b| a && b);
                    each(&mut all.no, &part.no, |a, b| a || b);
                }
                all
            }
            Self::Any(parts) => {
                let mut any = Possible {
                    yes: vec![false; count],
                    no: vec![true; count],
                };
                for part in parts {
                    let part = part.possible(portions);
                    each(&mut any.yes, &part.yes, |a, b| a || b);
                    each(&mut any.no, &part.no, |a, b| a && b);
                }
                any
            }
            Self::Not(part) => {
                let Possible { yes, no } = part.possible(portions);
                Possible { yes: no, no: yes }
            }
            Self::Unknown => Possible::nothing(count),
            Self::IsNull(column) => match portions.bounds(column) {
                None => Possible::anything(count),
                Some(Bounds { nulls, .. }) => Possible {
                    yes: nulls.iter().map(|nulls| *nulls != Nulls::None).collect(),
                    no: nulls.iter().map(|nulls| *nulls != Nulls::All).collect(),
                },
            },
            Self::Compare(column, comparison, literal) => match portions.bounds(column) {
                None => Possible::anything(count),
                Some(bounds) => bounds.compared(*comparison, literal),
            },
            Self::Like(column, pattern) => match portions.bounds(column) {
                None => Possible::anything(count),
                Some(bounds) => bounds.like(pattern),
            },
        }
    }
}

impl Bounds {
    fn compared(&self, comparison: Comparison, literal: &Scalar<ArrayRef>) -> Possible {
        let is = |bound: &ArrayRef, comparison| may_be(bound, comparison, literal);
        let (min, max) = (&self.min, &self.max);
        let is_float = min.data_type().is_floating();
        let (yes, mut no) = match comparison {
            Comparison::Less => (
                is(min, Comparison::Less),
                is(max, Comparison::GreaterOrEqual),
            ),
            Comparison::LessOrEqual => (
                is(min, Comparison::LessOrEqual),
                is(max, Comparison::Greater),
            ),
            Comparison::Greater => (
                is(max, Comparison::Greater),
                is(min, Comparison::LessOrEqual),
            ),
            Comparison::GreaterOrEqual => (
                is(max, Comparison::GreaterOrEqual),
                is(min, Comparison::Less),
            ),
            Comparison::Equal => {
                let mut yes = is(min, Comparison::LessOrEqual);
                each(&mut yes, &is(max, Comparison::GreaterOrEqual), |a, b| {
                    a && b
                });
                // Only where both bounds are the literal is there nothing else.
                let mut no = is(min, Comparison::Less);
                each(&mut no, &is(max, Comparison::Greater), |a, b| a || b);
                (yes, no)
            }
        };
        if is_float {
            // Statistics do not tell of NaN, of which every comparison is false.
            no.fill(true);
        }
        self.without_nulls(Possible { yes, no })
    }

    /// Where all values are null, a comparison is neither true nor false.
    fn without_nulls(&self, mut possible: Possible) -> Possible {
        for (at, nulls) in self.nulls.iter().enumerate() {
            if *nulls == Nulls::All {
                possible.yes[at] = false;
                possible.no[at] = false;
            }
        }
        possible
    }

    /// What the pattern starts with decides, since strings with one prefix are next to one another.
    fn like(&self, pattern: &str) -> Possible {
        let prefix = pattern
            .find(['%', '_', '\\'])
            .map_or(pattern, |end| pattern.get(..end).unwrap_or(""))
            .as_bytes();
        let (Some(min), Some(max)) = (self.min.as_string_view_opt(), self.max.as_string_view_opt())
        else {
            return self.without_nulls(Possible::anything(self.nulls.len()));
        };
        let reaches = |bound: Option<&str>, far: &dyn Fn(&[u8]) -> bool| {
            bound.is_none_or(|bound| far(bound.as_bytes()))
        };
        let yes = min.iter().zip(max).map(|(min, max)| {
            let starts_before =
                reaches(min, &|min| min.get(..prefix.len()).unwrap_or(min) <= prefix);
            let ends_behind = reaches(max, &|max| max >= prefix);
            starts_before && ends_behind
        });
        self.without_nulls(Possible {
            yes: yes.collect(),
            no: vec![true; self.nulls.len()],
        })
    }
}

/// Whether the comparison of each bound with the literal is true; what is not known may be.
fn may_be(bounds: &ArrayRef, comparison: Comparison, literal: &Scalar<ArrayRef>) -> Vec<bool> {
    match compare(bounds, comparison, literal) {
        Ok(compared) => unless_false(&compared),
        Err(_) => vec![true; bounds.len()],
    }
}

fn unless_false(compared: &BooleanArray) -> Vec<bool> {
    compared.iter().map(|is| is != Some(false)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array, StringViewArray};
    use arrow_schema::{DataType, Field, Schema};

    use super::super::bind::Schemas;
    use super::super::parse::parse;
    use super::*;

    struct Known {
        min: ArrayRef,
        max: ArrayRef,
        nulls: Nulls,
    }

    impl Portions for Known {
        fn count(&self) -> usize {
            self.min.len()
        }

        fn bounds(&self, column: &BoundColumn) -> Option<Bounds> {
            (column.path[0] == "c").then(|| Bounds {
                min: Arc::clone(&self.min),
                max: Arc::clone(&self.max),
                nulls: vec![self.nulls; self.count()],
            })
        }
    }

    fn possible(text: &str, known: &Known) -> (bool, bool) {
        let data_type = known.min.data_type().clone();
        let schema = Schema::new(vec![
            Field::new("c", data_type, true),
            Field::new("other", DataType::Int64, true),
        ]);
        let schemas = Schemas {
            own: &schema,
            united: &schema,
        };
        let bound = schemas.bind(&parse(text).unwrap()).unwrap();
        let Possible { yes, no } = bound.possible(known);
        (yes[0], no[0])
    }

    fn integers(min: Option<i64>, max: Option<i64>, nulls: Nulls) -> Known {
        Known {
            min: Arc::new(Int64Array::from(vec![min])),
            max: Arc::new(Int64Array::from(vec![max])),
            nulls,
        }
    }

    #[test]
    fn bounds_rule_out_what_is_outside_and_nothing_else() {
        let known = integers(Some(10), Some(20), Nulls::None);
        for (text, expected) in [
            ("c < 10", (false, true)),
            ("c < 11", (true, true)),
            ("c < 21", (true, false)),
            ("c <= 9", (false, true)),
            ("c <= 20", (true, false)),
            ("c > 20", (false, true)),
            ("c > 9", (true, false)),
            ("c >= 21", (false, true)),
            ("c >= 10", (true, false)),
            ("c = 9", (false, true)),
            ("c = 15", (true, true)),
            ("c <> 9", (true, false)),
            ("c <> 15", (true, true)),
            ("NOT c > 20", (true, false)),
            ("c IN (1, 2, 30)", (false, true)),
            ("c IN (1, 12)", (true, true)),
            ("c BETWEEN 21 AND 30", (false, true)),
            ("c IS NULL", (false, true)),
            ("c = NULL", (false, false)),
            ("c > 20 OR other = 1", (true, true)),
            ("c > 20 AND other = 1", (false, true)),
        ] {
            assert_eq!(possible(text, &known), expected, "{text}");
        }
        let one = integers(Some(7), Some(7), Nulls::Some);
        assert_eq!(possible("c = 7", &one), (true, false));
        assert_eq!(possible("c <> 7", &one), (false, true));
    }

    #[test]
    fn what_is_not_known_may_be_anything() {
        for (min, max) in [(None, None), (Some(10), None), (None, Some(5))] {
            let known = integers(min, max, Nulls::Unknown);
            assert_eq!(possible("c = 10 OR c = 5", &known), (true, true));
            assert_eq!(possible("c IS NULL", &known), (true, true));
        }
        assert_eq!(
            possible("other = 5", &integers(None, None, Nulls::None)),
            (true, true)
        );
    }

    #[test]
    fn where_all_is_null_no_comparison_is_true_or_false() {
        let known = integers(None, None, Nulls::All);
        assert_eq!(possible("c = 1", &known), (false, false));
        assert_eq!(possible("NOT c = 1", &known), (false, false));
        assert_eq!(possible("c IS NULL", &known), (true, false));
        assert_eq!(Nulls::of(Some(3), 2), Nulls::Unknown);
        assert_eq!(Nulls::of(Some(0), 0), Nulls::None);
    }

    #[test]
    fn nan_may_be_anywhere_and_is_no_bound() {
        let floats = |min, max| Known {
            min: Arc::new(Float64Array::from(vec![min])),
            max: Arc::new(Float64Array::from(vec![max])),
            nulls: Nulls::None,
        };
        assert_eq!(possible("c < 5", &floats(1.0, 2.0)), (true, true));
        assert_eq!(possible("c > 5", &floats(1.0, 2.0)), (false, true));
        assert_eq!(possible("c = 0", &floats(-0.0, -0.0)), (true, true));
    }

    #[test]
    fn a_pattern_is_ruled_out_by_what_it_starts_with() {
        let strings = |min, max| Known {
            min: Arc::new(StringViewArray::from(vec![Some(min)])),
            max: Arc::new(StringViewArray::from(vec![Some(max)])),
            nulls: Nulls::None,
        };
        let known = strings("bb", "dd");
        for (pattern, yes) in [
            ("a%", false),
            ("b%", true),
            ("ba%", false),
            ("bb%", true),
            ("bba", true),
            ("c_x", true),
            ("dd%", true),
            ("de%", false),
            ("e", false),
            ("%z", true),
            ("", true),
        ] {
            let text = format!("c LIKE '{pattern}'");
            let expected = yes || pattern.is_empty();
            assert_eq!(possible(&text, &known), (expected, true), "{pattern}");
            assert!(possible(&format!("NOT {text}"), &known).0);
        }
    }
}

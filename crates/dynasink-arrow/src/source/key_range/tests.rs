use arrow_array::{Float64Array, Int64Array, StringViewArray, UInt8Array};

use super::*;

fn bounds(min: ArrayRef, max: ArrayRef) -> Option<KeyRanges> {
    let bounds = Bounds::new("k", min, max)?;
    Some(KeyBounds(vec![Some(bounds)]).ranges())
}

fn integers(min: i64, max: i64) -> KeyRanges {
    let one = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
    bounds(one(min), one(max)).unwrap()
}

fn texts(min: &str, max: &str) -> KeyRanges {
    let one = |value: &str| Arc::new(StringViewArray::from(vec![value])) as ArrayRef;
    bounds(one(min), one(max)).unwrap()
}

#[test]
fn ranges_are_apart_if_no_value_lies_in_both() {
    assert!(integers(0, 9).are_apart(&integers(10, 20)));
    assert!(integers(10, 20).are_apart(&integers(-5, 9)));
    assert!(!integers(0, 10).are_apart(&integers(10, 20)));
    assert!(!integers(0, 100).are_apart(&integers(10, 20)));
    assert!(texts("a", "bz").are_apart(&texts("c", "d")));
    // Text is ordered by its bytes.
    assert!(texts("Z", "Zz").are_apart(&texts("a", "\u{e9}")));
    assert!(!texts("a", "ba").are_apart(&texts("b", "c")));
}

#[test]
fn ranges_of_other_types_are_never_apart() {
    assert!(!integers(0, 9).are_apart(&texts("a", "b")));
    let bytes: ArrayRef = Arc::new(UInt8Array::from(vec![200]));
    let small = bounds(Arc::clone(&bytes), bytes).unwrap();
    assert!(small.are_apart(&integers(0, 199)), "integers are integers");
}

#[test]
fn one_column_that_is_apart_is_enough_and_unknown_ones_say_nothing() {
    let ranges = |first, second| KeyRanges::of_integers([first, second]);
    let a = ranges(Some((0, 9)), Some((0, 9)));
    assert!(a.are_apart(&ranges(Some((0, 9)), Some((10, 19)))));
    assert!(a.are_apart(&ranges(None, Some((10, 19)))));
    assert!(!a.are_apart(&ranges(Some((9, 9)), None)));
    assert!(!KeyRanges::default().are_apart(&KeyRanges::default()));
}

#[test]
fn floats_nulls_and_bounds_the_wrong_way_round_are_no_range() {
    let float = |value| Arc::new(Float64Array::from(vec![value])) as ArrayRef;
    assert!(bounds(float(0.0), float(1.0)).is_none());
    let number = |value| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
    assert!(bounds(number(None), number(Some(1))).is_none());
    assert!(bounds(number(Some(2)), number(Some(1))).is_none());
}

#[test]
fn a_value_out_of_its_bounds_is_found_and_a_null_is_none() {
    let number = |value| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
    let bounds = KeyBounds(vec![Bounds::new("k", number(1), number(5))]);
    let outside = |values: Vec<Option<i64>>| {
        let column: ArrayRef = Arc::new(Int64Array::from(values));
        let batch = RecordBatch::try_from_iter([("k", column)]).unwrap();
        bounds.first_outside(&batch).unwrap().map(str::to_owned)
    };
    assert_eq!(outside(vec![Some(1), None, Some(5)]), None);
    assert_eq!(outside(vec![Some(1), Some(6)]).as_deref(), Some("k"));
    assert_eq!(outside(vec![Some(0)]).as_deref(), Some("k"));
}

//! Random arrays of a type, with values under their nulls, unused children and slices wherever Arrow has room for them.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type,
    RunEndIndexType, UInt16Type,
};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeBinaryArray, FixedSizeListArray,
    GenericBinaryArray, GenericListArray, GenericListViewArray, GenericStringArray, MapArray,
    NullArray, OffsetSizeTrait, PrimitiveArray, RunArray, StructArray, UnionArray,
    downcast_primitive,
};
use arrow_buffer::{
    ArrowNativeType, IntervalDayTime, IntervalMonthDayNano, NullBuffer, OffsetBuffer, ScalarBuffer,
    i256,
};
use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit, UnionFields, UnionMode};
use fastrand::Rng;
use half::f16;

/// Days from 1970 to 9999-12-31, and the seconds of one.
const DAYS: i64 = 2_932_896;
const DAY: i64 = 86_400;

/// An array of the field's type, with nulls if it may have any.
pub(crate) fn array(rng: &mut Rng, field: &Field, len: usize) -> ArrayRef {
    use DataType as D;
    let nulls = nulls(rng, field, len);
    let data_type = field.data_type();
    match data_type {
        D::Null => Arc::new(NullArray::new(len)),
        D::Boolean => {
            let values = (0..len).map(|_| rng.bool()).collect();
            Arc::new(BooleanArray::new(values, nulls))
        }
        D::Utf8 => strings::<i32>(rng, len, nulls),
        D::LargeUtf8 => strings::<i64>(rng, len, nulls),
        D::Utf8View => {
            let mut views = StringViewBuilder::new();
            for at in 0..len {
                views.append_option(is_valid(nulls.as_ref(), at).then(|| text(rng)));
            }
            Arc::new(views.finish())
        }
        D::Binary => binaries::<i32>(rng, len, nulls),
        D::LargeBinary => binaries::<i64>(rng, len, nulls),
        D::BinaryView => {
            let mut views = BinaryViewBuilder::new();
            for at in 0..len {
                views.append_option(is_valid(nulls.as_ref(), at).then(|| bytes(rng)));
            }
            Arc::new(views.finish())
        }
        D::FixedSizeBinary(width) => {
            let bytes = usize::try_from(*width).unwrap() * len;
            let values: Vec<u8> = (0..bytes).map(|_| rng.u8(..)).collect();
            let array = FixedSizeBinaryArray::try_new_with_len(*width, values.into(), nulls, len);
            Arc::new(array.unwrap())
        }
        D::List(element) => lists::<i32>(rng, element, len, nulls),
        D::LargeList(element) => lists::<i64>(rng, element, len, nulls),
        D::ListView(element) => list_views::<i32>(rng, element, len, nulls),
        D::LargeListView(element) => list_views::<i64>(rng, element, len, nulls),
        D::FixedSizeList(element, width) => {
            let elements = array(rng, element, usize::try_from(*width).unwrap() * len);
            let element = Arc::clone(element);
            Arc::new(
                FixedSizeListArray::try_new_with_length(element, *width, elements, nulls, len)
                    .unwrap(),
            )
        }
        D::Struct(fields) => structs(rng, fields, len, nulls),
        D::Map(entries, sorted) => {
            let offsets = offsets::<i32>(rng, len);
            let D::Struct(fields) = entries.data_type() else {
                panic!("{entries}")
            };
            let entry_count = last(&offsets);
            let unused = rng.usize(..3);
            let held = structs_of(rng, fields, entry_count + unused, None);
            let entries = Arc::clone(entries);
            Arc::new(MapArray::try_new(entries, offsets, held, nulls, *sorted).unwrap())
        }
        D::Dictionary(key, values) => match key.as_ref() {
            D::Int8 => dictionary::<Int8Type>(rng, values, len, nulls),
            D::UInt16 => dictionary::<UInt16Type>(rng, values, len, nulls),
            _ => dictionary::<Int64Type>(rng, values, len, nulls),
        },
        D::RunEndEncoded(ends, values) => match ends.data_type() {
            D::Int16 => runs::<Int16Type>(rng, values, len),
            D::Int32 => runs::<Int32Type>(rng, values, len),
            _ => runs::<Int64Type>(rng, values, len),
        },
        D::Union(types, mode) => union(rng, types, *mode, len),
        _ => primitive(rng, data_type, len, nulls),
    }
}

fn nulls(rng: &mut Rng, field: &Field, len: usize) -> Option<NullBuffer> {
    if !field.is_nullable() || rng.u8(..4) == 0 {
        return None;
    }
    Some((0..len).map(|_| rng.u8(..4) > 0).collect())
}

fn is_valid(nulls: Option<&NullBuffer>, at: usize) -> bool {
    nulls.is_none_or(|nulls| nulls.is_valid(at))
}

fn text(rng: &mut Rng) -> String {
    const PARTS: [&str; 8] = [
        "",
        "a",
        "é",
        "😀",
        "\"\\\n\u{0}",
        "\u{2028}",
        " ",
        "0123456789",
    ];
    (0..rng.usize(..4)).map(|_| PARTS[rng.usize(..8)]).collect()
}

fn bytes(rng: &mut Rng) -> Vec<u8> {
    (0..rng.usize(..20)).map(|_| rng.u8(..)).collect()
}

fn strings<O: OffsetSizeTrait>(rng: &mut Rng, len: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    let texts = GenericStringArray::<O>::from_iter_values((0..len).map(|_| text(rng)));
    let (offsets, values, _) = texts.into_parts();
    Arc::new(GenericStringArray::new(offsets, values, nulls))
}

fn binaries<O: OffsetSizeTrait>(rng: &mut Rng, len: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    let values = GenericBinaryArray::<O>::from_iter_values((0..len).map(|_| bytes(rng)));
    let (offsets, values, _) = values.into_parts();
    Arc::new(GenericBinaryArray::new(offsets, values, nulls))
}

/// Offsets of short lists, of which the first need not be 0.
fn offsets<O: OffsetSizeTrait>(rng: &mut Rng, len: usize) -> OffsetBuffer<O> {
    let mut end = rng.usize(..3);
    let mut offsets = vec![O::usize_as(end)];
    for _ in 0..len {
        end += rng.usize(..4);
        offsets.push(O::usize_as(end));
    }
    OffsetBuffer::new(offsets.into())
}

fn last<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>) -> usize {
    offsets.last().unwrap().as_usize()
}

fn lists<O: OffsetSizeTrait>(
    rng: &mut Rng,
    element: &FieldRef,
    len: usize,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let offsets = offsets::<O>(rng, len);
    let unused = rng.usize(..3);
    let elements = array(rng, element, last(&offsets) + unused);
    Arc::new(GenericListArray::new(
        Arc::clone(element),
        offsets,
        elements,
        nulls,
    ))
}

/// Lists that may share elements and need not be in order.
fn list_views<O: OffsetSizeTrait>(
    rng: &mut Rng,
    element: &FieldRef,
    len: usize,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let count = rng.usize(..20);
    let elements = array(rng, element, count);
    let (starts, sizes): (Vec<O>, Vec<O>) = (0..len)
        .map(|_| {
            let start = rng.usize(..=count);
            let size = rng.usize(..=(count - start).min(3));
            (O::usize_as(start), O::usize_as(size))
        })
        .unzip();
    let element = Arc::clone(element);
    Arc::new(GenericListViewArray::new(
        element,
        starts.into(),
        sizes.into(),
        elements,
        nulls,
    ))
}

fn structs(rng: &mut Rng, fields: &Fields, len: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(structs_of(rng, fields, len, nulls))
}

fn structs_of(
    rng: &mut Rng,
    fields: &Fields,
    len: usize,
    nulls: Option<NullBuffer>,
) -> StructArray {
    let columns = fields.iter().map(|field| array(rng, field, len)).collect();
    StructArray::try_new_with_length(fields.clone(), columns, nulls, len).unwrap()
}

/// A dictionary whose values may be null, whose keys may, and which may hold what no key names.
fn dictionary<K: ArrowDictionaryKeyType>(
    rng: &mut Rng,
    values: &DataType,
    len: usize,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let count = rng.usize(1..6);
    let values = array(
        rng,
        &Field::new("values", values.clone(), nulls.is_some()),
        count,
    );
    let keys: ScalarBuffer<K::Native> = (0..len)
        .map(|_| K::Native::usize_as(rng.usize(..count)))
        .collect();
    Arc::new(DictionaryArray::new(
        PrimitiveArray::<K>::new(keys, nulls),
        values,
    ))
}

fn union(rng: &mut Rng, types: &UnionFields, mode: UnionMode, len: usize) -> ArrayRef {
    let known: Vec<i8> = types.iter().map(|(id, _)| id).collect();
    let ids: ScalarBuffer<i8> = (0..len).map(|_| known[rng.usize(..known.len())]).collect();
    let child_len = match mode {
        UnionMode::Sparse => len,
        UnionMode::Dense => len + 2,
    };
    let children = types.iter().map(|(_, field)| array(rng, field, child_len));
    let children = children.collect();
    // Rows of a dense union may share values, and need not have them in order.
    let offsets = (mode == UnionMode::Dense).then(|| {
        let offset = |_| i32::try_from(rng.usize(..child_len)).unwrap();
        (0..len).map(offset).collect()
    });
    Arc::new(UnionArray::try_new(types.clone(), ids, offsets, children).unwrap())
}

fn runs<E: RunEndIndexType>(rng: &mut Rng, values: &Field, len: usize) -> ArrayRef {
    let mut ends = Vec::new();
    let mut end = 0;
    // The last run may reach beyond the array that is cut from this.
    while end < len + 1 {
        end += rng.usize(1..5);
        ends.push(E::Native::usize_as(end));
    }
    let values = array(rng, values, ends.len());
    let ends = PrimitiveArray::<E>::new(ends.into(), None);
    let runs = RunArray::<E>::try_new(&ends, values.as_ref()).unwrap();
    Arc::new(runs.slice(0, len))
}

/// A random value of a native type.
trait Draw: ArrowNativeType {
    fn draw(rng: &mut Rng) -> Self;

    /// The native value that is that integer, which fits.
    fn of_i64(value: i64) -> Self;
}

macro_rules! draw_integers {
    ($($type:ident),*) => {$(
        impl Draw for $type {
            fn draw(rng: &mut Rng) -> Self {
                match rng.u8(..8) {
                    0 => Self::MIN,
                    1 => Self::MAX,
                    2 => 0,
                    3 => rng.$type(..),
                    _ => rng.$type(..100),
                }
            }

            fn of_i64(value: i64) -> Self {
                Self::try_from(value).unwrap()
            }
        }
    )*};
}

draw_integers!(i8, i16, i32, i64, i128, u8, u16, u32, u64);

impl Draw for i256 {
    fn draw(rng: &mut Rng) -> Self {
        // Of 39 digits and more only some, since they reject their rows.
        let high = if rng.u8(..40) == 0 {
            rng.i128(..) >> 4
        } else {
            0
        };
        let value = Self::from_parts(rng.u128(..) >> 4, high);
        if rng.bool() {
            value
        } else {
            Self::from_i128(i128::draw(rng) >> 2)
        }
    }

    fn of_i64(value: i64) -> Self {
        Self::from_i128(i128::from(value))
    }
}

impl Draw for f64 {
    fn draw(rng: &mut Rng) -> Self {
        match rng.u8(..60) {
            0 => Self::NAN,
            1 => Self::NEG_INFINITY,
            2 => Self::MAX,
            3 => Self::MIN_POSITIVE,
            4..20 => -0.0,
            20..40 => Self::from(rng.i32(..)) / 1_000.0,
            _ => (rng.f64() - 0.5) * 10_f64.powi(rng.i32(-100..100)),
        }
    }

    fn of_i64(value: i64) -> Self {
        panic!("a float is not drawn as the integer {value}")
    }
}

impl Draw for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "any f32 will do")]
    fn draw(rng: &mut Rng) -> Self {
        match rng.u8(..60) {
            0 => Self::NAN,
            1..4 => Self::MAX,
            4..8 => Self::from_bits(rng.u32(..100)),
            8..20 => 2_f32.powi(rng.i32(-140..127)),
            20..40 => -0.1,
            _ => (rng.f64() * 10_f64.powi(rng.i32(-30..30))) as Self,
        }
    }

    fn of_i64(value: i64) -> Self {
        panic!("a float is not drawn as the integer {value}")
    }
}

impl Draw for f16 {
    fn draw(rng: &mut Rng) -> Self {
        match rng.u8(..60) {
            0 => Self::INFINITY,
            _ => Self::from_bits(rng.u16(..0x7c00)),
        }
    }

    fn of_i64(value: i64) -> Self {
        panic!("a float is not drawn as the integer {value}")
    }
}

impl Draw for IntervalDayTime {
    fn draw(rng: &mut Rng) -> Self {
        Self::new(i32::draw(rng), i32::draw(rng))
    }

    fn of_i64(value: i64) -> Self {
        panic!("an interval is not drawn as the integer {value}")
    }
}

impl Draw for IntervalMonthDayNano {
    fn draw(rng: &mut Rng) -> Self {
        Self::new(i32::draw(rng), i32::draw(rng), i64::draw(rng))
    }

    fn of_i64(value: i64) -> Self {
        panic!("an interval is not drawn as the integer {value}")
    }
}

fn primitive(
    rng: &mut Rng,
    data_type: &DataType,
    len: usize,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    macro_rules! of_type {
        ($type:ty) => {
            of_native::<$type>(
                data_type,
                nulls,
                (0..len).map(|_| in_range::<$type>(rng, data_type)),
            )
        };
    }
    downcast_primitive! {
        data_type => (of_type),
        other => panic!("no array of {other}")
    }
}

fn of_native<T: ArrowPrimitiveType>(
    data_type: &DataType,
    nulls: Option<NullBuffer>,
    values: impl Iterator<Item = T::Native>,
) -> ArrayRef {
    let array = PrimitiveArray::<T>::new(values.collect(), nulls);
    Arc::new(array.with_data_type(data_type.clone()))
}

/// A value that most items can hold: too many that reject their rows would leave no rows.
fn in_range<T: ArrowPrimitiveType<Native: Draw>>(rng: &mut Rng, data_type: &DataType) -> T::Native {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    let any = T::Native::draw(rng);
    if rng.u8(..60) == 0 {
        return any;
    }
    let below = |rng: &mut Rng, most: i64| rng.i64(0..=most);
    let bounded = match data_type {
        DataType::Decimal32(..) => Some(rng.i64(-999_999_999..=999_999_999)),
        DataType::Decimal64(..) => {
            Some(rng.i64(-999_999_999_999_999_999..=999_999_999_999_999_999))
        }
        DataType::Date32 => Some(rng.i64(-719_528..=DAYS)),
        DataType::Date64 if rng.bool() => Some(rng.i64(-719_528..=DAYS) * DAY * 1_000),
        DataType::Date64 | DataType::Timestamp(Millisecond, _) => {
            Some(rng.i64(-719_528 * DAY * 1_000..=DAYS * DAY * 1_000))
        }
        DataType::Timestamp(Second, _) => Some(rng.i64(-719_528 * DAY..=DAYS * DAY)),
        DataType::Timestamp(Microsecond, _) => {
            Some(rng.i64(-719_528 * DAY * 1_000_000..=DAYS * DAY * 1_000_000))
        }
        DataType::Time32(Second) => Some(below(rng, DAY - 1)),
        DataType::Time32(_) => Some(below(rng, DAY * 1_000 - 1)),
        DataType::Time64(Microsecond) => Some(below(rng, DAY * 1_000_000 - 1)),
        DataType::Time64(Nanosecond) => Some(below(rng, DAY * 1_000_000_000 - 1)),
        DataType::Decimal128(..) => Some(rng.i64(..)),
        _ => None,
    };
    match bounded {
        None => any,
        Some(value) => T::Native::of_i64(value),
    }
}

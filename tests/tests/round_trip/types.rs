//! Random types.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{
    DataType, Field, FieldRef, Fields, IntervalUnit, TimeUnit, UnionFields, UnionMode,
};
use fastrand::Rng;

/// Deepest nesting.
const MAX_DEPTH: usize = 4;

const UNITS: [TimeUnit; 4] = [
    TimeUnit::Second,
    TimeUnit::Millisecond,
    TimeUnit::Microsecond,
    TimeUnit::Nanosecond,
];

const INTERVALS: [IntervalUnit; 3] = [
    IntervalUnit::YearMonth,
    IntervalUnit::DayTime,
    IntervalUnit::MonthDayNano,
];

/// A field of any type at that depth.
pub(crate) fn field(rng: &mut Rng, name: &str, depth: usize) -> FieldRef {
    let nested = depth < MAX_DEPTH && rng.u8(..10) < 4;
    if !nested && rng.u8(..20) == 0 {
        return uuid(name);
    }
    let data_type = if nested {
        container(rng, depth + 1)
    } else {
        leaf(rng)
    };
    let has_nulls_of_its_own = matches!(
        data_type,
        DataType::Null
            | DataType::Dictionary(..)
            | DataType::RunEndEncoded(..)
            | DataType::Union(..)
    );
    let nullable = has_nulls_of_its_own || rng.u8(..4) > 0;
    Arc::new(Field::new(name, data_type, nullable))
}

/// A UUID.
fn uuid(name: &str) -> FieldRef {
    let extension = HashMap::from([(EXTENSION_TYPE_NAME_KEY.to_owned(), "arrow.uuid".to_owned())]);
    let field = Field::new(name, DataType::FixedSizeBinary(16), true);
    Arc::new(field.with_metadata(extension))
}

fn leaf(rng: &mut Rng) -> DataType {
    use DataType as D;
    let unit = UNITS[rng.usize(..4)];
    let scale = |rng: &mut Rng, precision: u8| rng.i8(-5..=i8::try_from(precision).unwrap());
    match rng.u8(..33) {
        0 => D::Null,
        1 => D::Boolean,
        2 => D::Int8,
        3 => D::Int16,
        4 => D::Int32,
        5 => D::Int64,
        6 => D::UInt8,
        7 => D::UInt16,
        8 => D::UInt32,
        9 => D::UInt64,
        10 => D::Float16,
        11 => D::Float32,
        12 => D::Float64,
        13 => D::Decimal32(9, scale(rng, 9)),
        14 => D::Decimal64(18, scale(rng, 18)),
        15 => D::Decimal128(38, scale(rng, 38)),
        16 => D::Decimal256(76, scale(rng, 76)),
        17 => D::Utf8,
        18 => D::LargeUtf8,
        19 => D::Utf8View,
        20 => D::Binary,
        21 => D::LargeBinary,
        22 => D::BinaryView,
        23 => D::FixedSizeBinary(rng.i32(0..20)),
        24 => D::Date32,
        25 => D::Date64,
        26 if rng.bool() => D::Time32(TimeUnit::Second),
        26 => D::Time32(TimeUnit::Millisecond),
        27 if rng.bool() => D::Time64(TimeUnit::Microsecond),
        27 => D::Time64(TimeUnit::Nanosecond),
        28 => D::Timestamp(unit, None),
        29 => D::Timestamp(unit, Some("America/New_York".into())),
        30 => D::Duration(unit),
        _ => D::Interval(INTERVALS[rng.usize(..3)]),
    }
}

fn container(rng: &mut Rng, depth: usize) -> DataType {
    use DataType as D;
    let element = |rng: &mut Rng| field(rng, "item", depth);
    match rng.u8(..11) {
        0 => D::List(element(rng)),
        1 => D::LargeList(element(rng)),
        2 => D::ListView(element(rng)),
        3 => D::LargeListView(element(rng)),
        4 => D::FixedSizeList(element(rng), rng.i32(0..4)),
        5 | 6 => {
            let fields = (0..rng.usize(0..4)).map(|at| field(rng, &format!("é{at}"), depth));
            D::Struct(fields.collect())
        }
        7 => map(rng, depth),
        10 => union(rng, depth),
        8 => {
            let keys = [D::Int8, D::UInt16, D::Int64];
            let key = keys[rng.usize(..keys.len())].clone();
            D::Dictionary(Box::new(key), Box::new(values(rng, depth)))
        }
        _ => {
            let ends = [D::Int16, D::Int32, D::Int64];
            let ends = Field::new("run_ends", ends[rng.usize(..3)].clone(), false);
            let values = Field::new("values", values(rng, depth), true);
            D::RunEndEncoded(Arc::new(ends), Arc::new(values))
        }
    }
}

fn union(rng: &mut Rng, depth: usize) -> DataType {
    let types = (0..rng.i8(1..4)).map(|at| (at * 40, field(rng, &format!("type {at}"), depth)));
    let types: UnionFields = types.collect();
    let mode = if rng.bool() {
        UnionMode::Dense
    } else {
        UnionMode::Sparse
    };
    DataType::Union(types, mode)
}

/// What dictionaries and runs hold.
fn values(rng: &mut Rng, depth: usize) -> DataType {
    if depth < MAX_DEPTH && rng.u8(..4) == 0 {
        return container(rng, depth + 1);
    }
    leaf(rng)
}

fn map(rng: &mut Rng, depth: usize) -> DataType {
    let keys = [
        DataType::Utf8,
        DataType::Utf8View,
        DataType::Int32,
        DataType::UInt64,
        DataType::Boolean,
        DataType::Date32,
    ];
    let key = match rng.usize(..=keys.len()) {
        at if at < keys.len() => Arc::new(Field::new("keys", keys[at].clone(), false)),
        _ => Arc::new(uuid("keys").as_ref().clone().with_nullable(false)),
    };
    let entries = Fields::from(vec![key, field(rng, "values", depth)]);
    let entries = Field::new("entries", DataType::Struct(entries), false);
    DataType::Map(Arc::new(entries), false)
}

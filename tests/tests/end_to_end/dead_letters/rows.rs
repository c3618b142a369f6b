//! Rows that DynamoDB takes, and rows that it would refuse.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, MapBuilder, StringBuilder};
use arrow_array::{
    Array, ArrayRef, Decimal256Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, i256};
use arrow_schema::Field;
use dynasink_tests::{Item, Value};

/// Largest item in bytes.
const MAX_ITEM: usize = 400 * 1024;

/// Lists inside one another, one more than an item may have.
const TOO_DEEP: usize = 32;

/// A row of the test's file, with what is wrong with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    id: Option<String>,
    n: Option<f64>,
    text: Option<String>,
    exact: Option<i256>,
    /// Keys of a map whose values are all 1.
    map: Vec<&'static str>,
    deep: bool,
    /// The code of its dead letter; none if it is good.
    pub(crate) code: Option<&'static str>,
}

impl Row {
    fn good(id: impl Into<String>) -> Self {
        Self {
            id: Some(id.into()),
            ..Self::default()
        }
    }

    fn bad(id: &str, code: &'static str) -> Self {
        Self {
            code: Some(code),
            ..Self::good(id)
        }
    }

    fn n(self, n: f64) -> Self {
        Self { n: Some(n), ..self }
    }

    fn text(self, bytes: usize) -> Self {
        let text = Some("x".repeat(bytes));
        Self { text, ..self }
    }

    /// What a good row becomes.
    pub(crate) fn item(&self) -> Item {
        let map = self.map.iter();
        let map = map.map(|key| ((*key).to_owned(), Value::number(1)));
        let attributes = [
            ("id", self.id.as_ref().map(Value::string)),
            ("n", self.n.map(Value::number)),
            ("text", self.text.as_ref().map(Value::string)),
            ("exact", self.exact.map(Value::number)),
            (
                "map",
                (!self.map.is_empty()).then(|| Value::M(map.collect())),
            ),
        ];
        let there = attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        there.collect()
    }
}

/// That many nines.
fn nines(count: u32) -> i256 {
    i256::from_i128(10).wrapping_pow(count) - i256::ONE
}

/// The row groups of the file.
pub(crate) fn row_groups() -> [Vec<Row>; 3] {
    let map = |row: Row, map: &[&'static str]| Row {
        map: map.to_vec(),
        ..row
    };
    let exact = |row: Row, exact| Row {
        exact: Some(exact),
        ..row
    };
    [
        vec![
            Row::good("plain").n(0.1),
            Row {
                id: None,
                ..Row::bad("", "missing_key")
            },
            Row::bad("", "empty_key"),
            Row::bad(&"k".repeat(2049), "key_too_long"),
            Row::good("k".repeat(2048)),
            Row::bad("nan", "number").n(f64::NAN),
            Row::bad("infinite", "number").n(f64::NEG_INFINITY),
        ],
        vec![
            Row::bad("large", "number").n(1e126),
            Row::good("largest").n(9.9e125),
            Row::bad("small", "number").n(-1e-131),
            Row::good("smallest").n(-1e-130),
            exact(Row::good("38 digits"), nines(38)),
            exact(Row::bad("39 digits", "number"), nines(39)),
        ],
        vec![
            // `id`, two letters, `text`, the text: 400 KB in all.
            Row::good("ok").text(MAX_ITEM - 8),
            Row::bad("no", "item_too_large").text(MAX_ITEM - 7),
            Row::bad("no", "item_too_large").text(3 * MAX_ITEM),
            map(Row::good("map"), &["a", "b"]),
            map(
                Row::bad("map with a key twice", "duplicate_attribute"),
                &["a", "b", "a"],
            ),
            Row {
                deep: true,
                ..Row::bad("deep", "nesting_too_deep")
            },
            Row::good("last"),
        ],
    ]
}

pub(crate) fn record_batch(rows: &[Row]) -> RecordBatch {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for row in rows {
        for key in &row.map {
            maps.keys().append_value(key);
            maps.values().append_value(1);
        }
        maps.append(!row.map.is_empty()).unwrap();
    }
    let ids: StringArray = rows.iter().map(|row| row.id.as_ref()).collect();
    let numbers: Float64Array = rows.iter().map(|row| row.n).collect();
    let texts: StringArray = rows.iter().map(|row| row.text.as_ref()).collect();
    let exact: Decimal256Array = rows.iter().map(|row| row.exact).collect();
    let exact = exact.with_precision_and_scale(76, 0).unwrap();
    let columns: [(&str, ArrayRef); 6] = [
        ("id", Arc::new(ids)),
        ("n", Arc::new(numbers)),
        ("text", Arc::new(texts)),
        ("exact", Arc::new(exact)),
        ("map", Arc::new(maps.finish())),
        ("deep", nested(rows)),
    ];
    let columns = columns.map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// Lists of one list each, down to a number, for rows that are deep; null for the others.
fn nested(rows: &[Row]) -> ArrayRef {
    let deep = rows.iter().filter(|row| row.deep).count();
    let mut column: ArrayRef = Arc::new(Int64Array::from(vec![1; deep]));
    for level in 1..=TOO_DEEP {
        let field = Arc::new(Field::new("item", column.data_type().clone(), true));
        let of_rows = rows.iter().map(|row| usize::from(row.deep));
        let (lengths, nulls) = if level < TOO_DEEP {
            (OffsetBuffer::from_repeated_length(1, deep), None)
        } else {
            let nulls = rows.iter().map(|row| row.deep).collect::<NullBuffer>();
            (OffsetBuffer::from_lengths(of_rows), Some(nulls))
        };
        column = Arc::new(ListArray::new(field, lengths, column, nulls));
    }
    column
}

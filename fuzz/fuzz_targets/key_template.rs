//! A template that is said to tell all rows apart does: two rows with one key have one value in each of its columns.

#![no_main]

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex};

use arbitrary::Arbitrary;
use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, UInt8Array,
};
use dynasink_arrow::spec::{MappingSpec, SeparatorInValue, TemplateSpec};
use dynasink_arrow::{DecodeExt, Decoder, Mapping, MappingWarning, SourceBatch, Template};
use dynasink_core::{
    KeyType, ObserverError, OutcomeEvent, OutcomeObserver, Outcomes, SourcePosition, StageError,
    TableSchema, WriteOp,
};
use futures::executor::block_on;
use futures::{SinkExt, sink};
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;

#[derive(Arbitrary, Debug)]
struct Input {
    rows: Vec<Row>,
    percent: bool,
    template: String,
}

#[derive(Arbitrary, Clone, Debug)]
struct Row {
    s: Text,
    t: Text,
    i: i64,
    u: u8,
    d: i32,
    at: i64,
    f: f64,
    n: i32,
    b: Vec<u8>,
}

/// Few letters, so that templates meet them.
#[derive(Arbitrary, Clone, Debug)]
enum Text {
    Any(String),
    Of(Vec<Letter>),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Letter {
    Hash,
    Percent,
    Zero,
    One,
    Minus,
    A,
    B,
    LowerA,
}

impl Text {
    fn text(&self) -> String {
        match self {
            Self::Any(text) => text.clone(),
            Self::Of(letters) => {
                let letter = |letter: &Letter| match letter {
                    Letter::Hash => '#',
                    Letter::Percent => '%',
                    Letter::Zero => '0',
                    Letter::One => '1',
                    Letter::Minus => '-',
                    Letter::A => 'A',
                    Letter::B => 'B',
                    Letter::LowerA => 'a',
                };
                letters.iter().map(letter).collect()
            }
        }
    }
}

const COLUMNS: [&str; 9] = ["s", "t", "i", "u", "d", "at", "f", "n", "b"];

static TABLE: LazyLock<TableSchema> = LazyLock::new(|| {
    let table = TableSchema::builder("fuzzed").partition_key("pk", KeyType::S);
    table.build().unwrap()
});

impl Row {
    /// The value of each column, as what makes two of them the same.
    fn values(&self) -> [String; 9] {
        let float = if self.f == 0.0 { 0.0 } else { self.f };
        [
            self.s.text(),
            self.t.text(),
            self.i.to_string(),
            self.u.to_string(),
            self.d.to_string(),
            self.at.to_string(),
            float.to_string(),
            self.n.to_string(),
            format!("{:?}", self.b),
        ]
    }
}

fn batch(rows: &[Row]) -> RecordBatch {
    let s = rows.iter().map(|row| row.s.text());
    let t = rows.iter().map(|row| row.t.text());
    let numbers = rows.iter().map(|row| i128::from(row.n) % 1_000_000_000);
    let decimals = Decimal128Array::from_iter_values(numbers);
    let columns: [ArrayRef; 9] = [
        Arc::new(StringArray::from_iter_values(s)),
        Arc::new(StringArray::from_iter_values(t)),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.i))),
        Arc::new(UInt8Array::from_iter_values(rows.iter().map(|row| row.u))),
        Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.d))),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.at))
                .with_timezone("UTC"),
        ),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.f))),
        Arc::new(decimals.with_precision_and_scale(9, 2).unwrap()),
        Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| &row.b))),
    ];
    RecordBatch::try_from_iter(COLUMNS.into_iter().zip(columns)).unwrap()
}

/// Rows without a key.
#[derive(Debug)]
struct Dead;

impl OutcomeObserver for Dead {
    fn observe(&self, _: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        Ok(())
    }
}

fuzz_target!(|input: Input| {
    let Ok(template) = Template::parse(&input.template) else {
        return;
    };
    let mut key = TemplateSpec::new(&input.template);
    if input.percent {
        key.separator_in_value = SeparatorInValue::Percent;
    }
    let spec = MappingSpec::new().attribute("pk", key);
    let rows: Vec<Row> = input
        .rows
        .into_iter()
        .map(|row| Row {
            n: row.n % 1_000_000_000,
            ..row
        })
        .collect();
    let batch = batch(&rows);
    let Ok(mapping) = Mapping::new(&spec, &batch.schema(), &TABLE) else {
        return;
    };
    let lossy = mapping
        .warnings()
        .iter()
        .any(|warning| matches!(warning, MappingWarning::KeyNotInjective { .. }));
    let keys = keys(mapping, batch);
    if lossy {
        return;
    }
    let named: Vec<usize> = template.columns().filter_map(place).collect();
    let mut row_of_key: HashMap<String, usize> = HashMap::new();
    for (row, key) in keys {
        if let Some(earlier) = row_of_key.insert(key.clone(), row) {
            let (a, b) = (rows[earlier].values(), rows[row].values());
            for &column in &named {
                assert_eq!(a[column], b[column], "{key:?} of {:?}", input.template);
            }
        }
    }
});

/// Where a column stands that a template names.
fn place(name: &str) -> Option<usize> {
    let by_name = COLUMNS.iter().position(|column| *column == name);
    by_name.or_else(|| name.strip_prefix('#')?.parse().ok())
}

/// The key of each row that has one.
fn keys(mapping: Mapping, batch: RecordBatch) -> Vec<(usize, String)> {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let arrived = Arc::clone(&keys);
    let leaf = sink::unfold((), move |(), op: WriteOp| {
        let item: Json = serde_json::from_slice(op.item().json()).unwrap();
        let row = usize::try_from(op.position().unwrap().row()).unwrap();
        let key = item["pk"]["S"].as_str().unwrap().to_owned();
        arrived.lock().unwrap().push((row, key));
        std::future::ready(Ok::<_, StageError>(()))
    });
    let decoder = Decoder::new(mapping).with_outcomes(Outcomes::to([Arc::new(Dead) as _]));
    let batch = SourceBatch::at(batch, SourcePosition::new("fuzzed".into(), 0, 0));
    let sent = block_on(pin!(leaf.decoded(decoder)).send(batch));
    sent.unwrap();
    let keys = std::mem::take(&mut *keys.lock().unwrap());
    keys
}

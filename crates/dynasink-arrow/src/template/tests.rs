//! Templates by example, and their law by random rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Date64Array, Decimal128Array, DictionaryArray,
    FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, TimestampSecondArray, UInt8Array,
};
use arrow_schema::{DataType, Field, Schema};

use super::*;
use crate::column_values::ColumnValues;
use crate::mapping::spec::SeparatorInValue;

fn bind_with(
    text: &str,
    schema: &Schema,
    policy: SeparatorInValue,
) -> Result<BoundTemplate, TemplateError> {
    Template::parse(text)?.bind(policy, |name| {
        schema
            .field_with_name(name)
            .map_err(|_| "there is none".to_owned())
    })
}

fn texts(template: &BoundTemplate, batch: &RecordBatch) -> Vec<Result<String, String>> {
    let columns = template
        .columns()
        .map(|name| ColumnValues::new(Arc::clone(batch.column_by_name(name).unwrap()), None));
    let texts = TemplateTexts::new(template, columns.collect()).unwrap();
    (0..batch.num_rows())
        .map(|row| {
            let mut text = String::new();
            texts
                .write(row, &mut text)
                .map_err(|refused| refused.reason)?;
            Ok(text)
        })
        .collect()
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// The texts of one column.
fn of(text: &str, array: impl arrow_array::Array + 'static) -> Vec<Result<String, String>> {
    let batch = batch([("c", Arc::new(array) as ArrayRef)]);
    let template = bind_with(text, &batch.schema(), SeparatorInValue::Error).unwrap();
    texts(&template, &batch)
}

fn refusal(text: &str, data_type: DataType) -> String {
    let schema = Schema::new(vec![Field::new("c", data_type, true)]);
    let error = bind_with(text, &schema, SeparatorInValue::Error).unwrap_err();
    error.reason().to_owned()
}

fn ok(texts: &[&str]) -> Vec<Result<String, String>> {
    texts.iter().map(|&text| Ok(text.to_owned())).collect()
}

#[test]
fn values_are_written_by_their_canonical_texts() {
    assert_eq!(of("USER#{c}", Int64Array::from(vec![-7])), ok(&["USER#-7"]));
    assert_eq!(of("{c}", BooleanArray::from(vec![true])), ok(&["true"]));
    assert_eq!(of("{c}", Date32Array::from(vec![0])), ok(&["1970-01-01"]));
    let times = TimestampMillisecondArray::from(vec![1]).with_timezone("+02:00");
    assert_eq!(of("{c}", times), ok(&["1970-01-01T00:00:00.001Z"]));
    let decimals = Decimal128Array::from(vec![150, 12])
        .with_precision_and_scale(9, 2)
        .unwrap();
    assert_eq!(of("{c}", decimals.clone()), ok(&["1.5", "0.12"]));
    assert_eq!(of("{c:.3}", decimals), ok(&["1.500", "0.120"]));
    let words: DictionaryArray<Int32Type> = vec!["b", "a"].into_iter().collect();
    assert_eq!(of("<{c|upper}>", words), ok(&["<B>", "<A>"]));
    assert_eq!(of("{{{c}}}", UInt8Array::from(vec![1])), ok(&["{1}"]));
    assert_eq!(of("PROFILE", UInt8Array::from(vec![1])), ok(&["PROFILE"]));
}

#[test]
fn numbers_are_padded_or_rejected() {
    let texts = of("{c:03}", Int64Array::from(vec![0, 42, 999, 1000, -1]));
    assert_eq!(texts[..3], ok(&["000", "042", "999"]));
    assert_eq!(texts[3], Err("it has more than 3 digits".to_owned()));
    assert_eq!(
        texts[4],
        Err("it is negative, and a padded number is not".to_owned())
    );
    let floats = of(
        "{c:.1}",
        Float64Array::from(vec![0.25, 0.75, -0.01, -1.0, 1e21, f64::NAN]),
    );
    assert_eq!(
        floats[..5],
        ok(&["0.2", "0.8", "0.0", "-1.0", "1000000000000000000000.0"])
    );
    assert!(floats[5].is_err());
}

#[test]
fn times_are_written_by_strftime_in_utc() {
    let times = || TimestampSecondArray::from(vec![1_709_211_600]);
    assert_eq!(of("{c:%Y-%m-%d}", times()), ok(&["2024-02-29"]));
    assert_eq!(of("{c:%H:%M}", times()), ok(&["13:00"]));
    assert_eq!(of("{c:%s}", times()), ok(&["1709211600"]));
    let zoned = times().with_timezone("Europe/Berlin");
    assert_eq!(of("{c:%FT%T%z}", zoned), ok(&["2024-02-29T13:00:00+0000"]));
    assert_eq!(of("{c:%j}", Date32Array::from(vec![31])), ok(&["032"]));
    let sentinel = of("{c:%Y}", Date32Array::from(vec![i32::MAX]));
    assert_eq!(
        sentinel,
        [Err("its year is not within 0000 to 9999".to_owned())]
    );
}

#[test]
fn a_null_or_an_empty_text_rejects_the_row() {
    let texts = of(
        "{c|sha256(8)}",
        StringArray::from(vec![None, Some(""), Some("abc")]),
    );
    assert!(texts[0].as_ref().unwrap_err().starts_with("it is null"));
    assert!(texts[1].as_ref().unwrap_err().starts_with("it is empty"));
    assert_eq!(texts[2], Ok("ba7816bf".to_owned()));
}

#[test]
fn a_format_that_does_not_fit_its_column_is_refused() {
    assert!(refusal("{c}", DataType::Float64).contains("needs a format"));
    assert!(refusal("{c}", DataType::Binary).contains("has no text for a key"));
    assert!(refusal("{c:03}", DataType::Utf8).contains("only integers"));
    assert!(refusal("{c:.2}", DataType::Int64).contains("only floats and decimals"));
    assert!(refusal("{c:.1}", DataType::Decimal128(9, 2)).contains("write {c:.2}"));
    assert!(refusal("{c:%Y}", DataType::Utf8).contains("only dates and timestamps"));
    assert!(refusal("{c:%H}", DataType::Date32).contains("asks for a time"));
    let naive = DataType::Timestamp(arrow_schema::TimeUnit::Second, None);
    assert!(refusal("{c:%z}", naive).contains("has no time zone"));
    assert_eq!(refusal("{d}", DataType::Utf8), "there is none");
}

#[test]
fn a_separator_in_a_value_is_refused_encoded_or_let_through() {
    let strings = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let batch = batch([
        ("a", strings(&["A#B", "A", "50%"])),
        ("b", strings(&["C", "B#C", "x#"])),
    ]);
    let texts_by = |policy| {
        let template = bind_with("{a}#{b}", &batch.schema(), policy).unwrap();
        (template.losses().is_empty(), texts(&template, &batch))
    };
    let (injective, texts) = texts_by(SeparatorInValue::Error);
    assert!(injective);
    assert!(
        texts[0]
            .as_ref()
            .unwrap_err()
            .contains("holds the separator \"#\"")
    );
    assert_eq!(texts[1..], ok(&["A#B#C", "50%#x#"]));
    let encoded = ok(&["A%23B#C", "A#B#C", "50%25#x#"]);
    assert_eq!(texts_by(SeparatorInValue::Percent), (true, encoded));
    let same = ok(&["A#B#C", "A#B#C", "50%#x#"]);
    assert_eq!(texts_by(SeparatorInValue::Allow), (false, same));

    let clash = bind_with("{a}%{b}", &batch.schema(), SeparatorInValue::Percent);
    assert!(clash.unwrap_err().reason().contains("choose another"));
}

#[test]
fn a_separator_must_not_start_in_the_value_either() {
    let strings = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    // "xa" + "aa" + "y" and "x" + "aa" + "ay" are one text, though neither value holds "aa".
    let batch = batch([("a", strings(&["xa", "x"])), ("b", strings(&["y", "ay"]))]);
    let template = bind_with("{a}aa{b}", &batch.schema(), SeparatorInValue::Error).unwrap();
    let texts = texts(&template, &batch);
    assert!(texts[0].is_err());
    assert_eq!(texts[1], Ok("xaaay".to_owned()));
}

#[test]
fn what_a_template_does_not_give_back_is_named() {
    use arrow_schema::TimeUnit::{Microsecond, Millisecond};
    let schema = Schema::new(vec![
        Field::new("s", DataType::Utf8, true),
        Field::new("t", DataType::Utf8, true),
        Field::new("i", DataType::Int64, true),
        Field::new("u", DataType::UInt32, true),
        Field::new("f", DataType::Float64, true),
        Field::new("d", DataType::Date32, true),
        Field::new("ms", DataType::Timestamp(Millisecond, None), true),
        Field::new("us", DataType::Timestamp(Microsecond, None), true),
    ]);
    let lost = |text: &str| {
        let template = bind_with(text, &schema, SeparatorInValue::Error).unwrap();
        let columns = template.losses().iter().map(|loss| loss.column.as_str());
        columns.collect::<Vec<_>>().join(",")
    };
    for (template, columns) in [
        ("PROFILE", ""),
        ("USER#{s}", ""),
        ("{s}#{t}", ""),
        ("ORDER#{d:%Y-%m-%d}#{i:010}", ""),
        ("{d}{u:05}{s}{ms}", ""),
        ("{s}{i:010}{us:%FT%T%.6f}", ""),
        ("{s}{t}", "s,t"),
        ("{u}{i}", "u,i"),
        ("{i}{u}#{s}", "i,u,s"),
        ("{s}{t}#{d}", "s,t"),
        ("{s}{t}#{u:04}{i}", "s,t,u,i"),
        ("{s}{t}#{s}", "s,t"),
        ("{u}#{s}{t}", "s,t"),
        ("{s|lower}", "s"),
        ("{s|lower}#{s}", ""),
        ("{u|lower}", ""),
        ("{d|upper}", ""),
        ("{s|sha256(64)}", "s"),
        ("{i|shard(16)}", "i"),
        ("{i|shard(16)}#{i}", ""),
        ("{f:.2}", "f"),
        ("{d:%Y-%m}", "d"),
        ("{d:%Y%j}", ""),
        ("{d:%G-W%V-%u}", ""),
        ("{d:%y-%m-%d}", "d"),
        ("{d:%C%y-%m-%d}", ""),
        ("{d:%-d.%m.%Y}", "d"),
        ("{d:%d %b %Y}", ""),
        ("{d:%d %B %Y}", "d"),
        ("{ms:%Y-%m-%d}", "ms"),
        ("{ms:%Y-%m-%dT%H:%M:%S%.3f}", ""),
        ("{us:%Y-%m-%dT%H:%M:%S%.3f}", "us"),
        ("{ms:%Y%m%d%I%M%S%3f%p}", ""),
        ("{ms:%s}", "ms"),
    ] {
        assert_eq!(lost(template), columns, "{template}");
    }
}

/// The columns of random rows: of few values each, so that texts meet.
fn random_rows(rng: &mut fastrand::Rng) -> RecordBatch {
    const ROWS: usize = 300;
    let alphabet = ['a', 'A', '#', '-', '1', '%', '2', '3'];
    let strings = |rng: &mut fastrand::Rng| {
        let text = |rng: &mut fastrand::Rng| -> String {
            (0..rng.usize(1..5))
                .filter_map(|_| rng.choice(alphabet))
                .collect()
        };
        Arc::new(StringArray::from_iter_values((0..ROWS).map(|_| text(rng)))) as ArrayRef
    };
    let (s, t) = (strings(rng), strings(rng));
    let whole = |rng: &mut fastrand::Rng, range: std::ops::Range<i64>| {
        (0..ROWS)
            .map(|_| rng.i64(range.clone()))
            .collect::<Vec<_>>()
    };
    let small = whole(rng, -12..130);
    let tiny: Vec<u8> = (0..ROWS).map(|_| rng.u8(..25)).collect();
    let days = whole(rng, -40..40)
        .into_iter()
        .map(|day| i32::try_from(day).unwrap());
    let millis = whole(rng, -3..3).into_iter().map(|n| n * 43_200_000);
    let times = whole(rng, -2_000..2_000);
    let decimals = whole(rng, -120..120).into_iter().map(i128::from);
    let decimals = Decimal128Array::from_iter_values(decimals).with_precision_and_scale(9, 1);
    let flags = (0..ROWS).map(|_| rng.bool()).collect::<Vec<_>>();
    batch([
        ("s", s),
        ("t", t),
        ("i", Arc::new(Int64Array::from(small)) as ArrayRef),
        ("u", Arc::new(UInt8Array::from(tiny))),
        ("d", Arc::new(Date32Array::from_iter_values(days))),
        ("m", Arc::new(Date64Array::from_iter_values(millis))),
        ("w", Arc::new(TimestampMillisecondArray::from(times))),
        ("x", Arc::new(decimals.unwrap())),
        ("b", Arc::new(BooleanArray::from(flags))),
    ])
}

fn random_template(rng: &mut fastrand::Rng) -> String {
    const PLACEHOLDERS: [&str; 30] = [
        "{s}",
        "{s}",
        "{t}",
        "{t}",
        "{i}",
        "{i}",
        "{u}",
        "{u}",
        "{d}",
        "{m}",
        "{w}",
        "{x}",
        "{b}",
        "{i:03}",
        "{u:02}",
        "{x:.2}",
        "{d:%Y%m%d}",
        "{d:%m%d}",
        "{d:%-d.%-m.%Y}",
        "{d:%y%j}",
        "{w:%FT%T%.3f}",
        "{w:%T%3f}",
        "{w:%s}",
        "{s|lower}",
        "{t|upper}",
        "{s|sha256(2)}",
        "{i|shard(3)}",
        "{u|shard(40)}",
        "{b|upper}",
        "{m|lower}",
    ];
    const LITERALS: [&str; 14] = [
        "", "", "", "#", "#", "-", "##", "#-#", "1", "a", "-1", "T", "1a", "t",
    ];
    let mut template = String::new();
    for _ in 0..rng.usize(1..5) {
        template.push_str(rng.choice(LITERALS).unwrap());
        template.push_str(rng.choice(PLACEHOLDERS).unwrap());
    }
    template.push_str(rng.choice(LITERALS).unwrap());
    template
}

/// Rows with one text and different values in a column that the template is said to give back.
fn collision(template: &BoundTemplate, batch: &RecordBatch) -> Option<String> {
    let lost: Vec<&str> = template
        .losses()
        .iter()
        .map(|loss| loss.column.as_str())
        .collect();
    let columns: Vec<&str> = template
        .columns()
        .filter(|name| !lost.contains(name))
        .collect();
    let mut row_of_text = HashMap::new();
    for (row, text) in texts(template, batch).into_iter().enumerate() {
        let Ok(text) = text else { continue };
        let earlier = *row_of_text.entry(text.clone()).or_insert(row);
        for name in &columns {
            let column = batch.column_by_name(name).unwrap();
            if column.slice(earlier, 1).as_ref() != column.slice(row, 1).as_ref() {
                return Some(format!(
                    "rows {earlier} and {row} have the text {text:?}, but differ in {name}"
                ));
            }
        }
    }
    None
}

#[test]
fn equal_texts_mean_equal_values_in_all_columns_that_are_given_back() {
    let mut injective = 0;
    let mut written = 0;
    for seed in 0..500 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let batch = random_rows(&mut rng);
        let text = random_template(&mut rng);
        let policies = [
            SeparatorInValue::Error,
            SeparatorInValue::Percent,
            SeparatorInValue::Allow,
        ];
        let policy = rng.choice(policies).unwrap();
        let Ok(template) = bind_with(&text, &batch.schema(), policy) else {
            assert_eq!(policy, SeparatorInValue::Percent, "{text}");
            continue;
        };
        assert_eq!(
            collision(&template, &batch),
            None,
            "seed {seed}, {text}, {policy:?}"
        );
        injective += u32::from(template.losses().is_empty());
        written += texts(&template, &batch)
            .iter()
            .filter(|text| text.is_ok())
            .count();
    }
    // The law says yes often enough, and rows come through, for the above to mean something.
    assert!(injective > 100, "{injective}");
    assert!(written > 30_000, "{written}");
}

#[test]
fn each_reason_not_to_be_injective_has_rows_that_show_it() {
    // What the law holds against these is not a mere caution.
    for (text, policy) in [
        ("{s}{t}", SeparatorInValue::Error),
        ("{i}{u}", SeparatorInValue::Error),
        ("{s}#{t}", SeparatorInValue::Allow),
        ("{s|lower}", SeparatorInValue::Error),
        ("{s|upper}", SeparatorInValue::Error),
        ("{s|sha256(2)}", SeparatorInValue::Error),
        ("{u|shard(8)}", SeparatorInValue::Error),
        ("{w:%T}", SeparatorInValue::Error),
    ] {
        let shown = (0..200).any(|seed| {
            let batch = random_rows(&mut fastrand::Rng::with_seed(seed));
            let template = bind_with(text, &batch.schema(), policy).unwrap();
            assert!(!template.losses().is_empty(), "{text}");
            let mut distinct = HashMap::new();
            texts(&template, &batch)
                .into_iter()
                .enumerate()
                .any(|(row, text)| {
                    let Ok(text) = text else { return false };
                    let earlier = *distinct.entry(text).or_insert(row);
                    template.columns().any(|name| {
                        let column = batch.column_by_name(name).unwrap();
                        column.slice(earlier, 1).as_ref() != column.slice(row, 1).as_ref()
                    })
                })
        });
        assert!(shown, "{text}");
    }
}

#[test]
fn a_uuid_has_a_fixed_width() {
    let metadata = [("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())];
    let field =
        Field::new("c", DataType::FixedSizeBinary(16), true).with_metadata(HashMap::from(metadata));
    let schema = Arc::new(Schema::new(vec![
        field,
        Field::new("s", DataType::Utf8, true),
    ]));
    let ids = FixedSizeBinaryArray::try_from_iter([[0xab; 16]].into_iter()).unwrap();
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![Arc::new(ids), Arc::new(StringArray::from(vec!["x"]))],
    )
    .unwrap();
    let template = bind_with("{s}{c|upper}", &schema, SeparatorInValue::Error).unwrap();
    assert!(template.losses().is_empty());
    assert_eq!(
        texts(&template, &batch),
        ok(&["xABABABAB-ABAB-ABAB-ABAB-ABABABABABAB"])
    );
}

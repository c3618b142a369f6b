//! Random values read back as what they were, by readers that are not ours.

use arrow_array::*;
use arrow_buffer::i256;
use chrono::{DateTime, NaiveDateTime, NaiveTime};

use super::*;

const VALUES: usize = 2_000;

/// The texts of attributes of type `kind`; none where a value was refused.
fn texts(encoding: &Encoding, array: &dyn Array, kind: &str) -> Vec<Option<String>> {
    let (open, close) = (format!(r#"{{"{kind}":""#), r#""}"#);
    let text = |json: String| {
        let text = json.strip_prefix(&open)?.strip_suffix(close)?;
        Some(text.to_owned())
    };
    attributes(encoding, array)
        .into_iter()
        .map(|attribute| attribute.ok().map(|json| text(json).unwrap()))
        .collect()
}

fn default_texts(array: &dyn Array, kind: &str) -> Vec<Option<String>> {
    let encoding = encoding(&MappingSpec::default(), array.data_type()).unwrap();
    texts(&encoding, array, kind)
}

#[test]
fn floats_read_back_to_the_bit() {
    let mut rng = fastrand::Rng::with_seed(1);
    let singles: Vec<f32> = (0..VALUES).map(|_| f32::from_bits(rng.u32(..))).collect();
    for (value, text) in singles
        .iter()
        .zip(default_texts(&Float32Array::from(singles.clone()), "N"))
    {
        assert_eq!(value.is_finite(), text.is_some(), "{value}");
        if let Some(text) = text {
            let back: f32 = text.parse().unwrap();
            assert_eq!(back.to_bits(), (value + 0.0).to_bits(), "{value}");
        }
    }
    let doubles: Vec<f64> = (0..VALUES).map(|_| f64::from_bits(rng.u64(..))).collect();
    for (value, text) in doubles
        .iter()
        .zip(default_texts(&Float64Array::from(doubles.clone()), "N"))
    {
        let in_range = value.abs() < 1e126 && (*value == 0.0 || value.abs() >= 1e-130);
        assert_eq!(in_range, text.is_some(), "{value}");
        if let Some(text) = text {
            let back: f64 = text.parse().unwrap();
            assert_eq!(back.to_bits(), (value + 0.0).to_bits(), "{value}");
        }
    }
}

#[test]
fn decimals_read_back_to_the_digit() {
    let mut rng = fastrand::Rng::with_seed(2);
    let spec = mapping_of(by(EncodeAs::S));
    for _ in 0..VALUES {
        let scale = rng.i8(0..=38);
        let value = i128::from(rng.i64(..)) * i128::from(rng.u32(..));
        let array = Decimal128Array::from(vec![value])
            .with_precision_and_scale(38, scale)
            .unwrap();
        let encoding = encoding(&spec, array.data_type()).unwrap();
        let text = texts(&encoding, &array, "S").remove(0).unwrap();
        let places = text
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len());
        assert_eq!(places, usize::try_from(scale).unwrap(), "{text}");
        let digits: i128 = text.replace('.', "").parse().unwrap();
        assert_eq!(digits, value, "{text}");

        let wide = Decimal256Array::from_iter_values([i256::from_i128(value)])
            .with_precision_and_scale(76, scale)
            .unwrap();
        assert_eq!(
            default_texts(&wide, "N"),
            default_texts(&array, "N"),
            "{text}"
        );
    }
}

#[test]
fn timestamps_read_back_to_the_tick_and_sort_as_text() {
    let mut rng = fastrand::Rng::with_seed(3);
    // The years 0000 to 9999.
    let mut micros: Vec<i64> = (0..VALUES)
        .map(|_| rng.i64(-62_167_219_200_000_000..253_402_300_800_000_000))
        .collect();
    micros.sort_unstable();
    let array = TimestampMicrosecondArray::from(micros.clone());
    let naive = default_texts(&array, "S");
    for (micros, text) in micros.iter().zip(&naive) {
        let back: NaiveDateTime = text.as_ref().unwrap().parse().unwrap();
        assert_eq!(back.and_utc().timestamp_micros(), *micros);
    }
    assert!(naive.is_sorted());
    let zoned = array.with_timezone("Asia/Kolkata");
    for (micros, text) in micros.iter().zip(default_texts(&zoned, "S")) {
        let back = DateTime::parse_from_rfc3339(&text.unwrap()).unwrap();
        assert_eq!(back.timestamp_micros(), *micros);
    }
    let spec = mapping_of(by(EncodeAs::Zoned));
    let encoding = encoding(&spec, zoned.data_type()).unwrap();
    let mut shown = 0;
    for (micros, text) in micros.iter().zip(texts(&encoding, &zoned, "S")) {
        // Before 1945 the offset of this zone was not always one of whole minutes.
        let Some(text) = text else { continue };
        let back = DateTime::parse_from_rfc3339(&text).unwrap();
        assert_eq!(back.timestamp_micros(), *micros);
        shown += 1;
    }
    assert!(shown > VALUES / 2, "{shown}");
}

#[test]
fn times_read_back_to_the_tick() {
    let mut rng = fastrand::Rng::with_seed(4);
    let nanos: Vec<i64> = (0..VALUES)
        .map(|_| rng.i64(0..86_400_000_000_000))
        .collect();
    let array = Time64NanosecondArray::from(nanos.clone());
    for (nanos, text) in nanos.iter().zip(default_texts(&array, "S")) {
        let back: NaiveTime = text.unwrap().parse().unwrap();
        assert_eq!(
            back.signed_duration_since(NaiveTime::MIN).num_nanoseconds(),
            Some(*nanos)
        );
    }
}

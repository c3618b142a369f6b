use proptest::prelude::*;

use super::*;

fn canonical(text: &str) -> String {
    text.parse::<Number>().unwrap().to_string()
}

#[test]
fn one_number_has_one_text() {
    for (text, expected) in [
        ("1", "1"),
        ("1.0", "1"),
        ("1e0", "1"),
        ("+01.00", "1"),
        ("-0", "0"),
        ("0.000", "0"),
        ("0e999999999999999999999", "0"),
        ("10", "10"),
        ("1E+1", "10"),
        ("0.1", "0.1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e-7", "0.0000001"),
        ("1e-8", "1E-8"),
        ("12e-9", "1.2E-8"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1E+21"),
        (
            "123456789012345678901234567890",
            "1.2345678901234567890123456789E+29",
        ),
        ("-1.5", "-1.5"),
    ] {
        assert_eq!(canonical(text), expected, "{text}");
    }
}

#[test]
fn what_is_not_a_number_is_refused() {
    for text in [
        "", "-", ".", "e5", "1e", "1e+", "1.2.3", "0x10", "NaN", "Infinity", " 1", "1 ", "１",
    ] {
        assert_eq!(text.parse::<Number>(), Err(NumberError::Syntax), "{text:?}");
    }
}

#[test]
fn the_range_is_that_of_the_service() {
    let digits38 = "9".repeat(38);
    for text in [
        digits38.as_str(),
        "9.9999999999999999999999999999999999999E+125",
        "1E-130",
        &format!("{digits38}00000"),
    ] {
        assert!(text.parse::<Number>().is_ok(), "{text}");
    }
    assert_eq!(
        "9".repeat(39).parse::<Number>(),
        Err(NumberError::TooManyDigits)
    );
    assert_eq!("1E126".parse::<Number>(), Err(NumberError::TooLarge));
    assert_eq!("-1E126".parse::<Number>(), Err(NumberError::TooLarge));
    assert_eq!("9.9E-131".parse::<Number>(), Err(NumberError::TooSmall));
    assert_eq!(
        "1e99999999999999999999".parse::<Number>(),
        Err(NumberError::TooLarge)
    );
    assert_eq!(
        "1e-99999999999999999999".parse::<Number>(),
        Err(NumberError::TooSmall)
    );
}

#[test]
fn floats_keep_their_shortest_text() {
    assert_eq!(Number::try_from(0.1_f32).unwrap().to_string(), "0.1");
    assert_eq!(Number::try_from(0.1_f64).unwrap().to_string(), "0.1");
    assert_eq!(Number::try_from(-0.0_f64).unwrap(), Number::ZERO);
    assert_eq!(
        Number::try_from(f32::MAX).unwrap().to_string(),
        "3.4028235E+38"
    );
    assert_eq!(Number::try_from(f64::NAN), Err(NumberError::NotFinite));
    assert_eq!(
        Number::try_from(f64::NEG_INFINITY),
        Err(NumberError::NotFinite)
    );
    assert_eq!(Number::try_from(5e-324), Err(NumberError::TooSmall));
    assert_eq!(Number::try_from(f64::MAX), Err(NumberError::TooLarge));
}

#[test]
fn sizes_count_aligned_digit_pairs() {
    for (text, size) in [
        ("0", 1),
        ("1", 2),
        ("99", 2),
        ("100", 2),
        ("123", 3),
        ("1.5", 3),
        ("120", 3),
        ("0.012", 3),
        ("-120", 4),
        ("12e-5", 3),
    ] {
        assert_eq!(text.parse::<Number>().unwrap().size(), size, "{text}");
    }
    assert_eq!("9".repeat(38).parse::<Number>().unwrap().size(), 20);
}

#[test]
fn a_scale_moves_the_decimal_point() {
    assert_eq!(Number::parse_scaled("1050", 2).unwrap().to_string(), "10.5");
    assert_eq!(Number::parse_scaled("-7", -3).unwrap().to_string(), "-7000");
}

proptest! {
    #[test]
    fn every_f64_in_range_reads_back(value in any::<f64>()) {
        if let Ok(number) = Number::try_from(value) {
            let back: f64 = number.to_string().parse().unwrap();
            prop_assert_eq!(back.to_bits(), (value + 0.0).to_bits());
            prop_assert_eq!(number.to_string().parse::<Number>().unwrap(), number);
        }
    }

    #[test]
    fn an_integer_is_what_its_text_is(value in any::<i128>(), shift in 0_u32..128, scale in -200..200) {
        for value in [value >> shift, (value >> shift) % 10_i128.pow(30) * 1_000, 0] {
            prop_assert_eq!(
                Number::from_scaled(value, scale),
                Number::parse_scaled(&value.to_string(), scale)
            );
        }
    }

    #[test]
    fn every_i64_keeps_its_text(value in any::<i64>()) {
        prop_assert_eq!(Number::try_from(i128::from(value)).unwrap().to_string(), value.to_string());
    }
}

//! Strings and binary by every word that they have.

use arrow_array::types::Int8Type;
use arrow_array::*;

use super::*;
use crate::mapping::spec::{BinaryAsString, Defaults};

#[test]
fn strings_are_numbers_if_they_are_one() {
    let texts = StringArray::from(vec![
        Some("1.50"),
        Some("-0"),
        Some("1e125"),
        Some("+07"),
        None,
        Some(""),
        Some(" 1"),
        Some("1,5"),
        Some("NaN"),
        Some("1e126"),
    ]);
    let mut expected = vec![n("1.5"), n("0"), n("1E+125"), n("7"), OMITTED.to_owned()];
    expected.resize(10, NOT_A_NUMBER.to_owned());
    assert_eq!(written_as(EncodeAs::N, &texts), expected);
    assert_eq!(written_as(EncodeAs::N, &texts.slice(3, 2)), expected[3..5]);
    let views = StringViewArray::from(vec!["12"]);
    assert_eq!(written_as(EncodeAs::N, &views), [n("12")]);
    let column = ColumnSpec {
        scale: Some(2),
        ..by(EncodeAs::Decimal)
    };
    let long = format!("0.005{}", "0".repeat(50));
    assert_eq!(
        mapped_by(column, &LargeStringArray::from(vec!["2.675", &long, "x"])),
        [n("2.68"), n("0"), NOT_A_NUMBER.to_owned()]
    );
}

#[test]
fn strings_are_booleans_if_they_say_so() {
    let texts = StringArray::from(vec!["true", "false", "True", "1", ""]);
    assert_eq!(
        written_as(EncodeAs::Bool, &texts),
        [TRUE, FALSE, UNSUPPORTED, UNSUPPORTED, UNSUPPORTED]
    );
}

#[test]
fn strings_are_bytes_in_three_ways() {
    assert_eq!(
        written_as(EncodeAs::B, &StringArray::from(vec!["é", ""])),
        [b("w6k="), b("")]
    );
    assert_eq!(
        written_as(
            EncodeAs::FromHex,
            &StringArray::from(vec!["00fF", "", "0", "0g", "+1"])
        ),
        [
            b("AP8="),
            b(""),
            UNSUPPORTED.to_owned(),
            UNSUPPORTED.to_owned(),
            UNSUPPORTED.to_owned()
        ]
    );
    assert_eq!(
        written_as(
            EncodeAs::FromBase64,
            &StringArray::from(vec!["AP8=", "", "AP8", "AP9=", "*"])
        ),
        [
            b("AP8="),
            b(""),
            UNSUPPORTED.to_owned(),
            // Its last bits say nothing, so another text would say the same.
            UNSUPPORTED.to_owned(),
            UNSUPPORTED.to_owned()
        ]
    );
}

#[test]
fn binary_is_text_in_three_ways() {
    let binary = BinaryArray::from(vec![Some("é".as_bytes()), None, Some(&[0xff]), Some(&[])]);
    let omitted = || OMITTED.to_owned();
    assert_eq!(
        written_as(EncodeAs::S, &binary),
        [s("é"), omitted(), UNSUPPORTED.to_owned(), s("")]
    );
    assert_eq!(
        written_as(EncodeAs::Hex, &binary),
        [s("c3a9"), omitted(), s("ff"), s("")]
    );
    assert_eq!(
        written_as(EncodeAs::Base64, &binary.slice(1, 2)),
        [omitted(), s("/w==")]
    );
    let views = BinaryViewArray::from(vec![&[1_u8, 2][..]]);
    assert_eq!(written_as(EncodeAs::Hex, &views), [s("0102")]);
    let large = LargeBinaryArray::from(vec![&[1_u8, 2][..]]);
    assert_eq!(written_as(EncodeAs::S, &large), [s("\\u0001\\u0002")]);
}

#[test]
fn sixteen_bytes_are_a_uuid_where_that_is_said() {
    let id = [
        0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0,
    ];
    let text = s("123e4567-e89b-12d3-a456-426614174000");
    let fixed = FixedSizeBinaryArray::try_from_iter([id].into_iter()).unwrap();
    assert_eq!(
        written_as(EncodeAs::Uuid, &fixed),
        std::slice::from_ref(&text)
    );
    assert_eq!(
        written_as(EncodeAs::Uuid, &BinaryArray::from(vec![&id[..], &id[1..]])),
        [text.clone(), UNSUPPORTED.to_owned()]
    );
    let spec = mapping_of(by(EncodeAs::B));
    let encoding = Encoding::new(&ValuePath::column(&spec, "v"), &uuid_field()).unwrap();
    let bytes = attributes(&encoding, &fixed).remove(0).unwrap();
    assert_eq!(bytes, b("Ej5FZ+ibEtOkVkJmFBdAAA=="));
    assert_eq!(encoded_as(uuid_field(), Arc::new(fixed)), [text]);
}

#[test]
fn binary_is_text_everywhere_where_old_files_are_so() {
    let spec = MappingSpec {
        defaults: Defaults {
            binary_as_string: BinaryAsString::Always,
            ..Defaults::default()
        },
        ..MappingSpec::default()
    };
    let binary = BinaryArray::from(vec![&b"a"[..], &[0xff]]);
    assert_eq!(mapped(&spec, &binary), [s("a"), UNSUPPORTED.to_owned()]);
    // A fixed size says what it is, and so does an extension.
    let fixed = FixedSizeBinaryArray::try_from_iter([[b'a']].into_iter()).unwrap();
    assert_eq!(mapped(&spec, &fixed), [b("YQ==")]);
    let extension = ("ARROW:extension:name".to_owned(), "geoarrow.wkb".to_owned());
    let field = Field::new("v", DataType::Binary, true).with_metadata(HashMap::from([extension]));
    let encoding = Encoding::new(&ValuePath::column(&spec, "v"), &field).unwrap();
    assert_eq!(encoding.kind(), dynasink_core::ValueKind::B);
}

#[test]
fn dictionaries_take_the_words_of_their_values() {
    let keys = Int8Array::from(vec![Some(1), None, Some(0), Some(2)]);
    let values = StringArray::from(vec![Some("1.0"), Some("x"), None]);
    let words = DictionaryArray::<Int8Type>::new(keys, Arc::new(values));
    assert_eq!(
        written_as(EncodeAs::N, &words),
        [
            NOT_A_NUMBER.to_owned(),
            OMITTED.to_owned(),
            n("1"),
            OMITTED.to_owned()
        ]
    );
    let runs = RunArray::<types::Int32Type>::try_new(
        &Int32Array::from(vec![2, 3]),
        &BinaryArray::from(vec![&[1_u8][..], &[2]]),
    )
    .unwrap();
    assert_eq!(
        written_as(EncodeAs::Hex, &runs.slice(1, 2)),
        [s("01"), s("02")]
    );
}

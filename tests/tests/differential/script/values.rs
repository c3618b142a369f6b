//! Attribute values, their names and the size of the item.

use serde_json::{Value, json};

use super::{Request, plain, put, text, with};

pub(super) fn requests() -> Vec<Request> {
    [scalars(), sets(), documents(), numbers(), names(), sizes()].concat()
}

/// A put of an item with that value.
fn value(name: &str, value: Value) -> Request {
    Request::put(name, "@plain", with(plain("a"), "x", value))
}

fn scalars() -> Vec<Request> {
    vec![
        value("an empty text", json!({ "S": "" })),
        value(
            "a text with every kind of character",
            json!({ "S": "\"é€😀\\\u{0}\u{7f}\u{2028}\r\n" }),
        ),
        value("a text that is a number", json!({ "S": 5 })),
        value("empty bytes", json!({ "B": "" })),
        value("bytes in Base64", json!({ "B": "AQID" })),
        value("bytes in Base64 without padding", json!({ "B": "AQ" })),
        value(
            "bytes in Base64 with bits left over",
            json!({ "B": "AR==" }),
        ),
        value("bytes in the Base64 of URLs", json!({ "B": "_-__" })),
        value("bytes that are no Base64", json!({ "B": "?" })),
        value("true", json!({ "BOOL": true })),
        value("true in a text", json!({ "BOOL": "true" })),
        value("a truth that is another text", json!({ "BOOL": "yes" })),
        value("a truth that is a number", json!({ "BOOL": 1 })),
        value("null", json!({ "NULL": true })),
        value("a null that is false", json!({ "NULL": false })),
        value("a null in a text", json!({ "NULL": "true" })),
        value("a value without a type", json!({})),
        value("a value of two types", json!({ "S": "a", "N": "1" })),
        value("a value of an unknown type", json!({ "X": "a" })),
        value("a value whose type is null", json!({ "S": null })),
        value("a value that is a text", json!("a")),
        value("a value that is a list", json!([])),
    ]
}

fn sets() -> Vec<Request> {
    vec![
        value("a set of texts", json!({ "SS": ["a", "b", ""] })),
        value("an empty set of texts", json!({ "SS": [] })),
        value("a set with a text twice", json!({ "SS": ["a", "a"] })),
        value("a set of texts that is a text", json!({ "SS": "a" })),
        value("a set of texts with a number", json!({ "SS": [1] })),
        value("a set of numbers", json!({ "NS": ["1", "-2.50", "3e3"] })),
        value("an empty set of numbers", json!({ "NS": [] })),
        value("a set with a number twice", json!({ "NS": ["1", "1.0"] })),
        value("a set of numbers with a text", json!({ "NS": ["one"] })),
        value("a set of bytes", json!({ "BS": ["AQ==", "Ag==", ""] })),
        value("an empty set of bytes", json!({ "BS": [] })),
        value("a set with bytes twice", json!({ "BS": ["AQ==", "AQ=="] })),
    ]
}

fn documents() -> Vec<Request> {
    let nested = |containers: usize, list: bool| {
        (0..containers).fold(json!({ "S": "a" }), |inner, _| {
            if list {
                json!({ "L": [inner] })
            } else {
                json!({ "M": { "m": inner } })
            }
        })
    };
    vec![
        value("an empty list", json!({ "L": [] })),
        value("an empty map", json!({ "M": {} })),
        value(
            "a list of every type",
            json!({ "L": [
            { "S": "" }, { "N": "1.50" }, { "B": "AQ==" }, { "BOOL": false }, { "NULL": true }, { "SS": ["a"] },
            { "NS": ["1"] }, { "BS": ["AQ=="] }, { "L": [] }, { "M": { "m": { "N": "0" } } }
        ] }),
        ),
        value("a list that is an object", json!({ "L": {} })),
        value("a list of texts without types", json!({ "L": ["a"] })),
        value("a map that is a list", json!({ "M": [] })),
        value(
            "a map of an empty set",
            json!({ "M": { "m": { "SS": [] } } }),
        ),
        value("31 lists in one another", nested(31, true)),
        value("32 lists in one another", nested(32, true)),
        value("31 maps in one another", nested(31, false)),
        value("32 maps in one another", nested(32, false)),
        value("60 lists in one another", nested(60, true)),
    ]
}

fn numbers() -> Vec<Request> {
    let nines = |digits: usize| "9".repeat(digits);
    let legal_or_not = [
        "1".to_owned(),
        "-1".to_owned(),
        "+1".to_owned(),
        "1.0".to_owned(),
        "0005.5000".to_owned(),
        ".5".to_owned(),
        "5.".to_owned(),
        "-0".to_owned(),
        "0e125".to_owned(),
        "0e126".to_owned(),
        "1e2".to_owned(),
        "1E+2".to_owned(),
        "1e".to_owned(),
        "1e1.5".to_owned(),
        "1 ".to_owned(),
        " 1".to_owned(),
        "1_000".to_owned(),
        "1,5".to_owned(),
        "0x10".to_owned(),
        "one".to_owned(),
        String::new(),
        "-".to_owned(),
        ".".to_owned(),
        "NaN".to_owned(),
        "Infinity".to_owned(),
        "1e125".to_owned(),
        "9.9e125".to_owned(),
        "1e126".to_owned(),
        "-1e126".to_owned(),
        "1e-130".to_owned(),
        "1e-131".to_owned(),
        "0.1e-129".to_owned(),
        nines(38),
        nines(39),
        format!("{}0", nines(38)),
        format!("0.{}", nines(38)),
        format!("0.{}", nines(39)),
    ];
    let mut requests: Vec<_> = legal_or_not
        .into_iter()
        .map(|number| value(&format!("the number `{number}`"), json!({ "N": number })))
        .collect();
    requests.push(value("a number without quotes", json!({ "N": 5 })));
    requests
}

fn names() -> Vec<Request> {
    let named = |name: &str, attribute: &str| {
        Request::put(
            name,
            "@plain",
            with(plain("a"), attribute, json!({ "S": "b" })),
        )
    };
    vec![
        named("an attribute without a name", ""),
        named("an attribute name of 255 letters", &"n".repeat(255)),
        named("an attribute name of 65535 bytes", &"n".repeat(65_535)),
        named("an attribute name of 65536 bytes", &"n".repeat(65_536)),
        named("an attribute name of other letters", "é€😀 .#:"),
        value(
            "a map with an attribute without a name",
            json!({ "M": { "": { "S": "a" } } }),
        ),
    ]
}

fn sizes() -> Vec<Request> {
    // `id`, its value `a` and the name `x` take four bytes.
    let largest = 400 * 1024 - 4;
    // `n` and a number take as many bytes as the number and one.
    let beside_number = |name: &str, number: &str, rest: usize| {
        let item = with(plain("a"), "x", text(largest - rest));
        Request::put(name, "@plain", with(item, "n", json!({ "N": number })))
    };
    vec![
        value("an item of 409600 bytes", text(largest)),
        value("an item of 409601 bytes", text(largest + 1)),
        value(
            "an item of 409600 bytes in letters of 3",
            json!({ "S": "€".repeat(largest / 3) }),
        ),
        value(
            "an item of 409602 bytes in letters of 3",
            json!({ "S": "€".repeat(largest / 3 + 1) }),
        ),
        Request::writes(
            "an item of 409600 bytes beside one of 409601",
            json!({ "@plain": [put(with(plain("a"), "x", text(largest))), put(with(plain("b"), "x", text(largest + 1)))] }),
        ),
        beside_number("an item of 409600 bytes with the number 100", "100", 3),
        beside_number("an item of 409601 bytes with the number 100", "100", 2),
        beside_number(
            "an item of 409600 bytes with the number 120, of 2 or of 3 bytes",
            "120",
            4,
        ),
        beside_number(
            "an item of 409601 bytes with the number 120, if that has 3 bytes",
            "120",
            3,
        ),
        beside_number(
            "an item of 409600 bytes with the number -1234.5",
            "-1234.5",
            6,
        ),
        beside_number(
            "an item of 409601 bytes with the number -1234.5",
            "-1234.5",
            5,
        ),
    ]
}

//! What only several operations in one request can break.

use serde_json::{Value, json};

use super::{Request, delete, plain, put, text, thing, with};

pub(super) fn requests() -> Vec<Request> {
    [counts(), duplicates(), mixed()].concat()
}

fn things(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers.map(|number| put(thing(number))).collect()
}

fn plains(ids: std::ops::Range<usize>) -> Vec<Value> {
    ids.map(|id| put(plain(&id.to_string()))).collect()
}

fn counts() -> Vec<Request> {
    vec![
        Request::writes("25 operations", json!({ "@things": things(0..25) })),
        Request::writes("26 operations", json!({ "@things": things(0..26) })),
        Request::writes(
            "25 operations on two tables",
            json!({ "@plain": plains(0..12), "@things": things(0..13) }),
        ),
        Request::writes(
            "26 operations on two tables",
            json!({ "@plain": plains(0..13), "@things": things(0..13) }),
        ),
        Request::writes(
            "26 operations, one of them on another table",
            json!({ "@plain": plains(0..1), "@things": things(0..25) }),
        ),
        Request::writes(
            "operations on one table and none on another",
            json!({ "@plain": plains(0..1), "@things": [] }),
        ),
    ]
}

fn duplicates() -> Vec<Request> {
    let two = |name: &str, table: &str, first: Value, second: Value| {
        Request::writes(name, json!({ table: [first, second] }))
    };
    let numbered = |number: &str| json!({ "id": { "N": number } });
    let blob = |id: &str| json!({ "id": { "B": id }, "sort": { "S": "a" } });
    vec![
        two(
            "two puts of one key",
            "@plain",
            put(plain("a")),
            put(with(plain("a"), "x", text(1))),
        ),
        two(
            "a put and a delete of one key",
            "@plain",
            put(plain("a")),
            delete(plain("a")),
        ),
        two(
            "two deletes of one key",
            "@plain",
            delete(plain("a")),
            delete(plain("a")),
        ),
        two(
            "a put and a delete of two keys",
            "@plain",
            put(plain("a")),
            delete(plain("b")),
        ),
        two(
            "the keys 1 and 1.0",
            "@numbers",
            put(numbered("1")),
            put(numbered("1.0")),
        ),
        two(
            "the keys 100 and 1e2",
            "@numbers",
            put(numbered("100")),
            delete(numbered("1e2")),
        ),
        two(
            "the keys 0 and -0",
            "@numbers",
            put(numbered("0")),
            put(numbered("-0")),
        ),
        two(
            "the keys 1 and 1.1",
            "@numbers",
            put(numbered("1")),
            put(numbered("1.1")),
        ),
        two(
            "the sort keys 1 and 1.0",
            "@things",
            put(thing("1")),
            put(thing("1.0")),
        ),
        two("two sort keys", "@things", put(thing("1")), put(thing("2"))),
        two(
            "two keys of bytes",
            "@blobs",
            put(blob("AQ==")),
            put(blob("Ag==")),
        ),
        two(
            "two keys of the same bytes",
            "@blobs",
            put(blob("AQ==")),
            put(blob("AQ==")),
        ),
        two(
            "the keys é in one character and in two",
            "@plain",
            put(plain("é")),
            put(plain("e\u{301}")),
        ),
        Request::writes(
            "one key of two tables",
            json!({ "@plain": [put(plain("1"))], "@numbers": [put(numbered("1"))] }),
        ),
    ]
}

fn mixed() -> Vec<Request> {
    let stored = json!({ "@plain": [put(plain("a"))], "@things": [put(thing(1))] });
    vec![
        Request::writes(
            "puts and deletes on two tables",
            json!({ "@plain": [put(plain("b")), delete(plain("a"))], "@things": [delete(thing(1)), put(thing(2))] }),
        )
        .given(stored.clone()),
        Request::writes(
            "a legal operation beside one that is not",
            json!({ "@plain": [delete(plain("a")), put(json!({ "id": { "N": "1" } }))] }),
        )
        .given(stored.clone()),
        Request::writes(
            "a legal operation beside one on a table that is not there",
            json!({ "@plain": [delete(plain("a"))], "dynasink-no-such-table": [put(plain("a"))] }),
        )
        .given(stored),
    ]
}

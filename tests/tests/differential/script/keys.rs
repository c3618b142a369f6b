//! Keys of tables and of indexes.

use serde_json::{Value, json};

use super::{Request, delete, plain, thing, with};

pub(super) fn requests() -> Vec<Request> {
    [of_tables(), of_deletes(), of_indexes(), lengths()].concat()
}

fn of_tables() -> Vec<Request> {
    let put = |name: &str, table: &str, item: Value| Request::put(name, table, item);
    vec![
        put(
            "an item without the partition key",
            "@things",
            json!({ "number": { "N": "1" } }),
        ),
        put(
            "an item without the sort key",
            "@things",
            json!({ "customer": { "S": "a" } }),
        ),
        put(
            "a partition key of another type",
            "@things",
            with(thing(1), "customer", json!({ "N": "1" })),
        ),
        put(
            "a sort key of another type",
            "@things",
            with(thing(1), "number", json!({ "S": "1" })),
        ),
        put(
            "a key that is null",
            "@plain",
            json!({ "id": { "NULL": true } }),
        ),
        put(
            "a key that is a set",
            "@plain",
            json!({ "id": { "SS": ["a"] } }),
        ),
        put("a partition key that is an empty text", "@plain", plain("")),
        put(
            "a sort key that is an empty text",
            "@blobs",
            json!({ "id": { "B": "AQ==" }, "sort": { "S": "" } }),
        ),
        put(
            "a partition key of no bytes",
            "@blobs",
            json!({ "id": { "B": "" }, "sort": { "S": "a" } }),
        ),
        put(
            "a key that is a number of 38 digits",
            "@numbers",
            json!({ "id": { "N": "9".repeat(38) } }),
        ),
        put(
            "a key that is a number of 39 digits",
            "@numbers",
            json!({ "id": { "N": "9".repeat(39) } }),
        ),
        put(
            "a key that is 1e125",
            "@numbers",
            json!({ "id": { "N": "1e125" } }),
        ),
        put(
            "a key that is 1e126",
            "@numbers",
            json!({ "id": { "N": "1e126" } }),
        ),
        put(
            "a key that is -0.0",
            "@numbers",
            json!({ "id": { "N": "-0.0" } }),
        ),
    ]
}

fn of_deletes() -> Vec<Request> {
    let stored = json!({ "@things": [super::put(thing(1)), super::put(thing(2))] });
    let delete_thing = |name: &str, key: Value| {
        Request::writes(name, json!({ "@things": [delete(key)] })).given(stored.clone())
    };
    vec![
        delete_thing("a delete of an item", thing(1)),
        delete_thing("a delete of an item that is not there", thing(3)),
        delete_thing("a delete by another form of the number", thing("1.00")),
        delete_thing(
            "a delete without the sort key",
            json!({ "customer": { "S": "a" } }),
        ),
        delete_thing(
            "a delete by more than the key",
            with(thing(1), "age", json!({ "N": "1" })),
        ),
        delete_thing(
            "a delete by a key of another type",
            with(thing(1), "number", json!({ "S": "1" })),
        ),
        delete_thing(
            "a delete by other attributes",
            json!({ "customer": { "S": "a" }, "age": { "N": "1" } }),
        ),
        delete_thing("a delete by nothing", json!({})),
        Request::writes(
            "a delete by an empty key",
            json!({ "@plain": [delete(plain(""))] }),
        ),
    ]
}

fn of_indexes() -> Vec<Request> {
    let put = |name: &str, attribute: &str, value: Value| {
        Request::put(name, "@things", with(thing(1), attribute, value))
    };
    vec![
        put("a key of a global index", "mail", json!({ "S": "m" })),
        put(
            "a key of a global index of another type",
            "mail",
            json!({ "N": "1" }),
        ),
        put(
            "a key of a global index that is null",
            "mail",
            json!({ "NULL": true }),
        ),
        put(
            "a key of a global index that is an empty text",
            "mail",
            json!({ "S": "" }),
        ),
        put(
            "a key of a global index of no bytes",
            "code",
            json!({ "B": "" }),
        ),
        put(
            "a key of a global index that lacks the other",
            "day",
            json!({ "S": "monday" }),
        ),
        put("a key of a local index", "age", json!({ "N": "1" })),
        put(
            "a key of a local index of another type",
            "age",
            json!({ "S": "1" }),
        ),
        put(
            "a key of a local index that is an empty text",
            "note",
            json!({ "S": "" }),
        ),
    ]
}

fn lengths() -> Vec<Request> {
    let text = |length: usize| json!({ "S": "k".repeat(length) });
    // Three bytes become four letters.
    let bytes = |length: usize| {
        let rest = ["", "AA==", "AAA="][length % 3];
        json!({ "B": "AAAA".repeat(length / 3) + rest })
    };
    let mut requests = Vec::new();
    for length in [2048, 2049] {
        let name = |what: &str| format!("a partition key of {length} bytes{what}");
        let blob = json!({ "id": bytes(length), "sort": { "S": "a" } });
        let wide = json!({ "S": "é".repeat(length / 2) + &"k".repeat(length % 2) });
        requests.extend([
            Request::put(name(""), "@plain", json!({ "id": text(length) })),
            Request::put(name(" in letters of two"), "@plain", json!({ "id": wide })),
            Request::put(name(" in binary"), "@blobs", blob),
            Request::put(
                name(" of a global index"),
                "@things",
                with(thing(1), "mail", text(length)),
            ),
            Request::put(
                name(" of a global index in binary"),
                "@things",
                with(thing(1), "code", bytes(length)),
            ),
            Request::writes(
                format!("a delete by a partition key of {length} bytes"),
                json!({ "@plain": [delete(json!({ "id": text(length) }))] }),
            ),
        ]);
    }
    for length in [1024, 1025] {
        let blob = json!({ "id": bytes(1), "sort": text(length) });
        requests.extend([
            Request::put(format!("a sort key of {length} bytes"), "@blobs", blob),
            Request::put(
                format!("a sort key of {length} bytes of a local index"),
                "@things",
                with(thing(1), "note", text(length)),
            ),
        ]);
    }
    requests
}

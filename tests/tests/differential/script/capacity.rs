//! What writes cost, in the table and in its indexes, and which item collections they touch.

use serde_json::{Value, json};

use super::{Request, delete, plain, put, text, thing, with};

pub(super) fn requests() -> Vec<Request> {
    [of_a_table(), of_indexes(), single(), collections()].concat()
}

fn batch(name: &str, detail: &str, tables: Value) -> Request {
    Request::batch(
        name,
        json!({ "RequestItems": tables, "ReturnConsumedCapacity": detail }),
    )
}

/// An item of `@plain` of so many bytes.
fn sized(id: &str, bytes: usize) -> Value {
    with(plain(id), "x", text(bytes - 4))
}

fn of_a_table() -> Vec<Request> {
    let stored = json!({ "@plain": [put(sized("a", 3000))] });
    let total = |name: &str, operation: Value| {
        batch(name, "TOTAL", json!({ "@plain": [operation] })).given(stored.clone())
    };
    vec![
        batch("the units of nothing, if they are not asked for", "NONE", json!({ "@plain": [put(plain("b"))] })),
        total("the units of an item of 1024 bytes", put(sized("b", 1024))),
        total("the units of an item of 1025 bytes", put(sized("b", 1025))),
        total("the units of an item that grows from 3000 bytes to 5000", put(sized("a", 5000))),
        total("the units of an item that shrinks from 3000 bytes to 500", put(sized("a", 500))),
        total("the units of an item that stays as it is", put(sized("a", 3000))),
        total("the units of a delete of 3000 bytes", delete(plain("a"))),
        total("the units of a delete of nothing", delete(plain("b"))),
        batch(
            "the units of two tables",
            "TOTAL",
            json!({ "@plain": [put(sized("b", 1500)), put(sized("c", 10)), delete(plain("a"))], "@numbers": [put(json!({ "id": { "N": "1" } }))] }),
        )
        .given(stored.clone()),
        batch("the units of a table without indexes, by index", "INDEXES", json!({ "@plain": [put(sized("b", 1500))] })),
        batch("the units of an item of 409600 bytes", "TOTAL", json!({ "@plain": [put(sized("b", 409_600))] })),
    ]
}

/// An item of `@things` with a key of every index, and a text of so many bytes.
fn indexed(bytes: usize) -> Value {
    let mut item = thing(1);
    for (name, value) in [
        ("age", json!({ "N": "40" })),
        ("note", json!({ "S": "n" })),
        ("mail", json!({ "S": "m" })),
        ("day", json!({ "S": "monday" })),
        ("code", json!({ "B": "AQ==" })),
        ("text", text(bytes)),
    ] {
        item[name] = value;
    }
    item
}

fn without(mut item: Value, name: &str) -> Value {
    item.as_object_mut().unwrap().remove(name);
    item
}

fn of_indexes() -> Vec<Request> {
    let stored = json!({ "@things": [put(indexed(2000))] });
    let changes = [
        (
            "an item without a key of an index",
            put(with(thing(2), "text", text(2000))),
        ),
        (
            "an item with the keys of all indexes",
            put(with(indexed(2000), "number", json!({ "N": "2" }))),
        ),
        ("an item that stays as it is", put(indexed(2000))),
        ("an item that grows", put(indexed(5000))),
        ("an item that shrinks", put(indexed(10))),
        (
            "an attribute that two indexes do not hold",
            put(with(indexed(2000), "other", text(10))),
        ),
        (
            "a key of a local index that changes",
            put(with(indexed(2000), "age", json!({ "N": "41" }))),
        ),
        (
            "a key of a local index that goes",
            put(without(indexed(2000), "note")),
        ),
        (
            "a key of a global index that changes",
            put(with(indexed(2000), "mail", json!({ "S": "mm" }))),
        ),
        (
            "a number that changes its form",
            put(with(indexed(2000), "age", json!({ "N": "40.0" }))),
        ),
        (
            "a key of a global index that goes",
            put(without(indexed(2000), "code")),
        ),
        ("all keys of indexes that go", put(thing(1))),
        ("a delete of an indexed item", delete(thing(1))),
        ("a delete of an item that is not there", delete(thing(2))),
    ];
    let mut requests = Vec::new();
    for (what, operation) in changes {
        for detail in ["TOTAL", "INDEXES"] {
            let name = format!("the units of {what}, {detail}");
            let tables = json!({ "@things": [operation] });
            requests.push(batch(&name, detail, tables).given(stored.clone()));
        }
    }
    requests.push(batch(
        "the units of three indexed items",
        "INDEXES",
        json!({ "@things": [put(indexed(10)), put(with(indexed(3000), "number", json!({ "N": "2" }))), put(thing(3))] }),
    ));
    requests
}

fn single() -> Vec<Request> {
    let stored = json!({ "@things": [put(indexed(2000))] });
    let request = |name: &str, operation, member: &str, value: Value, detail: &str| {
        let body =
            json!({ "TableName": "@things", member: value, "ReturnConsumedCapacity": detail });
        Request::new(name, operation, body).given(stored.clone())
    };
    vec![
        request(
            "the units of a PutItem",
            "PutItem",
            "Item",
            indexed(5000),
            "TOTAL",
        ),
        request(
            "the units of a PutItem, by index",
            "PutItem",
            "Item",
            indexed(5000),
            "INDEXES",
        ),
        request(
            "the units of a PutItem without indexes, by index",
            "PutItem",
            "Item",
            thing(2),
            "INDEXES",
        ),
        request(
            "the units of a DeleteItem",
            "DeleteItem",
            "Key",
            thing(1),
            "TOTAL",
        ),
        request(
            "the units of a DeleteItem, by index",
            "DeleteItem",
            "Key",
            thing(1),
            "INDEXES",
        ),
        request(
            "the units of a DeleteItem of nothing, by index",
            "DeleteItem",
            "Key",
            thing(2),
            "INDEXES",
        ),
    ]
}

fn collections() -> Vec<Request> {
    let of = |name: &str, tables: Value| {
        let body = json!({ "RequestItems": tables, "ReturnItemCollectionMetrics": "SIZE" });
        Request::batch(name, body)
    };
    let of_customer = |customer: &str, number: usize| {
        put(with(thing(number), "customer", json!({ "S": customer })))
    };
    vec![
        of(
            "the collection of an item",
            json!({ "@things": [put(thing(1))] }),
        ),
        of(
            "the collection of two items",
            json!({ "@things": [put(thing(1)), put(thing(2))] }),
        ),
        of(
            "the collections of two items",
            json!({ "@things": [of_customer("a", 1), of_customer("b", 1)] }),
        ),
        of(
            "the collection of an item of a table without local indexes",
            json!({ "@plain": [put(plain("a"))] }),
        ),
        of(
            "the collections of two tables, of which one has local indexes",
            json!({ "@plain": [put(plain("a"))], "@things": [put(thing(1))] }),
        ),
        of(
            "the collection of a delete of nothing",
            json!({ "@things": [delete(thing(1))] }),
        ),
        of(
            "the collection of a delete of its last item",
            json!({ "@things": [delete(thing(1))] }),
        )
        .given(json!({ "@things": [put(thing(1))] })),
    ]
}

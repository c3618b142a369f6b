//! What is a request at all. Bodies over 16 MB are left out: servers close the connection over them.

use serde_json::{Value, json};

use super::{Request, plain, put, with};

pub(super) fn requests() -> Vec<Request> {
    [bodies(), operations(), tables(), single_writes()].concat()
}

fn bodies() -> Vec<Request> {
    let member = |name: &str, value: Value| {
        let mut request = json!({ "RequestItems": { "@plain": [put(plain("a"))] } });
        request[name] = value;
        request
    };
    vec![
        Request::batch("an empty body", ""),
        Request::batch("a body that ends too soon", "{"),
        Request::batch("a body that is a list", "[]"),
        Request::batch("no RequestItems", "{}"),
        Request::batch("RequestItems that are null", r#"{"RequestItems":null}"#),
        Request::batch("RequestItems that are a list", r#"{"RequestItems":[]}"#),
        Request::batch("RequestItems without a table", r#"{"RequestItems":{}}"#),
        Request::batch(
            "a table twice in RequestItems",
            r#"{"RequestItems":{"@plain":[{"PutRequest":{"Item":{"id":{"S":"a"}}}}],"@plain":[{"PutRequest":{"Item":{"id":{"S":"b"}}}}]}}"#,
        ),
        Request::batch(
            "an unknown member of the request",
            member("Unknown", json!("x")),
        ),
        Request::batch(
            "ReturnConsumedCapacity that is null",
            member("ReturnConsumedCapacity", Value::Null),
        ),
        Request::batch(
            "ReturnConsumedCapacity SOME",
            member("ReturnConsumedCapacity", json!("SOME")),
        ),
        Request::batch(
            "ReturnConsumedCapacity that is a number",
            member("ReturnConsumedCapacity", json!(1)),
        ),
        Request::batch(
            "ReturnItemCollectionMetrics SOME",
            member("ReturnItemCollectionMetrics", json!("SOME")),
        ),
    ]
}

fn operations() -> Vec<Request> {
    let one =
        |name: &str, operation: Value| Request::writes(name, json!({ "@plain": [operation] }));
    vec![
        Request::writes("a table without operations", json!({ "@plain": [] })),
        Request::writes("operations in an object", json!({ "@plain": {} })),
        one("an operation that is a text", json!("a")),
        one("an operation that is neither put nor delete", json!({})),
        one(
            "an operation of another kind",
            json!({ "UpdateRequest": { "Key": plain("a") } }),
        ),
        one(
            "a put and a delete in one operation",
            json!({ "PutRequest": { "Item": plain("a") }, "DeleteRequest": { "Key": plain("b") } }),
        ),
        one(
            "a put beside a delete that is null",
            json!({ "PutRequest": { "Item": plain("a") }, "DeleteRequest": null }),
        ),
        one("a put without an item", json!({ "PutRequest": {} })),
        one("a delete without a key", json!({ "DeleteRequest": {} })),
        one(
            "a put of a key",
            json!({ "PutRequest": { "Key": plain("a") } }),
        ),
        one(
            "a put of an item that is a list",
            json!({ "PutRequest": { "Item": [] } }),
        ),
        one("a put of an item without attributes", put(json!({}))),
        one(
            "an unknown member of an operation",
            with(put(plain("a")), "Unknown", json!("x")),
        ),
        Request::batch(
            "an attribute twice in an item",
            r#"{"RequestItems":{"@plain":[{"PutRequest":{"Item":{"id":{"S":"a"},"x":{"S":"1"},"x":{"S":"2"}}}}]}}"#,
        ),
    ]
}

fn tables() -> Vec<Request> {
    let named =
        |name: &str, table: &str| Request::writes(name, json!({ table: [put(plain("a"))] }));
    vec![
        named("a table that is not there", "dynasink-no-such-table"),
        named("a table name of 2 letters", "ab"),
        named("a table name of 3 letters", "abc"),
        named("a table name of 255 letters", &"t".repeat(255)),
        named("a table name of 256 letters", &"t".repeat(256)),
        named("a table name with a space", "no such table"),
        named(
            "a table by its ARN",
            "arn:aws:dynamodb:us-east-1:000000000000:table/@plain",
        ),
        named(
            "a table that is not there by its ARN",
            "arn:aws:dynamodb:us-east-1:000000000000:table/dynasink-no-such-table",
        ),
        Request::writes(
            "a value that is wrong for a table that is not there",
            json!({ "dynasink-no-such-table": [put(with(plain("a"), "x", json!({ "SS": [] })))] }),
        ),
    ]
}

fn single_writes() -> Vec<Request> {
    let (item, key) = (plain("a"), plain("a"));
    let put = |name: &str, body: Value| Request::new(name, "PutItem", body);
    let delete = |name: &str, body: Value| Request::new(name, "DeleteItem", body);
    vec![
        put("PutItem", json!({ "TableName": "@plain", "Item": item })),
        put("PutItem with nothing", json!({})),
        put("PutItem without a table", json!({ "Item": item })),
        put("PutItem without an item", json!({ "TableName": "@plain" })),
        put(
            "PutItem of a key",
            json!({ "TableName": "@plain", "Key": key }),
        ),
        put(
            "PutItem with an unknown member",
            json!({ "TableName": "@plain", "Item": item, "Unknown": 1 }),
        ),
        put(
            "PutItem into a table that is not there",
            json!({ "TableName": "dynasink-no-such-table", "Item": item }),
        ),
        put(
            "PutItem without the key",
            json!({ "TableName": "@plain", "Item": { "x": { "S": "a" } } }),
        ),
        put(
            "PutItem with ReturnValues NONE",
            json!({ "TableName": "@plain", "Item": item, "ReturnValues": "NONE" }),
        ),
        delete("DeleteItem", json!({ "TableName": "@plain", "Key": key }))
            .given(json!({ "@plain": [super::put(plain("a")), super::put(plain("b"))] })),
        delete("DeleteItem without a key", json!({ "TableName": "@plain" })),
        delete(
            "DeleteItem of an item",
            json!({ "TableName": "@plain", "Item": item }),
        ),
        delete(
            "DeleteItem by more than the key",
            json!({ "TableName": "@plain", "Key": with(key, "x", json!({ "S": "a" })) }),
        ),
        delete(
            "DeleteItem from a table that is not there",
            json!({ "TableName": "dynasink-no-such-table", "Key": plain("a") }),
        ),
    ]
}

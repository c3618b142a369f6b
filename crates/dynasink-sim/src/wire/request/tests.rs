use dynasink_core::{IndexKind, KeyType, TableSchema};
use serde_json::json;

use super::*;
use crate::wire::name::table_arn;

/// Keys of each type, and indexes by a string and a binary.
fn tables() -> [Arc<SimulatedTable>; 2] {
    let users = TableSchema::builder("users")
        .partition_key("id", KeyType::S)
        .sort_key("n", KeyType::N)
        .index(
            "by-mail",
            IndexKind::Global,
            [("mail", KeyType::S)],
            [("code", KeyType::B)],
            None,
        );
    let blobs = TableSchema::builder("blobs")
        .partition_key("id", KeyType::B)
        .sort_key("s", KeyType::S);
    [users, blobs].map(|schema| Arc::new(SimulatedTable::new(schema.build().unwrap())))
}

fn find(name: &str) -> Option<Arc<SimulatedTable>> {
    let mut tables = tables().into_iter();
    tables.find(|table| table.schema.name().as_str() == name)
}

fn send(request: &Value) -> Result<BatchWrite, Rejection> {
    batch_write(request.to_string().as_bytes(), find)
}

fn put(item: Value) -> Value {
    let mut request = json!({"PutRequest": {}});
    request["PutRequest"]["Item"] = item;
    request
}

fn delete(key: Value) -> Value {
    let mut request = json!({"DeleteRequest": {}});
    request["DeleteRequest"]["Key"] = key;
    request
}

fn user(n: impl ToString + Copy) -> Value {
    json!({"id": {"S": "a"}, "n": {"N": n.to_string()}})
}

fn user_with(name: &str, value: Value) -> Value {
    let mut item = user(1);
    item[name] = value;
    item
}

fn users(writes: impl IntoIterator<Item = Value>) -> Value {
    let writes: Vec<Value> = writes.into_iter().collect();
    json!({"RequestItems": {"users": writes}})
}

fn blob(id: &str, s: &str) -> Value {
    json!({"RequestItems": {"blobs": [put(json!({"id": {"B": id}, "s": {"S": s}}))]}})
}

/// `kept` is taken, and `broken`, its neighbour, is refused with a message that has `part` in it.
fn assert_rule(kept: &Value, broken: &Value, part: &str) {
    if let Err(rejection) = send(kept) {
        panic!("{part}: the request that keeps the rule is refused: {rejection:?}");
    }
    match send(broken) {
        Err(Rejection::Validation(message)) if message.contains(part) => {}
        other => panic!("{part}: {other:?}"),
    }
}

#[test]
fn a_request_becomes_its_writes() {
    let arn = table_arn("blobs");
    let request = json!({
        "RequestItems": {
            "users": [put(user_with("x", json!({"S": "y"}))), delete(user(2))],
            arn.as_str(): [put(json!({"id": {"B": "AQ=="}, "s": {"S": "t"}}))],
        },
        "ReturnConsumedCapacity": "INDEXES",
        "ReturnItemCollectionMetrics": "SIZE",
    });
    let BatchWrite { writes, returned } = send(&request).unwrap();
    assert_eq!(returned.capacity, ReturnCapacity::Indexes);
    assert!(returned.collections);
    let found: Vec<_> = writes
        .iter()
        .map(|write| {
            (
                write.named.as_str(),
                write.table.schema.name().as_str(),
                write.action,
                write.footprint.as_ref().map(|footprint| footprint.size),
                Value::from(write.attributes.clone()),
            )
        })
        .collect();
    let (put, deleted) = (user_with("x", json!({"S": "y"})), user(2));
    let blob = json!({"id": {"B": "AQ=="}, "s": {"S": "t"}});
    assert_eq!(
        found,
        [
            (arn.as_str(), "blobs", WriteAction::Put, Some(5), blob),
            ("users", "users", WriteAction::Put, Some(8), put),
            ("users", "users", WriteAction::Delete, None, deleted),
        ]
    );
}

#[test]
fn a_request_has_1_to_25_writes_over_all_tables() {
    let some_users = |count: usize| (0..count).map(|n| put(user(n))).collect::<Vec<_>>();
    let blobs = |count: usize| {
        let blob = |n| put(json!({"id": {"B": "AQ=="}, "s": {"S": format!("{n}")}}));
        (0..count).map(blob).collect::<Vec<_>>()
    };
    assert_rule(
        &users(some_users(25)),
        &users(some_users(26)),
        "less than or equal to 25",
    );
    assert_rule(
        &json!({"RequestItems": {"users": some_users(12), "blobs": blobs(13)}}),
        &json!({"RequestItems": {"users": some_users(13), "blobs": blobs(13)}}),
        "less than or equal to 25",
    );
    assert_rule(
        &users(some_users(1)),
        &users([]),
        "greater than or equal to 1",
    );
    let part = "requestItems parameter is required";
    assert_rule(&users(some_users(1)), &json!({"RequestItems": {}}), part);
    assert_rule(&users(some_users(1)), &json!({}), part);
}

#[test]
fn a_write_request_is_one_put_or_one_delete() {
    let both = json!({"PutRequest": {"Item": user(1)}, "DeleteRequest": {"Key": user(2)}});
    let only_put = json!({"PutRequest": {"Item": user(1)}, "DeleteRequest": null});
    assert_rule(&users([only_put.clone()]), &users([both]), "more than one");
    assert_rule(&users([only_put]), &users([json!({})]), "is empty");
    assert_rule(
        &users([put(user(1))]),
        &users([json!({"PutRequest": {}})]),
        "must not be null",
    );
}

#[test]
fn members_that_are_not_known_are_refused() {
    let mut request = users([put(user(1))]);
    request["ReturnConsumedCapacity"] = "TOTAL".into();
    for (pointer, name) in [
        ("", "ReturnCapacity"),
        ("/RequestItems/users/0", "UpdateRequest"),
        ("/RequestItems/users/0/PutRequest", "Key"),
    ] {
        let mut broken = request.clone();
        broken.pointer_mut(pointer).unwrap()[name] = json!({});
        assert_rule(&request, &broken, name);
    }
    for name in ["ReturnConsumedCapacity", "ReturnItemCollectionMetrics"] {
        let mut broken = request.clone();
        broken[name] = "SOME".into();
        assert_rule(&request, &broken, "enum value set");
    }
}

#[test]
fn no_two_writes_are_of_one_item() {
    let part = "contains duplicates";
    let kept = users([put(user(1)), delete(user(2))]);
    for broken in [
        users([put(user(1)), put(user(1))]),
        users([put(user(1)), put(user_with("x", json!({"S": "y"})))]),
        users([put(user(1)), delete(user(1))]),
        users([delete(user(1)), delete(user(1))]),
        users([put(user("1")), put(user("1.0"))]),
        users([put(user("1")), delete(user("10e-1"))]),
        json!({"RequestItems": {
            "users": [put(user(1))],
            table_arn("users"): [delete(user(1))],
        }}),
    ] {
        assert_rule(&kept, &broken, part);
    }
}

#[test]
fn a_table_exists_and_its_name_is_legal() {
    let request = |named: &str| json!({"RequestItems": {named: [put(user(1))]}});
    assert!(send(&request("users")).is_ok());
    assert!(send(&request(&table_arn("users"))).is_ok());
    for named in ["userz", &table_arn("userz")] {
        let rejection = send(&request(named)).unwrap_err();
        assert_eq!(rejection, Rejection::TableMissing("userz".to_owned()));
    }
    for named in ["us", "us ers", "arn:aws:dynamodb"] {
        assert_rule(&request("users"), &request(named), "[a-zA-Z0-9_.-]+");
    }
    // The values are looked at first.
    let broken = json!({"RequestItems": {"userz": [put(json!({"id": {"SS": []}}))]}});
    assert!(matches!(send(&broken), Err(Rejection::Validation(_))));
}

#[test]
fn a_key_is_that_of_the_schema() {
    let part = "does not match the schema";
    let kept = users([put(user_with("x", json!({"S": "y"}))), delete(user(2))]);
    for broken in [
        put(json!({"n": {"N": "1"}})),
        put(json!({"id": {"S": "a"}})),
        put(json!({"id": {"N": "1"}, "n": {"N": "1"}})),
        put(json!({"id": {"S": "a"}, "n": {"S": "1"}})),
        put(json!({"id": {"NULL": true}, "n": {"N": "1"}})),
        delete(json!({"id": {"S": "a"}})),
        delete(user_with("x", json!({"S": "y"}))),
        delete(json!({"id": {"S": "a"}, "x": {"N": "1"}})),
        delete(json!({"id": {"S": "a"}, "n": {"S": "1"}})),
    ] {
        assert_rule(&kept, &users([broken]), part);
    }
}

#[test]
fn key_values_are_neither_empty_nor_too_long() {
    use base64::Engine;
    let base64 = |bytes: usize| base64::engine::general_purpose::STANDARD.encode(vec![7; bytes]);
    let named = |id: String| json!({"id": {"S": id}, "n": {"N": "1"}});

    let kept = users([put(named("é".repeat(1024)))]);
    let broken = users([put(named("é".repeat(1024) + "x"))]);
    assert_rule(&kept, &broken, "limit of2048 bytes");
    let kept = users([delete(named("x".repeat(2048)))]);
    let broken = users([delete(named("x".repeat(2049)))]);
    assert_rule(&kept, &broken, "limit of2048 bytes");
    let kept = blob(&base64(2048), "t");
    assert_rule(&kept, &blob(&base64(2049), "t"), "limit of2048 bytes");
    let kept = blob("AQ==", &"x".repeat(1024));
    assert_rule(
        &kept,
        &blob("AQ==", &"x".repeat(1025)),
        "limit of 1024 bytes",
    );

    let kept = users([put(named("a".to_owned()))]);
    assert_rule(
        &kept,
        &users([put(named(String::new()))]),
        "empty string value. Key: id",
    );
    assert_rule(
        &kept,
        &users([delete(named(String::new()))]),
        "empty string value. Key: id",
    );
    assert_rule(
        &blob("AQ==", "t"),
        &blob("", "t"),
        "empty binary value. Key: id",
    );
    assert_rule(
        &blob("AQ==", "t"),
        &blob("AQ==", ""),
        "empty string value. Key: s",
    );
}

#[test]
fn index_keys_may_be_absent_but_not_wrong() {
    use base64::Engine;
    let base64 = |bytes: usize| base64::engine::general_purpose::STANDARD.encode(vec![7; bytes]);
    let mail = |mail: Value| users([put(user_with("mail", mail))]);
    let code = |code: Value| users([put(user_with("code", code))]);
    let long = |bytes: usize| json!({"S": "x".repeat(bytes)});

    let absent = users([put(user(1))]);
    assert_rule(
        &absent,
        &mail(json!({"N": "1"})),
        "Type mismatch for Index Key mail",
    );
    assert_rule(
        &absent,
        &mail(json!({"NULL": true})),
        "Actual: NULL IndexName: by-mail",
    );
    assert_rule(&mail(long(1)), &mail(long(0)), "IndexKey: mail");
    assert_rule(&mail(long(2048)), &mail(long(2049)), "limit of2048 bytes");
    assert_rule(
        &code(json!({"B": "AQ=="})),
        &code(json!({"B": ""})),
        "empty binary",
    );
    let kept = code(json!({"B": base64(1024)}));
    assert_rule(
        &kept,
        &code(json!({"B": base64(1025)})),
        "limit of 1024 bytes",
    );
}

#[test]
fn an_item_has_at_most_409600_bytes() {
    // id 3, n 3, and the name x.
    let sized = |bytes: usize| users([put(user_with("x", json!({"S": "y".repeat(bytes - 7)})))]);
    assert_rule(&sized(409_600), &sized(409_601), "Item size has exceeded");
    let footprint = send(&sized(409_600)).unwrap().writes[0].footprint.clone();
    assert_eq!(footprint.unwrap().size, 409_600);
}

#[test]
fn the_largest_requests_are_taken() {
    // id 3, n 3 whether it has one digit or two, and the name x.
    let text = json!({"S": "y".repeat(409_600 - 7)});
    let largest = users((1..=25).map(|n| {
        let mut item = user(n);
        item["x"] = text.clone();
        put(item)
    }));
    let sizes = |request: &Value| -> Vec<u64> {
        let writes = send(request).unwrap().writes;
        let footprints = writes.into_iter().map(|write| write.footprint.unwrap());
        footprints.map(|footprint| footprint.size).collect()
    };
    assert_eq!(sizes(&largest), [409_600; 25]);

    // The list is 3 bytes, and 2 for each of its elements.
    let list: Vec<Value> = vec![json!({"BOOL": true}); 204_795];
    let list = users([put(user_with("x", json!({"L": list})))]);
    assert_eq!(sizes(&list), [409_600]);
}

#[test]
fn a_body_has_at_most_16_mb() {
    let body = |bytes: usize| {
        let mut body = users([put(user(1))]).to_string().into_bytes();
        body.resize(bytes, b' ');
        batch_write(&body, find).map(|request| request.writes.len())
    };
    assert_eq!(body(16 * 1024 * 1024), Ok(1));
    let bytes = 16 * 1024 * 1024 + 1;
    assert_eq!(body(bytes), Err(Rejection::BodyTooLarge(bytes)));
}

#[test]
fn what_is_not_a_request_is_a_serialization_error() {
    for body in [
        "",
        "users",
        "[]",
        r#"{"RequestItems":[]}"#,
        r#"{"RequestItems":{"users":{}}}"#,
        r#"{"RequestItems":{"users":["a"]}}"#,
        r#"{"RequestItems":{"users":[{"PutRequest":[]}]}}"#,
        r#"{"RequestItems":{"users":[{"PutRequest":{"Item":[]}}]}}"#,
        r#"{"RequestItems":{"users":[{"PutRequest":{"Item":{"id":{"B":"?"}}}}]}}"#,
        r#"{"RequestItems":{"users":[{"PutRequest":{"Item":{"id":{"S":"a"},"id":{"S":"b"}}}}]}}"#,
    ] {
        assert!(
            matches!(
                batch_write(body.as_bytes(), find),
                Err(Rejection::Serialization(_))
            ),
            "{body}"
        );
    }
}

#[test]
fn a_broken_value_refuses_the_request_in_a_put_and_in_a_delete() {
    let kept = users([put(user(1)), delete(user(2))]);
    let broken = json!({"id": {"S": "a"}, "n": {"N": "1e126"}});
    assert_rule(
        &kept,
        &users([put(user(3)), put(broken.clone())]),
        "overflow",
    );
    assert_rule(&kept, &users([put(user(3)), delete(broken)]), "overflow");
}

#[test]
fn a_single_write_is_read_unless_it_depends_on_what_is_stored() {
    let unconditional = |request: &Value, put: bool| {
        let body = request.to_string();
        let read = if put { put_item } else { delete_item };
        match read(body.as_bytes(), find)? {
            SingleWrite::Unconditional(batch) => Ok(Some(batch)),
            SingleWrite::NotModelled => Ok(None),
        }
    };
    let put = json!({
        "TableName": "users", "Item": user(1), "ReturnConsumedCapacity": "TOTAL", "ReturnValues": "NONE",
    });
    let batch = unconditional(&put, true).unwrap().unwrap();
    assert_eq!(batch.returned.capacity, ReturnCapacity::Total);
    assert_eq!(batch.writes[0].action, WriteAction::Put);
    assert_eq!(batch.writes[0].footprint.as_ref().unwrap().size, 6);

    let delete = json!({"TableName": table_arn("users"), "Key": user(1)});
    let deletes = unconditional(&delete, false).unwrap().unwrap().writes;
    assert_eq!(deletes[0].action, WriteAction::Delete);
    assert_eq!(deletes[0].key, batch.writes[0].key);

    for (name, value) in [
        ("ConditionExpression", "attribute_not_exists(id)"),
        ("ReturnValues", "ALL_OLD"),
        ("ReturnItemCollectionMetrics", "SIZE"),
    ] {
        let mut conditional = put.clone();
        conditional[name] = value.into();
        assert!(
            unconditional(&conditional, true).unwrap().is_none(),
            "{name}"
        );
    }
    let mut expected = delete.clone();
    expected["Expected"] = json!({});
    assert!(unconditional(&expected, false).unwrap().is_none());

    for broken in [
        json!({"Item": user(1)}),
        json!({"TableName": "users"}),
        json!({"TableName": "users", "Key": user(1)}),
        json!({"TableName": "us", "Item": user(1)}),
        json!({"TableName": "users", "Item": {"id": {"S": "a"}}}),
        json!({"TableName": "users", "Item": user(1), "Key": user(1)}),
    ] {
        let rejection = unconditional(&broken, true).unwrap_err();
        assert!(matches!(rejection, Rejection::Validation(_)), "{broken}");
    }
    let missing = json!({"TableName": "userz", "Item": user(1)});
    assert!(matches!(
        unconditional(&missing, true),
        Err(Rejection::TableMissing(_))
    ));
}

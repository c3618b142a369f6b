mod keys;
mod limits;

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

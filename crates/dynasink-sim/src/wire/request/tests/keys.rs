//! Keys of tables and indexes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn base64(bytes: usize) -> String {
    STANDARD.encode(vec![7; bytes])
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

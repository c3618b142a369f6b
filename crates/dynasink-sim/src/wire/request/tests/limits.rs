//! Limits of requests and items.

use super::*;

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

//! Tables that are changed, by a service that does not do it at once, and what is known of them.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::TableStatus;
use dynasink_aws::{
    CapacitySettings, Cause, Error, IndexKey, NewIndex, NewTable, PointInTimeRecovery,
    ProvisionedUnits, StreamView, TableCapacity, add_index, describe, describe_once_made,
    describe_state, set_capacity, warm_up,
};
use dynasink_core::{AttributeName, IndexKind, KeyType, Projection, TableSchema, WriteUnits};
use dynasink_sim::EmbeddedStore;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::endpoint::{Endpoint, Reply};

const PATIENCE: Duration = Duration::from_mins(2);

fn units(write: u64) -> ProvisionedUnits {
    ProvisionedUnits { read: 5, write }
}

fn provisioned(write: u64) -> CapacitySettings {
    CapacitySettings {
        table: TableCapacity::Provisioned(units(write)),
        indexes: BTreeMap::new(),
    }
}

/// The answer for a table in that status with so many units, and more members.
fn table(status: &str, write: u64, more: Value) -> Reply {
    let mut table = json!({
        "TableName": "users",
        "TableStatus": status,
        "TableArn": "arn:aws:dynamodb:eu-central-1:123456789012:table/users",
        "TableId": "6b8d1c5e",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": write},
    });
    if let (Value::Object(table), Value::Object(more)) = (&mut table, more) {
        table.extend(more);
    }
    Reply::json(200, json!({"Table": table}).to_string())
}

fn active(write: u64) -> Reply {
    table("ACTIVE", write, Value::Null)
}

/// The updates that were asked for.
fn updates(endpoint: &Endpoint) -> Vec<Value> {
    let requests = endpoint.requests().into_iter();
    let updates = requests.filter(|request| {
        let target = request.headers().get("x-amz-target");
        target.is_some_and(|target| target.ends_with("UpdateTable"))
    });
    updates
        .map(|request| serde_json::from_slice(request.body().bytes().unwrap()).unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_capacity_is_set_once_other_changes_are_done_and_waited_for() {
    let updating = || table("UPDATING", 100, Value::Null);
    let endpoint = Endpoint::script([
        updating(),
        updating(),
        active(100),
        Reply::json(200, "{}"),
        updating(),
        updating(),
        active(500),
    ]);
    let start = Instant::now();
    let changed = set_capacity(&endpoint.client(), "users", &provisioned(500), PATIENCE).await;
    assert!(changed.unwrap());
    assert!(start.elapsed() >= Duration::from_secs(1));
    let updates = updates(&endpoint);
    assert_eq!(updates.len(), 1);
    let throughput = &updates[0]["ProvisionedThroughput"];
    assert_eq!(
        throughput,
        &json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 500})
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_taken_is_looked_for() {
    // A node that has not heard of it yet.
    let late = [
        active(100),
        Reply::json(200, "{}"),
        active(100),
        table("UPDATING", 100, Value::Null),
        active(500),
    ];
    let endpoint = Endpoint::script(late);
    let set = set_capacity(&endpoint.client(), "users", &provisioned(500), PATIENCE).await;
    assert!(set.unwrap());

    let passed_over = [active(100), Reply::json(200, "{}"), active(100)];
    let endpoint = Endpoint::script(passed_over);
    let set = set_capacity(&endpoint.client(), "users", &provisioned(500), PATIENCE).await;
    assert!(matches!(set, Err(Error::NotAsAsked { .. })), "{set:?}");
    assert_eq!(updates(&endpoint).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_capacity_that_is_so_already_is_not_touched() {
    let endpoint = Endpoint::new(active(500));
    let changed = set_capacity(&endpoint.client(), "users", &provisioned(500), PATIENCE).await;
    assert!(!changed.unwrap());
    assert_eq!(updates(&endpoint), Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_refused_for_now_is_tried_again() {
    for (status, code) in [
        (400, "LimitExceededException"),
        (400, "ResourceInUseException"),
        (500, "InternalServerError"),
    ] {
        let refusal = || Reply::error(status, code, "not now");
        let endpoint = Endpoint::script([
            active(500),
            refusal(),
            active(500),
            refusal(),
            active(500),
            Reply::json(200, "{}"),
            active(100),
        ]);
        let changed = set_capacity(&endpoint.client(), "users", &provisioned(100), PATIENCE).await;
        assert!(changed.unwrap(), "{code}");
        assert_eq!(updates(&endpoint).len(), 3, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_does_not_pass_ends_in_time_and_says_what_it_was() {
    let endpoint = Endpoint::script((0..40).flat_map(|_| {
        [
            active(500),
            Reply::error(400, "LimitExceededException", "daily"),
        ]
    }));
    let start = Instant::now();
    let error = set_capacity(&endpoint.client(), "users", &provisioned(100), PATIENCE)
        .await
        .unwrap_err();
    assert!(start.elapsed() <= PATIENCE);
    assert!(
        matches!(
            error,
            Error::Change {
                what: "capacity",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(matches!(error.cause(), Some(Cause::Throttled(_))));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_permitted_is_not_tried_again() {
    let denied = Reply::error(400, "AccessDeniedException", "no");
    let endpoint = Endpoint::script([active(500), denied]);
    let error = set_capacity(&endpoint.client(), "users", &provisioned(100), PATIENCE)
        .await
        .unwrap_err();
    assert_eq!(error.cause(), Some(&Cause::AccessDenied));
    assert_eq!(updates(&endpoint).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_billing_mode_is_left_as_it_is() {
    let on_demand = json!({"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}});
    let endpoint = Endpoint::new(table("ACTIVE", 0, on_demand));
    let error = set_capacity(&endpoint.client(), "users", &provisioned(100), PATIENCE)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::UnusableTable { .. }), "{error:?}");
    assert_eq!(updates(&endpoint), Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn indexes_are_raised_with_their_table() {
    let with_index_of = |write: u64| {
        let index = json!({"GlobalSecondaryIndexes": [{
            "IndexName": "by-mail",
            "IndexStatus": "ACTIVE",
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": write},
        }]});
        table("ACTIVE", 800, index)
    };
    let endpoint = Endpoint::script([
        with_index_of(50),
        Reply::json(400, "{}"),
        with_index_of(50),
        with_index_of(50),
        Reply::json(200, "{}"),
        with_index_of(500),
    ]);
    let client = endpoint.client();
    let before = describe_state(&client, "users").await.unwrap().capacity;
    let raised = before.raised_to(WriteUnits::new(500)).unwrap();
    assert_eq!(raised.table, TableCapacity::Provisioned(units(800)));
    assert_eq!(raised.indexes["by-mail"], units(500));
    assert!(
        set_capacity(&client, "users", &raised, PATIENCE)
            .await
            .unwrap()
    );
    let updates = updates(&endpoint);
    // The table has more than that already.
    assert_eq!(updates[0]["ProvisionedThroughput"], Value::Null);
    let update = &updates[0]["GlobalSecondaryIndexUpdates"][0]["Update"];
    assert_eq!(update["ProvisionedThroughput"]["WriteCapacityUnits"], 500);
}

#[test]
fn only_what_is_limited_is_raised() {
    let on_demand = |max_write| CapacitySettings {
        table: TableCapacity::OnDemand {
            max_read: Some(7),
            max_write,
        },
        indexes: BTreeMap::new(),
    };
    let more = WriteUnits::new(500);
    assert_eq!(
        on_demand(Some(100)).raised_to(more),
        Some(on_demand(Some(500)))
    );
    assert_eq!(
        on_demand(Some(900)).raised_to(more),
        Some(on_demand(Some(900)))
    );
    assert_eq!(on_demand(None).raised_to(more), None);
}

#[tokio::test(start_paused = true)]
async fn a_table_is_warmed_up_only_if_it_takes_less() {
    let warm = |write: u64| {
        let warm = json!({"WarmThroughput": {"WriteUnitsPerSecond": write}});
        table("ACTIVE", 100, warm)
    };
    let endpoint = Endpoint::script([warm(4_000), Reply::json(200, "{}"), warm(9_000)]);
    let client = endpoint.client();
    let write = WriteUnits::new(9_000);
    assert!(warm_up(&client, "users", write, PATIENCE).await.unwrap());
    let asked = &updates(&endpoint)[0]["WarmThroughput"];
    assert_eq!(asked, &json!({"WriteUnitsPerSecond": 9_000}));
    assert!(!warm_up(&client, "users", write, PATIENCE).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_index_is_waited_for_until_it_holds_everything() {
    let with = |status: &str| {
        let index =
            json!({"GlobalSecondaryIndexes": [{"IndexName": "by-mail", "IndexStatus": status}]});
        table("ACTIVE", 100, index)
    };
    let endpoint = Endpoint::script([
        active(100),
        Reply::json(200, "{}"),
        with("CREATING"),
        with("CREATING"),
        with("ACTIVE"),
    ]);
    let client = endpoint.client();
    assert!(
        add_index(&client, "users", &by_mail(), PATIENCE)
            .await
            .unwrap()
    );
    let updates = updates(&endpoint);
    let create = &updates[0]["GlobalSecondaryIndexUpdates"][0]["Create"];
    assert_eq!(create["ProvisionedThroughput"]["WriteCapacityUnits"], 100);
    assert_eq!(create["Projection"]["ProjectionType"], "KEYS_ONLY");
    // It is there by now, as after a load that was ended while it was made.
    assert!(
        !add_index(&client, "users", &by_mail(), PATIENCE)
            .await
            .unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_being_made_is_waited_for() {
    let creating = || table("CREATING", 100, Value::Null);
    let endpoint = Endpoint::script([creating(), creating(), active(100)]);
    let client = endpoint.client();
    assert!(describe_once_made(&client, "users", PATIENCE).await.is_ok());

    let endpoint = Endpoint::new(creating());
    let error = describe_once_made(&endpoint.client(), "users", PATIENCE).await;
    assert!(matches!(error, Err(Error::NotActive { .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn the_state_of_a_table_is_what_a_load_over_it_costs() {
    let more = json!({
        "ItemCount": 7,
        "TableSizeBytes": 700,
        "DeletionProtectionEnabled": true,
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        "Replicas": [{"RegionName": "eu-west-1"}, {"RegionName": "us-east-1"}],
        "GlobalSecondaryIndexes": [{"IndexName": "by-mail", "IndexStatus": "CREATING"}],
        "WarmThroughput": {"WriteUnitsPerSecond": 4_000},
    });
    let ttl = json!({"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}});
    let backups = json!({"ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }});
    let endpoint = Endpoint::script([
        table("UPDATING", 100, more),
        Reply::json(200, ttl.to_string()),
        Reply::json(200, backups.to_string()),
    ]);
    let state = describe_state(&endpoint.client(), "users").await.unwrap();
    assert_eq!(state.id.as_deref(), Some("6b8d1c5e"));
    assert!(state.arn.unwrap().ends_with(":table/users"));
    assert_eq!(state.status, TableStatus::Updating);
    assert_eq!(state.stream, Some(StreamView::NewImage));
    assert_eq!(state.point_in_time_recovery, PointInTimeRecovery::Off);
    assert_eq!(state.replicas, ["eu-west-1", "us-east-1"]);
    assert!(state.deletion_protection);
    assert_eq!(state.ttl_attribute.as_deref(), Some("expires"));
    assert_eq!((state.items, state.bytes), (7, 700));
    assert_eq!(state.warm_write, Some(4_000));
    assert_eq!(state.indexes_in_change, ["by-mail"]);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_asked_for_is_not_known() {
    let endpoint = Endpoint::script([
        active(100),
        Reply::error(400, "AccessDeniedException", "no"),
    ]);
    let state = describe_state(&endpoint.client(), "users").await.unwrap();
    assert_eq!(state.point_in_time_recovery, PointInTimeRecovery::NotKnown);
    assert_eq!(state.ttl_attribute, None);
}

fn by_mail() -> NewIndex {
    NewIndex {
        name: "by-mail".to_owned(),
        kind: IndexKind::Global,
        partition_key: IndexKey {
            name: "mail".to_owned(),
            key_type: KeyType::S,
        },
        sort_key: None,
        projection: Projection::KeysOnly,
        units: None,
    }
}

#[tokio::test]
async fn a_table_has_all_that_it_was_made_with() {
    let client = EmbeddedStore::in_memory().unwrap().client();
    let keys = TableSchema::builder("users")
        .partition_key("id", KeyType::S)
        .sort_key("seq", KeyType::N);
    let by_day = NewIndex {
        name: "by-day".to_owned(),
        kind: IndexKind::Local,
        partition_key: IndexKey {
            name: "id".to_owned(),
            key_type: KeyType::S,
        },
        sort_key: Some(IndexKey {
            name: "day".to_owned(),
            key_type: KeyType::S,
        }),
        projection: Projection::Include(vec![AttributeName::new("name").unwrap()]),
        units: None,
    };
    let table = NewTable::with_keys_of(&keys.build().unwrap())
        .capacity(TableCapacity::Provisioned(units(50)))
        .indexes([by_day, by_mail()])
        .ttl_attribute("expires")
        .tag("team", "data")
        .deletion_protection(true);
    table.create(&client, PATIENCE).await.unwrap();
    let described = describe(&client, "users").await.unwrap();
    assert_eq!(described, table.schema().unwrap());
    let state = describe_state(&client, "users").await.unwrap();
    assert!(state.deletion_protection);
    assert_eq!(state.capacity.table, TableCapacity::Provisioned(units(50)));
    assert_eq!(state.capacity.indexes["by-mail"], units(50));
    let tags = client
        .list_tags_of_resource()
        .resource_arn(state.arn.unwrap())
        .send()
        .await
        .unwrap();
    let tags: Vec<_> = tags
        .tags()
        .iter()
        .map(|tag| (tag.key(), tag.value()))
        .collect();
    assert_eq!(tags, [("team", "data")]);
}

#[tokio::test]
async fn a_maximum_is_raised_and_put_back() {
    let client = EmbeddedStore::in_memory().unwrap().client();
    let keys = TableSchema::builder("users").partition_key("id", KeyType::S);
    let limited = TableCapacity::OnDemand {
        max_read: None,
        max_write: Some(100),
    };
    let table = NewTable::with_keys_of(&keys.build().unwrap()).capacity(limited);
    table.create(&client, PATIENCE).await.unwrap();
    let capacity = async || describe_state(&client, "users").await.unwrap().capacity;
    let before = capacity().await;
    let raised = before.raised_to(WriteUnits::new(900)).unwrap();
    for settings in [&raised, &before] {
        assert!(
            set_capacity(&client, "users", settings, PATIENCE)
                .await
                .unwrap()
        );
        assert_eq!(capacity().await, *settings);
        assert!(
            !set_capacity(&client, "users", settings, PATIENCE)
                .await
                .unwrap()
        );
    }
}

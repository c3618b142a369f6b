//! Values at their edges, as items.

use dynasink_arrow::{FileSource, SourceOptions};

use crate::load::{Loaded, data, load, load_data};

fn dead(rows: &[(u64, &str)]) -> Vec<(u64, String)> {
    rows.iter()
        .map(|(row, code)| (*row, (*code).to_owned()))
        .collect()
}

#[tokio::test]
async fn int96_is_read_in_microseconds() {
    let loaded = load_data("int96.parquet", "id").await;
    let times = [
        "1970-01-01T00:00:00.000000",
        "2023-11-14T22:13:20.123456",
        "1969-12-31T23:59:59.999999",
    ];
    let items = times
        .iter()
        .enumerate()
        .map(|(row, time)| format!(r#"{{"id":{{"S":"k{row:06}"}},"ts":{{"S":"{time}"}}}}"#));
    assert_eq!(
        loaded,
        Loaded {
            items: items.collect(),
            dead: vec![]
        }
    );
}

#[tokio::test]
async fn timestamps_beyond_four_digit_years_reject_their_rows() {
    let loaded = load_data("timestamps_extreme.parquet", "id").await;
    assert_eq!(
        loaded.dead,
        dead(&[
            (0, "unsupported_value"),
            (1, "unsupported_value"),
            (2, "unsupported_value")
        ])
    );
    assert_eq!(
        loaded.items,
        [
            r#"{"id":{"S":"k000003"},"us":{"S":"0000-12-31T23:59:59.000000"},"ms_utc":{"S":"0000-12-31T23:59:59.000Z"}}"#
        ]
    );
}

#[tokio::test]
async fn decimals_of_38_digits_arrive_and_longer_ones_reject_their_row() {
    let loaded = load_data("decimals.parquet", "id").await;
    assert_eq!(loaded.dead, dead(&[(0, "number")]));
    assert!(
        loaded.items[0]
            .contains(r#""d128_38_38":{"N":"-0.99999999999999999999999999999999999999"}"#)
    );
    assert!(
        loaded.items[0].contains(r#""d256_50_49":{"N":"1E-49"},"d256_76_38_fits":{"N":"100"}"#)
    );
    assert!(loaded.items[1].contains(r#""d128_38_10":{"N":"0"}"#));
    assert_eq!(loaded.items[2], r#"{"id":{"S":"k000003"}}"#);
}

#[tokio::test]
async fn nested_columns_keep_their_places() {
    let loaded = load_data("nested.parquet", "id").await;
    assert_eq!(loaded.dead, dead(&[(3, "duplicate_attribute")]));
    assert_eq!(
        loaded.items[0],
        concat!(
            r#"{"id":{"S":"k000000"},"#,
            r#""s":{"M":{"a":{"N":"1"},"b":{"M":{"c":{"L":[{"S":"x"},{"NULL":true}]},"d":{"BOOL":true}}}}},"#,
            r#""l":{"L":[{"N":"1"},{"N":"2"}]},"ll":{"L":[{"L":[{"N":"1"}]},{"L":[]}]},"#,
            r#""m":{"M":{"k":{"N":"1"}}},"mi":{"M":{"1":{"S":"a"}}},"#,
            r#""fsl":{"L":[{"N":"1"},{"N":"2"}]},"lstruct":{"L":[{"M":{"x":{"N":"1"}}}]}}"#,
        )
    );
    assert!(loaded.items[1].contains(r#""s":{"M":{}},"l":{"L":[]}"#));
    assert!(loaded.items[1].contains(r#""mi":{"M":{"2":{"NULL":true}}}"#));
    assert_eq!(loaded.items[2], r#"{"id":{"S":"k000002"}}"#);
}

#[tokio::test]
async fn nesting_is_as_deep_as_the_service_takes() {
    assert_eq!(load_data("deep_31.parquet", "id").await.items.len(), 1);
    assert_eq!(
        load_data("deep_40.parquet", "id").await.dead,
        dead(&[(0, "nesting_too_deep")])
    );
}

#[tokio::test]
async fn keys_that_the_service_refuses_reject_their_rows() {
    let loaded = load_data("keys_bad.parquet", "pk").await;
    assert_eq!(
        loaded.dead,
        dead(&[
            (1, "empty_key"),
            (2, "missing_key"),
            (4, "key_too_long"),
            (6, "key_too_long")
        ])
    );
    assert_eq!(
        loaded.items[0],
        r#"{"pk":{"S":"ok"},"sk":{"S":"a"},"v":{"N":"0"}}"#
    );
    assert_eq!(loaded.items.len(), 6);
    let floats = load_data("keys_float_nan.parquet", "pk").await;
    assert_eq!(floats.items, [r#"{"pk":{"N":"1"},"v":{"N":"0"}}"#]);
    assert_eq!(
        floats.dead,
        dead(&[(1, "number"), (2, "missing_key"), (3, "number")])
    );
}

#[tokio::test]
async fn unsigned_integers_keep_their_upper_half() {
    let loaded = load_data("ints_all.parquet", "id").await;
    let all = loaded.items.concat();
    for text in [
        "18446744073709551615",
        "-9223372036854775808",
        "4294967295",
        "-128",
    ] {
        assert!(
            all.contains(&format!(r#"{{"N":"{text}"}}"#)),
            "{text}: {all}"
        );
    }
}

#[tokio::test]
async fn views_and_large_types_are_as_the_small_ones() {
    let loaded = load_data("views_large.parquet", "id").await;
    assert_eq!(loaded.items.len(), 3);
    assert!(loaded.dead.is_empty());
}

#[tokio::test]
async fn every_codec_gives_the_same_items() {
    let plain = load_data("codec_none.parquet", "id").await;
    assert_eq!(plain.items.len(), 100);
    for codec in ["brotli", "gzip", "lz4", "snappy", "zstd"] {
        let loaded = load_data(&format!("codec_{codec}.parquet"), "id").await;
        assert_eq!(loaded, plain, "{codec}");
    }
}

#[tokio::test]
async fn logical_types_that_arrow_does_not_tell_are_told_by_parquet() {
    let options = SourceOptions::new().with_columns(["id", "e", "u", "j", "ub", "ts9999"]);
    let source = FileSource::open([data("duckdb_types.parquet")], options)
        .await
        .unwrap();
    let loaded = load(&source, "id").await.unwrap();
    assert!(
        loaded.items[0].contains(r#""u":{"S":"00112233-4455-6677-8899-aabbccddeeff"}"#),
        "{loaded:?}"
    );
    assert!(loaded.items[0].contains(r#""e":{"S":"#), "{loaded:?}");
    assert!(
        loaded.items[0].contains(r#""ts9999":{"S":"9999-12-31T"#),
        "{loaded:?}"
    );
}

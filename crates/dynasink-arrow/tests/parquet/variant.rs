//! The files of parquet-testing with VARIANTs, shredded in every way that the specification has and in some that it
//! has not. What each holds is what the corpus says of it.

use std::path::{Path, PathBuf};

use dynasink_arrow::{FileSource, SourceOptions};

use crate::load::{load, one_line};
use crate::traps::PARQUET_TESTING;

/// Shredded values of each type, in the order in which the corpus has them three times.
const PRIMITIVES: [&str; 34] = [
    r#"{"BOOL":true}"#,
    r#"{"BOOL":false}"#,
    r#"{"N":"34"}"#,
    r#"{"N":"-34"}"#,
    r#"{"N":"1234"}"#,
    r#"{"N":"-1234"}"#,
    r#"{"N":"12345"}"#,
    r#"{"N":"-12345"}"#,
    r#"{"N":"9876543210"}"#,
    r#"{"N":"-9876543210"}"#,
    r#"{"N":"10.11"}"#,
    r#"{"N":"-10.11"}"#,
    r#"{"N":"14.3"}"#,
    r#"{"N":"-14.3"}"#,
    r#"{"S":"2024-11-07"}"#,
    r#"{"S":"1957-11-07"}"#,
    r#"{"S":"2024-11-07T12:33:54.123456Z"}"#,
    r#"{"S":"1957-11-07T12:33:54.123456Z"}"#,
    r#"{"S":"2024-11-07T12:33:54.123456"}"#,
    r#"{"S":"1957-11-07T12:33:54.123456"}"#,
    r#"{"N":"12345.6789"}"#,
    r#"{"N":"-12345.6789"}"#,
    r#"{"N":"123456789.987654321"}"#,
    r#"{"N":"-123456789.987654321"}"#,
    r#"{"N":"9876543210.123456789"}"#,
    r#"{"N":"-9876543210.123456789"}"#,
    r#"{"B":"CgsMDQ=="}"#,
    r#"{"S":"iceberg"}"#,
    r#"{"S":"12:33:54.123456"}"#,
    r#"{"S":"2024-11-07T12:33:54.123456789Z"}"#,
    r#"{"S":"1957-11-07T12:33:54.123456789Z"}"#,
    r#"{"S":"2024-11-07T12:33:54.123456789"}"#,
    r#"{"S":"1957-11-07T12:33:54.123456789"}"#,
    r#"{"S":"f24f9b64-81fa-49d1-b74e-8c09a6e31c56"}"#,
];

const NULL: &str = r#"{"NULL":true}"#;
const OMITTED: &str = "omitted";
/// Its row is rejected.
const REJECTED: &str = "unsupported_value";

const COMEDY_AND_DRAMA: &str = r#"{"L":[{"S":"comedy"},{"S":"drama"}]}"#;
const NULL_AND_ICEBERG: &str = r#"{"M":{"a":{"NULL":true},"d":{"S":"iceberg"}}}"#;
const ONLY_ICEBERG: &str = r#"{"M":{"b":{"S":"iceberg"}}}"#;

/// The VARIANT of each row of a file.
fn expected(case: usize) -> Vec<&'static str> {
    match case {
        1 | 41 | 88 => vec![COMEDY_AND_DRAMA],
        2 => vec![r#"{"L":[]}"#],
        4..=37 => vec![PRIMITIVES[case - 4]],
        48..=81 => vec![PRIMITIVES[case - 48]],
        90..=123 => vec![PRIMITIVES[case - 90]],
        38 | 132 => vec![ONLY_ICEBERG],
        39 | 131 => vec![r#"{"N":"34"}"#],
        // The specification has none of these.
        40 | 42 | 43 | 87 | 125 | 128 => vec![REJECTED],
        44 => vec![r#"{"M":{"c":{"M":{"a":{"N":"34"},"b":{"S":"iceberg"}}},"d":{"N":"0"}}}"#],
        45 => vec![
            COMEDY_AND_DRAMA,
            r#"{"N":"34"}"#,
            NULL_AND_ICEBERG,
            r#"{"L":[{"S":"action"},{"S":"horror"}]}"#,
        ],
        46 => vec![r#"{"M":{"a":{"NULL":true},"b":{"S":""}}}"#],
        47 | 89 | 129 | 135 => vec![NULL],
        82 | 124 => vec![NULL_AND_ICEBERG],
        83 => vec![
            OMITTED,
            r#"{"M":{"c":{"M":{"b":{"S":"iceberg"}}}}}"#,
            r#"{"M":{"c":{"N":"8"},"d":{"N":"0"}}}"#,
            r#"{"M":{"c":{"M":{"a":{"N":"34"},"b":{"S":""}}},"d":{"N":"0"}}}"#,
        ],
        84 => vec![r#"{"M":{"a":{"N":"34"},"b":{"S":"iceberg"}}}"#],
        85 => vec![r#"{"L":[{"NULL":true}]}"#],
        86 => vec![r#"{"L":[{"S":"comedy"},{"NULL":true},{"S":"drama"}]}"#],
        126 => vec![
            r#"{"L":[{"M":{"a":{"N":"1"},"b":{"S":"comedy"}}},{"M":{"a":{"N":"2"},"b":{"S":"drama"}}}]}"#,
            r#"{"L":[{"M":{"a":{"N":"3"},"b":{"S":"action"},"c":{"S":"str"}}},{"M":{"a":{"N":"4"},"b":{"S":"horror"},"d":{"S":"2024-01-30"}}}]}"#,
        ],
        130 => vec![r#"{"M":{}}"#],
        133 => vec![r#"{"M":{"a":{"BOOL":false}}}"#],
        134 => vec![r#"{"M":{"a":{"NULL":true},"b":{"S":"iceberg"},"d":{"S":"2024-01-30"}}}"#],
        136 => vec![r#"{"L":[{"L":[{"S":"comedy"},{"S":"drama"}]},{"L":[]}]}"#],
        138 => vec![r#"{"M":{"a":{"N":"1234"},"b":{"S":"iceberg"}}}"#],
        _ => panic!("case {case} is new"),
    }
}

/// Types that a VARIANT cannot be shredded into.
const UNSUPPORTED_TYPES: [usize; 2] = [127, 137];

fn cases() -> Option<Vec<(usize, PathBuf)>> {
    let folder = std::env::var_os(PARQUET_TESTING)?;
    let folder = Path::new(&folder).join("shredded_variant");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let name = path
                .file_stem()?
                .to_str()?
                .strip_prefix("case-")?
                .to_owned();
            let is_parquet = path
                .extension()
                .is_some_and(|extension| extension == "parquet");
            let number = name.split('-').next()?.parse().ok()?;
            is_parquet.then_some((number, path))
        })
        .collect();
    cases.sort();
    Some(cases)
}

#[tokio::test]
async fn every_variant_is_what_the_corpus_says() {
    let Some(cases) = cases() else {
        println!("skipped: {PARQUET_TESTING} does not name a folder");
        return;
    };
    assert!(cases.len() > 130, "{}", cases.len());
    for (case, path) in cases {
        let source = FileSource::open([&path], SourceOptions::new())
            .await
            .unwrap();
        let loaded = load(&source, "id").await;
        if UNSUPPORTED_TYPES.contains(&case) {
            let error = one_line(loaded.unwrap_err().as_ref());
            assert!(error.contains("\"var\""), "case {case}: {error}");
            continue;
        }
        let loaded = loaded.unwrap_or_else(|error| panic!("case {case}: {error}"));
        let mut items = loaded.items.iter();
        let rows: Vec<String> = (0_u64..)
            .take(loaded.items.len() + loaded.dead.len())
            .map(|row| {
                if let Some((_, code)) = loaded.dead.iter().find(|(dead, _)| *dead == row) {
                    return code.clone();
                }
                let item = items.next().unwrap();
                let value = item.split_once(r#","var":"#);
                value
                    .map_or(OMITTED, |(_, value)| value.strip_suffix('}').unwrap())
                    .to_owned()
            })
            .collect();
        assert_eq!(rows, expected(case), "case {case}");
    }
}

use std::path::Path;

use dynasink::{Counts, IndexUse, Refusals, TimelinePoint};

use super::*;
use crate::report::record::{Settings, SourceRows};

/// What nobody should call a table, and what a service may say all the same.
const HOSTILE: &str =
    "</script><script>alert('x')</script><img src=\"http://example.com/a\">&\u{2028}";

fn settings() -> Settings {
    Settings {
        command: "load",
        rate: HOSTILE.to_owned(),
        headroom_percent: Some(10.0),
        burst_seconds: None,
        concurrency: "auto".to_owned(),
        dedup: "keep-last".to_owned(),
        rows: 3,
        sources: vec![SourceRows {
            file: HOSTILE.to_owned(),
            rows: 3,
        }],
    }
}

fn point(second: u64) -> TimelinePoint {
    let used = IndexUse {
        units: second,
        limit: Some(7),
    };
    TimelinePoint {
        start: Duration::from_secs(second),
        length: Duration::from_secs(1),
        table_units: 100,
        limit: Some(200),
        indexes: [(HOSTILE.to_owned(), used)].into(),
        refused: Refusals {
            index: second,
            ..Refusals::default()
        },
        ..TimelinePoint::default()
    }
}

fn page(end: End, counts: Counts, points: &[TimelinePoint]) -> String {
    let settings = settings();
    of(&Record {
        dynasink: "0.0.0",
        started: "2026-01-01T00:00:00Z".to_owned(),
        settings: &settings,
        summary: Report {
            table: HOSTILE,
            end,
            counts,
            unresolved: counts.unresolved(),
            elapsed_seconds: 61.5,
            dead_letters: Some(Path::new(HOSTILE)),
            first_dead: Some(HOSTILE.to_owned()),
            item_collections: Vec::new(),
            error: Some(HOSTILE),
            notices: &[],
            resumed: false,
            written_before: 0,
        },
        refused_by_index: [(HOSTILE.to_owned(), 5)].into(),
        latency: None,
        timeline: points,
    })
    .unwrap()
}

/// The JSON that the page holds.
fn data(page: &str) -> serde_json::Value {
    let (_, after) = page.split_once("id=\"report\">").unwrap();
    let (data, _) = after.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn what_comes_from_outside_is_text_and_never_markup() {
    let points: Vec<_> = (0..3).map(point).collect();
    let page = page(End::Failed, Counts::default(), &points);
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img"), "{page}");
    let data = data(&page);
    assert_eq!(data["summary"]["table"], HOSTILE);
    assert_eq!(data["timeline"].as_array().unwrap().len(), 3);
}

#[test]
fn a_page_needs_nothing_from_elsewhere() {
    let page = page(End::Complete, Counts::default(), &[point(0)]);
    for reference in ["<link", "@import", "url(", "href=", " src=\"h"] {
        let told = page.replace("src=\\\"", "");
        assert!(!told.contains(reference), "{reference}");
    }
}

#[test]
fn a_load_that_did_not_end_well_says_what_to_do() {
    let of = |end, counts| page(end, counts, &[point(0)]);
    let unresolved = Counts {
        rows_read: 5,
        items_written: 3,
        ..Counts::default()
    };
    let failed = of(End::Failed, unresolved);
    assert!(
        failed.contains("2 rows were read and have no outcome"),
        "{failed}"
    );
    assert!(failed.contains("run the same command again"), "{failed}");
    assert!(of(End::TooManyErrors, unresolved).contains("--max-errors"));
    assert!(of(End::Interrupted, unresolved).contains("Interrupted"));
    assert!(!of(End::Complete, Counts::default()).contains("What to do"));
}

#[test]
fn a_load_of_nothing_has_its_page_too() {
    let empty = page(End::Complete, Counts::default(), &[]);
    assert!(!empty.contains("NaN") && !empty.contains("inf%"), "{empty}");
    let moment = page(
        End::Complete,
        Counts::default(),
        &[TimelinePoint::default()],
    );
    assert!(!moment.contains("NaN"), "{moment}");
}

#[test]
fn each_index_and_each_cause_that_came_has_its_place() {
    let points: Vec<_> = (0..3).map(point).collect();
    let page = page(End::Complete, Counts::default(), &points);
    for id in [
        "units-table",
        "units-index-1",
        "refusals",
        "rows",
        "batch-size",
        "in-flight",
        "latency",
    ] {
        assert_eq!(
            page.matches(&format!("<figure id=\"{id}\"")).count(),
            1,
            "{id}"
        );
    }
    assert!(!page.contains("id=\"failures\""));
    assert!(
        !page.contains("</svg>account</li>"),
        "a cause that never came"
    );
}

use dynasink_arrow::FileFormat;

use super::*;

fn identity() -> LoadIdentity {
    let file = |name: &str| FileIdentity {
        name: name.to_owned(),
        format: FileFormat::Parquet,
        bytes: 10,
        etag: None,
        modified: Some("then".to_owned()),
        footer: "f".to_owned(),
    };
    LoadIdentity {
        source: SourceIdentity {
            files: vec![file("a"), file("b")],
            unread_files: Vec::new(),
            columns: None,
            filter: None,
            partition_columns: Vec::new(),
            skips_unreadable: false,
        },
        mapping: "m".to_owned(),
        table: TableIdentity {
            name: "t".to_owned(),
            arn: Some("arn".to_owned()),
            id: Some("1".to_owned()),
        },
        dedup: "keep_last".to_owned(),
    }
}

/// What is said of a change by `change`.
fn said(change: impl FnOnce(&mut LoadIdentity)) -> Option<String> {
    let mut now = identity();
    change(&mut now);
    identity().change_to(&now).map(|change| change.to_string())
}

/// What is told, and what is done.
type Change = (&'static str, fn(&mut LoadIdentity));

#[test]
fn each_change_is_told_with_what_it_is_of() {
    assert_eq!(said(|_| {}), None);
    let cases: [Change; 12] = [
        ("a has changed (its size", |now| {
            now.source.files[0].bytes = 11;
        }),
        ("a has changed (its footer", |now| {
            now.source.files[0].footer = "g".to_owned();
        }),
        ("b has changed (it was written", |now| {
            now.source.files[1].modified = None;
        }),
        ("b is not among the sources any more", |now| {
            drop(now.source.files.pop());
        }),
        ("c was not among the sources", |now| {
            let mut added = now.source.files[0].clone();
            added.name = "c".to_owned();
            now.source.files.push(added);
        }),
        ("another order, b first", |now| now.source.files.swap(0, 1)),
        ("columns that are read were all, and now n", |now| {
            now.source.columns = Some(vec!["n".to_owned()]);
        }),
        ("folders were none, and now d", |now| {
            now.source.partition_columns.push("d: Utf8".to_owned());
        }),
        ("the mapping makes other items", |now| {
            now.mapping = "o".to_owned();
        }),
        ("its ARN was arn, and is other", |now| {
            now.table.arn = Some("other".to_owned());
        }),
        ("its id was 1, and is 2", |now| {
            now.table.id = Some("2".to_owned());
        }),
        ("by keep_last, and now by off", |now| {
            now.dedup = "off".to_owned();
        }),
    ];
    for (part, change) in cases {
        let said = said(change).unwrap_or_default();
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}

#[test]
fn what_an_endpoint_does_not_tell_of_a_table_is_not_compared() {
    assert_eq!(said(|now| now.table.id = None), None);
}

#[test]
fn a_file_that_is_read_twice_is_known() {
    let mut twice = identity();
    assert_eq!(twice.file_twice(), None);
    twice.source.files[1].name = "a".to_owned();
    assert_eq!(twice.file_twice(), Some("a"));
}

//! Several files as one source.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use dynasink_arrow::{Error, FileSource, SourceOptions};
use tempfile::TempDir;

use crate::load::{load, write};

fn numbers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Files of these columns, in this order.
fn files(folder: &TempDir, columns: &[&[(&str, ArrayRef, bool)]]) -> Vec<PathBuf> {
    let write_one = |(at, columns): (usize, &&[(&str, ArrayRef, bool)])| {
        let path = folder.path().join(format!("{at}.parquet"));
        let batch = RecordBatch::try_from_iter_with_nullable(columns.iter().cloned()).unwrap();
        write(&path, &batch, 100);
        path
    };
    columns.iter().enumerate().map(write_one).collect()
}

#[tokio::test]
async fn columns_are_matched_by_name_whatever_their_order_and_nullability() {
    let folder = TempDir::new().unwrap();
    let paths = files(
        &folder,
        &[
            &[
                ("id", numbers(&[Some(1)]), false),
                ("name", texts(&["ann"]), false),
            ],
            &[
                ("name", texts(&["bob", "eve"]), false),
                ("id", numbers(&[Some(2), None]), true),
            ],
        ],
    );
    let source = FileSource::open(&paths, SourceOptions::new())
        .await
        .unwrap();
    assert_eq!(source.total_rows(), 3);
    assert!(source.schema().field(0).is_nullable());
    assert!(!source.schema().field(1).is_nullable());
    let loaded = load(&source, "id").await.unwrap();
    assert_eq!(
        loaded.items,
        [
            r#"{"id":{"N":"1"},"name":{"S":"ann"}}"#,
            r#"{"id":{"N":"2"},"name":{"S":"bob"}}"#
        ]
    );
    assert_eq!(loaded.dead, [(1, "missing_key".to_owned())]);
}

#[tokio::test]
async fn a_file_without_a_column_that_is_needed_is_told_before_any_row() {
    let folder = TempDir::new().unwrap();
    let paths = files(
        &folder,
        &[
            &[
                ("id", numbers(&[Some(1)]), false),
                ("name", texts(&["ann"]), false),
            ],
            &[("name", texts(&["bob"]), false)],
        ],
    );
    let source = FileSource::open(&paths, SourceOptions::new())
        .await
        .unwrap();
    assert!(source.check_has(["name"]).is_ok());
    assert_eq!(source.files()[1].absent_columns(), ["id"]);
    let error = source.check_has(["name", "id"]).unwrap_err();
    assert!(
        matches!(&error, Error::ColumnAbsent { file, column } if file.ends_with("1.parquet") && column == "id"),
        "{error}"
    );
}

#[tokio::test]
async fn files_that_disagree_are_told_by_both_names_and_the_column() {
    let id = || ("id", numbers(&[Some(1)]), false);
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    let conflicts: [(&[_], &str, &str, &str); 2] = [
        (
            &[id(), ("v", texts(&["1"]), true)],
            "v",
            "Int64",
            "Utf8View",
        ),
        (&[id(), ("v", flags, true)], "v", "Int64", "Boolean"),
    ];
    for (columns, conflicting, in_first, in_second) in conflicts {
        let folder = TempDir::new().unwrap();
        let first: &[_] = &[id(), ("v", numbers(&[Some(2)]), true)];
        let paths = files(&folder, &[first, columns]);
        let error = FileSource::open(&paths, SourceOptions::new())
            .await
            .unwrap_err();
        let Error::SchemaConflict {
            file,
            first,
            column,
            expected,
            found,
        } = &error
        else {
            panic!("{error:?}")
        };
        assert!(
            file.ends_with("1.parquet") && first.ends_with("0.parquet"),
            "{error}"
        );
        assert_eq!(
            (column.as_str(), &**expected, &**found),
            (conflicting, in_first, in_second)
        );
    }
}

#[tokio::test]
async fn a_conflict_in_a_column_that_is_not_read_does_not_count() {
    let folder = TempDir::new().unwrap();
    let paths = files(
        &folder,
        &[
            &[
                ("id", numbers(&[Some(1)]), false),
                ("v", numbers(&[Some(2)]), true),
            ],
            &[
                ("v", texts(&["x"]), true),
                ("id", numbers(&[Some(3)]), false),
            ],
        ],
    );
    let options = SourceOptions::new().with_columns(["id"]);
    let source = FileSource::open(&paths, options).await.unwrap();
    let loaded = load(&source, "id").await.unwrap();
    assert_eq!(loaded.items, [r#"{"id":{"N":"1"}}"#, r#"{"id":{"N":"3"}}"#]);
}

//! Which rows and columns are loaded, and the keys of encrypted files.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use crate::workplace::{Workplace, column, stderr};

const KEY: &[&str] = &["--create-table", "--partition-key", "id:N", "--json"];

fn things(workplace: &Workplace) -> std::path::PathBuf {
    let numbers = Int64Array::from_iter_values(0..100);
    let names = StringArray::from_iter_values((0..100).map(|n| format!("name {n}")));
    workplace.parquet(
        "things.parquet",
        30,
        vec![("id", column(numbers)), ("name", column(names))],
    )
}

#[test]
fn rows_and_columns_are_chosen() {
    let workplace = Workplace::new();
    let path = things(&workplace);
    let args = [
        "--where",
        "name LIKE 'name 9%' AND id > 90",
        "--columns",
        "id",
    ];
    let args = [KEY, &args].concat();
    let assert = workplace.load(&[&path], &args).assert().code(0);
    let report: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(
        (&report["rows_read"], &report["items_written"]),
        (&9.into(), &9.into())
    );
}

#[test]
fn a_wrong_filter_is_refused_with_its_place() {
    let workplace = Workplace::new();
    let path = things(&workplace);
    for (filter, told) in [
        (
            "nme = 'x'",
            "character 1: no column is named \"nme\": is \"name\" meant?",
        ),
        (
            "id >= 1.5",
            "character 7: 1.5 is not exactly a value of column \"id\"",
        ),
        ("id >=", "filter: Expected"),
    ] {
        let args = [KEY, &["--where", filter]].concat();
        let refused = workplace.load(&[&path], &args).assert().code(2);
        let text = stderr(&refused);
        assert!(text.contains(told), "{text}");
    }
}

fn encrypt(path: &Path) {
    let encryption = FileEncryptionProperties::builder(b"0123456789012345".to_vec());
    let properties = WriterProperties::builder()
        .with_file_encryption_properties(encryption.build().unwrap())
        .build();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10));
    let batch = RecordBatch::try_from_iter([("id", numbers)]).unwrap();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn an_encrypted_file_is_read_with_the_keys_of_a_file() {
    let workplace = Workplace::new();
    let path = workplace.path("secret.parquet");
    encrypt(&path);
    let refused = workplace.load(&[&path], KEY).assert().code(2);
    assert!(stderr(&refused).contains("give its keys, by --decryption-keys"));

    let keys = workplace.path("keys.toml");
    let args = [KEY, &["--decryption-keys", "keys.toml", "-vv"]].concat();
    fs::write(&keys, "footer_key = { text = \"5432109876543210\" }").unwrap();
    let refused = workplace.load(&[&path], &args).assert().code(2);
    let text = stderr(&refused);
    assert!(
        text.contains("cannot be decrypted") && !text.contains("54321"),
        "{text}"
    );

    fs::write(
        &keys,
        "footer_key = { hex = \"30313233343536373839303132333435\" }",
    )
    .unwrap();
    workplace.load(&[&path], &args).assert().code(0);
}

//! Encrypted Parquet files, with their keys and without.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use dynasink_arrow::{DecryptionKeys, Error, Filter, SourceOptions};
use parquet::arrow::ArrowWriter;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

use crate::load::one_line;
use crate::traps::{parquet_testing, rows};

const FOOTER: &[u8] = b"0123456789012345";
const COLUMN: &[u8] = b"1234567890123450";

#[derive(Clone, Copy, PartialEq)]
enum FooterIs {
    Encrypted,
    Plain,
}

fn batch() -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
    let names = StringArray::from_iter_values((0..100).map(|n| format!("name {n}")));
    RecordBatch::try_from_iter([("id", numbers), ("name", Arc::new(names) as _)]).unwrap()
}

fn write(path: &Path, footer: FooterIs) {
    let encryption = FileEncryptionProperties::builder(FOOTER.to_vec())
        .with_plaintext_footer(footer == FooterIs::Plain)
        .with_column_key("id", FOOTER.to_vec())
        .with_column_key("name", COLUMN.to_vec())
        .with_aad_prefix(b"2024/orders".to_vec())
        .with_aad_prefix_storage(false)
        .build()
        .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(30))
        .with_file_encryption_properties(encryption)
        .build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch().schema(), Some(properties)).unwrap();
    writer.write(&batch()).unwrap();
    writer.close().unwrap();
}

fn keys(footer: &[u8], column: &[u8]) -> DecryptionKeys {
    DecryptionKeys::new(footer)
        .unwrap()
        .with_column_key("id", FOOTER)
        .unwrap()
        .with_column_key("name", column)
        .unwrap()
}

fn with(keys: DecryptionKeys) -> SourceOptions {
    SourceOptions::new().with_decryption_keys(keys)
}

#[tokio::test]
async fn a_file_is_read_with_its_keys_and_refused_without() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("secret.parquet");
    for footer in [FooterIs::Encrypted, FooterIs::Plain] {
        write(&path, footer);
        let right = keys(FOOTER, COLUMN).with_aad_prefix(b"2024/orders");
        let read = rows(&path, with(right.clone())).await.unwrap();
        let texts = arrow_cast::cast(read.column(1), &arrow_schema::DataType::Utf8).unwrap();
        assert_eq!((read.num_rows(), &texts), (100, batch().column(1)));

        let filter = Filter::parse("id BETWEEN 40 AND 44").unwrap();
        let some = rows(&path, with(right).with_filter(filter)).await.unwrap();
        assert_eq!(
            some.column(0).to_data(),
            Int64Array::from_iter_values(40..45).to_data()
        );

        let without = rows(&path, SourceOptions::new()).await.unwrap_err();
        assert!(matches!(without, Error::EncryptedFile { .. }), "{without}");
        assert!(
            without.to_string().contains("--decryption-keys"),
            "{without}"
        );
        for wrong in [
            keys(COLUMN, COLUMN).with_aad_prefix(b"2024/orders"),
            keys(FOOTER, FOOTER).with_aad_prefix(b"2024/orders"),
            keys(FOOTER, COLUMN).with_aad_prefix(b"2023/orders"),
            keys(FOOTER, COLUMN),
        ] {
            let error = rows(&path, with(wrong)).await.unwrap_err();
            assert!(matches!(error, Error::Decryption { .. }), "{error:?}");
            assert!(!one_line(&error).contains("012345"), "{}", one_line(&error));
        }
    }
}

#[tokio::test]
async fn keys_do_not_keep_a_plain_file_from_being_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("plain.parquet");
    crate::load::write(&path, &batch(), 30);
    let read = rows(&path, with(keys(FOOTER, COLUMN))).await.unwrap();
    assert_eq!(read.num_rows(), 100);
}

/// The keys that are published with the files, in `data/README.md` there.
fn published(key: &[u8], double: &[u8], float: &[u8]) -> DecryptionKeys {
    DecryptionKeys::new(key)
        .unwrap()
        .with_column_key("double_field", double)
        .unwrap()
        .with_column_key("float_field", float)
        .unwrap()
}

#[tokio::test]
async fn parquet_testings_files_are_read_with_their_keys() {
    let short = published(FOOTER, COLUMN, b"1234567890123451");
    let columns = [
        "double_field",
        "float_field",
        "boolean_field",
        "int32_field",
        "ba_field",
        "flba_field",
        "int64_field.list.element",
        "int96_field",
    ];
    let long = DecryptionKeys::new(b"01234567890123456789012345678901").unwrap();
    let long = columns.iter().zip(2..).fold(long, |keys, (column, last)| {
        let key = format!("1234567890123456789012345678901{last}");
        keys.with_column_key(*column, key.as_bytes()).unwrap()
    });
    let files = [
        "uniform_encryption",
        "encrypt_columns_and_footer",
        "encrypt_columns_and_footer_aad",
        "encrypt_columns_and_footer_disable_aad_storage",
        "encrypt_columns_plaintext_footer",
        "aes256/uniform_encryption",
        "aes256/encrypt_columns_and_footer",
        "aes256/encrypt_columns_and_footer_disable_aad_storage",
        "aes256/encrypt_columns_plaintext_footer",
    ];
    for name in files {
        let Some(path) = parquet_testing(&format!("data/{name}.parquet.encrypted")) else {
            return;
        };
        let keys = if name.starts_with("aes256") {
            &long
        } else {
            &short
        };
        // Given, it is used in place of the one that a file may have.
        let keys = if name.ends_with("disable_aad_storage") {
            keys.clone().with_aad_prefix(b"tester")
        } else {
            keys.clone()
        };
        let read = rows(&path, with(keys)).await;
        let read = read.unwrap_or_else(|error| panic!("{name}: {}", one_line(&error)));
        assert!(read.num_rows() > 0, "{name}");
    }
    for (name, reason) in [
        ("encrypt_columns_and_footer_ctr", "AES_GCM_CTR_V1"),
        ("aes256/encrypt_columns_and_footer_ctr", "AES_GCM_CTR_V1"),
        ("external_key_material_java", "cannot be decrypted"),
        ("encrypt_columns_and_footer_bloom_filter", "page checksums"),
    ] {
        let path = parquet_testing(&format!("data/{name}.parquet.encrypted")).unwrap();
        let error = rows(&path, with(short.clone())).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{name}: {error}");
    }
}

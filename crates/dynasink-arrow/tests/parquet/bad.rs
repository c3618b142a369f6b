//! Files that cannot be read: one line that names the file, before the first row where the footer tells.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch};
use dynasink_arrow::{Error, FileSource, SourceOptions};
use futures::TryStreamExt;
use tempfile::TempDir;

use crate::load::{data, load, one_line, write};

async fn open(path: &Path) -> Result<FileSource, Error> {
    FileSource::open([path], SourceOptions::new()).await
}

/// The error of a file with these bytes, which names it.
async fn refusal(bytes: &[u8]) -> Error {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bad.parquet");
    std::fs::write(&path, bytes).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(
        one_line(&error).starts_with(path.to_str().unwrap()),
        "{error}"
    );
    error
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_by_its_path() {
    let error = open(&data("absent.parquet")).await.unwrap_err();
    assert!(matches!(error, Error::FileNotFound { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("absent.parquet: there is no such file: check the path")
    );
    let empty = TempDir::new().unwrap();
    let folder = open(empty.path()).await.unwrap_err();
    assert!(matches!(folder, Error::NothingFound { .. }), "{folder:?}");
    let none = FileSource::open([""; 0], SourceOptions::new()).await;
    assert!(matches!(none, Err(Error::NoFiles)));
}

#[tokio::test]
async fn what_is_not_parquet_is_told_apart_from_what_is_cut_off() {
    assert!(matches!(
        open(&data("zero_len.parquet")).await,
        Err(Error::NotParquet { .. })
    ));
    assert!(matches!(
        open(&data("not_parquet.parquet")).await,
        Err(Error::NotParquet { .. })
    ));
    assert!(matches!(refusal(b"x").await, Error::NotParquet { .. }));
    assert!(matches!(
        refusal(b"PAR1").await,
        Error::TruncatedFile { .. }
    ));
    assert!(matches!(
        refusal(b"id,name\n1,PAR1").await,
        Error::NotParquet { .. }
    ));
    let encrypted = [b"PARE".as_slice(), &[0; 20], b"PARE"].concat();
    assert!(matches!(
        refusal(&encrypted).await,
        Error::EncryptedFile { .. }
    ));
    let no_footer = [b"PAR1".as_slice(), &[0; 20], b"PAR1"].concat();
    assert!(matches!(refusal(&no_footer).await, Error::Footer { .. }));
}

#[tokio::test]
async fn a_file_cut_anywhere_is_refused() {
    let whole = std::fs::read(data("int96.parquet")).unwrap();
    for len in 1..whole.len() {
        let error = refusal(&whole[..len]).await;
        assert!(
            matches!(
                error,
                Error::TruncatedFile { .. } | Error::NotParquet { .. } | Error::Footer { .. }
            ),
            "{len}: {error}"
        );
    }
}

#[tokio::test]
async fn a_file_with_one_bit_flipped_ends_in_rows_or_one_error() {
    let whole = std::fs::read(data("ints_all.parquet")).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("flipped.parquet");
    let mut refused = 0;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bytes).unwrap();
        let loaded = match open(&path).await {
            Ok(source) => load(&source, "id").await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = loaded {
            one_line(error.as_ref());
            refused += 1;
        }
    }
    assert!(refused > whole.len() / 10, "{refused} of {}", whole.len());
}

#[tokio::test]
async fn a_column_named_twice_cannot_be_read() {
    let error = open(&data("dup_names.parquet")).await.unwrap_err();
    assert!(
        matches!(&error, Error::AmbiguousColumn { column, .. } if column == "dup"),
        "{error}"
    );
}

#[tokio::test]
async fn a_column_that_is_not_there_cannot_be_asked_for() {
    let options = SourceOptions::new().with_columns(["di"]);
    let error = FileSource::open([data("int96.parquet")], options)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("no column is named \"di\""),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .ends_with("the columns are \"id\", \"ts\""),
        "{error}"
    );
}

/// The header of the field that follows the number of rows, in the footer itself and in a row group: where
/// such a number can be found.
pub(crate) const AFTER_ROWS_OF_FILE: u8 = 0x19;
const AFTER_ROWS_OF_ROW_GROUP: u8 = 0x26;

/// Makes a footer that says 100 rows say `rows`.
pub(crate) fn change_rows(bytes: &mut [u8], next: u8, rows: i8) {
    // Thrift's compact protocol: a field of type i64 that follows its neighbour, and its number in two bytes
    // of seven bits, the lower first and zigzag.
    let field = |number: u8| [0x16, 0x80 | (number & 0x7f), number >> 7, next];
    let zigzag = |number: i8| ((number << 1) ^ (number >> 7)).cast_unsigned();
    let honest = field(zigzag(100));
    let found: Vec<_> = (0..bytes.len() - 4)
        .filter(|&at| bytes[at..at + 4] == honest)
        .collect();
    let [at] = found[..] else { panic!("{found:?}") };
    bytes[at..at + 4].copy_from_slice(&field(zigzag(rows)));
}

/// A file of 100 rows.
pub(crate) fn hundred_rows(row_group_rows: usize) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("honest.parquet");
    let numbers = Arc::new(Int64Array::from_iter_values(0..100));
    let batch = RecordBatch::try_from_iter([("id", numbers as _)]).unwrap();
    write(&path, &batch, row_group_rows);
    std::fs::read(path).unwrap()
}

#[tokio::test]
async fn a_footer_that_counts_other_rows_than_its_row_groups_is_not_believed() {
    for rows in [99, 101, -1] {
        let mut bytes = hundred_rows(40);
        change_rows(&mut bytes, AFTER_ROWS_OF_FILE, rows);
        let error = refusal(&bytes).await;
        assert!(
            matches!(error, Error::FooterRows { footer, row_groups: 100, .. } if footer == i64::from(rows)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_row_group_with_more_or_fewer_rows_than_it_says_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("lying.parquet");
    for rows in [1, 99, 101] {
        let mut bytes = hundred_rows(100);
        change_rows(&mut bytes, AFTER_ROWS_OF_FILE, rows);
        change_rows(&mut bytes, AFTER_ROWS_OF_ROW_GROUP, rows);
        std::fs::write(&path, &bytes).unwrap();
        let source = open(&path).await.unwrap();
        let read: Result<Vec<_>, _> = source.stream().try_collect().await;
        let error = read.unwrap_err();
        assert!(
            matches!(error, Error::RowsDecoded { row_group: 0, expected, decoded: 100, .. } if expected == u64::from(rows.unsigned_abs())),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_file_that_changes_after_it_was_opened_is_noticed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("changing.parquet");
    let numbers = |count| {
        let numbers = Arc::new(Int64Array::from_iter_values(0..count));
        RecordBatch::try_from_iter([("id", numbers as _)]).unwrap()
    };
    write(&path, &numbers(10), 10);
    let source = open(&path).await.unwrap();
    write(&path, &numbers(11), 11);
    let read: Result<Vec<_>, _> = source.stream().try_collect().await;
    assert!(matches!(read, Err(Error::FileChanged { .. })), "{read:?}");
}

/// A file without rows whose footer says that a column is in so many groups, written by hand: a writer would
/// need the stack that the reader must not use.
fn nested_in(groups: u64) -> Vec<u8> {
    fn varint(mut number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = u8::try_from(number & 0x7f).unwrap();
            number >>= 7;
            if number == 0 {
                bytes.push(low);
                return bytes;
            }
            bytes.push(low | 0x80);
        }
    }
    // `SchemaElement`: repetition_type (required), name and num_children, or the type INT32 instead.
    let group = b"\x35\x00\x18\x01g\x15\x02\x00";
    let leaf = b"\x15\x02\x25\x00\x18\x01x\x00";
    let footer = [
        b"\x15\x02\x19\xfc".as_slice(),
        &varint(groups + 2),
        b"\x48\x01r\x15\x02\x00",
        &group.repeat(usize::try_from(groups).unwrap()),
        leaf,
        b"\x16\x00\x19\x0c\x00",
    ]
    .concat();
    let len = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [b"PAR1".as_slice(), &footer, &len, b"PAR1"].concat()
}

#[tokio::test]
async fn a_schema_that_nests_too_deep_is_refused_and_not_walked_over() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("deep.parquet");
    std::fs::write(&path, nested_in(255)).unwrap();
    assert_eq!(open(&path).await.unwrap().total_rows(), 0);
    for groups in [256, 10_000, 1_000_000] {
        let error = refusal(&nested_in(groups)).await;
        assert!(matches!(error, Error::SchemaTooDeep { .. }), "{error:?}");
    }
}

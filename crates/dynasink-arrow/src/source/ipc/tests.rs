//! Files and streams, whole and hostile.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]

use std::fs::File;
use std::io::Write;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int8Type;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, BinaryViewArray, DictionaryArray, Int64Array, ListArray, NullArray, StringArray,
    StringViewArray, StructArray,
};
use arrow_ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use arrow_ipc::{CompressionType, MetadataVersion};
use arrow_schema::{DataType, Field};
use tempfile::TempDir;

use super::*;
use crate::source::location::{Located, Location};

const MOST: u64 = 1 << 24;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn bytes(&self, content: &[u8]) -> FileBytes {
        let path = self.0.path().join("batches.arrow");
        File::create(&path).unwrap().write_all(content).unwrap();
        let located = Located::new(Location::Local(path), "batches.arrow", content.len() as u64);
        FileBytes::open(&located).unwrap()
    }

    fn open(&self, content: &[u8]) -> Result<IpcSource> {
        let bytes = self.bytes(content);
        let format = Format::of(&bytes)?;
        IpcSource::open(bytes, format)
    }

    fn read(&self, content: &[u8]) -> Result<Vec<RecordBatch>> {
        let source = self.open(content)?;
        let batches: Vec<IpcBatch> = source.read(None, MOST, |_| true).collect::<Result<_>>()?;
        let rows: usize = batches.iter().map(|batch| batch.batch.num_rows()).sum();
        assert_eq!(rows as u64, source.rows());
        assert!(
            batches
                .iter()
                .enumerate()
                .all(|(at, batch)| at == batch.index)
        );
        Ok(batches.into_iter().map(|batch| batch.batch).collect())
    }
}

fn batch(rows: i64) -> RecordBatch {
    let numbers: Int64Array = (0..rows).map(|n| (n % 3 > 0).then_some(n)).collect();
    let long = |n: i64| format!("a string of some length, number {n:05}");
    let strings = StringArray::from_iter_values((0..rows).map(long));
    let views = StringViewArray::from_iter_values((0..rows).map(long));
    let binary = BinaryViewArray::from_iter_values((0..rows).map(i64::to_be_bytes));
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(
        (0..rows).map(|n| (n % 4 > 0).then(|| (0..n as i32 % 5).map(Some))),
    );
    let inner: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(long)));
    let structs = StructArray::from(vec![(
        Arc::new(Field::new("s", DataType::Utf8, false)),
        inner,
    )]);
    let all = ["one", "two", "three"].into_iter();
    let words: DictionaryArray<Int8Type> = all
        .chain((0..rows).map(|n| ["two", "one"][n as usize % 2]))
        .collect();
    let words = words.slice(3, rows as usize);
    RecordBatch::try_from_iter_with_nullable([
        ("n", Arc::new(numbers) as ArrayRef, true),
        ("s", Arc::new(strings) as _, true),
        ("v", Arc::new(views) as _, true),
        ("b", Arc::new(binary) as _, true),
        ("l", Arc::new(lists) as _, true),
        ("a", Arc::new(structs) as _, true),
        ("d", Arc::new(words) as _, true),
        ("z", Arc::new(NullArray::new(rows as usize)) as _, true),
    ])
    .unwrap()
}

fn options(compression: Option<CompressionType>) -> IpcWriteOptions {
    IpcWriteOptions::try_new(8, false, MetadataVersion::V5)
        .unwrap()
        .try_with_compression(compression)
        .unwrap()
}

fn file(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let schema = batches[0].schema();
    let mut writer =
        FileWriter::try_new_with_options(&mut bytes, &schema, options(compression)).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    bytes
}

fn stream(batches: &[RecordBatch], options: IpcWriteOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    let schema = batches[0].schema();
    let mut writer = StreamWriter::try_new_with_options(&mut bytes, &schema, options).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    bytes
}

#[test]
fn files_and_streams_are_read_whatever_compresses_them() {
    let folder = Folder::new();
    let batches = [batch(100), batch(0), batch(17)];
    for compression in [
        None,
        Some(CompressionType::LZ4_FRAME),
        Some(CompressionType::ZSTD),
    ] {
        assert_eq!(folder.read(&file(&batches, compression)).unwrap(), batches);
        assert_eq!(
            folder
                .read(&stream(&batches, options(compression)))
                .unwrap(),
            batches
        );
    }
    let source = folder.open(&file(&batches, None)).unwrap();
    assert_eq!((source.batches(), source.rows()), (3, 117));
    assert_eq!(source.schema(), &batches[0].schema());
    let some = source
        .read(Some(vec![6, 0]), MOST, |_| true)
        .next()
        .unwrap()
        .unwrap()
        .batch;
    assert_eq!(some, batches[0].project(&[6, 0]).unwrap());
}

#[test]
fn dictionaries_may_be_replaced_and_grow_in_a_stream() {
    let words = |words: &[&str]| {
        let mut builder = StringDictionaryBuilder::<Int8Type>::new();
        for word in words {
            builder.append_value(word);
        }
        let words: ArrayRef = Arc::new(builder.finish());
        RecordBatch::try_from_iter([("d", words)]).unwrap()
    };
    let folder = Folder::new();
    let texts = |batches: &[RecordBatch]| -> Vec<String> {
        let text = |batch: &RecordBatch| {
            let text = arrow_cast::cast(batch.column(0), &DataType::Utf8).unwrap();
            let text = text.as_any().downcast_ref::<StringArray>().unwrap();
            text.iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        };
        batches.iter().flat_map(text).collect()
    };
    let replaced = [words(&["a", "b"]), words(&["c", "b", "c"])];
    let read = folder.read(&stream(&replaced, options(None))).unwrap();
    assert_eq!(texts(&read), ["a", "b", "c", "b", "c"]);
    let grown = [words(&["a", "b"]), words(&["a", "b", "c"])];
    let delta = options(None).with_dictionary_handling(DictionaryHandling::Delta);
    let bytes = stream(&grown, delta);
    let read = folder.read(&bytes).unwrap();
    assert_eq!(texts(&read), ["a", "b", "a", "b", "c"]);
}

#[test]
fn a_stream_may_end_without_saying_so_and_a_file_may_not() {
    let folder = Folder::new();
    let batches = [batch(10), batch(10)];
    let whole = stream(&batches, options(None));
    assert_eq!(folder.read(&whole[..whole.len() - 8]).unwrap(), batches);
    let twice = [whole.as_slice(), &whole].concat();
    let error = folder.read(&twice).unwrap_err().to_string();
    assert!(error.contains("a file of its own"), "{error}");
    let file = file(&batches, None);
    for len in (8..file.len()).step_by(7) {
        let error = folder.read(&file[..len]).unwrap_err();
        assert!(
            matches!(error, Error::TruncatedFile { .. } | Error::Ipc { .. }),
            "{len}: {error}"
        );
    }
    for len in (0..whole.len() - 8).step_by(7) {
        // Between two messages is as good an end as any.
        if let Ok(read) = folder
            .open(&whole[..len])
            .and_then(|_| folder.read(&whole[..len]))
        {
            assert!(read.len() < 2, "{len}");
        }
    }
}

#[test]
fn a_batch_that_takes_too_much_memory_is_refused() {
    let folder = Folder::new();
    let bytes = file(&[batch(100)], Some(CompressionType::ZSTD));
    let source = folder.open(&bytes).unwrap();
    let mut batches = source.read(None, 5_000, |_| true);
    let error = batches.next().unwrap().unwrap_err().to_string();
    assert!(error.contains("record batch 0 cannot be read"), "{error}");
    assert!(error.contains("write smaller batches"), "{error}");
    assert!(batches.next().is_none());
}

#[test]
fn any_flipped_bit_ends_in_batches_or_one_error() {
    let folder = Folder::new();
    let batches = [batch(9), batch(4)];
    let mut refused = 0;
    let files = [
        file(&batches, None),
        file(&batches, Some(CompressionType::LZ4_FRAME)),
        stream(&batches, options(Some(CompressionType::ZSTD))),
    ];
    for whole in &files {
        for at in (0..whole.len()).step_by(5) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            match folder.read(&bytes) {
                Ok(_) => {}
                Err(Error::ReaderPanicked { .. }) => refused += 1,
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().contains('\n'), "{error}");
                }
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn lengths_that_the_file_cannot_have_are_refused_and_not_allocated() {
    let folder = Folder::new();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1_000));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let plain = stream(std::slice::from_ref(&batch), options(None));

    // The length of the metadata.
    let mut bytes = plain.clone();
    bytes[4..8].copy_from_slice(&i32::MAX.to_le_bytes());
    let error = folder.read(&bytes).unwrap_err().to_string();
    assert!(error.contains("reach beyond the file"), "{error}");
    bytes[4..8].copy_from_slice(&(-16_i32).to_le_bytes());
    assert!(folder.read(&bytes).is_err());

    // The lengths of the body and of the buffer in it.
    let huge = (1_i64 << 60).to_le_bytes();
    let of_values = 8_000_i64.to_le_bytes();
    let mut reasons = Vec::new();
    for at in 0..plain.len() - 8 {
        if plain[at..at + 8] == of_values {
            let mut bytes = plain.clone();
            bytes[at..at + 8].copy_from_slice(&huge);
            reasons.push(folder.read(&bytes).unwrap_err().to_string());
        }
    }
    for reason in ["not within its body", "beyond the file"] {
        assert!(
            reasons.iter().any(|told| told.contains(reason)),
            "{reasons:?}"
        );
    }

    // The length that a compressed buffer says it has.
    let mut bytes = stream(&[batch], options(Some(CompressionType::ZSTD)));
    let at = bytes
        .windows(8)
        .position(|window| window == of_values)
        .unwrap();
    bytes[at..at + 8].copy_from_slice(&huge);
    let error = folder.read(&bytes).unwrap_err().to_string();
    assert!(
        error.contains("cannot be 1152921504606846976 decompressed"),
        "{error}"
    );
}

#[test]
fn rows_without_values_take_no_memory() {
    let folder = Folder::new();
    let nothing: ArrayRef = Arc::new(NullArray::new(1_000_003));
    let batch = RecordBatch::try_from_iter([("z", nothing)]).unwrap();
    let plain = stream(std::slice::from_ref(&batch), options(None));
    assert_eq!(folder.read(&plain).unwrap()[0].num_rows(), 1_000_003);
}

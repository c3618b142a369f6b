//! What is exported, in which order, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;

use dynasink_core::KeyType;
use dynasink_sink::{KeptRow, KeyCensus};
use futures::SinkExt;
use serde_json::{Value, json};

use super::options::MOST_FILES;
use super::*;

fn table() -> TableSchema {
    TableSchema::builder("users")
        .partition_key("id", KeyType::N)
        .build()
        .unwrap()
}

fn put(id: u64, text: &str) -> WriteOp {
    table()
        .put_serde(&json!({ "id": id, "text": text }))
        .unwrap()
}

/// The export of `ops` into `folder`, in which the last of each key is kept.
async fn export(folder: &Path, ops: &[WriteOp], options: ExportOptions) -> Result<Exported> {
    let mut census = KeyCensus::new(KeptRow::Last, NonZeroUsize::MAX);
    let mut bytes = 0;
    for op in ops {
        census.note(op)?;
        bytes += op.item().json().len() as u64 + IMPORT_LINE_BYTES;
    }
    let mut export = Export::create(folder, &table(), census.into_choice(), bytes, options)?;
    for op in ops {
        export.feed(op.clone()).await?;
    }
    export.close().await?;
    export.finish(None)
}

/// The items of a file, in their order.
fn items(folder: &Path, file: &ExportedFile) -> Vec<Value> {
    let bytes = fs::read(folder.join(&file.name)).unwrap();
    let mut text = String::new();
    match file.name.rsplit('.').next() {
        Some("gz") => {
            flate2::read::GzDecoder::new(bytes.as_slice())
                .read_to_string(&mut text)
                .unwrap();
        }
        Some("zst") => {
            text = String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap();
        }
        _ => text = String::from_utf8(bytes).unwrap(),
    }
    assert_eq!(text.len() as u64, file.uncompressed_bytes);
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["Item"].take())
        .collect()
}

fn id(item: &Value) -> u64 {
    item["id"]["N"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_is_exported_is_what_a_table_would_hold() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = numbers(3);
    let ops: Vec<_> = (0..500)
        .map(|row| {
            let op = put(rng() % 100, &format!("row {row}"));
            if rng().is_multiple_of(5) {
                table().delete(op.item()).unwrap()
            } else {
                op
            }
        })
        .collect();
    let mut held = BTreeMap::new();
    for op in &ops {
        let item: Value = serde_json::from_slice(op.item().json()).unwrap();
        match op.action() {
            WriteAction::Put => held.insert(id(&item), item),
            WriteAction::Delete => held.remove(&id(&item)),
        };
    }
    for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
        let place = folder.path().join(compression.import_type());
        let options = ExportOptions::new()
            .compression(compression)
            .shuffle_bytes(5_000);
        let exported = export(&place, &ops, options).await.unwrap();
        let found: Vec<_> = exported
            .files
            .iter()
            .flat_map(|file| items(&place, file))
            .collect();
        assert_eq!(found.len(), held.len(), "each key once");
        let found: BTreeMap<_, _> = found.into_iter().map(|item| (id(&item), item)).collect();
        assert_eq!(found, held);
        assert_eq!(
            exported.counts.items + exported.counts.deletes + exported.counts.superseded,
            500
        );
    }
}

#[tokio::test]
async fn files_have_their_size_and_the_manifest_their_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("out");
    fs::create_dir(&place).unwrap();
    let ops: Vec<_> = (0..2000).map(|id| put(id, "some text")).collect();
    let exported = export(&place, &ops, ExportOptions::new().file_bytes(10_000))
        .await
        .unwrap();
    assert!(exported.files.len() >= 10);
    assert!(
        exported
            .files
            .iter()
            .all(|file| file.uncompressed_bytes <= 10_000)
    );

    let manifest: Value =
        serde_json::from_slice(&fs::read(place.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["items"], 2000);
    assert_eq!(
        manifest["keys"],
        json!([{ "attribute": "id", "type": "N", "role": "HASH" }])
    );
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(listed.len(), exported.files.len());
    for file in listed {
        use std::fmt::Write;

        use sha2::Digest;
        let bytes = fs::read(place.join(file["name"].as_str().unwrap())).unwrap();
        let digest = sha2::Sha256::digest(&bytes);
        let hex = digest.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        assert_eq!(
            (file["sha256"].as_str(), file["bytes"].as_u64()),
            (Some(hex.as_str()), Some(bytes.len() as u64))
        );
    }
    assert!(
        fs::read_to_string(place.join("import-table.sh"))
            .unwrap()
            .contains("import-table")
    );
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["out"]);
}

#[tokio::test]
async fn neighbours_of_a_sorted_input_are_far_apart_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let ops: Vec<_> = (0..20_000).map(|id| put(id, "x")).collect();
    // A tenth of the input is held at once.
    let options = ExportOptions::new()
        .shuffle_bytes(20_000 * 120 / 10)
        .file_bytes(100_000);
    let exported = export(&folder.path().join("out"), &ops, options)
        .await
        .unwrap();
    let mut distances = Vec::new();
    for file in &exported.files {
        let ids: Vec<_> = items(&folder.path().join("out"), file)
            .iter()
            .map(id)
            .collect();
        distances.extend(ids.windows(2).map(|pair| pair[0].abs_diff(pair[1])));
    }
    distances.sort_unstable();
    let median = distances[distances.len() / 2];
    assert!(median > 200, "neighbours are {median} apart");
    let next = distances.iter().filter(|distance| **distance == 1).count();
    assert!(next * 100 < distances.len(), "{next} are still neighbours");
}

#[tokio::test]
async fn no_more_is_held_than_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let choice = KeyCensus::new(KeptRow::Last, NonZeroUsize::MAX).into_choice();
    let options = ExportOptions::new().shuffle_bytes(10_000);
    let mut export = Export::create(
        folder.path().join("out"),
        &table(),
        choice,
        1 << 20,
        options,
    )
    .unwrap();
    for id in 0..2000 {
        let op = put(id, "some text");
        let most = 5_000 + op.memory();
        export.feed(op).await.unwrap();
        assert!(export.shuffle.memory() <= most);
    }
}

#[tokio::test]
async fn a_folder_with_something_in_it_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "mine").unwrap();
    let refused = export(folder.path(), &[put(1, "x")], ExportOptions::new()).await;
    assert!(
        matches!(refused, Err(Error::ExportFolderNotEmpty { .. })),
        "{refused:?}"
    );

    let place = folder.path().join("out");
    fs::create_dir(folder.path().join("out.partial")).unwrap();
    let refused = export(&place, &[put(1, "x")], ExportOptions::new()).await;
    assert!(
        matches!(refused, Err(Error::ExportUnfinished { .. })),
        "{refused:?}"
    );
    assert!(!place.exists());
}

#[tokio::test]
async fn an_export_that_does_not_come_to_its_end_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let census = KeyCensus::new(KeptRow::Last, NonZeroUsize::MAX);
    let place = folder.path().join("out");
    let mut export = Export::create(
        &place,
        &table(),
        census.into_choice(),
        100,
        ExportOptions::new(),
    )
    .unwrap();
    export.send(put(1, "x")).await.unwrap();
    export.close().await.unwrap();
    let refused = export.finish(None);
    let changed = Error::SourceChanged {
        expected: 0,
        found: 1,
    };
    assert_eq!(refused.unwrap_err().to_string(), changed.to_string());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_export_that_is_dropped_while_it_writes_leaves_nothing() {
    const ROWS: u64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let choice = KeyCensus::new(KeptRow::Last, NonZeroUsize::MAX).into_choice();
    let place = folder.path().join("out");
    let options = ExportOptions::new().file_bytes(10_000);
    let mut export = Export::create(&place, &table(), choice, 2_000_000, options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let progress = export.progress();
    runtime.block_on(async {
        for id in 0..ROWS {
            export.feed(put(id, "some text")).await.unwrap();
        }
        // The tasks that write are under way from the first time that it is asked to close.
        assert!(export.close().now_or_never().is_none());
        while progress.files() == 0 {
            tokio::task::yield_now().await;
        }
        drop(export);
    });
    // Ends once all blocking tasks have.
    drop(runtime);
    assert!(progress.items() < ROWS, "it was written to the end");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn files_are_never_too_many_nor_too_large() {
    const TERABYTE: u64 = 1 << 40;
    let options = ExportOptions::new();
    assert_eq!(
        options.file_bytes_for(TERABYTE).unwrap(),
        ExportOptions::DEFAULT_FILE_BYTES
    );
    let grown = options.file_bytes_for(100 * TERABYTE).unwrap();
    assert!((100 * TERABYTE).div_ceil(grown) + MOST_LANES <= MOST_FILES);
    for wrong in [1_000, 6 * 1024 * 1024 * 1024] {
        let refused = options.clone().file_bytes(wrong).file_bytes_for(TERABYTE);
        assert!(
            matches!(refused, Err(Error::ExportFileSize { .. })),
            "{wrong}"
        );
    }
}

/// Numbers that look random, and are the same each time.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

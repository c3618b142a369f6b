//! Every file of a corpus ends in items or in one error.

use std::path::{Path, PathBuf};

use dynasink_arrow::{FileSource, Mapping, SourceOptions};
use futures::TryStreamExt;

use crate::load::{data, load, one_line};

/// Names the folder of a checkout of apache/parquet-testing.
pub(crate) const PARQUET_TESTING: &str = "DYNASINK_PARQUET_TESTING";

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, files);
        } else if path.to_string_lossy().contains(".parquet") {
            files.push(path);
        }
    }
}

/// Loads a file by its first column that can be a key, or only reads it if there is none.
async fn end_of(path: &Path) -> Result<u64, Box<dyn std::error::Error>> {
    let source = FileSource::open([path], SourceOptions::new()).await?;
    let fields = source.schema().fields();
    match fields
        .iter()
        .find(|field| Mapping::key_type(field).is_some())
    {
        Some(key) => {
            load(&source, key.name()).await?;
        }
        None => {
            source
                .stream()
                .try_for_each(|_| std::future::ready(Ok(())))
                .await?;
        }
    }
    Ok(source.total_rows())
}

/// How many files of `folder` can be read, and the errors of the others.
async fn walk(folder: &Path) -> (usize, Vec<(String, String)>) {
    let mut files = Vec::new();
    files_below(folder, &mut files);
    files.sort();
    assert!(
        !files.is_empty(),
        "there are no files in {}",
        folder.display()
    );
    let (mut read, mut refused) = (0, Vec::new());
    for file in files {
        match end_of(&file).await {
            Ok(_) => read += 1,
            Err(error) => {
                let name = file.file_name().unwrap_or_default();
                refused.push((
                    name.to_string_lossy().into_owned(),
                    one_line(error.as_ref()),
                ));
            }
        }
    }
    (read, refused)
}

#[tokio::test]
async fn every_file_of_our_own_ends_in_items_or_the_expected_error() {
    let (read, refused) = walk(&data("")).await;
    let names: Vec<_> = refused.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "attr_names_odd.parquet",
            "dup_names.parquet",
            "not_parquet.parquet",
            "page_checksum_wrong.parquet",
            "zero_len.parquet",
        ]
    );
    assert_eq!(read, 22);
}

#[tokio::test]
async fn every_file_of_parquet_testing_ends_in_items_or_one_error() {
    let Some(folder) = std::env::var_os(PARQUET_TESTING) else {
        println!("skipped: {PARQUET_TESTING} does not name a folder");
        return;
    };
    let (read, refused) = walk(Path::new(&folder)).await;
    for (name, error) in &refused {
        println!("{name}: {error}");
    }
    println!("{read} files read, {} refused", refused.len());
    assert!(read > refused.len());
}

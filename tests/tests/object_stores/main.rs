//! Files of object stores, read by the protocols of the stores, are the files that were put there.
//!
//! A web server is of this process. S3 is what `DYNASINK_TEST_S3_ENDPOINT` names, such as moto's server: `.ci/run
//! object-stores` starts it.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in test functions only, not in what they share"
)]

mod s3;
mod web;

use std::path::{Path, PathBuf};

use dynasink::{FileSource, Mapping, SourceOptions, Sources};
use dynasink_tests::{Items, TestTable};

/// A real file of the examples.
fn example(name: &str) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data");
    data.join(format!("nycflights13_{name}.parquet"))
}

/// Opens the files of `sources`, or says why not in all words.
async fn open(sources: Sources) -> Result<FileSource, String> {
    let source = match sources.locate().await {
        Ok(files) => FileSource::of(files, SourceOptions::default()).await,
        Err(error) => Err(error),
    };
    source.map_err(|error| {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    })
}

/// Loads the sources into the table, and reads it back.
async fn loaded(sources: Sources, table: &TestTable) -> Items {
    let source = open(sources).await.unwrap();
    let mapping = Mapping::infer(source.schema(), table.schema()).unwrap();
    let pipeline = table.pipe().build().unwrap();
    pipeline
        .load(source.stream(), mapping, std::future::pending())
        .await
        .unwrap();
    table.items().await
}

//! Every file of the Parquet corpora ends in the items that another reader gives, or as `expected.toml` says.
//!
//! The other reader is pyarrow, by `oracle/items.py`, which shares no code with Dynasink. `.ci/run corpora` sets it up
//! and says where the corpora are; the files of `dynasink-arrow/tests/data` are read in any case, and without pyarrow it
//! is only checked which files can be read:
//!
//! - `DYNASINK_EDGE_CORPUS` is the folder of the files that were made for this project.
//! - `DYNASINK_PARQUET_TESTING` is a checkout of apache/parquet-testing.
//! - `DYNASINK_ORACLE_PYTHON` is a Python with the packages of `oracle/requirements.txt`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod agreement;
mod expected;
mod files;
mod reading;

use expected::Table;
use files::Corpora;
use reading::{Oracle, read_by_dynasink};

#[tokio::test]
async fn every_file_ends_in_the_items_of_another_reader_or_as_the_table_says() {
    let corpora = Corpora::find();
    let table = Table::load();
    let ours = read_by_dynasink(corpora.files()).await;
    let theirs = match Oracle::find() {
        Some(oracle) => Some(oracle.read(corpora.files(), &table).await),
        None => None,
    };
    let mut wrong = Vec::new();
    for (at, file) in corpora.files().iter().enumerate() {
        let theirs = theirs.as_ref().map(|theirs| &theirs[at]);
        let found = agreement::of(&ours[at], theirs);
        wrong.extend(table.contradiction(file, &found));
    }
    wrong.extend(table.files_that_are_not_there(&corpora));
    assert!(
        wrong.is_empty(),
        "{} of {} files do not end as they should:\n\n{}",
        wrong.len(),
        corpora.files().len(),
        wrong.join("\n")
    );
}

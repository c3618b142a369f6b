//! Files to load, and loads by the standard pipe.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use dynasink::{
    DynamoDb, FileSource, LoadReport, Mapping, PipelineBuilder, SourceOptions, TableSchema,
};
use parquet::arrow::ArrowWriter;

/// Loads the files into the table through the pipe.
pub(crate) async fn load<P: AsRef<std::ffi::OsStr>>(
    files: impl IntoIterator<Item = P>,
    table: &TableSchema,
    pipe: PipelineBuilder<DynamoDb>,
) -> dynasink::Result<LoadReport> {
    let source = FileSource::open(files, SourceOptions::default())
        .await
        .unwrap();
    let mapping = Mapping::infer(source.schema(), table).unwrap();
    pipe.build()?
        .load(source.stream(), mapping, std::future::pending())
        .await
}

/// Writes the batches to `name` in `folder`, each as a row group.
pub(crate) fn write_parquet(folder: &Path, name: &str, row_groups: &[RecordBatch]) -> PathBuf {
    let path = folder.join(name);
    let file = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, row_groups[0].schema(), None).unwrap();
    for batch in row_groups {
        writer.write(batch).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    path
}

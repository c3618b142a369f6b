//! What an export says of itself.

use dynasink_arrow::{FileSource, Mapping};
use dynasink_core::TableSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::lane::ExportedFile;
use super::{Compression, ExportCounts};

/// The form of the manifest. It changes when a reader of the old form would misunderstand the new one.
const VERSION: u32 = 1;

/// What an export was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportOrigin {
    files: Vec<OriginFile>,
    mapping_fingerprint: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct OriginFile {
    file: String,
    rows: u64,
}

impl ExportOrigin {
    /// The rows of `source`, by `mapping`.
    pub fn of(source: &FileSource, mapping: &Mapping) -> Self {
        let files = source.files().iter().map(|file| OriginFile {
            file: file.name().to_owned(),
            rows: file.rows(),
        });
        Self {
            files: files.collect(),
            mapping_fingerprint: mapping.fingerprint(),
        }
    }
}

/// The manifest of an export.
pub(super) fn manifest(
    table: &TableSchema,
    compression: Compression,
    counts: ExportCounts,
    files: &[ExportedFile],
    origin: Option<&ExportOrigin>,
) -> Value {
    let keys = table.keys().zip(["HASH", "RANGE"]).map(|(key, role)| {
        json!({
            "attribute": key.name(),
            "type": key.key_type().descriptor(),
            "role": role,
        })
    });
    json!({
        "version": VERSION,
        "table": table.name().as_str(),
        "keys": keys.collect::<Vec<_>>(),
        "input_format": "DYNAMODB_JSON",
        "compression": compression,
        "items": counts.items,
        "uncompressed_bytes": counts.bytes,
        "superseded": counts.superseded,
        "deletes_left_out": counts.deletes,
        "origin": origin,
        "files": files,
    })
}

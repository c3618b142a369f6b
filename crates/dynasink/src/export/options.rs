//! How an export writes its files, and how many and how large they may be.

use dynasink_aws::CapacitySettings;

use super::{Compression, S3Uri};
use crate::error::{Error, Result};

/// Most files of an import.
///
/// Source: *Best practices for importing from Amazon S3 into DynamoDB*, "Stay under the limit of 50,000 S3 objects".
pub(super) const MOST_FILES: u64 = 50_000;

/// The largest file, in bytes.
///
/// Source: *Best practices for using bulk put items in DynamoDB*, "each object can be up to 5 GB".
const MOST_FILE_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// Files that are written at once, at most: each is a mix of all that is held.
pub(super) const MOST_LANES: u64 = 16;

/// How an [`Export`](super::Export) writes its files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ExportOptions {
    pub(super) compression: Compression,
    file_bytes: Option<u64>,
    pub(super) shuffle_bytes: usize,
    pub(super) place: Option<S3Uri>,
    pub(super) existing: Option<CapacitySettings>,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            file_bytes: None,
            shuffle_bytes: Self::DEFAULT_SHUFFLE_BYTES,
            place: None,
            existing: None,
        }
    }
}

impl ExportOptions {
    /// Uncompressed bytes of a file, unless set or the files were too many.
    pub const DEFAULT_FILE_BYTES: u64 = 256 * 1024 * 1024;

    /// Bytes of memory in which items are mixed, unless set.
    pub const DEFAULT_SHUFFLE_BYTES: usize = 256 * 1024 * 1024;

    /// Gzip, files of 256 MiB before compression, mixed within 256 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// How files are compressed.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// How many bytes a file has at most before compression, but for one whose only item has more: up to 5 GiB.
    pub fn file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = Some(bytes);
        self
    }

    /// The bytes of items that are held back to be mixed. Half of them are written while the other half fills.
    pub fn shuffle_bytes(mut self, bytes: usize) -> Self {
        self.shuffle_bytes = bytes;
        self
    }

    /// Where in S3 the files will be, for the command that imports them.
    pub fn place(mut self, place: S3Uri) -> Self {
        self.place = Some(place);
        self
    }

    /// The table is there and has this capacity: the command that imports asks for the name of the table that it makes, and
    /// gives it the same.
    pub fn existing(mut self, capacity: CapacitySettings) -> Self {
        self.existing = Some(capacity);
        self
    }

    /// The bytes of a file of an export of `total` bytes: so many that the files are not too many.
    pub(super) fn file_bytes_for(&self, total: u64) -> Result<u64> {
        let least = total.div_ceil(MOST_FILES - MOST_LANES).max(1);
        match self.file_bytes {
            None => Ok(Self::DEFAULT_FILE_BYTES.max(least)),
            Some(bytes) if (least..=MOST_FILE_BYTES).contains(&bytes) => Ok(bytes),
            Some(bytes) => Err(Error::ExportFileSize {
                bytes,
                least,
                most: MOST_FILE_BYTES,
            }),
        }
    }
}

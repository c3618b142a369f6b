//! What a file is, by the bytes that it starts and ends with.

use std::ops::Range;

use bytes::Bytes;

use super::bytes::FileBytes;
use crate::error::{Error, Result};

const PARQUET: &[u8] = b"PAR1";
const ENCRYPTED_PARQUET: &[u8] = b"PARE";
const IPC_FILE: &[u8] = b"ARROW1";
/// A message starts so since Arrow 0.15.
const IPC_STREAM: &[u8] = &[0xff; 4];
const FEATHER_V1: &[u8] = b"FEA1";
/// The footer of a file of thousands of columns and row groups is far smaller.
const MOST_FOOTER_BYTES: u64 = 256 * 1024 * 1024;
/// Magic, length of the footer, magic.
const SHORTEST_PARQUET: u64 = 12;
/// A file longer than this that ends as Parquet is taken for it, since its start may have to be fetched from afar.
const LIKELY: u64 = 64 * 1024;
/// As much as any magic takes.
const MAGIC_BYTES: u64 = 8;

/// What can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Parquet,
    /// Parquet whose footer is encrypted, too.
    EncryptedParquet,
    IpcFile,
    IpcStream,
}

impl Format {
    /// Looks at both ends of the file, which tells more than the error of a footer that is none.
    pub(super) fn of(file: &FileBytes) -> Result<Self> {
        let len = file.len();
        let tail = read(file, len.saturating_sub(MAGIC_BYTES)..len)?;
        if tail.ends_with(PARQUET) && len > LIKELY {
            return Ok(Self::Parquet);
        }
        let head = read(file, 0..len.min(MAGIC_BYTES))?;
        let not_parquet = |reason| {
            Err(Error::NotParquet {
                file: file.name().to_string(),
                reason,
            })
        };
        let both = |magic: &[u8]| head.starts_with(magic) && tail.ends_with(magic);
        if len == 0 {
            not_parquet("it is empty")
        } else if both(ENCRYPTED_PARQUET) && len >= SHORTEST_PARQUET {
            Ok(Self::EncryptedParquet)
        } else if head.starts_with(IPC_FILE) {
            Ok(Self::IpcFile)
        } else if head.starts_with(IPC_STREAM) {
            Ok(Self::IpcStream)
        } else if head.starts_with(FEATHER_V1) {
            Err(Error::FeatherV1 {
                file: file.name().to_string(),
            })
        } else if head.starts_with(PARQUET) && tail.ends_with(PARQUET) && len >= SHORTEST_PARQUET {
            Ok(Self::Parquet)
        } else if head.starts_with(PARQUET) || head.starts_with(ENCRYPTED_PARQUET) {
            Err(Error::TruncatedFile {
                file: file.name().to_string(),
            })
        } else if tail.ends_with(PARQUET) {
            not_parquet("it ends as Parquet but does not start so")
        } else {
            not_parquet("it starts with neither PAR1 nor ARROW1")
        }
    }
}

/// The bytes of the footer, as long as the file says that it is.
pub(super) fn footer_bytes(file: &FileBytes) -> Result<Bytes> {
    let end = file.len().saturating_sub(MAGIC_BYTES);
    let number = read(file, end..file.len())?;
    let len = number
        .first_chunk()
        .map_or(0, |len| u64::from(u32::from_le_bytes(*len)));
    if len > MOST_FOOTER_BYTES && len <= end {
        return Err(Error::FooterTooLarge {
            file: file.name().to_string(),
            what: "bytes",
            found: len,
            most: MOST_FOOTER_BYTES,
        });
    }
    // A length that the file does not have is told by the reader.
    let start = end.checked_sub(len).unwrap_or(end);
    read(file, start..end)
}

fn read(file: &FileBytes, range: Range<u64>) -> Result<Bytes> {
    file.read_range(range).map_err(|source| {
        file.take_failure().unwrap_or_else(|| Error::OpenFile {
            file: file.name().to_string(),
            source,
        })
    })
}

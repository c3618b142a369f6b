//! What kind of file it is, by how it starts.

use crate::error::{Error, Result};

/// What a file starts with in Parquet, and with an encrypted footer.
const PARQUET: &[&[u8]] = &[b"PAR1", b"PARE"];
const IPC_FILE: &[u8] = b"ARROW1";
/// A message starts so since Arrow 0.15.
const IPC_STREAM: &[u8] = &[0xff; 4];
const FEATHER_V1: &[u8] = b"FEA1";

/// Formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Parquet,
    IpcFile,
    IpcStream,
}

impl Format {
    /// Bytes of a file's head that tell.
    pub(super) const HEAD: u64 = 8;

    /// The format of `file`, which starts with `head`. What is unlike any is taken for Parquet, whose reader says
    /// what is wrong.
    pub(super) fn of(file: &str, head: &[u8]) -> Result<Self> {
        if head.starts_with(FEATHER_V1) {
            return Err(Error::FeatherV1 {
                file: file.to_owned(),
            });
        }
        if PARQUET.iter().any(|magic| head.starts_with(magic)) {
            Ok(Self::Parquet)
        } else if head.starts_with(IPC_FILE) {
            Ok(Self::IpcFile)
        } else if head.starts_with(IPC_STREAM) {
            Ok(Self::IpcStream)
        } else {
            Ok(Self::Parquet)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_how_they_start() {
        let of = |head: &[u8]| Format::of("a", head).unwrap();
        assert_eq!(of(b"PAR1\x15\x04"), Format::Parquet);
        assert_eq!(of(b"ARROW1\0\0"), Format::IpcFile);
        assert_eq!(of(b"\xff\xff\xff\xff\x10\x01\0\0"), Format::IpcStream);
        assert_eq!(of(b""), Format::Parquet);
        let feather = Format::of("old.feather", b"FEA1\0\0\0\0").unwrap_err();
        assert!(
            feather
                .to_string()
                .starts_with("old.feather: a Feather file of version 1")
        );
    }
}

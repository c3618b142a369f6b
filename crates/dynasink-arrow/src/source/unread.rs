//! Which errors are those of one file, and what is told when it is passed over.

use std::sync::Arc;

use dynasink_core::Unread;

use crate::error::Error;

impl Error {
    /// Whether one file is to blame, so that others can be read all the same.
    pub(super) fn is_of_a_file(&self) -> bool {
        matches!(
            self,
            Self::FileNotFound { .. }
                | Self::OpenFile { .. }
                | Self::NotParquet { .. }
                | Self::TruncatedFile { .. }
                | Self::FeatherV1 { .. }
                | Self::Ipc { .. }
                | Self::EncryptedFile { .. }
                | Self::Decryption { .. }
                | Self::EncryptedChecksum { .. }
                | Self::FooterTooLarge { .. }
                | Self::Footer { .. }
                | Self::SchemaTooDeep { .. }
                | Self::FooterRows { .. }
                | Self::Read { .. }
                | Self::RowsDecoded { .. }
                | Self::FileChanged { .. }
                | Self::ReaderPanicked { .. }
        )
    }

    /// What is passed over for this reason.
    pub(super) fn unread(
        &self,
        file: &Arc<str>,
        row_group: Option<u32>,
        rows: Option<u64>,
    ) -> Unread {
        let offset = match self {
            Self::Read { offset, .. } => *offset,
            _ => None,
        };
        Unread {
            file: Arc::clone(file),
            row_group,
            offset,
            rows,
            reason: reason(self, file),
        }
    }
}

/// An error with its sources, without the file that most begin with, since it is told beside the reason.
fn reason(error: &dyn std::error::Error, file: &str) -> String {
    let sources = std::iter::successors(error.source(), |error| (*error).source());
    let line = sources.fold(error.to_string(), |line, error| format!("{line}: {error}"));
    let rest = line
        .strip_prefix(file)
        .and_then(|rest| rest.strip_prefix(": "));
    rest.map_or_else(|| line.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_over_is_told_with_its_place_and_all_reasons() {
        let error = Error::Read {
            file: "a.parquet".to_owned(),
            row_group: 3,
            offset: Some(77),
            source: arrow_schema::ArrowError::ParquetError("bad page".to_owned()),
        };
        assert!(error.is_of_a_file());
        let unread = error.unread(&"a.parquet".into(), Some(3), Some(10));
        assert_eq!(unread.offset, Some(77));
        assert!(
            unread.to_string().starts_with(
                "a.parquet, row group 3, 10 rows: row group 3 cannot be read near byte 77,"
            ),
            "{unread}"
        );
        assert!(unread.reason.ends_with("bad page"), "{unread}");
    }

    #[test]
    fn what_every_file_would_meet_is_not_of_a_file() {
        assert!(!Error::ReaderStopped.is_of_a_file());
        assert!(!Error::NoFiles.is_of_a_file());
    }
}

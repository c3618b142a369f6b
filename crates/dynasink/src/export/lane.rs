//! One file after the other, each of about a size.

use std::fs::File;
use std::sync::Arc;

use serde::Serialize;

use super::compression::{Compression, Compressor};
use super::folder::UnfinishedFolder;
use super::progress::ExportProgress;
use super::shuffle::HeldItem;
use crate::error::{Error, Result};

const LINE: (&[u8], &[u8]) = (b"{\"Item\":", b"}\n");

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedFile {
    /// Its path in the folder of the export.
    pub name: String,
    /// Items.
    pub items: u64,
    /// Bytes of the lines, uncompressed.
    pub uncompressed_bytes: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// Writes items to files, a new one whenever one is full. All of it blocks.
#[derive(Debug)]
pub(super) struct Lane {
    number: usize,
    /// The folder in which all is written, and that of the files in it.
    folder: Arc<UnfinishedFolder>,
    subfolder: &'static str,
    compression: Compression,
    file_bytes: u64,
    progress: ExportProgress,
    open: Option<OpenFile>,
    finished: Vec<ExportedFile>,
}

#[derive(Debug)]
struct OpenFile {
    name: String,
    compressor: Compressor,
    items: u64,
    bytes: u64,
}

impl Lane {
    pub(super) fn new(
        number: usize,
        folder: Arc<UnfinishedFolder>,
        subfolder: &'static str,
        compression: Compression,
        file_bytes: u64,
        progress: ExportProgress,
    ) -> Self {
        Self {
            number,
            folder,
            subfolder,
            compression,
            file_bytes,
            progress,
            open: None,
            finished: Vec::new(),
        }
    }

    /// Writes `items` in the order of their hashes, as long as the export is wanted.
    pub(super) fn write(mut self, mut items: Vec<HeldItem>) -> Result<Self> {
        // Two keys of one hash are ordered too, so that the same rows always make the same files.
        items.sort_unstable_by(|left, right| {
            (left.hash, &left.json).cmp(&(right.hash, &right.json))
        });
        let mut line = Vec::new();
        for item in &items {
            if self.progress.is_abandoned() {
                return Err(Error::ExportStopped);
            }
            line.clear();
            line.extend_from_slice(LINE.0);
            line.extend_from_slice(&item.json);
            line.extend_from_slice(LINE.1);
            self.write_line(&line)?;
        }
        Ok(self)
    }

    fn write_line(&mut self, line: &[u8]) -> Result<()> {
        let bytes = line.len() as u64;
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.bytes + bytes > self.file_bytes)
        {
            self.finish_file()?;
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.next_file()?,
        };
        let written = open.compressor.write_all(line);
        written.map_err(|source| self.failed(&open.name, source))?;
        open.items += 1;
        open.bytes += bytes;
        self.open = Some(open);
        self.progress.note_item();
        Ok(())
    }

    fn next_file(&self) -> Result<OpenFile> {
        let name = format!(
            "{}/part-{:02}-{:05}.{}",
            self.subfolder,
            self.number,
            self.finished.len(),
            self.compression.extension()
        );
        let created = File::create_new(self.folder.path().join(&name))
            .and_then(|file| Compressor::new(self.compression, file));
        self.progress.note_file();
        Ok(OpenFile {
            compressor: created.map_err(|source| self.failed(&name, source))?,
            name,
            items: 0,
            bytes: 0,
        })
    }

    fn finish_file(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let written = open.compressor.finish();
        let written = written.map_err(|source| self.failed(&open.name, source))?;
        self.finished.push(ExportedFile {
            name: open.name,
            items: open.items,
            uncompressed_bytes: open.bytes,
            bytes: written.bytes,
            sha256: written.sha256,
        });
        Ok(())
    }

    /// Ends the last file, and gives all of them.
    pub(super) fn finish(mut self) -> Result<Vec<ExportedFile>> {
        self.finish_file()?;
        Ok(self.finished)
    }

    fn failed(&self, name: &str, source: std::io::Error) -> Error {
        Error::ExportFile {
            path: self.folder.path().join(name),
            source,
        }
    }
}

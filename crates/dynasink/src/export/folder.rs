//! The folder of an export, which is there once all of it is.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Where an export is written to, beside the folder that it will be. Dropped before its end, it is removed.
///
/// Whoever writes to it has a share in it, so that it is removed when nothing is written to it any more.
#[derive(Debug)]
pub(super) struct UnfinishedFolder {
    unfinished: PathBuf,
    folder: PathBuf,
    is_finished: AtomicBool,
}

impl UnfinishedFolder {
    /// Makes it, with a folder `data` in it.
    pub(super) fn create(folder: PathBuf, data: &str) -> Result<Self> {
        match fs::read_dir(&folder) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(Error::ExportFolderNotEmpty { path: folder });
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(Error::ExportFile {
                    path: folder,
                    source,
                });
            }
        }
        let mut name = folder.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let unfinished = folder.with_file_name(name);
        if unfinished.exists() {
            return Err(Error::ExportUnfinished { path: unfinished });
        }
        let created = fs::create_dir_all(unfinished.join(data));
        created.map_err(|source| Error::ExportFile {
            path: unfinished.clone(),
            source,
        })?;
        Ok(Self {
            unfinished,
            folder,
            is_finished: AtomicBool::new(false),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.unfinished
    }

    /// Writes a small file.
    pub(super) fn write(&self, name: &str, text: &[u8]) -> Result<()> {
        let path = self.unfinished.join(name);
        let written = File::create_new(&path)
            .and_then(|mut file| file.write_all(text).and_then(|()| file.sync_all()));
        written.map_err(|source| Error::ExportFile { path, source })
    }

    /// Gives it its name.
    pub(super) fn finish(&self) -> Result<()> {
        let renamed = match fs::remove_dir(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => fs::rename(&self.unfinished, &self.folder),
        };
        renamed.map_err(|source| Error::ExportFile {
            path: self.folder.clone(),
            source,
        })?;
        self.is_finished.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for UnfinishedFolder {
    fn drop(&mut self) {
        if !*self.is_finished.get_mut() {
            // Whoever drops it has an error to tell already; what is left is told by the next export.
            let _left = fs::remove_dir_all(&self.unfinished);
        }
    }
}

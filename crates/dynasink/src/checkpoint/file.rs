//! A file that is replaced as a whole, and that one process holds.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The file of a checkpoint, locked as long as this is there.
#[derive(Debug)]
pub(super) struct HeldFile {
    path: PathBuf,
    /// What has the lock: the file of this name.
    file: File,
}

impl HeldFile {
    /// A new file, in which nothing is yet.
    pub(super) fn create(path: PathBuf) -> Result<Self> {
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        match opened {
            Ok(file) => Self::hold(path, file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::CheckpointExists { path })
            }
            Err(source) => Err(Error::CheckpointFile { path, source }),
        }
    }

    /// A file that is there, and what is in it.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Vec<u8>)> {
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let mut held = match opened {
            Ok(file) => Self::hold(path, file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::CheckpointMissing { path });
            }
            Err(source) => return Err(Error::CheckpointFile { path, source }),
        };
        let mut content = Vec::new();
        match held.file.read_to_end(&mut content) {
            Ok(_) => Ok((held, content)),
            Err(source) => Err(held.failed(source)),
        }
    }

    fn hold(path: PathBuf, file: File) -> Result<Self> {
        let failed = |source, path| Err(Error::CheckpointFile { path, source });
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::CheckpointInUse { path }),
            Err(TryLockError::Error(source)) => return failed(source, path),
        }
        // Whoever held it may have replaced it meanwhile, and holds what it was replaced by.
        match is_at(&file, &path) {
            Ok(true) => Ok(Self { path, file }),
            Ok(false) => Err(Error::CheckpointInUse { path }),
            Err(source) => failed(source, path),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts `content` in its place. After a crash of the machine, too, the file has what it had before, or this.
    pub(super) fn replace(&mut self, content: &[u8]) -> Result<()> {
        self.file = self.write(content).map_err(|source| self.failed(source))?;
        Ok(())
    }

    /// Removes the file.
    pub(super) fn remove(&self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|source| self.failed(source))
    }

    fn write(&self, content: &[u8]) -> io::Result<File> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".tmp");
        let beside = self.path.with_file_name(name);
        let replaced = self.replace_by(&beside, content);
        if replaced.is_err() {
            // Why it could not be written says more than that this cannot be removed.
            let _left = fs::remove_file(&beside);
        }
        replaced
    }

    fn replace_by(&self, beside: &Path, content: &[u8]) -> io::Result<File> {
        let options = OpenOptions::new();
        let mut file = { options }
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(beside)?;
        file.lock()?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(beside, &self.path)?;
        sync_folder(&self.path)?;
        Ok(file)
    }

    fn failed(&self, source: io::Error) -> Error {
        let path = self.path.clone();
        Error::CheckpointFile { path, source }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let (held, there) = (file.metadata()?, fs::metadata(path)?);
    Ok((held.dev(), held.ino()) == (there.dev(), there.ino()))
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// A new name is on the disk only once its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_a_file_also_after_it_was_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("load.checkpoint");
        assert!(matches!(
            HeldFile::open(path.clone()),
            Err(Error::CheckpointMissing { .. })
        ));
        let mut held = HeldFile::create(path.clone()).unwrap();
        for content in ["one", "two"] {
            held.replace(content.as_bytes()).unwrap();
            assert!(matches!(
                HeldFile::open(path.clone()),
                Err(Error::CheckpointInUse { .. })
            ));
        }
        drop(held);
        let (_held, content) = HeldFile::open(path.clone()).unwrap();
        assert_eq!(content, b"two");
        assert!(matches!(
            HeldFile::create(path),
            Err(Error::CheckpointExists { .. })
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_take_its_place_does_not_stay_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("load.checkpoint");
        let mut held = HeldFile::create(path.clone()).unwrap();
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(
            held.replace(b"one"),
            Err(Error::CheckpointFile { .. })
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//! Files of this machine: one, those of a folder, or those that have a pattern.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::folder::{self, PassedOver, Verdict, is_hidden, verdict};
use super::pattern::{Match, Pattern};
use super::{FileVersion, Located, Location};
use crate::error::{Error, Result};
use crate::source::bytes::unreadable;

/// The files that `path` means: blocking.
pub(super) fn locate(path: &Path) -> Result<Vec<Located>> {
    let name = path.to_string_lossy();
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => in_folder(path),
        Ok(about) => Ok(vec![located(path.to_path_buf(), &about)]),
        // A file that is named like a pattern has been found by now.
        Err(error) if error.kind() == io::ErrorKind::NotFound => match path.to_str() {
            Some(text) if Pattern::is_one(text) => by_pattern(&Pattern::parse(text)?, text),
            _ => Err(unreadable(&name, error)),
        },
        Err(error) => Err(unreadable(&name, error)),
    }
}

fn in_folder(root: &Path) -> Result<Vec<Located>> {
    let mut files = Vec::new();
    let mut passed_over = PassedOver::default();
    for (path, entry) in entries(root, |_| true)? {
        let reads = match verdict(&path) {
            Verdict::Table { format, marker } => {
                return Err(table_folder(root, &path, format, marker));
            }
            Verdict::Read => true,
            Verdict::Unknown => !entry.file_type().is_dir() && starts_known(entry.path())?,
            Verdict::PassOver => false,
        };
        if reads {
            files.push((path, located_entry(&entry)?));
        } else if !entry.file_type().is_dir() {
            passed_over.add(&path);
        }
    }
    in_order(files, || Error::NothingFound {
        place: root.to_string_lossy().into_owned(),
        reason: passed_over.reason(),
    })
}

fn by_pattern(pattern: &Pattern, text: &str) -> Result<Vec<Located>> {
    let root = match pattern.base() {
        "" => Path::new("."),
        base => Path::new(base),
    };
    let nothing = |reason: String| Error::NothingFound {
        place: text.to_owned(),
        reason,
    };
    if !root.is_dir() {
        return Err(nothing(format!("{} is no folder", root.display())));
    }
    let mut files = Vec::new();
    for (path, entry) in entries(root, |folder| pattern.may_be_in(folder))? {
        if entry.file_type().is_dir() {
            continue;
        }
        let reads = match pattern.of_file(&path) {
            Some(Match::Whole) => pattern.asks_for_hidden() || !path.split('/').any(is_hidden),
            Some(Match::Below) => match verdict(&path) {
                Verdict::Table { format, marker } => {
                    return Err(table_folder(root, &path, format, marker));
                }
                Verdict::Read => true,
                Verdict::Unknown => starts_known(entry.path())?,
                Verdict::PassOver => false,
            },
            None => false,
        };
        if reads {
            files.push((path, located_entry(&entry)?));
        }
    }
    in_order(files, || nothing("no file has this pattern".to_owned()))
}

/// The files below `root`, with their paths below it, and the folders that are not looked into for being hidden.
fn entries(root: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, DirEntry)>> {
    let below = |entry: &DirEntry| {
        let path = entry
            .path()
            .strip_prefix(root)
            .unwrap_or_else(|_| entry.path());
        let parts = path
            .components()
            .map(|part| part.as_os_str().to_string_lossy());
        parts.collect::<Vec<_>>().join("/")
    };
    let mut walk = WalkDir::new(root).follow_links(true).into_iter();
    let mut found = Vec::new();
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| Error::ListFolder {
            folder: error
                .path()
                .map_or_else(|| root.to_path_buf(), Path::to_path_buf)
                .to_string_lossy()
                .into_owned(),
            source: error.into(),
        })?;
        if entry.depth() == 0 {
            continue;
        }
        let path = below(&entry);
        if entry.file_type().is_dir() {
            let hidden = is_hidden(&entry.file_name().to_string_lossy());
            if hidden || !wanted(&path) {
                walk.skip_current_dir();
            }
            if !hidden {
                continue;
            }
        }
        found.push((path, entry));
    }
    Ok(found)
}

fn table_folder(root: &Path, path: &str, format: &'static str, marker: &'static str) -> Error {
    Error::TableFolder {
        folder: folder::table_folder(&root.to_string_lossy(), path, marker),
        format,
        marker,
    }
}

/// The files by the bytes of their paths.
fn in_order(
    mut files: Vec<(String, Located)>,
    nothing: impl FnOnce() -> Error,
) -> Result<Vec<Located>> {
    if files.is_empty() {
        return Err(nothing());
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(files.into_iter().map(|(_, file)| file).collect())
}

fn located_entry(entry: &DirEntry) -> Result<Located> {
    let about = entry
        .metadata()
        .map_err(|error| unreadable(&entry.path().to_string_lossy(), error.into()))?;
    // A pattern without a folder is looked for in `.`, which nobody wrote.
    let path = entry.path();
    let path = path.strip_prefix("./").unwrap_or(path);
    Ok(located(path.to_path_buf(), &about))
}

fn located(path: PathBuf, about: &Metadata) -> Located {
    let name = path.to_string_lossy().into_owned();
    Located::new(Location::Local(path), name, about.len()).with_version(FileVersion {
        etag: None,
        modified: about.modified().ok().map(Into::into),
    })
}

/// Whether the file starts as one that can be read.
fn starts_known(path: &Path) -> Result<bool> {
    let failed = |source| unreadable(&path.to_string_lossy(), source);
    let mut head = Vec::with_capacity(folder::HEAD);
    let wanted = u64::try_from(folder::HEAD).unwrap_or(0);
    File::open(path)
        .map_err(failed)?
        .take(wanted)
        .read_to_end(&mut head)
        .map_err(failed)?;
    Ok(folder::is_known(&head))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn tree(files: &[(&str, &[u8])]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    fn names(root: &TempDir, below: &str) -> Result<Vec<String>> {
        let files = locate(&root.path().join(below))?;
        let names = files.iter().map(|file| {
            let path = file.location().local_path().unwrap();
            let path = path.strip_prefix(root.path()).unwrap();
            path.to_str().unwrap().to_owned()
        });
        Ok(names.collect())
    }

    #[test]
    fn a_folder_is_its_files_by_the_bytes_of_their_paths() {
        let root = tree(&[
            ("t/b/1.parquet", b""),
            ("t/b-2.parquet", b""),
            ("t/a.arrow", b""),
            ("t/B.parquet", b""),
            ("t/part-10.parquet", b""),
            ("t/part-9.parquet", b""),
            ("t/000000_0", b"PAR1..."),
            ("t/000001_0", b"a,b\n"),
            ("t/_SUCCESS", b""),
            ("t/.x.parquet", b""),
            ("t/_temporary/0/y.parquet", b""),
            ("t/notes.txt", b""),
        ]);
        assert_eq!(
            names(&root, "t").unwrap(),
            [
                "t/000000_0",
                "t/B.parquet",
                "t/a.arrow",
                "t/b-2.parquet",
                "t/b/1.parquet",
                "t/part-10.parquet",
                "t/part-9.parquet",
            ]
        );
    }

    #[test]
    fn a_pattern_finds_files_and_folders() {
        let root = tree(&[
            ("dt=1/a.parquet", b""),
            ("dt=1/_SUCCESS", b""),
            ("dt=2/a.parquet", b""),
            ("dt=2/deep/b.dat", b""),
            ("other/a.parquet", b""),
        ]);
        assert_eq!(
            names(&root, "dt=*").unwrap(),
            ["dt=1/a.parquet", "dt=2/a.parquet"]
        );
        assert_eq!(names(&root, "**/*.dat").unwrap(), ["dt=2/deep/b.dat"]);
        assert_eq!(names(&root, "dt=*/deep*/*").unwrap(), ["dt=2/deep/b.dat"]);
        assert_eq!(names(&root, "dt=1/_*").unwrap(), ["dt=1/_SUCCESS"]);
        let nothing = names(&root, "*.parquet").unwrap_err();
        assert!(matches!(nothing, Error::NothingFound { .. }), "{nothing}");
        let nowhere = names(&root, "none/*.parquet").unwrap_err();
        assert!(nowhere.to_string().contains("is no folder"), "{nowhere}");
    }

    #[test]
    fn a_path_that_exists_is_no_pattern() {
        let root = tree(&[("a[1].parquet", b""), ("a1.parquet", b"")]);
        assert_eq!(names(&root, "a[1].parquet").unwrap(), ["a[1].parquet"]);
        assert_eq!(names(&root, "a[12].parquet").unwrap(), ["a1.parquet"]);
    }

    #[test]
    fn tables_with_a_log_are_refused_and_their_files_may_be_named() {
        for marker in [
            "_delta_log/0.json",
            ".hoodie/x",
            "metadata/v1.metadata.json",
        ] {
            let root = tree(&[("t/a.parquet", b""), (&format!("t/{marker}"), b"")]);
            let error = names(&root, "").unwrap_err();
            assert!(matches!(error, Error::TableFolder { .. }), "{error}");
            assert_eq!(names(&root, "t/*.parquet").unwrap(), ["t/a.parquet"]);
        }
    }

    #[test]
    fn nothing_to_read_says_what_is_there() {
        let root = tree(&[("t/a.csv", b"")]);
        let error = names(&root, "t").unwrap_err().to_string();
        assert!(
            error.contains("its one file, a.csv, does not end in .parquet"),
            "{error}"
        );
        let missing = names(&root, "u.parquet").unwrap_err();
        assert!(matches!(missing, Error::FileNotFound { .. }), "{missing}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_a_ring_of_them_is_an_error() {
        let root = tree(&[("real/a.parquet", b"")]);
        std::os::unix::fs::symlink(root.path().join("real"), root.path().join("linked")).unwrap();
        assert_eq!(names(&root, "linked").unwrap(), ["linked/a.parquet"]);
        std::os::unix::fs::symlink(root.path(), root.path().join("real/ring")).unwrap();
        let error = names(&root, "real").unwrap_err();
        assert!(matches!(error, Error::ListFolder { .. }), "{error}");
    }
}

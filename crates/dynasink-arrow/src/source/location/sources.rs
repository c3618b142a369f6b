//! Sources as they are written, and the files that they are.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::address::{Address, public_part};
use super::stores::Stores;
use super::{FileSet, HivePartitions, Located, Location, local, manifest, remote};
use crate::error::{Error, Result};

/// What to read: files, folders, patterns, URLs of object stores and manifests.
///
/// | written | read |
/// | --- | --- |
/// | `a.parquet` | the file, whatever its name ends in |
/// | `folder` | its files that end in `.parquet`, `.parq`, `.pq`, `.arrow`, `.arrows`, `.feather` or `.ipc`, or that have no ending and start as Parquet or Arrow; in its folders too |
/// | `a/*/b-*.parquet`, `a/**` | the files that have the pattern, and those of the folders that have it |
/// | `s3://bucket/key`, `gs://`, `az://`, `abfs://` | the object |
/// | `s3://bucket/prefix/` | as a folder |
/// | `s3://bucket/a/*.parquet` | as a pattern |
/// | `http://`, `https://` | the file |
///
/// Names that start with `.` or `_` are passed over in folders and patterns, unless the pattern asks for them. The
/// order is that of the sources; files of one folder or pattern have the order of the bytes of their paths. A file that
/// two sources name is an error, since its rows would be written twice.
///
/// ```no_run
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// use dynasink_arrow::{HivePartitions, Sources};
///
/// let files = Sources::new()
///     .with_source("s3://bucket/events/")
///     .with_source("late/*.parquet")
///     .with_partitions(HivePartitions::Typed)
///     .locate()
///     .await?;
/// for file in files.files() {
///     println!("{} has {} bytes", file.name(), file.size());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Sources {
    named: Vec<Named>,
    stores: Stores,
    partitions: HivePartitions,
}

#[derive(Clone, Debug)]
enum Named {
    Source(OsString),
    Manifest(PathBuf),
}

/// A source on its own: where it is, and who named it.
#[derive(Debug)]
struct Single {
    address: Address,
    /// As a message has it.
    named: String,
    /// The manifest and the line of it.
    manifest: Option<(String, usize)>,
}

impl Single {
    /// Says which line of the manifest an error is about.
    fn error(&self, source: Error) -> Error {
        match &self.manifest {
            None => source,
            Some((file, line)) => Error::ManifestLine {
                file: file.clone(),
                line: *line,
                source: Box::new(source),
            },
        }
    }
}

impl Sources {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads this source after those before it.
    pub fn with_source(mut self, source: impl AsRef<OsStr>) -> Self {
        self.named
            .push(Named::Source(source.as_ref().to_os_string()));
        self
    }

    /// Reads the sources that this text file lists after those before it.
    ///
    /// It has one source a line; lines that are empty or start with `#` are none. Paths are relative to the folder
    /// that the manifest is in.
    pub fn with_manifest(mut self, file: impl Into<PathBuf>) -> Self {
        self.named.push(Named::Manifest(file.into()));
        self
    }

    /// Reaches object stores by these.
    pub fn with_stores(mut self, stores: Stores) -> Self {
        self.stores = stores;
        self
    }

    /// Makes this of folders named `column=value`.
    pub fn with_partitions(mut self, partitions: HivePartitions) -> Self {
        self.partitions = partitions;
        self
    }

    /// Whether one of the sources is in S3, so that credentials of AWS are needed.
    ///
    /// # Errors
    ///
    /// An [`Error`] of a source that is not understood, or of a manifest that cannot be read.
    pub async fn reads_s3(&self) -> Result<bool> {
        let sources = self.understood().await?;
        Ok(sources.iter().any(|source| source.address.is_s3()))
    }

    /// Finds the files.
    ///
    /// # Errors
    ///
    /// Any [`Error`] that a name can tell: a source that is not there, is not understood or has no files, a store that
    /// cannot be reached, a folder that is a table with a log of its own, a file that is named twice, files of unlike
    /// partitions.
    pub async fn locate(&self) -> Result<FileSet> {
        let sources = self.understood().await?;
        let mut files = Vec::new();
        let mut seen = Seen::default();
        for source in sources {
            let found = match &source.address {
                Address::Local(path) => {
                    let path = path.clone();
                    tokio::task::spawn_blocking(move || local::locate(&path).map(with_identities))
                        .await
                        .unwrap_or(Err(Error::ReaderStopped))
                }
                Address::Store(url) => remote::locate(url, &self.stores).await.map(with_identities),
            };
            let found = found.map_err(|error| source.error(error))?;
            tracing::debug!(source = %source.named, files = found.len(), "a source was found");
            for (file, identity) in found {
                seen.check(&file, identity, &source.named)?;
                files.push(file);
            }
        }
        FileSet::new(files, self.partitions)
    }

    async fn understood(&self) -> Result<Vec<Single>> {
        let sources = self.clone();
        tokio::task::spawn_blocking(move || sources.singles())
            .await
            .unwrap_or(Err(Error::ReaderStopped))
    }

    /// The sources one by one, with the manifests read: blocking.
    fn singles(&self) -> Result<Vec<Single>> {
        let mut all = Vec::with_capacity(self.named.len());
        for named in &self.named {
            match named {
                Named::Source(source) => all.push(Single {
                    address: Address::parse(source, None, &self.stores)?,
                    named: public_part_of(source),
                    manifest: None,
                }),
                Named::Manifest(file) => {
                    let name = file.to_string_lossy().into_owned();
                    for entry in manifest::read(file)? {
                        let address = Address::parse(&entry.source, file.parent(), &self.stores);
                        all.push(Single {
                            address: address.map_err(|source| Error::ManifestLine {
                                file: name.clone(),
                                line: entry.line,
                                source: Box::new(source),
                            })?,
                            named: format!("line {} of {name}", entry.line),
                            manifest: Some((name.clone(), entry.line)),
                        });
                    }
                }
            }
        }
        Ok(all)
    }
}

impl<S: AsRef<OsStr>> FromIterator<S> for Sources {
    fn from_iter<I: IntoIterator<Item = S>>(sources: I) -> Self {
        sources.into_iter().fold(Self::new(), Self::with_source)
    }
}

fn public_part_of(source: &OsStr) -> String {
    let text = source.to_string_lossy();
    if text.contains("://") {
        public_part(&text)
    } else {
        text.into_owned()
    }
}

/// Each file with what it is the same file by, however it was named: blocking for local files.
fn with_identities(files: Vec<Located>) -> Vec<(Located, String)> {
    let identity = |file: &Located| match file.location() {
        Location::Local(path) => real_path(path),
        Location::Object(object) if object.path().as_ref().is_empty() => file.name().to_string(),
        Location::Object(object) => format!("{:p} {}", object.store(), object.path()),
    };
    files
        .into_iter()
        .map(|file| {
            let identity = identity(&file);
            (file, identity)
        })
        .collect()
}

fn real_path(path: &Path) -> String {
    let real = path.canonicalize();
    real.as_deref()
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

/// The files that were found, each with the source that named it.
#[derive(Debug, Default)]
struct Seen(HashMap<String, String>);

impl Seen {
    fn check(&mut self, file: &Located, identity: String, named: &str) -> Result<()> {
        match self.0.insert(identity, named.to_owned()) {
            None => Ok(()),
            Some(first) => Err(Error::FileTwice {
                file: file.name().to_string(),
                first,
                second: named.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn names(files: &FileSet, folder: &TempDir) -> Vec<String> {
        let below = |file: &Located| {
            let path = file.location().local_path().unwrap();
            let path = path.strip_prefix(folder.path()).unwrap();
            path.to_str().unwrap().to_owned()
        };
        files.files().iter().map(below).collect()
    }

    #[tokio::test]
    async fn files_have_the_order_of_the_sources_and_the_manifest_follows() {
        let folder = folder(&[
            ("b.parquet", ""),
            ("d/2.parquet", ""),
            ("d/1.parquet", ""),
            ("lists/late.txt", "# late\n../a.parquet\n../e/*.pq\n"),
            ("a.parquet", ""),
            ("e/x.pq", ""),
        ]);
        let files = Sources::new()
            .with_source(folder.path().join("d"))
            .with_source(folder.path().join("b.parquet"))
            .with_manifest(folder.path().join("lists/late.txt"))
            .locate()
            .await
            .unwrap();
        assert_eq!(
            names(&files, &folder),
            [
                "d/1.parquet",
                "d/2.parquet",
                "b.parquet",
                "lists/../a.parquet",
                "lists/../e/x.pq"
            ]
        );
    }

    #[tokio::test]
    async fn a_file_that_two_sources_name_is_refused() {
        let folder = folder(&[("d/1.parquet", ""), ("list", "d/./1.parquet\n")]);
        let error = Sources::new()
            .with_source(folder.path().join("d"))
            .with_manifest(folder.path().join("list"))
            .locate()
            .await
            .unwrap_err();
        let Error::FileTwice { first, second, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(*first, folder.path().join("d").to_str().unwrap());
        assert!(second.starts_with("line 1 of "), "{second}");
    }

    #[tokio::test]
    async fn a_wrong_line_of_a_manifest_is_named() {
        let folder = folder(&[("list", "\n# none\nmissing.parquet\n"), ("empty", "# a\n")]);
        let locate = |name: &str| {
            let sources = Sources::new().with_manifest(folder.path().join(name));
            async move { sources.locate().await.unwrap_err() }
        };
        let error = locate("list").await;
        assert!(error.to_string().contains("list, line 3: "), "{error}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            source.contains("missing.parquet: there is no such file"),
            "{source}"
        );
        assert!(matches!(locate("empty").await, Error::NothingFound { .. }));
        assert!(matches!(
            locate("nowhere").await,
            Error::ReadManifest { .. }
        ));
    }

    #[tokio::test]
    async fn nothing_named_is_nothing_to_read() {
        let error = Sources::new().locate().await.unwrap_err();
        assert!(matches!(error, Error::NoFiles), "{error}");
    }
}

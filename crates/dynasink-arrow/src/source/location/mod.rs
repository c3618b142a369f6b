//! Where files are: what a source names becomes a list of files, each with its place and its partition.

mod address;
mod folder;
mod hive;
mod local;
mod manifest;
mod pattern;
mod remote;
mod sources;
mod stores;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::Fields;
use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;

pub use hive::HivePartitions;
pub use sources::Sources;
pub use stores::Stores;

/// Where a file is kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Location {
    /// On this machine.
    Local(PathBuf),
    /// In an object store.
    Object(ObjectLocation),
}

impl Location {
    /// The path, of a file of this machine.
    pub fn local_path(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Object(_) => None,
        }
    }
}

/// An object of an object store.
#[derive(Clone, Debug)]
pub struct ObjectLocation {
    store: Arc<dyn ObjectStore>,
    path: ObjectPath,
}

impl ObjectLocation {
    /// The object at `path` of `store`.
    pub fn new(store: Arc<dyn ObjectStore>, path: ObjectPath) -> Self {
        Self { store, path }
    }

    /// The store that has it.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Its path in the store.
    pub fn path(&self) -> &ObjectPath {
        &self.path
    }
}

/// What tells one state of a file from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileVersion {
    /// The entity tag that an object store gave it.
    pub etag: Option<String>,
    /// When it was written last.
    pub modified: Option<DateTime<Utc>>,
}

/// A file that was found: where it is, what it was when it was found, and the partition that it belongs to.
#[derive(Clone, Debug)]
pub struct Located {
    location: Location,
    name: Arc<str>,
    size: u64,
    version: FileVersion,
    partitions: Vec<(String, Option<String>)>,
    partition_values: Vec<ArrayRef>,
}

impl Located {
    /// A file of no partition, of `size` bytes, that positions and errors call `name`.
    pub fn new(location: Location, name: impl Into<Arc<str>>, size: u64) -> Self {
        Self {
            location,
            name: name.into(),
            size,
            version: FileVersion::default(),
            partitions: Vec::new(),
            partition_values: Vec::new(),
        }
    }

    /// The same, with what tells that it is still the same.
    #[must_use]
    pub fn with_version(mut self, version: FileVersion) -> Self {
        self.version = version;
        self
    }

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// What positions and errors call it: its path, or its URL without what is secret in it.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its bytes when it was found.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What told it from other states of itself when it was found.
    pub fn version(&self) -> &FileVersion {
        &self.version
    }

    /// The folders `name=value` that it lies in, outermost first; no value is Hive's null.
    pub fn partitions(&self) -> &[(String, Option<String>)] {
        &self.partitions
    }

    /// An array of one value for each of [`FileSet::partition_fields`], which all rows of the file have.
    pub fn partition_values(&self) -> &[ArrayRef] {
        &self.partition_values
    }
}

/// The files of a source, in the order in which their rows count, and the columns that their folders give them.
#[derive(Clone, Debug)]
pub struct FileSet {
    files: Vec<Located>,
    partition_fields: Fields,
}

impl FileSet {
    /// These files, with the columns that `hive` makes of the folders that they lie in.
    ///
    /// # Errors
    ///
    /// [`Error::NoFiles`](crate::Error::NoFiles) if there is none, and
    /// [`Error::PartitionNames`](crate::Error::PartitionNames) if some lie in other partitions than the rest.
    pub fn new(mut files: Vec<Located>, hive: HivePartitions) -> crate::Result<Self> {
        if files.is_empty() {
            return Err(crate::Error::NoFiles);
        }
        let partition_fields = hive.assign(&mut files)?;
        Ok(Self {
            files,
            partition_fields,
        })
    }

    /// The files in the order in which they were named; those of one folder or pattern by the bytes of their names.
    pub fn files(&self) -> &[Located] {
        &self.files
    }

    /// The columns that come from folders. Each is nullable.
    pub fn partition_fields(&self) -> &Fields {
        &self.partition_fields
    }
}

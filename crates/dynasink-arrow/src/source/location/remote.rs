//! Objects of a store: one, those below a prefix, or those that have a pattern.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};

use super::address::{Scheme, StoreUrl};
use super::folder::{self, PassedOver, Verdict, is_hidden, verdict};
use super::pattern::{Match, Pattern};
use super::stores::Stores;
use super::{Located, Location, ObjectLocation};
use crate::error::{Error, Result};
use crate::source::bytes::version_of;

/// How many objects are looked into at once, of those whose names say nothing.
const LOOKS_AT_ONCE: usize = 16;

/// The files that `url` means.
pub(super) async fn locate(url: &StoreUrl, stores: &Stores) -> Result<Vec<Located>> {
    Remote {
        store: stores.store(url)?,
        url,
    }
    .locate()
    .await
}

struct Remote<'a> {
    store: Arc<dyn ObjectStore>,
    url: &'a StoreUrl,
}

impl Remote<'_> {
    async fn locate(&self) -> Result<Vec<Located>> {
        let key = self.url.key.as_str();
        if self.url.scheme == Scheme::Http {
            return self.web_page().await;
        }
        if key.is_empty() || key.ends_with('/') {
            return self.below(key).await;
        }
        let is_pattern = Pattern::is_one(key);
        match self.store.head(&self.path(key)?).await {
            Ok(meta) => Ok(vec![self.located(&meta)]),
            // An object that is named like a pattern has been found by now.
            Err(_) if is_pattern => self.by_pattern(&Pattern::parse(key)?).await,
            Err(object_store::Error::NotFound { .. }) => {
                let name = self.url.name();
                match self.below(&format!("{key}/")).await {
                    Err(Error::NothingFound { .. }) => Err(Error::FileNotFound { file: name }),
                    found => found,
                }
            }
            Err(source) => Err(self.failed("read the object", source)),
        }
    }

    /// A file of a web server, which has no folders to list.
    async fn web_page(&self) -> Result<Vec<Located>> {
        let path = self.url.key.split(['?', '#']).next().unwrap_or_default();
        if path.is_empty() || path.ends_with('/') || path.contains('*') {
            return Err(Error::SourceName {
                source_name: self.url.name(),
                reason: "a web server does not list its files: name each file, for example in a manifest"
                    .to_owned(),
            });
        }
        // The store is the file itself, so that the URL goes out exactly as it is written.
        let object = ObjectPath::default();
        let meta = match self.store.head(&object).await {
            Ok(meta) => meta,
            Err(source @ object_store::Error::NotFound { .. }) => {
                return Err(self.failed("read the file", source));
            }
            // A signed URL is good for GET alone, and some servers know nothing of HEAD.
            Err(_) => {
                let options = GetOptions {
                    range: Some(GetRange::Bounded(0..1)),
                    ..GetOptions::default()
                };
                let answer = self.store.get_opts(&object, options).await;
                answer
                    .map_err(|source| self.failed("read a part of the file", source))?
                    .meta
            }
        };
        let location = ObjectLocation::new(Arc::clone(&self.store), object);
        let file = Located::new(Location::Object(location), self.url.name(), meta.size);
        Ok(vec![file.with_version(version_of(&meta))])
    }

    async fn below(&self, prefix: &str) -> Result<Vec<Located>> {
        let mut files = Vec::new();
        let mut unknown = Vec::new();
        let mut passed_over = PassedOver::default();
        for (path, meta) in self.list(prefix).await? {
            match verdict(&path) {
                Verdict::Table { format, marker } => {
                    return Err(self.table(prefix, &path, format, marker));
                }
                Verdict::Read => files.push(meta),
                Verdict::Unknown => unknown.push((path, meta)),
                Verdict::PassOver => passed_over.add(&path),
            }
        }
        for (path, meta, known) in self.look_into(unknown).await? {
            if known {
                files.push(meta);
            } else {
                passed_over.add(&path);
            }
        }
        self.in_order(files, || passed_over.reason())
    }

    async fn by_pattern(&self, pattern: &Pattern) -> Result<Vec<Located>> {
        let prefix = match pattern.base() {
            "" => String::new(),
            base => format!("{base}/"),
        };
        let mut files = Vec::new();
        let mut unknown = Vec::new();
        for (path, meta) in self.list(&prefix).await? {
            match pattern.of_file(&path) {
                Some(Match::Whole)
                    if !pattern.asks_for_hidden() && path.split('/').any(is_hidden) => {}
                Some(Match::Whole) => files.push(meta),
                Some(Match::Below) => match verdict(&path) {
                    Verdict::Table { format, marker } => {
                        return Err(self.table(&prefix, &path, format, marker));
                    }
                    Verdict::Read => files.push(meta),
                    Verdict::Unknown => unknown.push((path, meta)),
                    Verdict::PassOver => {}
                },
                None => {}
            }
        }
        let known = self.look_into(unknown).await?;
        files.extend(
            known
                .into_iter()
                .filter_map(|(_, meta, known)| known.then_some(meta)),
        );
        self.in_order(files, || "no object has this pattern".to_owned())
    }

    /// The objects below `prefix`, with what follows it in their paths.
    async fn list(&self, prefix: &str) -> Result<Vec<(String, ObjectMeta)>> {
        let folder = self.path(prefix)?;
        let listed = self.store.list((!prefix.is_empty()).then_some(&folder));
        let below = |meta: ObjectMeta| {
            let path = meta.location.as_ref().strip_prefix(folder.as_ref());
            let path = path.unwrap_or_else(|| meta.location.as_ref());
            (path.trim_start_matches('/').to_owned(), meta)
        };
        listed
            .map_ok(below)
            .try_collect()
            .await
            .map_err(|source| self.failed("list the objects", source))
    }

    /// Which of these start as files that can be read.
    async fn look_into(
        &self,
        objects: Vec<(String, ObjectMeta)>,
    ) -> Result<Vec<(String, ObjectMeta, bool)>> {
        let wanted = u64::try_from(folder::HEAD).unwrap_or(0);
        futures::stream::iter(objects)
            .map(|(path, meta)| async move {
                let known = if meta.size < wanted {
                    false
                } else {
                    let head = self.store.get_range(&meta.location, 0..wanted).await;
                    let head = head.map_err(|source| self.failed("read an object", source))?;
                    folder::is_known(&head)
                };
                Ok((path, meta, known))
            })
            .buffered(LOOKS_AT_ONCE)
            .try_collect()
            .await
    }

    /// The objects by the bytes of their paths.
    fn in_order(
        &self,
        mut objects: Vec<ObjectMeta>,
        reason: impl FnOnce() -> String,
    ) -> Result<Vec<Located>> {
        if objects.is_empty() {
            return Err(Error::NothingFound {
                place: self.url.name(),
                reason: reason(),
            });
        }
        objects.sort_by(|a, b| a.location.as_ref().cmp(b.location.as_ref()));
        Ok(objects.iter().map(|meta| self.located(meta)).collect())
    }

    fn located(&self, meta: &ObjectMeta) -> Located {
        let name = self.url.name_of(meta.location.as_ref());
        let location = ObjectLocation::new(Arc::clone(&self.store), meta.location.clone());
        Located::new(Location::Object(location), name, meta.size).with_version(version_of(meta))
    }

    fn path(&self, key: &str) -> Result<ObjectPath> {
        ObjectPath::parse(key).map_err(|error| Error::SourceName {
            source_name: self.url.name(),
            reason: error.to_string(),
        })
    }

    fn table(&self, prefix: &str, path: &str, format: &'static str, marker: &'static str) -> Error {
        Error::TableFolder {
            folder: folder::table_folder(&self.url.name_of(prefix), path, marker),
            format,
            marker,
        }
    }

    fn failed(&self, action: &'static str, source: object_store::Error) -> Error {
        match source {
            object_store::Error::NotFound { .. } => Error::FileNotFound {
                file: self.url.name(),
            },
            source => Error::ObjectStore {
                url: self.url.name(),
                action,
                source,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::super::{HivePartitions, Sources};
    use super::*;

    async fn store(objects: &[(&str, &'static [u8])]) -> Stores {
        let store = InMemory::new();
        for (path, bytes) in objects {
            store
                .put(&ObjectPath::parse(path).unwrap(), bytes.to_vec().into())
                .await
                .unwrap();
        }
        Stores::new().with_store("s3://bucket", Arc::new(store))
    }

    async fn names(stores: &Stores, source: &str) -> Result<Vec<String>> {
        let files = Sources::new()
            .with_source(source)
            .with_stores(stores.clone())
            .with_partitions(HivePartitions::Off)
            .locate()
            .await?;
        let names = files.files().iter().map(|file| file.name().to_string());
        Ok(names.collect())
    }

    #[tokio::test]
    async fn objects_prefixes_and_patterns_are_found_in_the_order_of_their_names() {
        let stores = store(&[
            ("t/dt=2/b.parquet", b""),
            ("t/dt=1/a.parquet", b""),
            ("t/dt=1/_SUCCESS", b""),
            ("t/000000_0", b"PAR1....PAR1"),
            ("t/000001_0", b"a,b\n1,2\n"),
            ("t/x.csv", b""),
            ("tt/other.parquet", b""),
        ])
        .await;
        let below = [
            "s3://bucket/t/000000_0",
            "s3://bucket/t/dt=1/a.parquet",
            "s3://bucket/t/dt=2/b.parquet",
        ];
        assert_eq!(names(&stores, "s3://bucket/t/").await.unwrap(), below);
        // Without its slash it is no object, and so it is the folder.
        assert_eq!(names(&stores, "s3://bucket/t").await.unwrap(), below);
        assert_eq!(names(&stores, "s3://bucket/").await.unwrap().len(), 4);
        assert_eq!(
            names(&stores, "s3://bucket/t/x.csv").await.unwrap(),
            ["s3://bucket/t/x.csv"]
        );
        assert_eq!(
            names(&stores, "s3://bucket/t/dt=*/*.parquet")
                .await
                .unwrap(),
            below[1..]
        );
        assert_eq!(
            names(&stores, "s3://bucket/*/dt=1").await.unwrap(),
            [below[1]]
        );
    }

    #[tokio::test]
    async fn what_is_not_there_is_said_in_the_words_of_the_source() {
        let stores = store(&[("t/x.csv", b""), ("d/_delta_log/0.json", b"")]).await;
        let error = names(&stores, "s3://bucket/none.parquet")
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "s3://bucket/none.parquet: there is no such file: check the path"
        );
        let error = names(&stores, "s3://bucket/t/").await.unwrap_err();
        assert!(error.to_string().contains("its one file, x.csv"), "{error}");
        let error = names(&stores, "s3://bucket/*.parquet").await.unwrap_err();
        assert!(matches!(error, Error::NothingFound { .. }), "{error}");
        let error = names(&stores, "s3://bucket/d/").await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("s3://bucket/d: this is a Delta Lake table"),
            "{error}"
        );
        let error = names(&stores, "s3://bucket/a//b").await.unwrap_err();
        assert!(matches!(error, Error::SourceName { .. }), "{error}");
    }
}

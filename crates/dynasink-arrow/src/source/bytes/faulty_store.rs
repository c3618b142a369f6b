//! A store in memory that remembers what it was asked for, and answers badly when told to.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

use crate::source::location::{FileVersion, Located, Location, ObjectLocation};

/// What goes wrong with one answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The body ends with an error after so many bytes.
    BreaksAfter(usize),
    /// The body ends as if it were whole after so many bytes.
    EndsAfter(usize),
    /// The object is another one before it answers.
    ChangesTo(&'static [u8]),
    /// The object is gone before it answers.
    Vanishes,
}

#[derive(Debug, Default)]
pub(crate) struct FaultyStore {
    inner: InMemory,
    faults: Mutex<VecDeque<Fault>>,
    asked: Mutex<Vec<Range<u64>>>,
    weak_tags: bool,
}

impl FaultyStore {
    /// A store whose next answers go wrong like this; further ones are good.
    pub(crate) fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            faults: Mutex::new(faults.into_iter().collect()),
            ..Self::default()
        }
    }

    /// Its entity tags are weak, as those of some web servers, and match nothing.
    pub(crate) fn with_weak_tags(self) -> Self {
        Self {
            weak_tags: true,
            ..self
        }
    }

    /// The ranges that were asked for since the last call, in order.
    pub(crate) fn asked(&self) -> Vec<Range<u64>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// Puts `bytes` at `file`, and says where that is.
    pub(crate) async fn located(self: &Arc<Self>, bytes: impl Into<Bytes>) -> Located {
        let path = Path::from("file");
        let bytes = bytes.into();
        let size = u64::try_from(bytes.len()).unwrap();
        self.inner.put(&path, bytes.into()).await.unwrap();
        let meta = self.inner.head(&path).await.unwrap();
        let store: Arc<dyn ObjectStore> = Arc::<Self>::clone(self);
        let location = Location::Object(ObjectLocation::new(store, path));
        // Azure's listings have no quotes around the tag.
        let etag = self.tag(meta.e_tag).map(|tag| tag.replace('"', ""));
        Located::new(location, "mem://file", size).with_version(FileVersion {
            etag,
            modified: Some(meta.last_modified),
        })
    }

    fn tag(&self, tag: Option<String>) -> Option<String> {
        match tag {
            Some(tag) if self.weak_tags => Some(format!("W/\"{tag}\"")),
            tag => tag,
        }
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyStore({})", self.inner)
    }
}

fn lost() -> Error {
    Error::Generic {
        store: "faulty",
        source: "the connection was lost".into(),
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let fault = self.faults.lock().unwrap().pop_front();
        match &fault {
            Some(Fault::ChangesTo(bytes)) => {
                let bytes = Bytes::from_static(bytes);
                self.inner.put(location, bytes.into()).await?;
            }
            Some(Fault::Vanishes) => self.inner.delete(location).await?,
            _ => {}
        }
        assert!(
            !self.weak_tags || options.if_match.is_none(),
            "a weak tag never matches"
        );
        let mut answer = self.inner.get_opts(location, options).await?;
        self.asked.lock().unwrap().push(answer.range.clone());
        answer.meta.e_tag = self.tag(answer.meta.e_tag);
        let (most, end) = match fault {
            Some(Fault::BreaksAfter(bytes)) => (bytes, Some(Err(lost()))),
            Some(Fault::EndsAfter(bytes)) => (bytes, None),
            _ => return Ok(answer),
        };
        let (range, meta) = (answer.range.clone(), answer.meta.clone());
        let attributes = answer.attributes.clone();
        let extensions = answer.extensions.clone();
        let whole: Vec<Bytes> = answer.into_stream().try_collect().await?;
        let part = Bytes::from(whole.concat()).slice(..most);
        let body = futures::stream::iter([Ok(part)]).chain(futures::stream::iter(end));
        Ok(GetResult {
            payload: GetResultPayload::Stream(body.boxed()),
            meta,
            range,
            attributes,
            extensions,
        })
    }

    async fn put_opts(&self, to: &Path, payload: PutPayload, o: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(to, payload, o).await
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(to, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

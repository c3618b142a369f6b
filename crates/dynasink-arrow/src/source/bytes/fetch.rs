//! A range of an object, fetched whole: a body that breaks is gone on with from where it broke.

use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use object_store::{GetOptions, GetRange, ObjectMeta};

use crate::source::location::{FileVersion, ObjectLocation};

/// How often the body of one range may break.
///
/// Requests that are not answered at all are the store's to repeat.
const MOST_BREAKS: u32 = 6;
/// The wait after the first break; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Why a range cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the object is not what it was when it was found")]
    Changed,

    #[error(transparent)]
    Store(object_store::Error),

    #[error("the server does not give parts of files: download the file, and load the copy")]
    NoRanges,

    #[error("the answer broke off {breaks} times")]
    Broken {
        breaks: u32,
        #[source]
        last: Option<object_store::Error>,
    },

    #[error("the store answered with bytes from {found} where those from {asked} were asked for")]
    OtherRange { asked: u64, found: u64 },

    #[error("the request was given up, because the runtime is shutting down")]
    Abandoned,
}

impl From<object_store::Error> for FetchError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. } => {
                Self::Changed
            }
            object_store::Error::NotSupported { .. } => Self::NoRanges,
            other => Self::Store(other),
        }
    }
}

/// One state of one object: ranges come from it or not at all.
#[derive(Debug)]
pub(super) struct Pinned {
    object: ObjectLocation,
    size: u64,
    version: FileVersion,
    /// The entity tag as answers have it, which listings may write in another way.
    etag: OnceLock<String>,
}

/// How an answer ended before all of its bytes were there.
struct Break(Option<object_store::Error>);

impl Pinned {
    pub(super) fn new(object: ObjectLocation, size: u64, version: FileVersion) -> Self {
        Self {
            object,
            size,
            version,
            etag: OnceLock::new(),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of `range`, which lies within the object.
    pub(super) async fn fetch(&self, range: Range<u64>) -> Result<Bytes, FetchError> {
        let len = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let mut bytes = BytesMut::new();
        let mut breaks = 0;
        loop {
            let from = range.start + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let Some(Break(last)) = self.append(from..range.end, len, &mut bytes).await? else {
                return Ok(bytes.freeze());
            };
            breaks += 1;
            if breaks > MOST_BREAKS {
                return Err(FetchError::Broken { breaks, last });
            }
            tracing::info!(
                object = %self.object.path(),
                breaks,
                left = len - bytes.len(),
                "an answer broke off, going on from there"
            );
            tokio::time::sleep(FIRST_WAIT * 2_u32.pow(breaks - 1)).await;
        }
    }

    /// Appends what one request brings of `range`, until `bytes` are `len`.
    async fn append(
        &self,
        range: Range<u64>,
        len: usize,
        bytes: &mut BytesMut,
    ) -> Result<Option<Break>, FetchError> {
        let asked = range.start;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: self.expected_etag(),
            ..GetOptions::default()
        };
        let answer = self
            .object
            .store()
            .get_opts(self.object.path(), options)
            .await?;
        self.check_same(&answer.meta)?;
        if answer.range.start != asked {
            return Err(FetchError::OtherRange {
                asked,
                found: answer.range.start,
            });
        }
        bytes.reserve(len - bytes.len());
        let mut body = answer.into_stream();
        loop {
            match body.try_next().await {
                Ok(Some(part)) => {
                    let wanted = part.len().min(len - bytes.len());
                    bytes.extend_from_slice(&part[..wanted]);
                    if bytes.len() == len {
                        return Ok(None);
                    }
                }
                Ok(None) => return Ok(Some(Break(None))),
                Err(error) => return Ok(Some(Break(Some(error)))),
            }
        }
    }

    /// The tag that an answer must have, as far as servers can compare it.
    fn expected_etag(&self) -> Option<String> {
        let listed = self
            .version
            .etag
            .iter()
            .filter(|etag| etag.starts_with('"'));
        let mut known = self.etag.get().into_iter().chain(listed);
        known.find(|etag| is_strong(etag)).cloned()
    }

    fn check_same(&self, meta: &ObjectMeta) -> Result<(), FetchError> {
        let found = version_of(meta);
        let same_etag = match (&found.etag, &self.version.etag, self.etag.get()) {
            (Some(found), listed, answered) => listed
                .iter()
                .chain(answered)
                .all(|known| opaque(found) == opaque(known)),
            (None, None, None) => self
                .version
                .modified
                .is_none_or(|known| found.modified == Some(known)),
            // An answer without the tag says nothing of it.
            (None, ..) => true,
        };
        if meta.size != self.size || !same_etag {
            return Err(FetchError::Changed);
        }
        if let Some(etag) = found.etag {
            self.etag.get_or_init(|| etag);
        }
        Ok(())
    }
}

/// What tells this state of an object from others.
pub(in crate::source) fn version_of(meta: &ObjectMeta) -> FileVersion {
    FileVersion {
        etag: meta.e_tag.clone(),
        // A server that does not say it is taken for 1970 by the client.
        modified: (meta.last_modified.timestamp() != 0).then_some(meta.last_modified),
    }
}

/// The tag without its quotes, which not every listing writes, and whether it is strong or weak.
fn opaque(etag: &str) -> &str {
    etag.trim_start_matches("W/").trim_matches('"')
}

/// Weak tags never match in `If-Match` (RFC 9110, 13.1.1).
fn is_strong(etag: &str) -> bool {
    !etag.starts_with("W/")
}

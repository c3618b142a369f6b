//! The object stores behind URLs.

#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "remote")]
mod transport;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;

use super::address::{Scheme, StoreUrl};
use crate::error::{Error, Result};

/// How object stores are reached. Cheap to clone; clones share their connections.
///
/// A store is built from the environment, as [`object_store`]'s builders do, when a URL first needs it: for S3 that is
/// `AWS_ACCESS_KEY_ID` and its kin, a web identity or the instance's own role; for Google the application default
/// credentials; for Azure `AZURE_STORAGE_ACCOUNT_NAME` and its kin. What is set here goes first.
///
/// Requests that fail are repeated as [`object_store::RetryConfig`] says by default: ten times within three minutes,
/// for server errors, throttling and lost connections.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Stores {
    registered: Vec<(String, Arc<dyn ObjectStore>)>,
    access: StoreAccess,
    built: Arc<Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>>,
}

/// What is known of how to reach stores besides the environment.
#[derive(Clone, Debug, Default)]
struct StoreAccess {
    endpoint_url: Option<String>,
    region: Option<String>,
    anonymous: bool,
    requester_pays: bool,
    #[cfg(feature = "s3")]
    aws_credentials: Option<object_store::aws::AwsCredentialProvider>,
}

impl Stores {
    /// As the environment says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads URLs that start with `prefix`, such as `s3://bucket` or `az://container`, from `store`. What follows the
    /// prefix is the path in the store.
    pub fn with_store(mut self, prefix: impl Into<String>, store: Arc<dyn ObjectStore>) -> Self {
        let prefix = prefix.into();
        let prefix = prefix.trim_end_matches('/');
        self.registered.push((prefix.to_owned(), store));
        self
    }

    /// Reads `s3://` from this endpoint in place of AWS. Plain `http://` is allowed then.
    pub fn with_endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.access.endpoint_url = Some(url.into());
        self.rebuilt()
    }

    /// The region of the buckets of `s3://`.
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        self.access.region = Some(region.into());
        self.rebuilt()
    }

    /// Signs no request, which public buckets of S3, Google and Azure allow.
    pub fn with_anonymous(mut self, anonymous: bool) -> Self {
        self.access.anonymous = anonymous;
        self.rebuilt()
    }

    /// Pays for requests and transfer of buckets of S3 whose owner wants that.
    pub fn with_requester_pays(mut self, requester_pays: bool) -> Self {
        self.access.requester_pays = requester_pays;
        self.rebuilt()
    }

    /// Signs requests to S3 with these credentials, in place of those of the environment.
    #[cfg(feature = "s3")]
    pub fn with_aws_credentials(
        mut self,
        credentials: object_store::aws::AwsCredentialProvider,
    ) -> Self {
        self.access.aws_credentials = Some(credentials);
        self.rebuilt()
    }

    /// Stores that were built for other settings are not those of these.
    fn rebuilt(mut self) -> Self {
        self.built = Arc::default();
        self
    }

    /// The part of `url` that a store is registered for.
    pub(super) fn registered_prefix(&self, url: &str) -> Option<&str> {
        self.registered(url).map(|(prefix, _)| prefix)
    }

    /// The store that is registered for the longest prefix of `url`.
    fn registered(&self, url: &str) -> Option<(&str, &Arc<dyn ObjectStore>)> {
        self.registered
            .iter()
            .filter(|(prefix, _)| {
                url.strip_prefix(prefix.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|(prefix, store)| (prefix.as_str(), store))
    }

    /// The store of `url`.
    pub(super) fn store(&self, url: &StoreUrl) -> Result<Arc<dyn ObjectStore>> {
        if let Some((_, store)) = self.registered(&url.bucket) {
            return Ok(Arc::clone(store));
        }
        // A file of a web server is a store of its own.
        let place = match url.scheme {
            Scheme::Http => url.name_of(&url.key),
            _ => url.bucket.clone(),
        };
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = built.get(&place) {
            return Ok(Arc::clone(store));
        }
        let store = self.access.build(url)?;
        built.insert(place, Arc::clone(&store));
        Ok(store)
    }
}

impl StoreAccess {
    #[cfg_attr(
        not(any(feature = "s3", feature = "gcs", feature = "azure", feature = "http")),
        expect(
            clippy::unused_self,
            reason = "without a feature there is no store to build"
        )
    )]
    fn build(&self, url: &StoreUrl) -> Result<Arc<dyn ObjectStore>> {
        match url.scheme {
            #[cfg(feature = "s3")]
            Scheme::S3 => self.s3(url).map_err(|source| not_built(url, source)),
            #[cfg(feature = "gcs")]
            Scheme::Gcs => self.gcs(url).map_err(|source| not_built(url, source)),
            #[cfg(feature = "azure")]
            Scheme::Azure => self.azure(url).map_err(|source| not_built(url, source)),
            #[cfg(feature = "http")]
            Scheme::Http => self.http(url).map_err(|source| not_built(url, source)),
            scheme => Err(Error::SchemeLeftOut {
                url: url.name(),
                feature: scheme.feature(),
            }),
        }
    }
}

#[cfg(feature = "remote")]
fn not_built(url: &StoreUrl, source: object_store::Error) -> Error {
    Error::ObjectStore {
        url: url.name(),
        action: "set up the object store",
        source,
    }
}

//! Buckets of Amazon S3, and of stores that speak its protocol.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;

use super::{StoreAccess, transport};
use crate::source::location::address::StoreUrl;

impl StoreAccess {
    pub(super) fn s3(&self, url: &StoreUrl) -> object_store::Result<Arc<dyn ObjectStore>> {
        let mut options = transport::options_of("AWS_");
        let mut builder = AmazonS3Builder::from_env().with_url(&url.bucket);
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(credentials) = &self.aws_credentials {
            builder = builder.with_credentials(Arc::clone(credentials));
        }
        if let Some(endpoint) = &self.endpoint_url {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
            options = options.with_allow_http(true);
        }
        let store = builder
            .with_client_options(options)
            .with_skip_signature(self.anonymous)
            .with_request_payer(self.requester_pays)
            .build()?;
        Ok(Arc::new(store))
    }
}

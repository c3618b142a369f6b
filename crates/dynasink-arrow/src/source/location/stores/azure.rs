//! Containers of Azure Blob Storage.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::azure::MicrosoftAzureBuilder;

use super::{StoreAccess, transport};
use crate::source::location::address::StoreUrl;

impl StoreAccess {
    pub(super) fn azure(&self, url: &StoreUrl) -> object_store::Result<Arc<dyn ObjectStore>> {
        let mut builder = MicrosoftAzureBuilder::from_env()
            .with_url(&url.bucket)
            .with_client_options(transport::options_of("AZURE_"));
        if self.anonymous {
            builder = builder.with_skip_signature(true);
        }
        Ok(Arc::new(builder.build()?))
    }
}

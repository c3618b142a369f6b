//! Files of web servers.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::http::HttpBuilder;

use super::{StoreAccess, transport};
use crate::source::location::address::StoreUrl;

impl StoreAccess {
    #[expect(
        clippy::unused_self,
        reason = "a web server is reached by its URL alone, unlike the other stores"
    )]
    pub(super) fn http(&self, url: &StoreUrl) -> object_store::Result<Arc<dyn ObjectStore>> {
        let store = HttpBuilder::new()
            .with_url(url.name_of(&url.key))
            .with_client_options(transport::options().with_allow_http(true))
            .build()?;
        Ok(Arc::new(store))
    }
}

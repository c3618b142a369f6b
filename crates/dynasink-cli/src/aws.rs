//! The AWS configuration of the user: its profile, region and credentials, for the table and for S3.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use dynasink::object_store::aws::{AwsCredential, AwsCredentialProvider};
use dynasink::object_store::{CredentialProvider, Error, Result};
use tokio::sync::Mutex;

/// Credentials are renewed this long before they end, since a request may be repeated with them for a while.
const RENEWAL: Duration = Duration::from_mins(5);

/// Loads the configuration as the AWS CLI does.
pub(crate) fn config(profile: Option<&str>, region: Option<&str>) -> ConfigLoader {
    let http_client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader
}

/// The credentials of the configuration, for object stores.
pub(crate) fn store_credentials(config: &SdkConfig) -> Option<AwsCredentialProvider> {
    Some(Arc::new(StoreCredentials {
        provider: config.credentials_provider()?,
        held: Mutex::default(),
    }))
}

/// Gives the SDK's credentials (profile, SSO, process, role) to an object store.
#[derive(Debug)]
struct StoreCredentials {
    provider: SharedCredentialsProvider,
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    credential: Arc<AwsCredential>,
    ends: Option<SystemTime>,
}

impl Held {
    fn new(credentials: &Credentials) -> Self {
        Self {
            credential: Arc::new(AwsCredential {
                key_id: credentials.access_key_id().to_owned(),
                secret_key: credentials.secret_access_key().to_owned(),
                token: credentials.session_token().map(str::to_owned),
            }),
            ends: credentials.expiry(),
        }
    }

    fn is_good_at(&self, now: SystemTime) -> bool {
        self.ends.is_none_or(|ends| now + RENEWAL < ends)
    }
}

#[async_trait]
impl CredentialProvider for StoreCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>> {
        let mut held = self.held.lock().await;
        #[expect(
            clippy::disallowed_methods,
            reason = "credentials end at a time of the calendar"
        )]
        let now = SystemTime::now();
        if let Some(held) = held.as_ref().filter(|held| held.is_good_at(now)) {
            return Ok(Arc::clone(&held.credential));
        }
        let credentials = self.provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| Error::Generic {
            store: "S3",
            source: Box::new(error),
        })?;
        let renewed = held.insert(Held::new(&credentials));
        Ok(Arc::clone(&renewed.credential))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use aws_credential_types::provider::future;

    use super::*;

    /// Credentials that last `lasts` seconds of the calendar from 1970 on, each with a number.
    #[derive(Debug)]
    struct Numbered {
        given: AtomicU64,
        ends: Option<SystemTime>,
    }

    impl ProvideCredentials for Numbered {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let key = self.given.fetch_add(1, Ordering::Relaxed).to_string();
            future::ProvideCredentials::ready(Ok(Credentials::new(
                key, "secret", None, self.ends, "test",
            )))
        }
    }

    async fn keys(ends: Option<SystemTime>) -> [String; 2] {
        let provider = Numbered {
            given: AtomicU64::new(0),
            ends,
        };
        let credentials = StoreCredentials {
            provider: SharedCredentialsProvider::new(provider),
            held: Mutex::default(),
        };
        let mut keys = [String::new(), String::new()];
        for key in &mut keys {
            key.clone_from(&credentials.get_credential().await.unwrap().key_id);
        }
        keys
    }

    #[tokio::test]
    async fn credentials_are_asked_for_again_when_they_end() {
        assert_eq!(keys(None).await, ["0", "0"]);
        assert_eq!(keys(Some(SystemTime::UNIX_EPOCH)).await, ["0", "1"]);
    }
}

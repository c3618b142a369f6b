//! How bytes travel to and from stores.

use std::time::Duration;

use object_store::ClientOptions;
use rustls::crypto::CryptoProvider;

/// A connection that is not made by then is not worth waiting for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Silence for this long ends an answer; how long the whole of it takes does not matter.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// What every store's client is built with.
pub(super) fn options() -> ClientOptions {
    provide_cryptography();
    ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout_disabled()
        .with_read_timeout(READ_TIMEOUT)
}

/// The same; variables of the environment that start with `prefix`, such as `AWS_ALLOW_HTTP`, go first.
#[cfg(any(feature = "azure", feature = "gcs", feature = "s3"))]
pub(super) fn options_of(prefix: &str) -> ClientOptions {
    std::env::vars_os()
        .filter_map(|(key, value)| {
            let key = key.to_str()?.strip_prefix(prefix)?.to_ascii_lowercase();
            Some((key.parse().ok()?, value.into_string().ok()?))
        })
        .fold(options(), |options, (key, value)| {
            options.with_config(key, value)
        })
}

/// The client leaves the choice of TLS cryptography to the process: it is ring, unless somebody has chosen before.
fn provide_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Whoever was faster has chosen.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
    }
}

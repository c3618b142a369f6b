//! Failures before a request leaves, by type.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::config::interceptors::FinalizerInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::auth::{AuthScheme, AuthSchemeId};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;

const SIGV4: AuthSchemeId = AuthSchemeId::new("sigv4");

/// Gives a type to the failures of a client that lacks what every request needs: credentials, a region, an
/// endpoint that is a URL.
///
/// The SDK's own errors for these have private types, and look like a network that is down: such a client would
/// be tried again for minutes.
#[derive(Debug)]
pub(crate) struct Preflight;

/// The SDK could not make a request of what it had.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct NotMade {
    reason: String,
}

impl Intercept for Preflight {
    fn name(&self) -> &'static str {
        "DynasinkPreflight"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        runtime_components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let has_response = context.response().is_some();
        if let Some(Err(error)) = context.output_or_error_mut() {
            let left = has_response || error.is_connector_error() || error.is_timeout_error();
            if left || error.is_interceptor_error() || has_source::<CredentialsError>(error) {
                return Ok(());
            }
            let has_credentials = runtime_components
                .auth_scheme(SIGV4)
                .is_some_and(|scheme| scheme.identity_resolver(runtime_components).is_some());
            *error = if has_credentials {
                // The errors above the innermost print the request.
                let reason = innermost(error).to_string();
                OrchestratorError::other(NotMade { reason })
            } else {
                let missing = "the client has no provider of credentials";
                OrchestratorError::other(CredentialsError::not_loaded(missing))
            };
        }
        Ok(())
    }
}

/// Whether `error` is a `T`, or comes from one.
pub(crate) fn has_source<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    error.is::<T>() || error.source().is_some_and(has_source::<T>)
}

/// The error at the bottom of `error`.
pub(crate) fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    error.source().map_or(error, innermost)
}

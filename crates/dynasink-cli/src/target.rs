//! The DynamoDB to write to: that of AWS, of an endpoint, or of a file.

use std::time::Duration;

use aws_config::Region;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use dynasink_sim::EmbeddedStore;

use crate::args::TargetArgs;
use crate::aws;
use crate::failure::Failure;

/// A connection that is not made by then is not worth waiting for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// An answer that has not come by then is taken for lost: the writer sends the request again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Endpoints other than AWS's want a region in the signature, and do not look at it.
const REGION_OF_OTHER_ENDPOINTS: &str = "us-east-1";

/// The client for what the arguments name.
pub(crate) async fn connect(args: &TargetArgs) -> Result<Client, Failure> {
    if let Some(file) = &args.embedded {
        let store = EmbeddedStore::open(file).map_err(|error| Failure::refused(&error))?;
        return Ok(store.client());
    }
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let mut loader =
        aws::config(args.profile.as_deref(), args.region.as_deref()).timeout_config(timeouts);
    if let Some(url) = &args.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let mut config = loader.load().await;
    if config.region().is_none() {
        if config.endpoint_url().is_none() {
            return Err(Failure::refused_because(
                "no AWS region is known: give --region, set AWS_REGION, or set one in the profile",
            ));
        }
        config = config
            .into_builder()
            .region(Region::from_static(REGION_OF_OTHER_ENDPOINTS))
            .build();
    }
    Ok(Client::new(&config))
}

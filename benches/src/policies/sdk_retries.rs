//! What an AWS SDK does by itself with a request that fails as a whole. It does not look at `UnprocessedItems`.

use std::time::Duration;

use dynasink::{Transport, WriteBatch};
use fastrand::Rng;
use tokio::time::sleep;

use super::request::{Answer, send};

/// How often an SDK sends a request, and how long it waits before it does so again.
#[derive(Clone, Copy, Debug)]
pub(super) struct SdkRetries {
    /// Requests in all.
    attempts: u32,
    delay: fn(failures: u32, chance: &mut Rng) -> Duration,
}

impl SdkRetries {
    /// botocore's `legacy` mode, its default: ten attempts for `DynamoDB`, 50 ms doubled each time, no jitter.
    ///
    /// Source: botocore `data/_retry.json`, `retryhandler.py`.
    pub(super) const BOTOCORE_LEGACY: Self = Self {
        attempts: 10,
        delay: |failures, _| Duration::from_millis(50) * 2_u32.pow(failures - 1),
    };

    /// The `standard` mode of the SDK for Rust, its default: three attempts, a second doubled each time, full jitter.
    /// Its quota of retries is left out, which favours whoever uses it.
    ///
    /// Source: `aws-smithy-types` `retry.rs`.
    pub(super) const RUST_STANDARD: Self = Self {
        attempts: 3,
        delay: |failures, chance| {
            Duration::from_secs(1).mul_f64(f64::from(2_u32.pow(failures - 1)) * chance.f64())
        },
    };

    /// Sends `batch` until it is taken, at least in part, or its attempts are used up.
    pub(super) async fn send(
        self,
        transport: &impl Transport,
        batch: &WriteBatch,
        chance: &mut Rng,
    ) -> Answer {
        let mut failures = 0;
        loop {
            let answer = send(transport, batch.clone()).await;
            failures += 1;
            let passes = matches!(answer, Answer::Throttled(_) | Answer::Failed(_));
            if !passes || failures == self.attempts {
                return answer;
            }
            sleep((self.delay)(failures, chance)).await;
        }
    }
}

//! Of what there is too little, where the service says so.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use dynasink_core::{Throttle, ThrottleScope};
use serde::Deserialize;

/// Why the service throttles, where it says so.
///
/// Source: API reference, `ThrottlingReason`: `reason` is resource type, operation and limit in one word, such
/// as `TableWriteKeyRangeThroughputExceeded`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottlingReason {
    /// The reason in the service's word.
    pub reason: String,
    /// The ARN of the table or index.
    pub resource: Option<String>,
}

impl ThrottlingReason {
    /// What the throttle is about, unless the reason is not one of the 16 that are documented.
    ///
    /// ```
    /// use dynasink_aws::ThrottlingReason;
    /// use dynasink_core::ThrottleScope;
    ///
    /// let reason = ThrottlingReason {
    ///     reason: "TableWriteKeyRangeThroughputExceeded".to_owned(),
    ///     resource: None,
    /// };
    /// assert_eq!(reason.scope(), Some(ThrottleScope::KeyRange));
    /// ```
    pub fn scope(&self) -> Option<ThrottleScope> {
        let table = self.reason.strip_prefix("Table");
        let operation = table.or_else(|| self.reason.strip_prefix("Index"))?;
        let limit = operation
            .strip_prefix("Write")
            .or_else(|| operation.strip_prefix("Read"))?;
        Some(match limit {
            "ProvisionedThroughputExceeded" if table.is_some() => ThrottleScope::Table,
            "ProvisionedThroughputExceeded" => ThrottleScope::Index,
            "KeyRangeThroughputExceeded" => ThrottleScope::KeyRange,
            "AccountLimitExceeded" => ThrottleScope::Account,
            "MaxOnDemandThroughputExceeded" => ThrottleScope::OnDemandMaximum,
            _ => return None,
        })
    }

    /// The same in the words of the feedback that laws learn from.
    pub(crate) fn throttle(&self) -> Option<Throttle> {
        Some(Throttle {
            scope: self.scope()?,
            index: self.index().map(str::to_owned),
        })
    }

    /// The name of the index, if the resource is one.
    pub fn index(&self) -> Option<&str> {
        let (_, index) = self.resource.as_ref()?.rsplit_once("/index/")?;
        Some(index)
    }
}

/// The reasons in the body of a refusal.
///
/// Of the exceptions that have them, `ThrottlingException` alone writes the key with a small letter. The SDK reads
/// for each exception its own key and no other, and none where it does not know the exception.
pub(crate) fn reasons_in(response: &HttpResponse) -> Vec<ThrottlingReason> {
    #[derive(Default, Deserialize)]
    struct Body {
        #[serde(default, rename = "ThrottlingReasons", alias = "throttlingReasons")]
        reasons: Vec<Reason>,
    }

    #[derive(Deserialize)]
    struct Reason {
        reason: Option<String>,
        resource: Option<String>,
    }

    let body = response.body().bytes().unwrap_or_default();
    // Whatever else a body is, the refusal is one without reasons.
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    let reasons = body.reasons.into_iter();
    reasons
        .map(|Reason { reason, resource }| ThrottlingReason {
            reason: reason.unwrap_or_default(),
            resource,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(reason: &str) -> ThrottlingReason {
        ThrottlingReason {
            reason: reason.to_owned(),
            resource: None,
        }
    }

    #[test]
    fn each_documented_reason_has_its_scope() {
        for operation in ["Read", "Write"] {
            for (resource, provisioned) in [
                ("Table", ThrottleScope::Table),
                ("Index", ThrottleScope::Index),
            ] {
                for (limit, scope) in [
                    ("ProvisionedThroughputExceeded", provisioned),
                    ("KeyRangeThroughputExceeded", ThrottleScope::KeyRange),
                    ("AccountLimitExceeded", ThrottleScope::Account),
                    (
                        "MaxOnDemandThroughputExceeded",
                        ThrottleScope::OnDemandMaximum,
                    ),
                ] {
                    let word = format!("{resource}{operation}{limit}");
                    assert_eq!(reason(&word).scope(), Some(scope), "{word}");
                }
            }
        }
    }

    #[test]
    fn another_reason_has_none() {
        for word in [
            "",
            "Table",
            "TableWrite",
            "WriteProvisionedThroughputExceeded",
            "TableScanProvisionedThroughputExceeded",
            "TableWriteAReasonOfTomorrow",
            "TableWriteProvisionedThroughputExceeded2",
            "tableWriteProvisionedThroughputExceeded",
        ] {
            assert_eq!(reason(word).scope(), None, "{word:?}");
        }
    }

    #[test]
    fn an_index_is_named_by_the_end_of_its_arn() {
        let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/users";
        for (resource, index) in [
            (None, None),
            (Some(table.to_owned()), None),
            (Some(format!("{table}/index/by-mail")), Some("by-mail")),
            (Some(String::new()), None),
        ] {
            let reason = ThrottlingReason {
                reason: "IndexWriteProvisionedThroughputExceeded".to_owned(),
                resource,
            };
            assert_eq!(reason.index(), index, "{reason:?}");
        }
    }
}

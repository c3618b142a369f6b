//! How long an answer asks to be left alone.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// What a refusal asks for: `Retry-After` in whole seconds or as a date, or `x-amz-retry-after` in milliseconds;
/// the longer, if it has both. Answers of success ask for nothing.
///
/// A date counts from the answer's own `Date`, so that no clock but the service's is needed.
///
/// The SDK reads only the second, and only for its own retries, which are off here.
///
/// Source: RFC 9110, *Retry-After*; the AWS SDKs' *Retry behavior*.
pub(crate) fn retry_after(response: &HttpResponse) -> Option<Duration> {
    if response.status().is_success() {
        return None;
    }
    let header = |name: &str| response.headers().get(name).map(str::trim);
    let date = |text: &str| DateTime::from_str(text, Format::HttpDate).ok();
    let by_date = |text: &str| {
        let nanos = date(text)?.as_nanos() - date(header("date")?)?.as_nanos();
        u64::try_from(nanos).ok().map(Duration::from_nanos)
    };
    let standard = header("retry-after").and_then(|text| {
        let seconds = text.parse().ok().map(Duration::from_secs);
        seconds.or_else(|| by_date(text))
    });
    let amazons = header("x-amz-retry-after")
        .and_then(|text| text.parse().ok())
        .map(Duration::from_millis);
    standard.max(amazons)
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    type Header = (&'static str, &'static str);

    fn asked(status: u16, headers: &[Header]) -> Option<Duration> {
        let status = StatusCode::try_from(status).unwrap();
        let mut response = HttpResponse::new(status, SdkBody::empty());
        for (name, value) in headers {
            response.headers_mut().insert(*name, *value);
        }
        retry_after(&response)
    }

    #[test]
    fn a_wait_is_read_in_each_of_its_forms() {
        const DATE: Header = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let cases: [(&[Header], Option<Duration>); 16] = [
            (&[], None),
            (&[("retry-after", "7")], seconds(7)),
            (&[("Retry-After", " 7 ")], seconds(7)),
            (&[("retry-after", "0")], seconds(0)),
            (&[("retry-after", "-7")], None),
            (&[("retry-after", "1.5")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "")], None),
            (&[("retry-after", "99999999999999999999999")], None),
            (
                &[DATE, ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")],
                seconds(30),
            ),
            (
                &[DATE, ("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT")],
                None,
            ),
            (&[("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")], None),
            (
                &[
                    ("date", "now"),
                    ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT"),
                ],
                None,
            ),
            (
                &[("x-amz-retry-after", "1500")],
                Some(Duration::from_millis(1500)),
            ),
            (
                &[("x-amz-retry-after", "1500"), ("retry-after", "1")],
                Some(Duration::from_millis(1500)),
            ),
            (
                &[("x-amz-retry-after", "soon"), ("retry-after", "1")],
                seconds(1),
            ),
        ];
        for (headers, expected) in cases {
            assert_eq!(asked(503, headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn only_a_refusal_asks_for_a_wait() {
        for (status, expected) in [
            (200, None),
            (400, Some(7)),
            (429, Some(7)),
            (500, Some(7)),
            (503, Some(7)),
        ] {
            let found = asked(status, &[("retry-after", "7")]);
            assert_eq!(found, expected.map(Duration::from_secs), "{status}");
        }
    }
}

//! Clients that are web pages: the headers with which a browser lets them read a reply.
//!
//! The service allows every origin, and so does this server. A page needs credentials of its own
//! to sign a request, but none that are checked.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderName, HeaderValue, ORIGIN,
};
use hyper::{Method, Request};

/// How long a browser may remember a permission: two days.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("172800");

/// The headers to add to the reply to `request`. None, unless a web page sent it.
pub(super) fn permissions<B>(request: &Request<B>) -> HeaderMap {
    let asked = request.headers();
    let mut allowed = HeaderMap::new();
    if !asked.contains_key(ORIGIN) {
        return allowed;
    }
    allowed.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if request.method() == Method::OPTIONS {
        allowed.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
        let mut grant = |answer: HeaderName, question: HeaderName| {
            if let Some(value) = asked.get(question) {
                allowed.insert(answer, value.clone());
            }
        };
        grant(ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS);
        grant(ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_REQUEST_METHOD);
    }
    allowed
}

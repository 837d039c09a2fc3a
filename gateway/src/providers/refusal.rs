//! What a provider's errors come to, and which of its headers concern a client.

use bytes::Bytes;
use protocol::fault::{self, FaultClass, Reading};
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::pipeline::{UpstreamAnswer, UpstreamFault};

/// The fault that an answer with an error status tells.
pub(super) fn refusal(status: u16, headers: HeaderMap, body: Bytes) -> UpstreamFault {
    let reading = fault::read(status, &body);
    // A redirect is an error here, but no client could read it as one.
    let json = (reading.is_json && status >= 400).then_some(body);
    let message = reading.message.unwrap_or_else(|| format!("the provider answered with status {status}"));
    UpstreamFault {
        class: reading.class,
        message,
        answer: Some(Box::new(UpstreamAnswer { status: Some(status), headers, json })),
    }
}

/// The fault of an answer that says 200 and has an error in it.
pub(super) fn refusal_under_200(reading: Reading, headers: HeaderMap, body: Bytes) -> UpstreamFault {
    let message = reading.message.unwrap_or_else(|| "the provider answered with an error".to_owned());
    let json = reading.is_json.then_some(body);
    UpstreamFault {
        class: reading.class,
        message,
        answer: Some(Box::new(UpstreamAnswer { status: None, headers, json })),
    }
}

pub(super) fn late(what: &str) -> UpstreamFault {
    UpstreamFault::new(FaultClass::Timeout, format!("the provider did not send {what} in time"))
}

pub(super) fn garbled(what: &str) -> UpstreamFault {
    UpstreamFault::new(FaultClass::Garbled, format!("the provider {what}"))
}

/// reqwest's own text would show the URL, so none of it goes to the client.
pub(super) fn lost(error: &reqwest::Error) -> UpstreamFault {
    tracing::debug!(is_connect = error.is_connect(), is_timeout = error.is_timeout(), "upstream lost");
    let message = match (error.is_connect(), error.is_timeout()) {
        (true, true) => "no connection to the provider in time",
        (true, false) => "no connection to the provider: it refused, its name is unknown, or TLS failed",
        (false, true) => return late("its first byte"),
        (false, false) => "the provider closed the connection before it answered",
    };
    UpstreamFault::new(FaultClass::Unreachable, message)
}

/// The headers of a provider that concern the client: whether to come back, and the provider's name for the call;
/// in a relay, where both speak one language, also what the body is and how much is left.
pub(super) fn for_client(headers: &HeaderMap, is_relay: bool) -> HeaderMap {
    let concerns = |name: &HeaderName| {
        let text = name.as_str();
        let of_language = [CONTENT_TYPE, CACHE_CONTROL].contains(name)
            || text.starts_with("x-ratelimit-")
            || text.starts_with("anthropic-ratelimit-");
        *name == RETRY_AFTER
            || ["retry-after-ms", "x-request-id", "request-id"].contains(&text)
            || (is_relay && of_language)
    };
    let kept = headers.iter().filter(|(name, _)| concerns(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

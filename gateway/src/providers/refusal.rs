//! What a provider's errors come to, and which of its headers concern a client.

use bytes::Bytes;
use catalogue::Dialect;
use protocol::allowance;
use protocol::fault::{self, FaultClass, Reading};
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use crate::egress::LocalHost;
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

/// What was longer than the limit that `field` of the ModelGateway sets.
pub(super) fn too_long(what: &str, limit: usize, field: &str) -> UpstreamFault {
    garbled(&format!(
        "sent an {what} of more than {limit} bytes; limits.{field} of the ModelGateway allows larger ones"
    ))
}

/// No connections can be made at all.
pub(super) fn unprepared(error: &reqwest::Error) -> UpstreamFault {
    tracing::error!(%error, "no connection pool could be made");
    UpstreamFault::new(FaultClass::Unreachable, "the gateway could not set up TLS")
}

/// reqwest's own text would show the URL, so none of it goes to the client.
pub(super) fn lost(error: &reqwest::Error) -> UpstreamFault {
    tracing::debug!(is_connect = error.is_connect(), is_timeout = error.is_timeout(), "upstream lost");
    if let Some(local) = LocalHost::cause(error) {
        return UpstreamFault::new(FaultClass::Unreachable, local.to_string());
    }
    let message = match (error.is_connect(), error.is_timeout()) {
        (true, true) => "no connection to the provider in time",
        (true, false) => "no connection to the provider: it refused, its name is unknown, or TLS failed",
        (false, true) => return late("its first byte"),
        (false, false) => "the provider closed the connection before it answered",
    };
    UpstreamFault::new(FaultClass::Unreachable, message)
}

/// The languages of the client and of the provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides {
    pub(super) client: Dialect,
    pub(super) provider: Dialect,
}

impl Sides {
    fn is_relay(self) -> bool {
        self.client == self.provider
    }
}

/// The headers of a provider that concern the client: whether to come back, the provider's name for the call, and how
/// much is left, in the client's words; in a relay also what the body is. `now` is in seconds.
pub(super) fn for_client(headers: &HeaderMap, sides: Sides, now: u64) -> HeaderMap {
    let is_relay = sides.is_relay();
    let shared = allowance::prefix(sides.client);
    let shared = shared.filter(|_| shared == allowance::prefix(sides.provider));
    let concerns = |name: &HeaderName| {
        let text = name.as_str();
        let of_language = [CONTENT_TYPE, CACHE_CONTROL].contains(name)
            || text.starts_with("x-ratelimit-")
            || text.starts_with("anthropic-ratelimit-");
        *name == RETRY_AFTER
            || ["retry-after-ms", "x-request-id", "request-id"].contains(&text)
            || shared.is_some_and(|prefix| text.starts_with(prefix))
            || (is_relay && of_language)
    };
    let kept = headers.iter().filter(|(name, _)| concerns(name));
    let mut kept: HeaderMap = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    let find = |name: &str| headers.get(name)?.to_str().ok();
    for (name, value) in allowance::retold(sides.provider, sides.client, now, find) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            kept.insert(name, value);
        }
    }
    kept
}

/// Tells a client of another language when to come back, where a provider says so in the body of its error only.
pub(super) fn tell_delay(headers: &mut HeaderMap, sides: Sides, body: &[u8]) {
    if sides.provider == Dialect::Gemini
        && !sides.is_relay()
        && !headers.contains_key(RETRY_AFTER)
        && let Some(seconds) = allowance::retry_delay(body)
    {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

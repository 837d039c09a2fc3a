//! Where each language is spoken at a provider, and with which headers. Nothing else of the client's headers goes
//! along: its key is for us.

use catalogue::Dialect;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Client, RequestBuilder, Url};

use crate::pipeline::Outgoing;
use crate::snapshot::Api;

const AGENT: &str = concat!("fairlead/", env!("CARGO_PKG_VERSION"));

/// The only version there is, for clients that name none.
///
/// Source: docs.anthropic.com/en/api/versioning, read 2026-11-21.
const ANTHROPIC_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));

/// The request that `outgoing` makes for `model`, not sent yet.
pub(super) fn request(client: &Client, api: &Api, model: &str, outgoing: &Outgoing) -> RequestBuilder {
    let dialect = outgoing.exchange.provider;
    client
        .post(url(&api.base, dialect, model, outgoing.stream))
        .headers(headers(&api.headers, dialect, outgoing))
        .body(outgoing.body.clone())
}

/// The `configured` ones come last, so that a config may replace ours.
fn headers(configured: &HeaderMap, dialect: Dialect, outgoing: &Outgoing) -> HeaderMap {
    let accept = if outgoing.stream { "text/event-stream" } else { "application/json" };
    let mut all = HeaderMap::new();
    all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    all.insert(ACCEPT, HeaderValue::from_static(accept));
    all.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if dialect == Dialect::Anthropic {
        let (name, value) = ANTHROPIC_VERSION;
        all.insert(name, value);
    }
    // Extending replaces what is there, and keeps all of several values.
    all.extend(outgoing.headers.clone());
    all.extend(configured.clone());
    all
}

/// The base with the path appended; a query stays behind it (Azure's `api-version`).
fn url(base: &Url, dialect: Dialect, model: &str, stream: bool) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        match dialect {
            Dialect::OpenaiChat => segments.extend(["chat", "completions"]),
            Dialect::OpenaiResponses => segments.push("responses"),
            Dialect::OpenaiCompletions => segments.push("completions"),
            Dialect::Anthropic => segments.push("messages"),
            Dialect::Gemini => {
                let action = if stream { "streamGenerateContent" } else { "generateContent" };
                let model = model.strip_prefix("models/").unwrap_or(model);
                // A model's name may be a path of its own.
                segments.push("models").extend(format!("{model}:{action}").split('/'))
            }
        };
    }
    if dialect == Dialect::Gemini && stream {
        // Without it the stream is one long JSON list.
        url.query_pairs_mut().append_pair("alt", "sse");
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(base: &str, dialect: Dialect, model: &str, stream: bool) -> String {
        url(&Url::parse(base).expect("URL"), dialect, model, stream).to_string()
    }

    #[test]
    fn the_path_is_appended_and_the_query_stays() {
        let built = |base: &str| built(base, Dialect::OpenaiChat, "m", true);
        assert_eq!(built("https://a.example/v1"), "https://a.example/v1/chat/completions");
        assert_eq!(built("https://a.example"), "https://a.example/chat/completions");
        assert_eq!(built("https://a.example/v1/"), "https://a.example/v1/chat/completions");
        assert_eq!(
            built("https://a.example/o?api-version=1"),
            "https://a.example/o/chat/completions?api-version=1"
        );
    }

    #[test]
    fn each_language_has_its_path() {
        let at = |dialect, model, stream| built("https://a.example/v1", dialect, model, stream);
        assert_eq!(at(Dialect::OpenaiResponses, "m", true), "https://a.example/v1/responses");
        assert_eq!(at(Dialect::OpenaiCompletions, "m", true), "https://a.example/v1/completions");
        assert_eq!(at(Dialect::Anthropic, "m", true), "https://a.example/v1/messages");
        assert_eq!(
            at(Dialect::Gemini, "models/g-1.5", false),
            "https://a.example/v1/models/g-1.5:generateContent"
        );
        assert_eq!(
            at(Dialect::Gemini, "a b/ü?#", true),
            "https://a.example/v1/models/a%20b/%C3%BC%3F%23:streamGenerateContent?alt=sse"
        );
    }
}

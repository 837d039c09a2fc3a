//! Where each language is spoken at a provider, and with which headers. Nothing else of the client's headers goes
//! along: its key is for us.

use bytes::Bytes;
use catalogue::Dialect;
use protocol::embeddings::Form;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Url};

use super::Visit;
use crate::egress::{Call, Line};
use crate::pipeline::{Deed, Exchange, Outgoing};
use crate::snapshot::Api;

const AGENT: &str = concat!("fairlead/", env!("CARGO_PKG_VERSION"));

/// What our translations are written in, and what clients mean that name none: 2026-10-21 has no temperature and no
/// `top_p`, which other dialects have. A client's own version goes along with its body.
///
/// Source: platform.claude.com/docs/en/api/versioning, read 2026-11-25.
const ANTHROPIC_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));

/// What a provider is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An answer, whole or as a stream.
    Talk { dialect: Dialect, stream: bool },
    /// Vectors.
    Vectors(Form),
}

impl Place {
    /// Where `outgoing` goes.
    pub(super) fn of(outgoing: &Outgoing) -> Self {
        match &outgoing.exchange {
            Exchange::Talk(exchange) => Self::Talk { dialect: exchange.provider, stream: outgoing.stream },
            Exchange::Vectors { exchange, .. } => Self::Vectors(exchange.provider),
        }
    }
}

/// One endpoint of a provider, for one model.
#[derive(Debug)]
pub(super) struct Endpoint<'a> {
    pub(super) line: &'a Line,
    pub(super) api: &'a Api,
    pub(super) model: &'a str,
    pub(super) place: Place,
    /// Those of the client's headers that go along.
    pub(super) headers: HeaderMap,
}

impl Endpoint<'_> {
    /// The request with this body, not sent yet.
    pub(super) fn request(&self, body: Bytes) -> Call {
        let headers = headers(&self.api.headers, self.place, &self.headers);
        let url = url(&self.api.base, self.place, self.model);
        self.line.call(|client| client.post(url).headers(headers).body(body))
    }

    /// The request of a visit to a response that the provider keeps.
    ///
    /// Source: platform.openai.com/docs/api-reference/responses, read 2026-11-21.
    pub(super) fn visit(&self, visit: &Visit) -> Call {
        let (method, action) = match visit.deed {
            Deed::Fetch => (Method::GET, None),
            Deed::Delete => (Method::DELETE, None),
            Deed::Cancel => (Method::POST, Some("cancel")),
            Deed::ListInput => (Method::GET, Some("input_items")),
        };
        let mut url = url(&self.api.base, self.place, self.model);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(&visit.id).extend(action);
        }
        if !visit.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&visit.query);
        }
        let headers = headers(&self.api.headers, self.place, &self.headers);
        self.line.call(|client| client.request(method, url).headers(headers).body(Bytes::new()))
    }
}

/// The `configured` ones come last, so that a config may replace ours.
fn headers(configured: &HeaderMap, place: Place, client: &HeaderMap) -> HeaderMap {
    let is_stream = matches!(place, Place::Talk { stream: true, .. });
    let accept = if is_stream { "text/event-stream" } else { "application/json" };
    let mut all = HeaderMap::new();
    all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    all.insert(ACCEPT, HeaderValue::from_static(accept));
    all.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if matches!(place, Place::Talk { dialect: Dialect::Anthropic, .. }) {
        let (name, value) = ANTHROPIC_VERSION;
        all.insert(name, value);
    }
    // Extending replaces what is there, and keeps all of several values.
    all.extend(client.clone());
    all.extend(configured.clone());
    all
}

/// The base with the path appended; a query stays behind it (Azure's `api-version`).
fn url(base: &Url, place: Place, model: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        match path(place) {
            Path::Plain(path) => segments.extend(path.split('/')),
            Path::Action(action) => {
                let model = model.strip_prefix("models/").unwrap_or(model);
                // A model's name may be a path of its own.
                segments.push("models").extend(format!("{model}:{action}").split('/'))
            }
        };
    }
    if place == (Place::Talk { dialect: Dialect::Gemini, stream: true }) {
        // Without it the stream is one long JSON list.
        url.query_pairs_mut().append_pair("alt", "sse");
    }
    url
}

enum Path {
    /// The model is named in the body.
    Plain(&'static str),
    /// Something done with a model, which the path names.
    Action(&'static str),
}

fn path(place: Place) -> Path {
    match place {
        Place::Talk { dialect: Dialect::OpenaiChat, .. } => Path::Plain("chat/completions"),
        Place::Talk { dialect: Dialect::OpenaiResponses, .. } => Path::Plain("responses"),
        Place::Talk { dialect: Dialect::OpenaiCompletions, .. } => Path::Plain("completions"),
        Place::Talk { dialect: Dialect::Anthropic, .. } => Path::Plain("messages"),
        Place::Talk { dialect: Dialect::Gemini, stream: false } => Path::Action("generateContent"),
        Place::Talk { dialect: Dialect::Gemini, stream: true } => Path::Action("streamGenerateContent"),
        Place::Vectors(Form::Openai) => Path::Plain("embeddings"),
        Place::Vectors(Form::GeminiOne) => Path::Action("embedContent"),
        Place::Vectors(Form::GeminiBatch) => Path::Action("batchEmbedContents"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(base: &str, dialect: Dialect, model: &str, stream: bool) -> String {
        url(&Url::parse(base).expect("URL"), Place::Talk { dialect, stream }, model).to_string()
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

    #[test]
    fn vectors_have_a_path_of_their_own() {
        let base = Url::parse("https://a.example/v1").expect("URL");
        let at = |form| url(&base, Place::Vectors(form), "models/e-1").to_string();
        assert_eq!(at(Form::Openai), "https://a.example/v1/embeddings");
        assert_eq!(at(Form::GeminiOne), "https://a.example/v1/models/e-1:embedContent");
        assert_eq!(at(Form::GeminiBatch), "https://a.example/v1/models/e-1:batchEmbedContents");
    }
}

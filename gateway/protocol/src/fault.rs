//! What can go wrong at a provider, in ten classes, and at the gateway, in one more, and how to read it from an error body.
//! Routing reads only the class; the client's status code is made in the gateway's `http/fault.rs`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The kind of a fault. What a caller may do about it hangs on nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultClass {
    /// The provider cannot accept this request; another would not either.
    InvalidRequest,
    /// The credential of the deployment is wrong or may not do this.
    Authentication,
    /// The caller is known, and may not do this. Only the gateway says so.
    Forbidden,
    /// The provider does not have the model or the path.
    NotFound,
    /// The input is larger than the model takes.
    TooLarge,
    /// The provider's filter refuses what is asked, or what it would have answered.
    Filtered,
    /// Too many requests or tokens, or no quota left.
    RateLimited,
    /// The provider failed or is overloaded.
    Failed,
    /// Not an answer: cut, no JSON, no event stream.
    Garbled,
    /// No byte in time.
    Timeout,
    /// No connection, or it was lost before the answer began.
    Unreachable,
}

impl FaultClass {
    /// Its name in logs, metrics and health reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Authentication => "authentication",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
            Self::Filtered => "filtered",
            Self::RateLimited => "rate_limited",
            Self::Failed => "failed",
            Self::Garbled => "garbled",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
        }
    }

    /// The class that an HTTP status alone tells.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Authentication,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            402 | 429 => Self::RateLimited,
            400..=499 => Self::InvalidRequest,
            _ => Self::Failed,
        }
    }
}

/// An error body, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// By status first, and by what the body says where that is more exact.
    pub class: FaultClass,
    /// The provider's words, if any.
    pub message: Option<String>,
    /// A JSON object, which a client can read as it is.
    pub is_json: bool,
}

/// Reads the body of an answer with an error status.
#[must_use]
pub fn read(status: u16, body: &[u8]) -> Reading {
    let words = Words::read(body);
    let mut class = FaultClass::of_status(status);
    if matches!(class, FaultClass::InvalidRequest | FaultClass::Failed) {
        class = words.class().unwrap_or(class);
    }
    Reading { class, message: words.message, is_json: words.is_json }
}

/// Reads an error that came under status 200: inside a stream, or as a whole answer.
/// A numeric `code` is the status that was meant; without one the provider failed.
#[must_use]
pub fn read_stream_error(body: &[u8]) -> Reading {
    let status = Words::read(body).code.and_then(|code| code.parse().ok());
    read(status.filter(|status| (400..600).contains(status)).unwrap_or(500), body)
}

/// OpenAI's error envelope: what every client of this API reads.
#[must_use]
pub fn openai_error(message: &str, kind: &str, param: Option<&str>, code: &str) -> String {
    serde_json::json!({"error": {"message": message, "type": kind, "param": param, "code": code}}).to_string()
}

/// Words of providers whose status says less: Google and Anthropic answer 400 for a bad key and for no credit.
/// As recorded by 2026-11-21.
const SIGNS: [(FaultClass, &[&str]); 4] = [
    (
        FaultClass::TooLarge,
        &[
            "context length",
            "context_length",
            "context window",
            "context size",
            "prompt is too long",
            "input is too long",
            "too many tokens",
            "exceeds the maximum number of tokens",
            "reduce the length of the messages",
            "total length of all messages",
        ],
    ),
    (FaultClass::Filtered, &["content management policy", "responsibleaipolicyviolation", "safety system"]),
    (FaultClass::Authentication, &["api key not valid", "api key expired"]),
    (FaultClass::RateLimited, &["credit balance is too low"]),
];

/// What the shapes in use have in common: `{"error": {"message", "code"}}` (OpenAI and most),
/// `[{"error": …}]` (Google), `{"error": "text"}`, `{"message": "text"}`, `{"detail": "text"}`.
#[derive(Default)]
struct Words {
    message: Option<String>,
    code: Option<String>,
    is_json: bool,
}

#[derive(Deserialize, Default)]
struct Wire<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
}

impl Words {
    fn read(body: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(body) else { return Self::default() };
        let (wire, is_json) = outer(text);
        let inner: Wire<'_> = wire.error.and_then(object).unwrap_or_default();
        let message = [inner.message, wire.error, wire.message, wire.detail];
        Self {
            message: message.into_iter().flatten().find_map(string),
            code: inner.code.or(wire.code).map(|raw| string(raw).unwrap_or_else(|| raw.get().to_owned())),
            is_json,
        }
    }

    /// What the words say more exactly than the status. Most providers have no code of their own for it.
    fn class(&self) -> Option<FaultClass> {
        match self.code.as_deref() {
            Some("context_length_exceeded") => return Some(FaultClass::TooLarge),
            Some("content_filter" | "content_policy_violation") => return Some(FaultClass::Filtered),
            _ => {}
        }
        let message = self.message.as_deref()?.to_ascii_lowercase();
        let signs = SIGNS.iter().find(|(_, signs)| signs.iter().any(|sign| message.contains(sign)));
        signs.map(|(class, _)| *class)
    }
}

fn outer(text: &str) -> (Wire<'_>, bool) {
    if text.trim_ascii_start().starts_with('{') {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        return (serde_json::from_str(text).unwrap_or_default(), is_json);
    }
    let list: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    (list.first().and_then(|raw| object(raw)).unwrap_or_default(), false)
}

/// Serde reads structs from lists too; those are not meant here.
fn object(raw: &RawValue) -> Option<Wire<'_>> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok())?
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<Cow<'_, str>>(raw.get()).ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_shapes_are_read() {
        for body in [
            r#"{"error":{"message":"boom","type":"x"}}"#,
            r#"[{"error":{"message":"boom"}}]"#,
            r#"{"error":"boom"}"#,
            r#"{"message":"boom"}"#,
            r#"{"detail":"boom"}"#,
        ] {
            assert_eq!(read(400, body.as_bytes()).message.as_deref(), Some("boom"), "{body}");
        }
        let page = read(503, b"<html>");
        assert_eq!((page.class, page.message, page.is_json), (FaultClass::Failed, None, false));
    }

    #[test]
    fn too_large_is_told_by_code_or_words() {
        let coded = read(400, br#"{"error":{"message":"no","code":"context_length_exceeded"}}"#);
        assert_eq!(coded.class, FaultClass::TooLarge);
        let told = read(400, br#"{"error":{"message":"This model's maximum context length is 8 tokens"}}"#);
        assert_eq!(told.class, FaultClass::TooLarge);
    }

    #[test]
    fn a_filter_is_told_by_code_or_words() {
        let coded = read(400, br#"{"error":{"message":"no","code":"content_filter"}}"#);
        assert_eq!(coded.class, FaultClass::Filtered);
        let told = read(400, br#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy."}}"#);
        assert_eq!(told.class, FaultClass::Filtered);
    }

    #[test]
    fn a_bad_key_and_an_empty_account_are_told_by_words_too() {
        let key = read(
            400,
            br#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}"#,
        );
        assert_eq!(key.class, FaultClass::Authentication);
        let credit =
            read(400, br#"{"error":{"message":"Your credit balance is too low to access the API."}}"#);
        assert_eq!(credit.class, FaultClass::RateLimited);
        let large = read(400, br#"{"error":{"message":"The input token count (9) exceeds the maximum number of tokens allowed (8)."}}"#);
        assert_eq!(large.class, FaultClass::TooLarge);
    }

    #[test]
    fn an_error_under_200_is_classed_by_its_code() {
        assert_eq!(read_stream_error(br#"{"error":{"code":429}}"#).class, FaultClass::RateLimited);
        assert_eq!(read_stream_error(br#"{"error":{"code":"rate_limit"}}"#).class, FaultClass::Failed);
        assert_eq!(read_stream_error(b"{").class, FaultClass::Failed);
    }
}

//! What a request says of itself that limits and accounts must know: for whom it is, its tags, and how much it may answer.
//! The scan has found where that stands, so the body is not read again.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use protocol::scan::Remarks;
use reqwest::header::HeaderMap;
use serde::Deserialize;

/// Names that clients make up are cut after so many characters: they become keys of counters.
const NAME: usize = 128;

/// More tags than that are not looked at.
const TAGS: usize = 16;

/// LiteLLM's headers for the end user, in its order.
const CUSTOMER_HEADERS: [&str; 2] = ["x-litellm-customer-id", "x-litellm-end-user-id"];

/// LiteLLM's header for tags, with commas between.
const TAGS_HEADER: &str = "x-litellm-tags";

/// LiteLLM's header for the conversation.
const SESSION_HEADER: &str = "x-litellm-session-id";

/// More models than that are not asked.
const FALLBACKS: usize = 5;

/// What is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The end user.
    pub(crate) customer: Option<String>,
    pub(crate) tags: Vec<String>,
    /// The most tokens that one answer may have.
    pub(crate) most_output: Option<u64>,
    /// How many answers; at least one.
    pub(crate) answers: u64,
    /// A digest of the name of the conversation, if it has one.
    pub(crate) session: Option<u64>,
    /// The models to ask where the one asked for cannot answer, in place of what is configured.
    pub(crate) fallbacks: Option<Vec<String>>,
}

/// Clients put anything there.
#[derive(Default, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    user_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tags: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    session_id: Option<Cow<'a, str>>,
}

/// OpenAI's responses name a conversation in either way.
#[derive(Deserialize)]
#[serde(untagged)]
enum Conversation<'a> {
    #[serde(borrow)]
    Id(Cow<'a, str>),
    Object {
        #[serde(borrow)]
        id: Cow<'a, str>,
    },
}

/// LiteLLM's clients name a model in either way.
#[derive(Deserialize)]
#[serde(untagged)]
enum Other {
    Name(String),
    Object { model: String },
}

#[derive(Default, Deserialize)]
struct GenerationConfig {
    #[serde(default, rename = "maxOutputTokens", alias = "max_output_tokens")]
    max_output_tokens: Option<u64>,
    #[serde(default, rename = "candidateCount", alias = "candidate_count")]
    candidate_count: Option<u64>,
}

impl Said {
    /// What headers and body say. What is written otherwise than its language allows is not said.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8], remarks: &Remarks) -> Self {
        let mut said = Self::in_body(body, remarks);
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let customer = CUSTOMER_HEADERS.iter().find_map(|name| text(name)).filter(|name| !name.is_empty());
        said.customer = customer.map(short).or(said.customer);
        said.session = text(SESSION_HEADER).map(digest).or(said.session);
        let tags = text(TAGS_HEADER).into_iter().flat_map(|tags| tags.split(',')).map(str::trim);
        said.tags.extend(tags.filter(|tag| !tag.is_empty()).map(short));
        said.tags.sort_unstable();
        said.tags.dedup();
        said.tags.truncate(TAGS);
        said
    }

    fn in_body(body: &[u8], remarks: &Remarks) -> Self {
        let metadata: Metadata<'_> = value(body, remarks.metadata.as_ref()).unwrap_or_default();
        let user = value::<Cow<'_, str>>(body, remarks.user.as_ref());
        let customer = user.or(metadata.user_id).filter(|name| !name.is_empty());
        let inner: GenerationConfig = value(body, remarks.generation_config.as_ref()).unwrap_or_default();
        let most = [&remarks.max_completion_tokens, &remarks.max_tokens, &remarks.max_output_tokens];
        let most_output = most.into_iter().find_map(|place| value(body, place.as_ref()));
        let key = value::<Cow<'_, str>>(body, remarks.prompt_cache_key.as_ref());
        let conversation = || match value::<Conversation<'_>>(body, remarks.conversation.as_ref())? {
            Conversation::Id(id) | Conversation::Object { id } => Some(id),
        };
        let session = metadata.session_id.or_else(conversation).or(key).filter(|name| !name.is_empty());
        Self {
            session: session.map(|name| digest(&name)),
            fallbacks: fallbacks(body, remarks),
            customer: customer.map(|name| short(&name)),
            tags: metadata.tags.iter().take(TAGS).map(|tag| short(tag)).collect(),
            most_output: most_output.or(inner.max_output_tokens),
            answers: value(body, remarks.n.as_ref()).or(inner.candidate_count).unwrap_or(1).clamp(1, 128),
        }
    }
}

/// `None` if it is not there, or something else.
fn value<'b, T: Deserialize<'b>>(body: &'b [u8], place: Option<&Range<usize>>) -> Option<T> {
    serde_json::from_slice(body.get(place?.clone())?).ok()
}

/// The same on every pod, so that all send a conversation to the same place.
fn digest(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// None at all, if the client wants none.
fn fallbacks(body: &[u8], remarks: &Remarks) -> Option<Vec<String>> {
    if value(body, remarks.disable_fallbacks.as_ref()) == Some(true) {
        return Some(Vec::new());
    }
    let named: Vec<Other> = value(body, remarks.fallbacks.as_ref())?;
    let names = named.into_iter().map(|other| match other {
        Other::Name(model) | Other::Object { model } => model,
    });
    Some(names.take(FALLBACKS).collect())
}

fn short(name: &str) -> String {
    name.chars().take(NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &'static str)], body: &str) -> Said {
        let headers = headers.iter().map(|(name, value)| {
            (reqwest::header::HeaderName::from_static(name), reqwest::header::HeaderValue::from_static(value))
        });
        let remarks = protocol::scan::scan_object(body.as_bytes()).expect("an object");
        Said::read(&headers.collect(), body.as_bytes(), &remarks)
    }

    #[test]
    fn each_language_has_its_own_names() {
        let chat =
            read(&[], r#"{"user":"ann","max_completion_tokens":7,"n":2,"messages":[{"max_tokens":9}]}"#);
        assert_eq!((chat.customer.as_deref(), chat.most_output, chat.answers), (Some("ann"), Some(7), 2));
        let anthropic = read(&[], r#"{"metadata":{"user_id":"b"},"max_tokens":5}"#);
        assert_eq!((anthropic.customer.as_deref(), anthropic.most_output), (Some("b"), Some(5)));
        let gemini = read(&[], r#"{"generationConfig":{"maxOutputTokens":3,"candidateCount":4}}"#);
        assert_eq!((gemini.most_output, gemini.answers), (Some(3), 4));
        let responses = read(&[], r#"{"max_output_tokens":8,"metadata":{"tags":["x"]}}"#);
        assert_eq!((responses.most_output, responses.tags), (Some(8), vec!["x".to_owned()]));
    }

    #[test]
    fn headers_go_before_the_body_and_tags_add_up() {
        let said = read(
            &[("x-litellm-customer-id", " c "), ("x-litellm-tags", "b, a,,b")],
            r#"{"user":"ann","metadata":{"tags":["c"]}}"#,
        );
        assert_eq!(said.customer.as_deref(), Some("c"));
        assert_eq!(said.tags, ["a", "b", "c"]);
    }

    #[test]
    fn what_clients_make_up_is_bounded() {
        let long = format!(r#"{{"user":"{}","n":1000000}}"#, "u".repeat(1000));
        let said = read(&[], &long);
        assert_eq!((said.customer.map(|name| name.len()), said.answers), (Some(NAME), 128));
        assert_eq!(read(&[], r#"{"user":7,"max_tokens":"x"}"#), Said { answers: 1, ..Said::default() });
        assert_eq!(read(&[], r#"{"max_tokens":5,"metadata":{"tags":"a"}}"#).most_output, Some(5));
    }
}

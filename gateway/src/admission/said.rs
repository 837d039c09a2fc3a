//! What a request says of itself that limits and accounts must know: for whom it is, its tags, and how much it may answer.
//! The scan has found where that stands, so the body is not read again.

use std::borrow::Cow;
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
}

/// Clients put anything there.
#[derive(Default, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    user_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tags: Vec<Cow<'a, str>>,
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
        Self {
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

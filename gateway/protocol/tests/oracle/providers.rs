//! OpenAI chat in front of a provider: requests out, answers, streams and errors back. Only the providers whose
//! language we speak.

use catalogue::Dialect;
use protocol::dialects::{Echo, decode_answer, decode_request, encode_answer, encode_request};
use protocol::fault::{self, FaultClass};
use protocol::loss::OnLoss;
use serde_json::{Map, Value, json};

use crate::compare::{Case, each_object, without, without_nulls};
use crate::streams;

/// The names that LiteLLM gives to providers, with their language.
const PROVIDERS: [(&str, Dialect); 8] = [
    ("anthropic", Dialect::Anthropic),
    ("gemini", Dialect::Gemini),
    ("vertex_ai", Dialect::Gemini),
    ("openai", Dialect::OpenaiChat),
    ("azure", Dialect::OpenaiChat),
    ("groq", Dialect::OpenaiChat),
    ("mistral", Dialect::OpenaiChat),
    ("deepseek", Dialect::OpenaiChat),
];

pub(crate) fn echo() -> Echo {
    Echo { model: "m".into(), id: "0".repeat(32), created: 1, stream_usage: true }
}

/// The provider of a vector's name, its language, and the rest of the name.
fn spoken(name: &str) -> Option<(&str, Dialect, &str)> {
    let (provider, rest) = name.split_once('/')?;
    let (_, dialect) = PROVIDERS.into_iter().find(|(known, _)| *known == provider)?;
    Some((provider, dialect, rest))
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object of vectors").iter()
}

/// Requests as the provider gets them.
pub(crate) fn requests(vectors: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for (target, of_target) in entries(vectors) {
        let Some((_, dialect, model)) = spoken(target) else { continue };
        for (name, vector) in entries(of_target) {
            let mut request = vector["request_params"].clone();
            request["model"] = json!(model);
            request["messages"] = vector["request_messages"].clone();
            let theirs = match &vector["provider_body"] {
                Value::Null => json!({ "refused": true }),
                body => one_spelling(body, dialect),
            };
            let ours = one_spelling(&sent(Dialect::OpenaiChat, dialect, &request), dialect);
            cases.push(Case { name: format!("request/{target}/{name}"), theirs, ours });
        }
    }
    cases
}

/// What goes to a provider that speaks `to`, or that it is refused.
pub(crate) fn sent(from: Dialect, to: Dialect, request: &Value) -> Value {
    if from == to {
        return request.clone();
    }
    let decoded = decode_request(from, &request.to_string()).unwrap();
    let encoded = encode_request(to, &decoded);
    if encoded.losses.refused(OnLoss::Report).is_some() {
        return json!({ "refused": true });
    }
    let mut body: Value = serde_json::from_str(&encoded.body).unwrap();
    if to == Dialect::Gemini {
        // It is in the path.
        body.as_object_mut().unwrap().remove("model");
    }
    body
}

/// Google reads each name in two spellings, and LiteLLM mixes them.
fn one_spelling(body: &Value, dialect: Dialect) -> Value {
    if dialect != Dialect::Gemini {
        return body.clone();
    }
    each_object(body, &|fields| fields.into_iter().map(|(name, value)| (camel(&name), value)).collect())
}

fn camel(name: &str) -> String {
    let mut out = String::new();
    let mut words = name.split('_');
    out.push_str(words.next().unwrap_or_default());
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// Buffered answers as the client gets them.
pub(crate) fn answers(vectors: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, vector) in entries(&vectors["responses"]) {
        let Some((_, dialect, _)) = spoken(name) else { continue };
        let answer = decode_answer(dialect, &vector["provider_response"].to_string()).unwrap();
        let ours = encode_answer(Dialect::OpenaiChat, &answer, &echo()).body;
        let ours = told(&serde_json::from_str(&ours).unwrap());
        cases.push(Case { name: format!("answer/{name}"), theirs: told(&vector["litellm_response"]), ours });
    }
    cases
}

/// What an answer says: without ids that are made up, and without nulls.
fn told(answer: &Value) -> Value {
    let mut answer = without(&without_nulls(answer), &["created", "model"]);
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("id");
    }
    answer
}

/// Streams, folded.
pub(crate) fn streams(vectors: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, vector) in entries(&vectors["streams"]) {
        let Some((_, dialect, _)) = spoken(name) else { continue };
        let stream = vector["provider_stream"].as_str().unwrap_or_default();
        let ours = streams::chat(&streams::translated(dialect, Dialect::OpenaiChat, stream));
        let mut theirs = streams::chat(vector["litellm_chunks"].as_array().map_or(&[], Vec::as_slice));
        if vector.get("error").is_some() {
            theirs["error"] = json!(true);
        }
        cases.push(Case { name: format!("stream/{name}"), theirs, ours });
    }
    cases
}

/// Errors, by what a client can do about them.
pub(crate) fn errors(vectors: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, vector) in entries(&vectors["errors"]) {
        if spoken(name).is_none() {
            continue;
        }
        let body = match &vector["body"] {
            Value::Null => json!({"type": "error", "error": {"type": "x_error", "message": "boom"}}),
            body => body.clone(),
        };
        let status: u16 = name.rsplit(['/', '_']).next().and_then(|status| status.parse().ok()).unwrap();
        let theirs = json!({ "class": vector["class"] });
        let ours = json!({ "class": class(fault::read(status, body.to_string().as_bytes()).class) });
        cases.push(Case { name: format!("error/{name}"), theirs, ours });
    }
    cases
}

/// LiteLLM's nearest name.
fn class(class: FaultClass) -> &'static str {
    match class {
        FaultClass::InvalidRequest => "BadRequestError",
        FaultClass::Authentication => "AuthenticationError",
        FaultClass::Forbidden => "PermissionDeniedError",
        FaultClass::NotFound => "NotFoundError",
        FaultClass::Filtered => "ContentPolicyViolationError",
        FaultClass::TooLarge => "ContextWindowExceededError",
        FaultClass::RateLimited => "RateLimitError",
        FaultClass::Failed => "InternalServerError",
        FaultClass::Garbled | FaultClass::Unreachable => "APIConnectionError",
        FaultClass::Timeout => "Timeout",
    }
}

/// An empty object with the fields of `pairs` that are something.
pub(crate) fn object(pairs: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let something =
        |value: &Value| !matches!(value, Value::Null) && *value != json!("") && *value != json!([]);
    Value::Object(
        pairs
            .into_iter()
            .filter(|(_, value)| something(value))
            .map(|(key, value)| (key.to_owned(), value))
            .collect::<Map<_, _>>(),
    )
}

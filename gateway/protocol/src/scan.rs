//! Reads the few fields of a request that the gateway acts on, in one pass and with no tree.
//! The body itself stays bytes: `splice.rs` changes it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Fields that LiteLLM's clients send for the gateway alone: no provider knows them.
pub const GATEWAY_FIELDS: [&str; 2] = ["fallbacks", "disable_fallbacks"];

/// What the gateway needs to know of a request, in the dialects that name the model in the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The model asked for, with JSON escapes resolved.
    pub model: String,
    /// Where the model's JSON string, quotes included, stands in the body.
    pub model_at: Range<usize>,
    /// Whether the answer shall be a stream. Absent and `null` are no.
    pub stream: bool,
    /// Whether the stream shall end with a usage frame (`stream_options.include_usage`).
    pub wants_usage: bool,
    /// Whether the client sent any `stream_options`, `null` included.
    pub has_stream_options: bool,
    /// Fields that only OpenAI's responses give a meaning.
    pub places: Places,
    /// Fields that tell whom a request is for, and how much it may answer.
    pub remarks: Remarks,
}

/// Where values stand that limits and accounts are told by. Every language has its own names, and clients put anything there:
/// whoever reads them decides what is sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// `user`.
    pub user: Option<Range<usize>>,
    /// `metadata`.
    pub metadata: Option<Range<usize>>,
    /// `max_completion_tokens`.
    pub max_completion_tokens: Option<Range<usize>>,
    /// `max_tokens`.
    pub max_tokens: Option<Range<usize>>,
    /// `max_output_tokens`.
    pub max_output_tokens: Option<Range<usize>>,
    /// `n`.
    pub n: Option<Range<usize>>,
    /// `prompt_cache_key`.
    pub prompt_cache_key: Option<Range<usize>>,
    /// `conversation`.
    pub conversation: Option<Range<usize>>,
    /// `fallbacks`, one of [`GATEWAY_FIELDS`].
    pub fallbacks: Option<Range<usize>>,
    /// `disable_fallbacks`, another.
    pub disable_fallbacks: Option<Range<usize>>,
    /// `generationConfig`, which Google's clients may also write `generation_config`.
    pub generation_config: Option<Range<usize>>,
}

/// Where the values of fields stand that say what of a conversation is kept, and where; `null` has a place, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// `input`.
    pub input: Option<Range<usize>>,
    /// `previous_response_id`.
    pub previous: Option<Range<usize>>,
    /// `store`.
    pub store: Option<Range<usize>>,
    /// `background`.
    pub background: Option<Range<usize>>,
}

/// Why a body is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// A syntax error, or not UTF-8.
    #[error("the request body is not valid JSON: {reason}")]
    NotJson {
        /// Kind and place, never content.
        reason: String,
    },
    /// JSON, but a list, a string, a number ...
    #[error("the request body is not a JSON object")]
    NotObject,
    /// The gateway and a provider could each read another one.
    #[error("the request body has the key '{key}' twice; send it once")]
    DuplicateKey {
        /// At most 64 characters of it.
        key: String,
    },
    /// Absent or `null`.
    #[error("the request body names no model: set \"model\"")]
    ModelMissing,
    /// A number, an object, an empty or a broken string.
    #[error("\"model\" must be a string that is not empty")]
    ModelNotString,
    /// Where a body may name the model that the path has named, but no other.
    #[error("{place} names another model than the path; name the same")]
    OtherModel {
        /// `requests[2].model`.
        place: String,
    },
    /// The gateway must know which kind of answer to expect.
    #[error("\"stream\" must be true or false")]
    StreamNotBoolean,
    /// The gateway must know whether to keep the answer.
    #[error("\"store\" must be true or false")]
    StoreNotBoolean,
    /// The gateway must know who is to answer.
    #[error("\"background\" must be true or false")]
    BackgroundNotBoolean,
    /// A number, an object, an empty or a broken string.
    #[error("\"previous_response_id\" must be a string that is not empty")]
    PreviousNotString,
}

impl Remarks {
    /// Whether one of [`GATEWAY_FIELDS`] is there.
    #[must_use]
    pub fn has_gateway_fields(&self) -> bool {
        self.fallbacks.is_some() || self.disable_fallbacks.is_some()
    }
}

impl Envelope {
    /// Reads a request. Fields that are not named in [`Envelope`] may hold anything.
    ///
    /// # Errors
    /// See [`ScanError`]. Syntax errors come first, then duplicates, then the single fields.
    pub fn scan(body: &[u8]) -> Result<Self, ScanError> {
        let (text, found) = read(body)?;
        let model = found.model.filter(|raw| raw.get() != "null").ok_or(ScanError::ModelMissing)?;
        let name: String = serde_json::from_str(model.get()).map_err(|_| ScanError::ModelNotString)?;
        if name.is_empty() {
            return Err(ScanError::ModelNotString);
        }
        Ok(Self {
            model: name,
            model_at: place_of(model, text),
            stream: flag(found.stream).ok_or(ScanError::StreamNotBoolean)?,
            wants_usage: wants_usage(found.stream_options),
            has_stream_options: found.stream_options.is_some(),
            places: Places {
                input: found.input.map(|raw| place_of(raw, text)),
                previous: found.previous.map(|raw| place_of(raw, text)),
                store: found.store.map(|raw| place_of(raw, text)),
                background: found.background.map(|raw| place_of(raw, text)),
            },
            remarks: found.remarks.places(text),
        })
    }

    /// `previous_response_id`, if there is one. `body` is the one that was scanned.
    ///
    /// # Errors
    /// [`ScanError::PreviousNotString`].
    pub fn previous(&self, body: &[u8]) -> Result<Option<String>, ScanError> {
        match value(body, self.places.previous.as_ref()) {
            b"" | b"null" => Ok(None),
            json => match serde_json::from_slice::<String>(json) {
                Ok(id) if !id.is_empty() => Ok(Some(id)),
                _ => Err(ScanError::PreviousNotString),
            },
        }
    }

    /// `store`, if it is there.
    ///
    /// # Errors
    /// [`ScanError::StoreNotBoolean`].
    pub fn store(&self, body: &[u8]) -> Result<Option<bool>, ScanError> {
        truth(value(body, self.places.store.as_ref())).ok_or(ScanError::StoreNotBoolean)
    }

    /// `background`, if it is there.
    ///
    /// # Errors
    /// [`ScanError::BackgroundNotBoolean`].
    pub fn background(&self, body: &[u8]) -> Result<Option<bool>, ScanError> {
        truth(value(body, self.places.background.as_ref())).ok_or(ScanError::BackgroundNotBoolean)
    }
}

fn value<'b>(body: &'b [u8], place: Option<&Range<usize>>) -> &'b [u8] {
    place.and_then(|place| body.get(place.clone())).unwrap_or_default()
}

fn truth(json: &[u8]) -> Option<Option<bool>> {
    match json {
        b"" | b"null" => Some(None),
        b"true" => Some(Some(true)),
        b"false" => Some(Some(false)),
        _ => None,
    }
}

/// Checks a body of a dialect that names its model elsewhere: a JSON object, and no key of it twice.
///
/// # Errors
/// See [`ScanError`].
pub fn check_object(body: &[u8]) -> Result<(), ScanError> {
    read(body).map(drop)
}

/// The same, and what it remarks.
///
/// # Errors
/// See [`ScanError`].
pub fn scan_object(body: &[u8]) -> Result<Remarks, ScanError> {
    read(body).map(|(text, found)| found.remarks.places(text))
}

fn read(body: &[u8]) -> Result<(&str, Found<'_>), ScanError> {
    let text = std::str::from_utf8(body).map_err(|error| ScanError::NotJson {
        reason: format!("no UTF-8 at byte {}", error.valid_up_to()),
    })?;
    let mut found = read_object(text)?;
    match found.duplicate.take() {
        Some(key) => Err(ScanError::DuplicateKey { key: key.chars().take(64).collect() }),
        None => Ok((text, found)),
    }
}

fn read_object(text: &str) -> Result<Found<'_>, ScanError> {
    if !text.trim_ascii_start().starts_with('{') {
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(&error))?;
        return Err(ScanError::NotObject);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(ObjectVisitor).map_err(|error| not_json(&error))?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(found)
}

/// Only syntax errors arise here, and those quote nothing of the input.
fn not_json(error: &serde_json::Error) -> ScanError {
    ScanError::NotJson { reason: error.to_string() }
}

/// A borrowed raw value is a slice of the input, so its address tells its place.
pub(crate) fn place_of(raw: &RawValue, text: &str) -> Range<usize> {
    let start = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + raw.get().len()
}

fn flag(raw: Option<&RawValue>) -> Option<bool> {
    match raw.map(RawValue::get) {
        None | Some("null" | "false") => Some(false),
        Some("true") => Some(true),
        Some(_) => None,
    }
}

fn wants_usage(options: Option<&RawValue>) -> bool {
    #[derive(Deserialize)]
    struct Options {
        include_usage: Option<bool>,
    }
    let read = |raw: &RawValue| serde_json::from_str::<Options>(raw.get()).ok()?.include_usage;
    options.and_then(read).unwrap_or(false)
}

#[derive(Default)]
struct Found<'a> {
    model: Option<&'a RawValue>,
    stream: Option<&'a RawValue>,
    stream_options: Option<&'a RawValue>,
    input: Option<&'a RawValue>,
    previous: Option<&'a RawValue>,
    store: Option<&'a RawValue>,
    background: Option<&'a RawValue>,
    remarks: Remarked<'a>,
    duplicate: Option<String>,
}

#[derive(Default)]
struct Remarked<'a> {
    user: Option<&'a RawValue>,
    metadata: Option<&'a RawValue>,
    max_completion_tokens: Option<&'a RawValue>,
    max_tokens: Option<&'a RawValue>,
    max_output_tokens: Option<&'a RawValue>,
    n: Option<&'a RawValue>,
    prompt_cache_key: Option<&'a RawValue>,
    conversation: Option<&'a RawValue>,
    fallbacks: Option<&'a RawValue>,
    disable_fallbacks: Option<&'a RawValue>,
    generation_config: Option<&'a RawValue>,
}

impl<'a> Remarked<'a> {
    /// Where the value of `key` belongs, if it is one of them.
    fn named(&mut self, key: &str) -> Option<&mut Option<&'a RawValue>> {
        match key {
            "user" => Some(&mut self.user),
            "metadata" => Some(&mut self.metadata),
            "max_completion_tokens" => Some(&mut self.max_completion_tokens),
            "max_tokens" => Some(&mut self.max_tokens),
            "max_output_tokens" => Some(&mut self.max_output_tokens),
            "n" => Some(&mut self.n),
            "prompt_cache_key" => Some(&mut self.prompt_cache_key),
            "conversation" => Some(&mut self.conversation),
            "fallbacks" => Some(&mut self.fallbacks),
            "disable_fallbacks" => Some(&mut self.disable_fallbacks),
            "generationConfig" | "generation_config" => Some(&mut self.generation_config),
            _ => None,
        }
    }

    fn places(&self, text: &str) -> Remarks {
        let place = |raw: Option<&RawValue>| raw.map(|raw| place_of(raw, text));
        Remarks {
            user: place(self.user),
            metadata: place(self.metadata),
            max_completion_tokens: place(self.max_completion_tokens),
            max_tokens: place(self.max_tokens),
            max_output_tokens: place(self.max_output_tokens),
            n: place(self.n),
            prompt_cache_key: place(self.prompt_cache_key),
            conversation: place(self.conversation),
            fallbacks: place(self.fallbacks),
            disable_fallbacks: place(self.disable_fallbacks),
            generation_config: place(self.generation_config),
        }
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found::default();
        // Hashed, not compared in turn: a body may hold a million keys.
        let mut seen = HashSet::new();
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "model" => found.model = Some(map.next_value()?),
                "stream" => found.stream = Some(map.next_value()?),
                "stream_options" => found.stream_options = Some(map.next_value()?),
                "input" => found.input = Some(map.next_value()?),
                "previous_response_id" => found.previous = Some(map.next_value()?),
                "store" => found.store = Some(map.next_value()?),
                "background" => found.background = Some(map.next_value()?),
                other => match found.remarks.named(other) {
                    Some(value) => *value = Some(map.next_value()?),
                    None => drop(map.next_value::<IgnoredAny>()?),
                },
            }
            if let Some(twice) = seen.replace(key)
                && found.duplicate.is_none()
            {
                found.duplicate = Some(twice.into_owned());
            }
        }
        Ok(found)
    }
}

/// An object's key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> ScanError {
        Envelope::scan(body.as_bytes()).expect_err(body)
    }

    #[test]
    fn the_fields_are_found_wherever_they_stand() {
        let body = r#" {"messages":[{"model":"no"}],"stream":true , "model" : "gpt","stream_options":{"include_usage":true}} "#;
        let envelope = Envelope::scan(body.as_bytes()).expect("sound");
        assert_eq!(envelope.model, "gpt");
        assert_eq!(&body.as_bytes()[envelope.model_at], b"\"gpt\"");
        assert!(envelope.stream && envelope.wants_usage);
    }

    #[test]
    fn escapes_hide_neither_a_key_nor_a_name() {
        let envelope = Envelope::scan(br#"{"mod\u0065l":"a\/b\u00e9"}"#).expect("sound");
        assert_eq!(envelope.model, "a/bé");
        assert_eq!(
            refused(r#"{"model":"a","mod\u0065l":"b"}"#),
            ScanError::DuplicateKey { key: "model".into() }
        );
    }

    #[test]
    fn each_kind_of_nonsense_has_its_own_error() {
        assert!(matches!(refused("{\"model\":"), ScanError::NotJson { .. }));
        assert!(matches!(refused("{\"model\":\"a\"} x"), ScanError::NotJson { .. }));
        assert!(matches!(refused(""), ScanError::NotJson { .. }));
        assert!(matches!(Envelope::scan(b"{\"model\":\"\xff\"}"), Err(ScanError::NotJson { .. })));
        assert_eq!(refused("[]"), ScanError::NotObject);
        assert_eq!(refused("\"model\""), ScanError::NotObject);
        assert_eq!(refused("{}"), ScanError::ModelMissing);
        assert_eq!(refused("{\"model\":null}"), ScanError::ModelMissing);
        assert_eq!(refused("{\"model\":7}"), ScanError::ModelNotString);
        assert_eq!(refused("{\"model\":\"\"}"), ScanError::ModelNotString);
        assert_eq!(refused("{\"model\":\"\\ud800\"}"), ScanError::ModelNotString);
        assert_eq!(refused("{\"model\":\"a\",\"stream\":\"yes\"}"), ScanError::StreamNotBoolean);
        assert_eq!(refused("{\"n\":1,\"n\":2,\"model\":3}"), ScanError::DuplicateKey { key: "n".into() });
    }

    #[test]
    fn what_names_no_model_must_be_an_object_all_the_same() {
        assert_eq!(check_object(b"{\"contents\":[]}"), Ok(()));
        assert_eq!(check_object(b"[]"), Err(ScanError::NotObject));
        assert_eq!(check_object(b"{\"a\":1,\"a\":2}"), Err(ScanError::DuplicateKey { key: "a".into() }));
    }

    #[test]
    fn what_a_conversation_hangs_on_is_read_and_misread_by_none() {
        let read = |body: &str| {
            let envelope = Envelope::scan(body.as_bytes()).expect("sound");
            let body = body.as_bytes();
            (envelope.previous(body), envelope.store(body), envelope.background(body))
        };
        let set = r#"{"model":"m","previous_response_id":"r\u0031","store":true,"background":false}"#;
        assert_eq!(read(set), (Ok(Some("r1".into())), Ok(Some(true)), Ok(Some(false))));
        let none = r#"{"model":"m","previous_response_id":null,"store":null}"#;
        assert_eq!(read(none), (Ok(None), Ok(None), Ok(None)));
        let odd = r#"{"model":"m","previous_response_id":"","store":1,"background":"yes"}"#;
        let errors = (
            Err(ScanError::PreviousNotString),
            Err(ScanError::StoreNotBoolean),
            Err(ScanError::BackgroundNotBoolean),
        );
        assert_eq!(read(odd), errors, "but a chat with such fields is none of ours to judge");
    }

    #[test]
    fn remarks_are_found_with_and_without_a_model() {
        let body =
            r#"{"user":"u","metadata":{"a":[1]},"max_tokens":7,"n": 2 ,"generationConfig":{}, "model":"m"}"#;
        let remarks = Envelope::scan(body.as_bytes()).expect("sound").remarks;
        assert_eq!(scan_object(body.as_bytes()), Ok(remarks.clone()));
        let text = |place: &Option<Range<usize>>| place.clone().and_then(|place| body.get(place));
        let Remarks { user, metadata, max_tokens, n, generation_config, .. } = &remarks;
        let told = [user, metadata, max_tokens, n, generation_config].map(text);
        assert_eq!(told, [Some("\"u\""), Some("{\"a\":[1]}"), Some("7"), Some("2"), Some("{}")]);
        assert_eq!((&remarks.max_completion_tokens, &remarks.max_output_tokens), (&None, &None));
    }

    #[test]
    fn deep_nesting_is_no_stack() {
        let body = format!("{{\"model\":\"a\",\"x\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(Envelope::scan(body.as_bytes()).expect("sound").model, "a");
    }
}

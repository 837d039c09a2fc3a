//! Counting the tokens of a request that nobody is asked to answer: what there is to count, and how the count is
//! told. The counting itself is the caller's.

use catalogue::Dialect;

use crate::dialects;
use crate::hub::{Answer, Body, Part, Request, Source, Tool, ToolBody};
use crate::json::{Fields, Writer};

/// A picture, a sound, a file: their real cost hangs on sizes that only providers know. About that of a picture
/// of one megapixel at Anthropic (`width * height / 750`, at most about 1600).
///
/// Source: docs.anthropic.com/en/docs/build-with-claude/vision, read 2026-11-21.
const MEDIUM: u64 = 1200;

/// What marks a turn or a tool costs about this, in every template that is known.
const FRAME: u64 = 4;

/// English text has about this many bytes in a token.
pub(crate) const BYTES_PER_TOKEN: u64 = 4;

/// What has tokens to count.
pub trait Countable {
    /// Its tokens, where `text` counts those of a text.
    fn tokens(&self, text: &mut dyn FnMut(&str) -> u64) -> u64;
}

impl Countable for Request {
    fn tokens(&self, text: &mut dyn FnMut(&str) -> u64) -> u64 {
        tokens(self, text)
    }
}

impl Countable for Answer {
    fn tokens(&self, mut text: &mut dyn FnMut(&str) -> u64) -> u64 {
        let said = self.candidates.iter().map(|candidate| parts(&candidate.parts, &mut text));
        said.fold(0, u64::saturating_add)
    }
}

/// About how many tokens a question of `dialect` has, by the lengths of its texts: for where nobody tells and no
/// vocabulary may be asked. `None` if it cannot be understood.
#[must_use]
pub fn by_length(dialect: Dialect, body: &[u8]) -> Option<u64> {
    let request = dialects::decode_request(dialect, std::str::from_utf8(body).ok()?).ok()?;
    Some(tokens(&request, |text| (text.len() as u64).div_ceil(BYTES_PER_TOKEN)))
}

/// The tokens of `request`, where `text` counts those of a text.
pub fn tokens(request: &Request, mut text: impl FnMut(&str) -> u64) -> u64 {
    let mut sum: u64 = 0;
    for turn in &request.turns {
        sum = sum.saturating_add(FRAME).saturating_add(parts(&turn.parts, &mut text));
    }
    for tool in &request.tools {
        sum = sum.saturating_add(FRAME).saturating_add(one_tool(tool, &mut text));
    }
    sum
}

fn parts(all: &[Part], text: &mut impl FnMut(&str) -> u64) -> u64 {
    all.iter().map(|part| one_part(part, text)).fold(0, u64::saturating_add)
}

fn one_part(part: &Part, text: &mut impl FnMut(&str) -> u64) -> u64 {
    match &part.body {
        Body::Text(words) | Body::Refusal(words) | Body::Thinking { text: words, .. } => text(words),
        Body::Media(media) => match &media.source {
            Source::Text(words) => text(words),
            Source::Url { .. } | Source::Inline { .. } | Source::File { .. } => MEDIUM,
        },
        Body::ToolCall { name, arguments, .. } => text(name).saturating_add(text(arguments)),
        Body::ToolResult { parts: inner, .. } => parts(inner, text),
        Body::Foreign { json, .. } => text(json.get()),
    }
}

fn one_tool(tool: &Tool, text: &mut impl FnMut(&str) -> u64) -> u64 {
    match &tool.body {
        ToolBody::Function { name, description, parameters, .. } => {
            let description = description.as_deref().map_or(0, &mut *text);
            let parameters = parameters.as_ref().map_or(0, |schema| text(schema.get()));
            text(name).saturating_add(description).saturating_add(parameters)
        }
        ToolBody::WebSearch(_) => 0,
        ToolBody::Foreign { json, .. } => text(json.get()),
    }
}

/// The part of a counting request's body that is a request of `dialect`. Gemini's may be wrapped.
///
/// Source: ai.google.dev/api/tokens (`generateContentRequest`), read 2026-11-21.
#[must_use]
pub fn question(dialect: Dialect, body: &str) -> &str {
    let wrapped = |body| Fields::parse(body)?.take("generateContentRequest").map(|raw| raw.get());
    match dialect {
        Dialect::Gemini => wrapped(body).unwrap_or(body),
        _ => body,
    }
}

/// The answer to a counting request of `dialect`.
///
/// Sources: docs.anthropic.com/en/api/messages-count-tokens, ai.google.dev/api/tokens, read 2026-11-21.
#[must_use]
pub fn answer(dialect: Dialect, tokens: u64) -> String {
    let key = match dialect {
        Dialect::Gemini => "totalTokens",
        _ => "input_tokens",
    };
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.number(key, tokens);
    object.end();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Extras, Media, MediaKind, Role, Turn};

    #[test]
    fn texts_are_counted_and_media_are_estimated() {
        let image = Media {
            kind: MediaKind::Image,
            source: Source::Url { url: "https://x.example/long/name.png".into(), mime: None },
            name: None,
            detail: None,
        };
        let result =
            Body::ToolResult { call: "c".into(), name: None, parts: vec![Part::text("four")], failed: false };
        let parts = vec![Part::text("five!"), Part::new(Body::Media(image)), Part::new(result)];
        let turn = Turn { role: Role::User, parts, extras: Extras::default() };
        let request = Request { turns: vec![turn], ..Request::default() };
        assert_eq!(tokens(&request, |text| text.len() as u64), FRAME + 5 + MEDIUM + 4);
    }

    #[test]
    fn a_wrapped_question_is_found_and_each_language_has_its_answer() {
        assert_eq!(
            question(Dialect::Gemini, r#"{"generateContentRequest": {"contents":[]}}"#),
            r#"{"contents":[]}"#
        );
        assert_eq!(question(Dialect::Gemini, r#"{"contents":[]}"#), r#"{"contents":[]}"#);
        assert_eq!(answer(Dialect::Anthropic, 7), r#"{"input_tokens":7}"#);
        assert_eq!(answer(Dialect::Gemini, 7), r#"{"totalTokens":7}"#);
    }
}

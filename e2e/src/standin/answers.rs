//! What the stand-in says, from the files in `fixtures/`. They are written by hand after OpenAI's published API
//! reference (platform.openai.com/docs/api-reference/chat, read 2026-11-21); `@MODEL@` and `@TEXT@` are filled in.

use bytes::Bytes;
use serde::Deserialize;

use super::Behaviour;

const ANSWER: &str = include_str!("../fixtures/answer.json");
const TOOLS: &str = include_str!("../fixtures/tools.json");
const TOOLS_STREAM: &str = include_str!("../fixtures/tools.sse");
const STREAM_START: &str = include_str!("../fixtures/start.sse");
const STREAM_TEXT: &str = include_str!("../fixtures/text.sse");
const STREAM_END: &str = include_str!("../fixtures/end.sse");
const ERROR: &str = include_str!("../fixtures/error.json");

/// The part of a chat request that decides what is said.
#[derive(Debug, Deserialize)]
pub(super) struct Ask {
    pub(super) model: String,
    #[serde(default)]
    pub(super) stream: bool,
}

/// A whole answer.
pub(super) fn whole(ask: &Ask, behaviour: Behaviour) -> String {
    let fixture = if behaviour == Behaviour::Tools { TOOLS } else { ANSWER };
    fill(fixture, ask, &format!("I am {}.", ask.model))
}

/// The frames of a streamed answer, with the last one `[DONE]`.
pub(super) fn frames(ask: &Ask, behaviour: Behaviour) -> Vec<Bytes> {
    if behaviour == Behaviour::Tools {
        return cut(&fill(TOOLS_STREAM, ask, ""));
    }
    let mut text = fill(STREAM_START, ask, "");
    for word in words(ask, behaviour) {
        text.push_str(&fill(STREAM_TEXT, ask, &word));
    }
    text.push_str(&fill(STREAM_END, ask, ""));
    cut(&text)
}

/// OpenAI's error shape.
pub(super) fn error(message: &str) -> serde_json::Value {
    serde_json::from_str(&ERROR.replace("@TEXT@", message)).unwrap_or_default()
}

fn words(ask: &Ask, behaviour: Behaviour) -> Vec<String> {
    match behaviour {
        Behaviour::Slow { chunks, .. } => (0..chunks).map(|n| format!("{}:{n} ", ask.model)).collect(),
        _ => ["I ", "am ", &ask.model, "."].map(String::from).to_vec(),
    }
}

fn fill(fixture: &str, ask: &Ask, text: &str) -> String {
    fixture.replace("@MODEL@", &ask.model).replace("@TEXT@", text)
}

fn cut(text: &str) -> Vec<Bytes> {
    text.split_inclusive("\n\n").map(|frame| Bytes::copy_from_slice(frame.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_one_event_of_json_but_the_last() {
        for behaviour in [Behaviour::Answer, Behaviour::Tools] {
            let mut frames = frames(&Ask { model: "m".into(), stream: true }, behaviour);
            assert_eq!(frames.pop().unwrap(), "data: [DONE]\n\n");
            for frame in frames {
                let text = std::str::from_utf8(&frame).unwrap();
                let json = text.strip_prefix("data: ").unwrap();
                serde_json::from_str::<serde_json::Value>(json).unwrap_or_else(|e| panic!("{e}: {json}"));
            }
        }
    }

    #[test]
    fn whole_answers_are_json() {
        for behaviour in [Behaviour::Answer, Behaviour::Tools] {
            let text = whole(&Ask { model: "m".into(), stream: false }, behaviour);
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }
}

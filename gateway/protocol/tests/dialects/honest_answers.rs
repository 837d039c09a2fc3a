//! The same of answers and of streams: what a client of another language cannot be told, the losses name.

use catalogue::Dialect;
use protocol::dialects::{Echo, decode_answer, encode_answer, stream_encoder};
use protocol::loss::Losses;
use serde_json::Value;

use crate::honesty::{SENTINEL, covers, general, text_leaves};
use crate::support::{DIALECTS, decode, encode, exchanges};

fn echo() -> Echo {
    Echo { model: "echoed".into(), id: "0".repeat(32), created: 1, stream_usage: true }
}

/// Leaves that say nothing of the answer: names that the gateway or the other language gives itself, words beside
/// counts, padding, errors (whose code becomes a class), and what a stream says twice.
const SAYS_NOTHING: [&str; 18] = [
    "/id",
    "/item_id",
    "/model",
    "/modelVersion",
    "/object",
    "/responseId",
    "/createTime",
    "/modality",
    "/obfuscation",
    "/error/code",
    "/error/status",
    "/error/message",
    // Of the stream of a response: each frame that ends something repeats it.
    "/response/status",
    "/response/output/",
    "/part/",
    "/item/status",
    // OpenRouter repeats it in each piece of a thought.
    "/format",
    // LiteLLM's blocks repeat `reasoning_content`.
    "/delta/thinking_blocks/0/thinking",
];

fn says_something(pointer: &str) -> bool {
    // The whole of what was streamed before, told once more by responses.
    let is_repeated = matches!(pointer, "/arguments" | "/text");
    !is_repeated
        && !SAYS_NOTHING.iter().any(|end| {
            pointer.ends_with(end)
                || (end.ends_with('/') && pointer.starts_with(end))
                || pointer.starts_with("/response/error")
        })
}

/// Whether `out` has the sentinel, as it is or in the base64 that Gemini's clients need seals in.
fn says(out: &str) -> bool {
    out.contains(SENTINEL) || base64_words(out).any(|word| word.contains(SENTINEL))
}

/// The texts in base64 that `out` quotes.
fn base64_words(out: &str) -> impl Iterator<Item = String> + '_ {
    out.split('"').filter(|word| word.starts_with("ZmFpcmxlYWQ6")).map(|word| {
        let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
        let sixes = word.chars().filter_map(|letter| letters.iter().position(|known| *known == letter));
        let (mut bytes, mut group, mut bits) = (Vec::new(), 0_usize, 0);
        for six in sixes {
            (group, bits) = ((group << 6 | six) & 0xffff, bits + 6);
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from(group >> bits & 0xff).unwrap());
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A block that is left out takes all with it. Languages call blocks and their sources by many names.
fn is_told(losses: &Losses, pointer: &str) -> bool {
    let same = [
        ("content_block", "content"),
        ("delta", "content"),
        ("item", "content"),
        ("parts", "content"),
        ("partial_json", "arguments"),
    ];
    let same = same.into_iter().chain([("tool_calls", "content"), ("output", "content"), ("output", "item")]);
    let same = same.chain([
        ("citations", "annotations"),
        ("citation", "annotations"),
        ("choices", "candidates"),
        ("candidates", "choices"),
        ("annotations", "citations"),
    ]);
    let mut pointers = vec![pointer.to_owned()];
    pointers.extend(
        same.filter(|(one, _)| pointer.contains(one)).map(|(one, other)| pointer.replace(one, other)),
    );
    let says_why = ["/finish_reason", "/stop_reason", "/finishReason", "/status", "/reason"];
    let is_why = says_why.iter().any(|end| pointer.ends_with(end));
    losses.all().iter().any(|loss| {
        pointers.iter().any(|pointer| covers(&loss.field, pointer))
            || (is_why && loss.field.ends_with("reason"))
    })
}

/// The leaves of answers that are lost in silence.
fn silent_answers(from: Dialect, to: Dialect) -> Vec<String> {
    let mut silent = Vec::new();
    for exchange in exchanges(from).into_iter().take(120) {
        let Some(answer) = exchange.answer else { continue };
        for pointer in text_leaves(&answer).into_iter().filter(|pointer| says_something(pointer)) {
            let mut planted = answer.clone();
            *planted.pointer_mut(&pointer).unwrap() = Value::from(SENTINEL);
            let Ok(decoded) = decode_answer(from, &planted.to_string()) else { continue };
            let encoded = encode_answer(to, &decoded, &echo());
            if !says(&encoded.body) && !is_told(&encoded.losses, &pointer) {
                silent.push(general(&pointer));
            }
        }
    }
    silent
}

/// The leaves of streams that are lost in silence.
fn silent_streams(from: Dialect, to: Dialect) -> Vec<String> {
    let mut silent = Vec::new();
    // Recorded streams are long, and each leaf of each frame is a stream of its own: a few are enough.
    for exchange in exchanges(from).into_iter().filter(|one| one.stream.is_some()).take(16) {
        let stream = String::from_utf8_lossy(&exchange.stream.unwrap_or_default()).into_owned();
        let frames: Vec<String> = stream.replace("\r\n", "\n").split("\n\n").map(str::to_owned).collect();
        for at in 0..frames.len().min(16) {
            let Some(data) = data(&frames[at]) else { continue };
            for pointer in text_leaves(&data).into_iter().filter(|pointer| says_something(pointer)) {
                let mut planted = data.clone();
                *planted.pointer_mut(&pointer).unwrap() = Value::from(SENTINEL);
                let mut frames = frames.clone();
                frames[at] = with_data(&frames[at], &planted);
                let mut encoder = stream_encoder(to, echo());
                let out = encode(&mut *encoder, &decode(from, frames.join("\n\n").as_bytes()));
                if !says(&out) && !is_told(encoder.losses(), &pointer) {
                    silent.push(general(&pointer));
                }
            }
        }
    }
    silent
}

fn data(frame: &str) -> Option<Value> {
    let line = frame.lines().find_map(|line| line.strip_prefix("data:"))?;
    // What stands beside an error is no answer any more.
    serde_json::from_str(line).ok().filter(|data: &Value| data.is_object() && data.get("error").is_none())
}

fn with_data(frame: &str, data: &Value) -> String {
    let lines = frame
        .lines()
        .map(|line| if line.starts_with("data:") { format!("data: {data}") } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\n")
}

fn hold(from: Dialect, find: fn(Dialect, Dialect) -> Vec<String>) {
    let mut silent = std::collections::BTreeMap::<String, usize>::new();
    for to in DIALECTS.into_iter().filter(|to| *to != from) {
        for pointer in find(from, to) {
            *silent.entry(format!("{} to {}: {pointer}", from.name(), to.name())).or_default() += 1;
        }
    }
    assert!(silent.is_empty(), "lost in silence: {silent:#?}");
}

macro_rules! honest_from {
    ($name:ident, $from:expr) => {
        mod $name {
            use catalogue::Dialect;

            #[test]
            fn answers_lose_nothing_in_silence() {
                super::hold($from, super::silent_answers);
            }

            #[test]
            fn streams_lose_nothing_in_silence() {
                super::hold($from, super::silent_streams);
            }
        }
    };
}

honest_from!(chat, Dialect::OpenaiChat);
honest_from!(responses, Dialect::OpenaiResponses);
honest_from!(completions, Dialect::OpenaiCompletions);
honest_from!(anthropic, Dialect::Anthropic);
honest_from!(gemini, Dialect::Gemini);

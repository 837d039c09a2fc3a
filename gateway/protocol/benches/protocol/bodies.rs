//! Bodies of about a size, and streams of so many chunks, in every dialect. `tests/allocations` counts over them too.

use bytes::Bytes;
use catalogue::Dialect;
use protocol::dialects::{Echo, encode_answer, encode_request, stream_encoder};
use protocol::frames::sse::Splitter;
use protocol::hub::{
    Answer, At, Body, Candidate, Event, Extras, Finish, Opening, Part, Request, Role, Tool, ToolBody, Turn,
};
use protocol::json::RawJson;
use protocol::usage::Usage;

/// What chats are made of: prose with line ends, quotes, code, and letters beyond ASCII.
const TEXT: &str = "The harbour master said \"hold the line\" and we did.\n\tlet tide = table.at(noon);\n\
    Grün ist das Meer, 漂亮, and nobody asked twice about the weather on the way out to the point. ";

/// About as much in one message as people and models write.
const MESSAGE_BYTES: usize = 2_000;

const SCHEMA: &str = r#"{"type":"object","properties":{"harbour":{"type":"string","description":"Its name."},"day":{"type":"string","format":"date"}},"required":["harbour"]}"#;

pub(crate) fn echo() -> Echo {
    Echo {
        model: "fast".into(),
        id: "0123456789abcdef".repeat(2),
        created: 1_795_000_000,
        stream_usage: true,
    }
}

/// A request of about `bytes` bytes.
pub(crate) fn request(dialect: Dialect, bytes: usize) -> Bytes {
    let turns = texts(bytes).enumerate().map(|(at, text)| Turn {
        role: if at % 2 == 0 { Role::User } else { Role::Assistant },
        parts: vec![Part::text(text)],
        extras: Extras::default(),
    });
    let tool = ToolBody::Function {
        name: "tide_table".into(),
        description: Some("Tides of a harbour on a day.".into()),
        parameters: RawJson::parse(SCHEMA),
        strict: None,
    };
    let request = Request {
        model: "fast".into(),
        turns: turns.collect(),
        tools: vec![Tool { body: tool, cache: None, extras: Extras::default() }],
        max_output: Some(1024),
        stream: true,
        ..Request::default()
    };
    encode_request(dialect, &request).body.into()
}

/// A buffered answer of about `bytes` bytes.
pub(crate) fn answer(dialect: Dialect, bytes: usize) -> Bytes {
    let candidate = Candidate {
        parts: vec![Part::text(texts(bytes).collect::<String>())],
        finish: Some(Finish::Stop),
        ..Candidate::default()
    };
    let answer = Answer {
        id: "a1".into(),
        model: "big".into(),
        candidates: vec![candidate],
        usage: Some(usage()),
        ..Answer::default()
    };
    encode_answer(dialect, &answer, &echo()).body.into()
}

/// The frames of a stream whose text comes in `chunks` pieces.
pub(crate) fn stream(dialect: Dialect, chunks: usize) -> Vec<Bytes> {
    let at = At { candidate: 0, part: 0 };
    let (mut encoder, mut out) = (stream_encoder(dialect, echo()), String::new());
    let mut tell = |event: &Event| encoder.push(event, &mut out);
    tell(&Event::Start { id: "a1".into(), model: "big".into(), created: None, extras: Extras::default() });
    tell(&Event::Open(at, Opening { body: Body::Text(String::new()), extras: Extras::default() }));
    for word in TEXT.split_inclusive(' ').cycle().take(chunks) {
        tell(&Event::Text(at, word.to_owned()));
    }
    tell(&Event::Close(at));
    tell(&Event::Finish { candidate: 0, finish: Finish::Stop, stop: None, extras: Extras::default() });
    tell(&Event::Usage(usage()));
    encoder.end(&mut out);
    if dialect == Dialect::Gemini {
        out = out.split_inclusive("\r\n\r\n").map(counted).collect();
    }
    let mut splitter = Splitter::new(usize::MAX);
    splitter.push(out.as_bytes());
    std::iter::from_fn(|| splitter.next_frame().unwrap_or_default())
        .map(|frame| Bytes::copy_from_slice(&frame))
        .collect()
}

/// Google counts in every chunk, our writer in the last.
fn counted(chunk: &str) -> String {
    let counts = r#","usageMetadata":{"promptTokenCount":2000,"candidatesTokenCount":1}}"#;
    match chunk.trim_end().strip_suffix('}') {
        Some(open) if !chunk.contains("usageMetadata") => format!("{open}{counts}\r\n\r\n"),
        _ => chunk.to_owned(),
    }
}

fn usage() -> Usage {
    Usage { fresh_input: 1200, cached_input: 800, output: 340, ..Usage::default() }
}

fn texts(bytes: usize) -> impl Iterator<Item = String> {
    let whole = move |at: usize| bytes.saturating_sub(at * MESSAGE_BYTES).min(MESSAGE_BYTES);
    let text = |length: usize| TEXT.chars().cycle().take(length).collect();
    (0..).map(whole).take_while(|length| *length > 0).map(text)
}

//! Exchanges to hold the laws over: authored ones, and recorded ones if there are any.

use std::path::{Path, PathBuf};

use catalogue::Dialect;
use protocol::dialects::{Frame, StreamDecoder, StreamEncoder, stream_decoder};
use protocol::frames::sse::{self, Splitter};
use protocol::hub::{Answer, Event, Fold};
use serde_json::Value;

/// One exchange, as far as it was recorded.
pub(crate) struct Exchange {
    pub(crate) place: String,
    pub(crate) request: Option<Value>,
    pub(crate) answer: Option<Value>,
    pub(crate) stream: Option<Vec<u8>>,
}

pub(crate) const DIALECTS: [Dialect; 5] = Dialect::ALL;

/// All exchanges of `dialect`. The authored ones are never none.
pub(crate) fn exchanges(dialect: Dialect) -> Vec<Exchange> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/dialects").join(dialect.name());
    let mut all: Vec<_> = json_files(&own).iter().filter_map(|file| read(file, None)).collect();
    assert!(!all.is_empty(), "{} has no cases of our own", dialect.name());
    let authored = all.len();
    if let Some(recorded) = std::env::var_os("FAIRLEAD_CORPUS") {
        let kind = match dialect {
            Dialect::OpenaiChat => "chat",
            Dialect::OpenaiResponses => "responses",
            Dialect::OpenaiCompletions => "completions",
            Dialect::Anthropic => "messages",
            Dialect::Gemini => "generate_content",
        };
        let files = json_files(Path::new(&recorded));
        all.extend(files.iter().filter_map(|file| read(file, Some(kind))));
    }
    println!("{}: {authored} authored, {} recorded", dialect.name(), all.len() - authored);
    all
}

/// The authored exchanges of `dialect` with the names of their files.
pub(crate) fn authored(dialect: Dialect) -> Vec<(String, Exchange)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/dialects").join(dialect.name());
    let named = |file: &PathBuf| Some((file.file_stem()?.to_str()?.to_owned(), read(file, None)?));
    json_files(&own).iter().filter_map(named).collect()
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn read(file: &Path, kind: Option<&str>) -> Option<Exchange> {
    let exchange: Value = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
    if kind.is_some_and(|kind| exchange["kind"] != *kind) || is_misnamed(&exchange) {
        return None;
    }
    let response = &exchange["response"];
    let good = response["status"].as_u64().is_none_or(|status| status == 200);
    let object = |value: &Value| value.is_object().then(|| value.clone());
    Some(Exchange {
        place: file.display().to_string(),
        request: object(&exchange["request"]["body"]),
        answer: object(&response["body"]).filter(|body| good && body.get("error").is_none_or(Value::is_null)),
        stream: response["chunks"].as_array().filter(|_| good).map(|chunks| stream_bytes(chunks)),
    })
}

/// Whether a recording only has the path of completions: Portkey's stored prompts are answered in chat, and Writer's
/// streams are in no one else's language.
fn is_misnamed(exchange: &Value) -> bool {
    let first = exchange["response"]["chunks"][0].as_str().unwrap_or_default();
    let path = exchange["request"]["path"].as_str().unwrap_or_default();
    path.contains("/prompts/") || first.starts_with("data: {\"value\":")
}

fn stream_bytes(chunks: &[Value]) -> Vec<u8> {
    chunks.iter().filter_map(Value::as_str).collect::<String>().into_bytes()
}

/// The events of a stream.
pub(crate) fn decode(dialect: Dialect, stream: &[u8]) -> Vec<Event> {
    let mut decoder = stream_decoder(dialect);
    let mut events = Vec::new();
    let mut splitter = Splitter::new(64 << 20);
    splitter.push(stream);
    while let Ok(Some(frame)) = splitter.next_frame() {
        push(&mut *decoder, &frame, &mut events);
    }
    let rest = splitter.finish();
    push(&mut *decoder, &rest, &mut events);
    decoder.end(&mut events);
    events
}

fn push(decoder: &mut dyn StreamDecoder, frame: &[u8], events: &mut Vec<Event>) {
    let Some(data) = sse::data(frame) else { return };
    let name = sse::field(frame, "event");
    let name = name.as_deref().map(String::from_utf8_lossy);
    let data = String::from_utf8_lossy(&data);
    decoder.push(Frame { event: name.as_deref(), data: &data }, events);
}

/// The bytes of a stream that tells `events`.
pub(crate) fn encode(encoder: &mut dyn StreamEncoder, events: &[Event]) -> String {
    let mut out = String::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.end(&mut out);
    out
}

/// What the events come to.
pub(crate) fn fold(events: Vec<Event>) -> Result<Answer, protocol::fault::Reading> {
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

/// The paths at which two values differ, at most ten.
pub(crate) fn differences(left: &Value, right: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", left, right, &mut found);
    found.truncate(10);
    found
}

fn compare(path: &str, left: &Value, right: &Value, found: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let (a, b) = (a.get(key), b.get(key));
                let place = format!("{path}.{key}");
                match (a, b) {
                    (Some(a), Some(b)) => compare(&place, a, b, found),
                    _ => found.push(format!("{place}: {a:?} became {b:?}")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{at}]"), a, b, found);
            }
        }
        _ if left != right => found.push(format!("{path}: {left} became {right}")),
        _ => {}
    }
}

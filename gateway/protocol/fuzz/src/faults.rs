//! Errors of providers, read, and written for every client.

use catalogue::Dialect;
use protocol::dialects::encode_fault;
use protocol::fault::{FaultClass, Reading, openai_error, read, read_stream_error};

use super::sound;

const CLASSES: [FaultClass; 11] = [
    FaultClass::InvalidRequest,
    FaultClass::Authentication,
    FaultClass::Forbidden,
    FaultClass::NotFound,
    FaultClass::TooLarge,
    FaultClass::Filtered,
    FaultClass::RateLimited,
    FaultClass::Failed,
    FaultClass::Garbled,
    FaultClass::Timeout,
    FaultClass::Unreachable,
];

pub(crate) fn check(bytes: &[u8]) {
    readings(&read_stream_error(bytes), bytes);
    for status in [0, 200, 400, 401, 404, 408, 413, 429, 500, 503, u16::MAX] {
        readings(&read(status, bytes), bytes);
    }
    // Any text may be what a provider said.
    written(&String::from_utf8_lossy(bytes), bytes);
}

fn readings(reading: &Reading, bytes: &[u8]) {
    let said = reading.message.as_deref().unwrap_or_default();
    assert!(said.len() <= bytes.len(), "a message is longer than the body it is from");
    assert!(!reading.is_json || bytes.trim_ascii_start().starts_with(b"{"), "no object is one");
}

fn written(message: &str, input: &[u8]) {
    for dialect in Dialect::ALL {
        for class in CLASSES {
            let body = encode_fault(dialect, class, message);
            sound::object(dialect.name(), &body);
            // A byte that is no UTF-8 becomes three, and a control character six.
            sound::message_size(dialect.name(), body.len(), input);
            let again = read(500, body.as_bytes());
            assert!(again.message.as_deref() == Some(message), "{}: other words: {body}", dialect.name());
        }
    }
    sound::object("an error of OpenAI", &openai_error(message, message, Some(message), message));
}

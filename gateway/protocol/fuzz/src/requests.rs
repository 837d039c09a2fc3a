//! Requests: whatever is read can be written in every language, and at home it is read the same again.

use catalogue::Dialect;
use protocol::dialects::{decode_request, encode_request};
use protocol::hub::Request;

use super::sound;

pub(crate) fn check(bytes: &[u8]) {
    let Ok(body) = std::str::from_utf8(bytes) else { return };
    for from in Dialect::ALL {
        let Ok(request) = decode_request(from, body) else { continue };
        for to in Dialect::ALL {
            written(from, to, &request, bytes);
        }
    }
}

fn written(from: Dialect, to: Dialect, request: &Request, input: &[u8]) {
    let what = format!("a request of {} in {}", from.name(), to.name());
    let encoded = encode_request(to, request);
    sound::object(&what, &encoded.body);
    let losses: usize = encoded.losses.all().iter().map(|loss| loss.field.len()).sum();
    sound::message_size(&what, encoded.body.len() + losses, input);
    if from == to {
        let again = decode_request(to, &encoded.body).map(|request| encode_request(to, &request).body);
        sound::same_json(&what, &encoded.body, &again.unwrap_or_default());
    }
}

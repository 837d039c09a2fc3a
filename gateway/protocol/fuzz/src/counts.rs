//! Counting: the question is found in the body, and no more is counted than is there.

use catalogue::Dialect;
use protocol::count;
use protocol::dialects::decode_request;

use super::sound;

/// What one medium may count for: the smallest that can be written has more bytes than a hundredth of it.
const MOST_PER_BYTE: u64 = 100;

pub(crate) fn check(bytes: &[u8]) {
    let Ok(body) = std::str::from_utf8(bytes) else { return };
    for dialect in Dialect::ALL {
        let question = count::question(dialect, body);
        assert!(body.contains(question), "a question that was not asked");
        let Ok(request) = decode_request(dialect, question) else { continue };
        let tokens = count::tokens(&request, |text| text.len() as u64);
        let most = MOST_PER_BYTE * body.len() as u64;
        assert!(tokens <= most, "{}: {tokens} tokens of {} bytes", dialect.name(), body.len());
        sound::object(dialect.name(), &count::answer(dialect, tokens));
    }
}

//! Buffered answers: judged the same by all, written in every language, and relayed as they are.

use bytes::Bytes;
use catalogue::Dialect;
use protocol::answer;
use protocol::dialects::{decode_answer, encode_answer};
use protocol::exchange::{Exchange, Judged};
use protocol::passage::UsageFrame;

use super::sound;

pub(crate) fn check(bytes: &[u8]) {
    for provider in Dialect::ALL {
        for client in Dialect::ALL {
            judged(provider, client, bytes);
        }
        let Ok(body) = std::str::from_utf8(bytes) else { continue };
        let Ok(said) = decode_answer(provider, body) else { continue };
        let home = exchange(provider, provider);
        if let Judged::Answer { usage, .. } = home.judge(Bytes::copy_from_slice(bytes)) {
            assert!(usage == said.usage, "{}: {usage:?} or {:?}?", provider.name(), said.usage);
        }
        let what = format!("an answer of {} at home", provider.name());
        let encoded = encode_answer(provider, &said, &sound::echo());
        let again = decode_answer(provider, &encoded.body);
        assert!(again.is_ok(), "{what} cannot be read again: {again:?}: {}", encoded.body);
    }
}

fn exchange(client: Dialect, provider: Dialect) -> Exchange {
    Exchange { client, provider, echo: sound::echo(), usage_frame: UsageFrame::Passed, stamp: None }
}

fn judged(provider: Dialect, client: Dialect, bytes: &[u8]) {
    let what = format!("an answer of {} to {}", provider.name(), client.name());
    let exchange = exchange(client, provider);
    let body = Bytes::copy_from_slice(bytes);
    match exchange.judge(body.clone()) {
        Judged::Answer { body: out, usage, losses } => {
            assert!(!exchange.is_relay() || out == body, "{what} is not relayed as it is");
            assert!(usage.is_none_or(|usage| usage.total() >= usage.generated()), "{what} has odd usage");
            let text = std::str::from_utf8(&out).unwrap_or_default();
            sound::object(&what, text.trim_ascii_start());
            let lost: usize = losses.all().iter().map(|loss| loss.field.len()).sum();
            sound::message_size(&what, out.len() + lost, bytes);
        }
        Judged::Refusal(reading) => {
            let said = reading.message.unwrap_or_default().len();
            assert!(said <= bytes.len(), "{what}: the refusal is longer than what was said");
        }
        Judged::Garbage => {
            let is_read = answer::check(provider, bytes) != answer::Answer::Garbage;
            assert!(!is_read || !exchange.is_relay(), "{what} was sound to one and garbage to another");
        }
    }
}

//! Thought signatures. The API declares them as bytes, so SDKs refuse what is no base64: a seal of another
//! provider is wrapped once more before a Gemini client sees it.
//!
//! Source: ai.google.dev/gemini-api/docs/thought-signatures (read 2026-11-21).

use super::HOME;
use crate::hub::Seal;

/// What Google documents for calls that another model made: without any signature Gemini 3 answers 400.
pub(super) const UNSIGNED: &str = "skip_thought_signature_validator";

/// The hub's tag for a foreign seal in base64. Nine bytes, so its base64 is the same whatever follows.
const TAGGED: &str = "ZmFpcmxlYWQ6";

/// Reads what a client sent back.
pub(super) fn read(token: &str) -> Seal {
    let unwrapped = token.starts_with(TAGGED).then(|| decode(token)).flatten();
    Seal::from_token(unwrapped.as_deref().unwrap_or(token), HOME)
}

/// Writes a seal for a client of this dialect.
pub(super) fn write(seal: &Seal) -> String {
    let token = seal.to_token(HOME);
    if seal.dialect == HOME { token } else { encode(token.as_bytes()) }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let six = (group >> (18 - 6 * place)) & 63;
            let letter = usize::try_from(six).ok().and_then(|six| ALPHABET.get(six));
            out.push(if place <= chunk.len() { char::from(*letter.unwrap_or(&b'=')) } else { '=' });
        }
    }
    out
}

/// Both alphabets, padding or none: SDKs write it anew in their own way.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let letter = match letter {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        let six = ALPHABET.iter().position(|known| *known == letter)?;
        group = (group << 6 | u32::try_from(six).ok()?) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((group >> bits) & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use catalogue::Dialect;

    use super::*;

    #[test]
    fn a_foreign_seal_comes_back_through_any_sdk() {
        for bytes in ["", "a", "ab", "abc", "EqQB+/=é?>"] {
            let seal = Seal { dialect: Dialect::Anthropic, bytes: bytes.into() };
            let token = write(&seal);
            assert_eq!(read(&token), seal);
            let urlsafe = token.replace('+', "-").replace('/', "_");
            assert_eq!(read(urlsafe.trim_end_matches('=')), seal, "{token}");
        }
    }

    #[test]
    fn an_own_seal_is_not_touched() {
        let seal = Seal { dialect: HOME, bytes: "CloBvj72+4/a".into() };
        assert_eq!(write(&seal), seal.bytes);
        assert_eq!(read(&seal.bytes), seal);
        assert_eq!(read(UNSIGNED).bytes, UNSIGNED);
    }
}

//! Base64 of bytes and back. Reading takes the standard alphabet or that for URLs, with padding or none.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Adds `bytes` to `out` in the standard alphabet, with padding.
pub(crate) fn encode(bytes: &[u8], out: &mut String) {
    out.reserve(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let group =
            three.iter().zip([16, 8, 0]).fold(0, |group, (byte, shift)| group | u32::from(*byte) << shift);
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            out.push(if at > three.len() { '=' } else { letter(group >> shift) });
        }
    }
}

/// `bytes` in the alphabet for URLs, without padding.
pub(crate) fn encoded_for_urls(bytes: &[u8]) -> String {
    let mut text = String::new();
    encode(bytes, &mut text);
    text.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// The bytes. `None` if a letter is of neither alphabet.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        group = (group << 6 | u32::from(six_bits(letter)?)) & 0xfff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(group >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn letter(bits: u32) -> char {
    LETTERS.get((bits & 0x3f) as usize).map_or('=', |letter| char::from(*letter))
}

fn six_bits(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: &[u8]) -> String {
        let mut out = String::new();
        encode(bytes, &mut out);
        out
    }

    #[test]
    fn both_alphabets_are_read_with_and_without_padding() {
        assert_eq!(decode("SGk=").as_deref(), Some(&b"Hi"[..]));
        assert_eq!(decode("SGk").as_deref(), Some(&b"Hi"[..]));
        assert_eq!(decode("-_8=").as_deref(), Some(&[0xfb, 0xff][..]));
        assert_eq!(decode("+/8=").as_deref(), Some(&[0xfb, 0xff][..]));
        assert_eq!(decode("").as_deref(), Some(&b""[..]));
        assert_eq!(decode("SG k"), None);
    }

    /// Source: rfc-editor.org/rfc/rfc4648, section 10.
    #[test]
    fn the_vectors_of_the_rfc_are_written_and_read() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encoded(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(encoded(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn what_is_written_for_urls_is_read_again() {
        for bytes in [&b""[..], b"H", b"Hi", b"Hi!", &[0xfb, 0xff, 0xfe, 0]] {
            assert_eq!(decode(&encoded_for_urls(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(encoded_for_urls(&[0xfb, 0xff]), "-_8");
    }
}

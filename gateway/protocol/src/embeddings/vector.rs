//! The numbers of one vector, in the spelling they came in. They are spelt anew only where the client wants the
//! other spelling: most vectors pass as text.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::Encoding;
use crate::base64;

/// One vector.
#[derive(Clone, Debug, PartialEq)]
pub enum Vector<'a> {
    /// A JSON list of numbers and nothing else.
    Floats(&'a str),
    /// Four bytes a number, little-endian, in base64.
    Base64(Cow<'a, str>),
}

impl<'a> Vector<'a> {
    /// Takes a list of numbers, or a text of base64. `None` if it is neither.
    #[must_use]
    pub fn read(raw: &'a RawValue) -> Option<Self> {
        let text = raw.get();
        match text.as_bytes().first()? {
            b'"' => serde_json::from_str(text).ok().map(Self::Base64),
            // What is JSON and has no other signs than these is flat, and has no `null`.
            b'[' => text.bytes().skip(1).all(is_of_numbers).then_some(Self::Floats(text)),
            _ => None,
        }
    }

    /// Adds it to `out` as JSON. `None` if it is no vector: base64 of something else, or a number that JSON has not.
    #[must_use]
    pub fn write(&self, encoding: Encoding, out: &mut String) -> Option<()> {
        match (self, encoding) {
            (Self::Floats(list), Encoding::Float) => {
                // Google indents its lists, which would be half of the answer.
                out.extend(list.split_ascii_whitespace());
                Some(())
            }
            (Self::Floats(list), Encoding::Base64) => {
                let mut bytes = Vec::with_capacity(list.len() / 2);
                each_number(list, |number| bytes.extend(number.to_le_bytes()))?;
                out.push('"');
                base64::encode(&bytes, out);
                out.push('"');
                Some(())
            }
            (Self::Base64(text), Encoding::Float) => write_list(&base64::decode(text)?, out),
            (Self::Base64(text), Encoding::Base64) => {
                write!(out, "\"{text}\"").ok().filter(|()| base64::decode(text).is_some())
            }
        }
    }

    /// The numbers. `None` as in [`Self::write`].
    #[must_use]
    pub fn numbers(&self) -> Option<Vec<f32>> {
        match self {
            Self::Floats(list) => {
                let mut numbers = Vec::new();
                each_number(list, |number| numbers.push(number))?;
                Some(numbers)
            }
            Self::Base64(text) => {
                let bytes = base64::decode(text)?;
                let (quads, rest) = bytes.as_chunks::<4>();
                rest.is_empty().then(|| quads.iter().map(|quad| f32::from_le_bytes(*quad)).collect())
            }
        }
    }
}

fn is_of_numbers(byte: u8) -> bool {
    byte.is_ascii_digit()
        || matches!(byte, b',' | b'.' | b'-' | b'+' | b'e' | b'E' | b']' | b' ' | b'\n' | b'\r' | b'\t')
}

fn each_number(list: &str, mut take: impl FnMut(f32)) -> Option<()> {
    let inside = list.trim().strip_prefix('[')?.strip_suffix(']')?;
    if inside.trim().is_empty() {
        return Some(());
    }
    for number in inside.split(',') {
        take(number.trim().parse().ok()?);
    }
    Some(())
}

fn write_list(bytes: &[u8], out: &mut String) -> Option<()> {
    let (quads, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() || quads.is_empty() {
        return None;
    }
    out.push('[');
    for (at, quad) in quads.iter().enumerate() {
        let number = f32::from_le_bytes(*quad);
        if !number.is_finite() {
            return None;
        }
        if at > 0 {
            out.push(',');
        }
        write!(out, "{number}").ok()?;
    }
    out.push(']');
    Some(())
}

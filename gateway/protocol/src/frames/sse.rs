//! Server-sent events: bytes in any chunks to complete events, byte for byte as they came.
//! Format: html.spec.whatwg.org/multipage/server-sent-events.html (read 2026-11-21).

use std::borrow::Cow;

use bytes::{Buf, Bytes, BytesMut};

/// An event grew past the limit before its blank line came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {limit} bytes")]
pub struct FrameTooLong {
    /// As given to [`Splitter::new`].
    pub limit: usize,
}

/// Cuts a byte stream after each blank line. What it yields, put together, is what it was given.
///
/// A lone CR at the very end of what has come is not judged yet: an LF may follow. So a stream with
/// CR line ends is one byte late; LF and CRLF streams are not.
#[derive(Debug)]
pub struct Splitter {
    buffer: BytesMut,
    /// How much of `buffer` has been looked at.
    looked: usize,
    /// Where the line that `looked` stands in began.
    line: usize,
    limit: usize,
    /// A BOM before the first line does not make it less blank.
    first_line: bool,
}

impl Splitter {
    /// A splitter for one stream whose frames have at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), looked: 0, line: 0, limit, first_line: true }
    }

    /// Takes the next bytes of the stream. Call [`Self::next_frame`] until it has no more.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next complete frame, its blank line included.
    ///
    /// # Errors
    /// [`FrameTooLong`]; the stream is of no use from there.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameTooLong> {
        let end = self.frame_end();
        if end.unwrap_or(self.buffer.len()) > self.limit {
            return Err(FrameTooLong { limit: self.limit });
        }
        Ok(end.map(|end| {
            self.looked = 0;
            self.line = 0;
            self.buffer.split_to(end).freeze()
        }))
    }

    /// What is left when the stream has ended: nothing, or a frame that lacks its blank line.
    #[must_use]
    pub fn finish(self) -> Bytes {
        self.buffer.freeze()
    }

    /// The place after the first blank line, if it is there.
    fn frame_end(&mut self) -> Option<usize> {
        loop {
            let rest = self.buffer.get(self.looked..)?;
            let Some(found) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.looked = self.buffer.len();
                return None;
            };
            let at = self.looked + found;
            let after = match (self.buffer.get(at), self.buffer.get(at + 1)) {
                (Some(b'\r'), None) => {
                    self.looked = at;
                    return None;
                }
                (Some(b'\r'), Some(b'\n')) => at + 2,
                _ => at + 1,
            };
            let line = self.buffer.get(self.line..at).unwrap_or_default();
            let blank = line.is_empty() || (self.first_line && line == BOM);
            self.first_line = false;
            self.looked = after;
            self.line = after;
            if blank {
                return Some(after);
            }
        }
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What a frame is to those who wait for the first sign of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Has a field that the format knows.
    Event,
    /// Comments only: the server is alive.
    Comment,
    /// A blank line.
    Blank,
    /// Nothing the format knows: this is no event stream.
    Foreign,
}

/// Tells what `frame` is by its first line that says so.
#[must_use]
pub fn kind(frame: &[u8]) -> Kind {
    let mut kind = Kind::Blank;
    for line in lines(frame).filter(|line| !line.is_empty()) {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        match name {
            // `error` is none of the format's, but llama.cpp's servers have it.
            b"data" | b"event" | b"id" | b"retry" | b"error" => return Kind::Event,
            b"" => kind = Kind::Comment,
            _ if kind == Kind::Blank => kind = Kind::Foreign,
            _ => {}
        }
    }
    kind
}

/// The content of a frame's `data` lines, joined by LF. `None` if it has none.
#[must_use]
pub fn data(frame: &[u8]) -> Option<Cow<'_, [u8]>> {
    field(frame, "data")
}

/// The same of the lines of another field.
#[must_use]
pub fn field<'a>(frame: &'a [u8], name: &str) -> Option<Cow<'a, [u8]>> {
    let mut values = lines(frame).filter_map(|line| value_of(line, name));
    let mut joined = Cow::Borrowed(values.next()?);
    for value in values {
        let owned = joined.to_mut();
        owned.push(b'\n');
        owned.extend_from_slice(value);
    }
    Some(joined)
}

fn value_of<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name.as_bytes())?;
    if rest.is_empty() {
        return Some(rest);
    }
    let value = rest.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

/// Lines without their ends. A CRLF gives an empty line between its halves, which no caller minds.
fn lines(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut text = frame;
    if text.starts_with(BOM) {
        text.advance(BOM.len());
    }
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8]) -> Vec<Bytes> {
        let mut splitter = Splitter::new(1 << 20);
        splitter.push(bytes);
        std::iter::from_fn(|| splitter.next_frame().expect("short")).collect()
    }

    #[test]
    fn every_line_end_makes_frames() {
        assert_eq!(frames(b"data: a\n\ndata: b\n\n"), ["data: a\n\n", "data: b\n\n"]);
        assert_eq!(frames(b"data: a\r\n\r\ndata: b\r\n\r\n"), ["data: a\r\n\r\n", "data: b\r\n\r\n"]);
        assert_eq!(frames(b"data: a\r\rdata: b\r\rx"), ["data: a\r\r", "data: b\r\r"]);
        assert_eq!(frames(b"\n: hi\n\n\xef\xbb\xbf\n"), ["\n", ": hi\n\n"]);
    }

    #[test]
    fn a_bom_hides_nothing() {
        let all = frames(b"\xef\xbb\xbfdata: a\n\n");
        assert_eq!(data(&all[0]).as_deref(), Some(&b"a"[..]));
        assert_eq!(frames(b"\xef\xbb\xbf\ndata: a\n\n").len(), 2);
    }

    #[test]
    fn data_lines_are_joined_and_one_space_is_dropped() {
        assert_eq!(data(b"event: x\r\ndata:  a\r\ndata:b\r\ndata\r\n\r\n").as_deref(), Some(&b" a\nb\n"[..]));
        assert_eq!(data(b": comment\n\n"), None);
        assert_eq!(data(b"database: x\n\n"), None);
    }

    #[test]
    fn a_frame_is_known_by_its_fields() {
        assert_eq!(kind(b"data: x\n\n"), Kind::Event);
        assert_eq!(kind(b": ping\n\n"), Kind::Comment);
        assert_eq!(kind(b"\r\n"), Kind::Blank);
        assert_eq!(kind(b"<html>\n\n"), Kind::Foreign);
        assert_eq!(kind(b"{\"error\": 1}\n\n"), Kind::Foreign);
    }

    #[test]
    fn a_frame_without_end_is_refused() {
        let mut splitter = Splitter::new(8);
        splitter.push(b"data: 12345");
        assert_eq!(splitter.next_frame(), Err(FrameTooLong { limit: 8 }));
    }

    #[test]
    fn what_lacks_its_blank_line_is_left_over() {
        let mut splitter = Splitter::new(100);
        splitter.push(b"data: a\n\ndata: [DONE]\n");
        assert_eq!(splitter.next_frame(), Ok(Some(Bytes::from_static(b"data: a\n\n"))));
        assert_eq!(splitter.next_frame(), Ok(None));
        assert_eq!(splitter.finish(), "data: [DONE]\n");
    }
}

//! About how much a stream has said, for the many servers that never tell their usage.

use crate::count::BYTES_PER_TOKEN;
use crate::hub::{Body, Event};

/// Counts what has been said as it passes, at the cost of an addition for each frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pieces: u64,
    bytes: u64,
    /// Of the chunk that said least: what all have around their text.
    least: Option<u64>,
}

impl Heard {
    /// A chunk of OpenAI's languages, which nobody has parsed.
    pub(super) fn chunk(&mut self, bytes: usize) {
        let bytes = bytes as u64;
        self.pieces += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.least = Some(self.least.map_or(bytes, |least| least.min(bytes)));
    }

    /// A text that nobody has read, of so many bytes.
    pub(super) fn text(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// What a decoder has read.
    pub(super) fn event(&mut self, event: &Event) {
        let bytes = match event {
            Event::Text(_, more) | Event::Arguments(_, more) => more.len(),
            Event::Open(_, opening) => said(&opening.body),
            _ => 0,
        };
        self.text(bytes);
    }

    /// About how many tokens that were. Servers of OpenAI's languages send a token in each chunk; where they send
    /// more in one, and in the other languages, a fourth of the bytes is the common rule.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        let around = self.pieces.saturating_mul(self.least.unwrap_or(0));
        self.bytes.saturating_sub(around).div_ceil(BYTES_PER_TOKEN).max(self.pieces)
    }
}

fn said(body: &Body) -> usize {
    match body {
        Body::Text(text) | Body::Refusal(text) | Body::Thinking { text, .. } => text.len(),
        Body::ToolCall { name, arguments, .. } => name.len() + arguments.len(),
        Body::ToolResult { .. } | Body::Media(_) | Body::Foreign { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_a_token_unless_it_brings_many() {
        let mut heard = Heard::default();
        assert_eq!(heard.tokens(), 0);
        (0..10).for_each(|_| heard.chunk(200));
        assert_eq!(heard.tokens(), 10);
        heard.chunk(200 + 400);
        assert_eq!(heard.tokens(), 100);
    }
}

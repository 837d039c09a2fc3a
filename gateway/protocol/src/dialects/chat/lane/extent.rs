//! How far the arguments of a call have come: a call that is whole cannot go on, so that its block may end.

/// Follows one object as its pieces come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    depth: u32,
    is_text: bool,
    is_escaped: bool,
    is_whole: bool,
}

impl Extent {
    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &str) {
        piece.bytes().for_each(|byte| self.byte(byte));
    }

    /// Whether the object has ended. Nothing else ever does: it may go on.
    pub(super) fn is_whole(self) -> bool {
        self.is_whole
    }

    fn byte(&mut self, byte: u8) {
        if self.is_text {
            let is_escape = byte == b'\\' && !self.is_escaped;
            self.is_text = byte != b'"' || self.is_escaped;
            self.is_escaped = is_escape;
            return;
        }
        match byte {
            b'"' => self.is_text = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => {
                self.is_whole |= self.depth == 1;
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole(pieces: &[&str]) -> bool {
        let mut extent = Extent::default();
        pieces.iter().for_each(|piece| extent.push(piece));
        extent.is_whole()
    }

    #[test]
    fn an_object_is_whole_at_its_own_bracket() {
        assert!(is_whole(&["{}"]) && is_whole(&[" {\"a\":", "[{}],\"b\":\"}\"", "} "]));
        for part in ["", "{", "{\"a\":{}", "{\"a\":\"}", "{\"a\":\"\\\"}", "\"{}\"", "1", "}", "]"] {
            assert!(!is_whole(&[part]), "{part}");
        }
        assert!(is_whole(&["{\"a\":\"\\\\", "\"}"]), "an escaped backslash ends no escape");
    }
}

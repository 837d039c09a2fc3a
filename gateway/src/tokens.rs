//! Counts tokens where no provider is asked, with OpenAI's newest public vocabulary. Other makers' are secret, so
//! for them, too, this is an estimate: about a tenth off for English, more for code and other scripts.

use std::sync::Arc;

use protocol::count::Countable;
use tiktoken_rs::CoreBPE;
use tokio::sync::OnceCell;

/// Of more text than this the rest is told by its length, so that a huge body costs no minute of a core.
const EXACT_BYTES: usize = 1 << 20;

/// Merging is quadratic in the length of a word, and words can be made long.
const PIECE_BYTES: usize = 512;

/// English text has about this many bytes in a token.
const BYTES_PER_TOKEN: usize = 4;

/// A vocabulary that is loaded at first use: it takes a moment and some 50 MB.
#[derive(Default)]
pub(crate) struct Tokenizer(OnceCell<Option<Arc<CoreBPE>>>);

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("is_loaded", &self.0.initialized()).finish()
    }
}

impl Tokenizer {
    /// About how many tokens `request` has. The work is done beside the async threads.
    pub(crate) async fn count<R: Countable + Send + Sync + 'static>(&self, request: Arc<R>) -> u64 {
        let vocabulary = self.0.get_or_init(load).await.clone();
        let theirs = Arc::clone(&request);
        let counted = tokio::task::spawn_blocking(move || tokens(&*theirs, vocabulary.as_deref())).await;
        // The crate panics on text that its regex gives up on; lengths always have an answer.
        counted.unwrap_or_else(|_| tokens(&*request, None))
    }
}

async fn load() -> Option<Arc<CoreBPE>> {
    let loaded = tokio::task::spawn_blocking(tiktoken_rs::o200k_base).await;
    match loaded {
        Ok(Ok(vocabulary)) => Some(Arc::new(vocabulary)),
        _ => {
            tracing::error!("the vocabulary could not be loaded: tokens are told by length");
            None
        }
    }
}

fn tokens(request: &impl Countable, vocabulary: Option<&CoreBPE>) -> u64 {
    let mut left = EXACT_BYTES;
    request.tokens(&mut |text| {
        let (exact, rest) = split(text, if vocabulary.is_some() { left } else { 0 });
        left -= exact.len();
        let counted = vocabulary.map_or(0, |vocabulary| count_text(exact, vocabulary));
        (counted + rest.len().div_ceil(BYTES_PER_TOKEN)) as u64
    })
}

fn count_text(mut text: &str, vocabulary: &CoreBPE) -> usize {
    let mut sum = 0;
    while !text.is_empty() {
        let (piece, rest) = split(text, PIECE_BYTES);
        // Cut before a word, where there is one: tokens begin with their blank.
        let (piece, rest) = match piece.rfind(' ') {
            Some(at) if at > 0 && !rest.is_empty() => text.split_at(at),
            _ => (piece, rest),
        };
        sum += vocabulary.count_ordinary(piece);
        text = rest;
    }
    sum
}

/// Cuts `text` after at most `limit` bytes, at a character's end.
fn split(text: &str, limit: usize) -> (&str, &str) {
    let mut at = limit.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.split_at(at)
}

#[cfg(test)]
mod tests {
    use protocol::hub::{Extras, Part, Request, Role, Turn};

    use super::*;

    fn asked(text: &str) -> Arc<Request> {
        let turn = Turn { role: Role::User, parts: vec![Part::text(text)], extras: Extras::default() };
        Arc::new(Request { turns: vec![turn], ..Request::default() })
    }

    #[tokio::test]
    async fn words_are_counted_and_endless_ones_end() {
        let tokenizer = Tokenizer::default();
        assert_eq!(tokenizer.count(asked("Hello world, how are you today?")).await, 4 + 8);
        let long = tokenizer.count(asked(&"a".repeat(3 << 20))).await;
        assert!((100_000..1_000_000).contains(&long), "{long}");
        let sentence = "The quick brown fox jumps over the lazy dog. ";
        let many = tokenizer.count(asked(&sentence.repeat(1000))).await;
        assert!((10_000..10_400).contains(&many), "cutting costs little: {many}");
    }

    #[test]
    fn without_a_vocabulary_length_tells() {
        assert_eq!(tokens(&*asked("12345678é"), None), 4 + 3);
    }

    #[test]
    fn cuts_fall_between_characters() {
        assert_eq!(split("aé漢", 2), ("a", "é漢"));
        assert_eq!(split("aé漢", 9), ("aé漢", ""));
    }
}

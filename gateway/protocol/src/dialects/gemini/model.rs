//! What a model's name tells of the request it takes.

/// Whether `model` is of a generation before Gemini 3, which knows thinking in tokens only, checks no
/// signatures of calls, and takes no media inside a function's response. A name that tells nothing is taken
/// for a present model.
///
/// Sources: docs.cloud.google.com/vertex-ai/generative-ai/docs/thinking and .../thought-signatures (read
/// 2026-11-21); media in responses as recorded, with Gemini 3 only.
pub(super) fn is_before_gemini_3(model: &str) -> bool {
    let Some((_, version)) = model.rsplit_once("gemini-") else { return false };
    matches!(version.bytes().next(), Some(b'0'..=b'2'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_says_so_is_old() {
        assert!(is_before_gemini_3("gemini-2.5-pro"));
        assert!(is_before_gemini_3("models/gemini-1.5-flash"));
        assert!(!is_before_gemini_3("google/gemini-3-flash-preview"));
        assert!(!is_before_gemini_3("fast"));
    }
}

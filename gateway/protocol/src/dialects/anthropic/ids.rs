//! Ids of calls. The API wants `^[a-zA-Z0-9_-]+$` and unique ones; other dialects have others, or none.

use crate::dialects::waiting::Waiting;

/// Gives each call of a conversation an id that the API takes, and each result that of its call.
#[derive(Debug, Default)]
pub(super) struct CallIds {
    made: usize,
    /// By the ids that are written.
    calls: Waiting,
}

impl CallIds {
    /// The id to write for a call.
    pub(super) fn call(&mut self, id: &str, name: &str) -> String {
        let id = if id.is_empty() { self.make() } else { accepted(id) };
        self.calls.push(id.clone(), name.to_owned());
        id
    }

    /// The id to write for a result, and the name of its call if that is known. Without an id it is the first
    /// call of its name that still waits, else the first that waits.
    pub(super) fn result(&mut self, call: &str, name: Option<&str>) -> (String, Option<String>) {
        let wanted = accepted(call);
        let at = if call.is_empty() {
            name.and_then(|name| self.calls.with_name(name)).or_else(|| self.calls.any())
        } else {
            self.calls.with_id(&wanted)
        };
        match at.and_then(|at| self.calls.close(at)) {
            Some(call) => (call.id.clone(), Some(call.name.clone())),
            None if call.is_empty() => (self.make(), None),
            None => (wanted, None),
        }
    }

    fn make(&mut self) -> String {
        self.made += 1;
        format!("toolu_made_{}", self.made)
    }
}

/// The id itself if the API takes it. Else other characters become `_`, and a hash keeps those apart that would
/// become the same.
fn accepted(id: &str) -> String {
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if id.chars().all(is_fine) {
        return id.to_owned();
    }
    let plain: String = id.chars().map(|letter| if is_fine(letter) { letter } else { '_' }).collect();
    format!("{plain}_{:016x}", fnv(id))
}

/// FNV-1a: the same in every process, so that the prompt cache of the provider keeps matching.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_refused_are_replaced_alike_for_call_and_result() {
        let mut ids = CallIds::default();
        assert_eq!(ids.call("call_1-A", "f"), "call_1-A");
        let dotted = ids.call("a.b", "f");
        let spaced = ids.call("a b", "f");
        assert_ne!(dotted, spaced, "kept apart");
        assert_eq!(ids.result("a b", None).0, spaced);
        assert_eq!(ids.result("a.b", None).0, dotted);
    }

    #[test]
    fn results_without_an_id_find_their_call_by_name_then_by_order() {
        let mut ids = CallIds::default();
        let f = ids.call("", "f");
        let g = ids.call("", "g");
        assert_eq!(ids.result("", Some("g")), (g, Some("g".to_owned())));
        assert_eq!(ids.result("", Some("unknown")), (f, Some("f".to_owned())));
        assert_eq!(ids.result("", None).1, None, "nothing waits");
    }
}

//! The calls of a conversation that wait for their results. Some dialects know them by ids, others by name and order.
//! Nothing is searched through: a conversation may have thousands.

use std::collections::{HashMap, VecDeque};

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    is_open: bool,
}

/// All calls so far, by their places in order.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    calls: Vec<Call>,
    by_id: HashMap<String, VecDeque<usize>>,
    by_name: HashMap<String, VecDeque<usize>>,
    /// All before it are closed.
    first: usize,
}

impl Waiting {
    /// Adds a call that waits.
    pub(super) fn push(&mut self, id: String, name: String) {
        let at = self.calls.len();
        self.by_id.entry(id.clone()).or_default().push_back(at);
        self.by_name.entry(name.clone()).or_default().push_back(at);
        self.calls.push(Call { id, name, is_open: true });
    }

    /// How many calls there have been.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// The first call of this id that waits.
    pub(super) fn with_id(&mut self, id: &str) -> Option<usize> {
        first(self.by_id.get_mut(id)?, &self.calls)
    }

    /// The first call of this tool that waits.
    pub(super) fn with_name(&mut self, name: &str) -> Option<usize> {
        first(self.by_name.get_mut(name)?, &self.calls)
    }

    /// The first call that waits.
    pub(super) fn any(&mut self) -> Option<usize> {
        while !self.calls.get(self.first)?.is_open {
            self.first += 1;
        }
        Some(self.first)
    }

    /// The call at this place has its result.
    pub(super) fn close(&mut self, at: usize) -> Option<&Call> {
        let call = self.calls.get_mut(at)?;
        call.is_open = false;
        Some(call)
    }
}

fn first(places: &mut VecDeque<usize>, calls: &[Call]) -> Option<usize> {
    let is_open = |at: usize| calls.get(at).is_some_and(|call| call.is_open);
    while let Some(&at) = places.front() {
        if is_open(at) {
            return Some(at);
        }
        places.pop_front();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_found_until_it_has_its_result() {
        let mut waiting = Waiting::default();
        for (id, name) in [("a", "f"), ("b", "g"), ("a", "g")] {
            waiting.push(id.to_owned(), name.to_owned());
        }
        assert_eq!(
            (waiting.with_id("a"), waiting.with_name("g"), waiting.any()),
            (Some(0), Some(1), Some(0))
        );
        assert_eq!(waiting.close(0).map(|call| call.name.as_str()), Some("f"));
        assert_eq!((waiting.with_id("a"), waiting.with_name("f"), waiting.any()), (Some(2), None, Some(1)));
        waiting.close(1);
        waiting.close(2);
        assert_eq!((waiting.with_id("a"), waiting.with_name("g"), waiting.any()), (None, None, None));
        assert_eq!(waiting.len(), 3);
    }
}

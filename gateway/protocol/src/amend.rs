//! What one deployment changes in a body before it is sent: fields that are left out (`drop.rs`), then a JSON merge
//! patch (`merge.rs`). Both splice (`members.rs`): whatever is not named keeps its bytes and its place, since
//! providers' prompt caches match on them.

mod drop;
mod members;
mod merge;

use bytes::Bytes;
use serde_json::{Map, Value};

use merge::Patch;

/// The changes, ready to be made. Never none.
#[derive(Clone, Debug)]
pub struct Amendment {
    drops: Vec<Vec<Step>>,
    patch: Vec<(String, Patch)>,
}

/// One step on the way from a body to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into the member of this name.
    Name(String),
    /// Into this element of a list.
    At(usize),
    /// Into each element of a list.
    All,
}

impl Amendment {
    /// Leaves out the fields that `drops` lead to, then merges `patch` as RFC 7396 says. `None` if both are empty.
    #[must_use]
    pub fn new(drops: Vec<Vec<Step>>, patch: &Map<String, Value>) -> Option<Self> {
        let is_empty = drops.is_empty() && patch.is_empty();
        (!is_empty).then(|| Self { drops, patch: merge::compile(patch) })
    }

    /// `body` without the fields that are to be left out; `None` where it has none of them.
    #[must_use]
    pub fn without_dropped(&self, body: &[u8]) -> Option<String> {
        let paths: Vec<&[Step]> = self.drops.iter().map(Vec::as_slice).collect();
        drop::drop_from(std::str::from_utf8(body).ok()?, &paths)
    }

    /// `body` as it is sent. What is no JSON object comes back as it is.
    #[must_use]
    pub fn amend(&self, body: Bytes) -> Bytes {
        let body = self.without_dropped(&body).map_or(body, Bytes::from);
        let text = std::str::from_utf8(&body).ok();
        text.and_then(|text| merge::merge_into(text, &self.patch)).map_or(body, Bytes::from)
    }
}

#[cfg(test)]
mod tests;

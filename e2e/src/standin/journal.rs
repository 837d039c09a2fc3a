//! What the stand-in received, and how each call ended.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, Method, Uri};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Older entries make room for newer ones.
const KEPT: usize = 20_000;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not yet.
    Running,
    /// The stand-in said all it had to say.
    Finished,
    /// The caller left before.
    HungUp,
}

/// One call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1 and never repeats.
    pub number: u64,
    /// As `POST`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Lower-case names; of several values the last.
    pub headers: BTreeMap<String, String>,
    /// As text, invalid bytes replaced.
    pub body: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// All calls, newest last.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    last: u64,
    entries: VecDeque<Entry>,
}

impl Journal {
    pub(super) fn open(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Ticket {
        let mut pages = self.pages();
        pages.last += 1;
        let number = pages.last;
        if pages.entries.len() == KEPT {
            pages.entries.pop_front();
        }
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        pages.entries.push_back(Entry {
            number,
            method: method.to_string(),
            path: uri.to_string(),
            headers: headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
            body: text(body),
            outcome: Outcome::Running,
        });
        Ticket { journal: self.clone(), number, outcome: Outcome::HungUp }
    }

    pub(super) fn since(&self, after: u64) -> Vec<Entry> {
        self.pages().entries.iter().filter(|entry| entry.number > after).cloned().collect()
    }

    pub(super) fn clear(&self) {
        self.pages().entries.clear();
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held while a call runs. Dropped without `close`, the caller has hung up.
pub(super) struct Ticket {
    journal: Journal,
    number: u64,
    outcome: Outcome,
}

impl Ticket {
    pub(super) fn close(mut self) {
        self.outcome = Outcome::Finished;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut pages = self.journal.pages();
        if let Some(entry) = pages.entries.iter_mut().rev().find(|entry| entry.number == self.number) {
            entry.outcome = self.outcome;
        }
    }
}

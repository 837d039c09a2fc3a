//! What is to be told once, however many processes see it: a notice belongs to the one that claims it first. Claims
//! expire, so that what a process did not live to tell is told by another. A board keeps the last of them for all to read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::counter::whole_ms;

/// Entries of one board; the oldest make way.
pub(crate) const ENTRIES: usize = 20;

/// Something to be told.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// Stable text: notices of one name are the same.
    pub name: &'a str,
    /// How long nobody else may claim it.
    pub kept: Duration,
    /// What a claim that succeeds puts on a board: the board's name, and the entry. With that it is told.
    pub entry: Option<(&'a str, &'a str)>,
}

/// What comes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is the caller's.
    Mine,
    /// Somebody else is about to tell it.
    Others,
    /// It was told.
    Told,
}

/// The notices of one process.
#[derive(Debug, Default)]
pub(crate) struct Notices(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    claimed: HashMap<String, Claimed>,
    boards: HashMap<String, Vec<(String, i64)>>,
}

#[derive(Clone, Copy, Debug)]
struct Claimed {
    is_told: bool,
    /// In milliseconds since 1970.
    until: i64,
}

impl Notices {
    pub(crate) fn claim(&self, notice: &Notice<'_>, now: Timestamp) -> Claim {
        let now_ms = now.as_millisecond();
        let mut state = self.lock();
        state.forget(now_ms);
        match state.claimed.get(notice.name) {
            Some(Claimed { is_told: true, .. }) => return Claim::Told,
            Some(_) => return Claim::Others,
            None => {}
        }
        let until = now_ms.saturating_add(whole_ms(notice.kept));
        let claimed = Claimed { is_told: notice.entry.is_some(), until };
        state.claimed.insert(notice.name.to_owned(), claimed);
        if let Some((board, entry)) = notice.entry {
            let board = state.boards.entry(board.to_owned()).or_default();
            board.push((entry.to_owned(), until));
            let over = board.len().saturating_sub(ENTRIES);
            board.drain(..over);
        }
        Claim::Mine
    }

    pub(crate) fn told(&self, name: &str, kept: Duration, now: Timestamp) {
        let until = now.as_millisecond().saturating_add(whole_ms(kept));
        self.lock().claimed.insert(name.to_owned(), Claimed { is_told: true, until });
    }

    pub(crate) fn renew(&self, name: &str, kept: Duration, now: Timestamp) {
        let until = now.as_millisecond().saturating_add(whole_ms(kept));
        if let Some(claimed) = self.lock().claimed.get_mut(name).filter(|claimed| claimed.is_told) {
            claimed.until = claimed.until.max(until);
        }
    }

    pub(crate) fn board(&self, board: &str, now: Timestamp) -> Vec<String> {
        let mut state = self.lock();
        state.forget(now.as_millisecond());
        state.boards.get(board).into_iter().flatten().map(|(entry, _)| entry.clone()).collect()
    }

    /// A panic elsewhere must not silence all notices; each change is whole by itself.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, now_ms: i64) {
        self.claimed.retain(|_, claimed| claimed.until > now_ms);
        for board in self.boards.values_mut() {
            board.retain(|(_, until)| *until > now_ms);
        }
        self.boards.retain(|_, board| !board.is_empty());
    }
}

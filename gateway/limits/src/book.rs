//! The arithmetic of one counter in one span of its window: what is spent and held, slot by slot. The local backend keeps
//! books; the Redis scripts keep the same entries as fields of a hash, and what they answer is read as a book.

use jiff::Timestamp;

use crate::ask::{Hold, Part};
use crate::counter::{Counter, GRACE, Level, MOST, whole_ms};
use crate::window::{Placement, Window};

/// Few: the slots of a rolling window, and sixteen steps of expiry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) line: Line,
    pub(crate) amount: u64,
}

/// What an entry is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// In a slot.
    Spent(i64),
    /// In a slot, until some milliseconds since 1970.
    Reserved(i64, i64),
}

impl Book {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    pub(crate) fn level(&self, counter: &Counter, placement: &Placement, now: Timestamp) -> Level {
        let (spent, reserved) = self.taken(placement.first, now.as_millisecond());
        Level { spent, reserved, amount: counter.amount() }
    }

    pub(crate) fn hold(&mut self, hold: Hold, slot: i64, expires_ms: i64) {
        self.add(Line::Spent(slot), hold.spent);
        self.add(Line::Reserved(slot, expires_ms), hold.reserved);
    }

    pub(crate) fn release(&mut self, hold: Hold, slot: i64, expires_ms: i64) {
        self.take(Line::Reserved(slot, expires_ms), hold.reserved);
    }

    pub(crate) fn charge(&mut self, slot: i64, change: i64) {
        match u64::try_from(change) {
            Ok(more) => self.add(Line::Spent(slot), more),
            Err(_) => self.take(Line::Spent(slot), change.unsigned_abs()),
        }
    }

    pub(crate) fn forget_spent(&mut self) {
        self.entries.retain(|entry| matches!(entry.line, Line::Reserved(..)));
    }

    /// Drops what counts no more, and has not for so long that no clock of another pod still counts it.
    pub(crate) fn trim(&mut self, placement: &Placement, now: Timestamp) {
        let oldest_slot = placement.oldest_kept();
        let oldest_expiry = oldest_expiry_kept(now);
        self.entries.retain(|entry| match entry.line {
            Line::Spent(slot) => slot >= oldest_slot,
            Line::Reserved(_, expires) => expires > oldest_expiry,
        });
    }

    /// When the part fits if nothing else comes.
    pub(crate) fn reopens(&self, part: &Part, now: Timestamp) -> Option<Timestamp> {
        let placement = &part.placement;
        let room = part.counter.amount().checked_sub(part.room_needed())?;
        let Window::Rolling(rolling) = part.counter.window() else { return placement.over };
        let mut slots: Vec<i64> = self.entries.iter().map(|entry| entry.line.slot()).collect();
        slots.sort_unstable();
        let first_left =
            slots.into_iter().filter(|slot| *slot >= placement.first).map(|slot| slot + 1).find(|first| {
                let (spent, reserved) = self.taken(*first, now.as_millisecond());
                spent.saturating_add(reserved) <= room
            })?;
        Some(rolling.counts_from(first_left))
    }

    /// Slots beyond the present count too: a pod's clock may be ahead of this one's.
    fn taken(&self, first: i64, now_ms: i64) -> (u64, u64) {
        self.entries.iter().fold((0, 0), |(spent, reserved): (u64, u64), entry| match entry.line {
            Line::Spent(slot) if slot >= first => (spent.saturating_add(entry.amount), reserved),
            Line::Reserved(slot, expires) if slot >= first && expires > now_ms => {
                (spent, reserved.saturating_add(entry.amount))
            }
            Line::Spent(_) | Line::Reserved(..) => (spent, reserved),
        })
    }

    fn add(&mut self, line: Line, amount: u64) {
        match self.entries.iter_mut().find(|entry| entry.line == line) {
            Some(entry) => entry.amount = entry.amount.saturating_add(amount).min(MOST),
            None if amount > 0 => self.entries.push(Entry { line, amount }),
            None => {}
        }
    }

    fn take(&mut self, line: Line, amount: u64) {
        let Some(at) = self.entries.iter().position(|entry| entry.line == line) else { return };
        let Some(entry) = self.entries.get_mut(at) else { return };
        entry.amount = entry.amount.saturating_sub(amount);
        if entry.amount == 0 {
            self.entries.swap_remove(at);
        }
    }
}

impl Line {
    fn slot(self) -> i64 {
        match self {
            Self::Spent(slot) | Self::Reserved(slot, _) => slot,
        }
    }
}

/// Reservations that expired until then are dropped, in milliseconds since 1970.
pub(crate) fn oldest_expiry_kept(now: Timestamp) -> i64 {
    now.as_millisecond().saturating_sub(whole_ms(GRACE))
}

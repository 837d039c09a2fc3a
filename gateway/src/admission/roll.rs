//! Who was counted of late: each look reads what those have used, and notes it, so that the fullest subjects of a budget
//! are known without a look at all of them. Requests leave a mark here and wait for nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use limits::{CounterKey, Group, Level, Limiter, Timestamp, Unit};

use crate::snapshot::Charge;

/// Between two looks.
pub(crate) const PACE: Duration = Duration::from_secs(2);

/// Counters that wait for a look. The marks of others are lost until they are touched again.
const MARKS: usize = 16_384;

/// Read at a time: no call of Redis is to take long, since requests share its connection.
pub(super) const BATCH: usize = 64;

/// Counters since the last look.
#[derive(Debug, Default)]
pub(crate) struct Roll(Mutex<HashMap<CounterKey, Mark>>);

#[derive(Clone, Debug)]
struct Mark {
    charge: Charge,
    room: Room,
}

/// Whether the last request that a counter met found room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Found,
    /// It did not, though it was a small part of the amount: the limit is used up.
    None,
}

impl Roll {
    /// A request was let in and counted there.
    pub(super) fn counted(&self, held: &[Charge]) {
        let mut marks = self.lock();
        for charge in held.iter().filter(|charge| charge.rule.group.is_some()) {
            put(&mut marks, charge, Room::Found);
        }
    }

    /// A request was not let in, for want of room there.
    pub(super) fn refused(&self, charge: &Charge, level: Level) {
        // Far from full, it was a large request, or many at once, and others still find room.
        if charge.rule.group.is_some() && is_nearly_full(charge.rule.unit, level) {
            put(&mut self.lock(), charge, Room::None);
        }
    }

    /// Reads what was touched since the last look, and notes it. What cannot be read now is read later.
    pub(super) async fn look(&self, limiter: &Limiter, now: Timestamp) {
        let marks: Vec<Mark> = std::mem::take(&mut *self.lock()).into_values().collect();
        let mut seen: HashMap<&CounterKey, Seen<'_>> = HashMap::new();
        for some in marks.chunks(BATCH) {
            let counters: Vec<_> = some.iter().map(|mark| Arc::clone(&mark.charge.counter)).collect();
            let Ok(levels) = limiter.levels(&counters, now).await else {
                self.keep(some.iter());
                continue;
            };
            for (mark, level) in some.iter().zip(levels) {
                seen.insert(mark.charge.counter.key(), Seen { mark, level });
            }
        }
        // Those with running requests are not done.
        self.keep(seen.values().filter(|seen| seen.level.reserved > 0).map(|seen| seen.mark));
        note(limiter, seen.into_values(), now).await;
    }

    fn keep<'a>(&self, marks: impl Iterator<Item = &'a Mark>) {
        let mut all = self.lock();
        for mark in marks {
            // What came meanwhile is newer.
            if all.len() < MARKS {
                all.entry(mark.charge.counter.key().clone()).or_insert_with(|| mark.clone());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CounterKey, Mark>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A counter that was read.
struct Seen<'a> {
    mark: &'a Mark,
    level: Level,
}

impl Seen<'_> {
    /// What is used up counts as all of its amount, though the last bit of it suffices for no request.
    fn used(&self) -> u64 {
        let used = used(self.mark.charge.rule.unit, self.level);
        if self.mark.room == Room::None { used.max(self.level.amount) } else { used }
    }
}

/// What counts as used: of what is under way there is nothing else.
pub(super) fn used(unit: Unit, level: Level) -> u64 {
    if unit == Unit::Concurrency { level.reserved } else { level.spent }
}

pub(super) fn is_nearly_full(unit: Unit, level: Level) -> bool {
    used(unit, level) >= level.amount - level.amount / 10
}

fn put(marks: &mut HashMap<CounterKey, Mark>, charge: &Charge, room: Room) {
    if let Some(mark) = marks.get_mut(charge.counter.key()) {
        // Of a newer config, perhaps.
        *mark = Mark { charge: charge.clone(), room };
    } else if marks.len() < MARKS {
        marks.insert(charge.counter.key().clone(), Mark { charge: charge.clone(), room });
    }
}

/// What is noted of one group.
struct Note<'a> {
    group: &'a Group,
    members: Vec<(&'a str, u64)>,
}

async fn note<'a>(limiter: &Limiter, seen: impl Iterator<Item = Seen<'a>>, now: Timestamp) {
    let mut notes: HashMap<&str, Note<'_>> = HashMap::new();
    for seen in seen {
        let Charge { counter, rule } = &seen.mark.charge;
        let Some(group) = &rule.group else { continue };
        let note = notes.entry(group.name()).or_insert_with(|| Note { group, members: Vec::new() });
        note.members.push((rule.member(counter), seen.used()));
    }
    let parts: Vec<_> =
        notes.values().flat_map(|note| note.members.chunks(BATCH).map(|some| (note.group, some))).collect();
    for some in parts.chunks(BATCH) {
        let calls = some.iter().map(|(group, members)| limiter.note(group, members, now));
        if let Some(away) = join_all(calls).await.into_iter().find_map(Result::err) {
            tracing::debug!(%away, "who is counted could not be noted: they are when they are counted again");
        }
    }
}

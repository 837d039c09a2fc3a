//! Who was counted of late: each look reads what those have used, and notes it, so that the fullest subjects of a budget
//! are known without a look at all of them. Requests leave a mark here and wait for nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::join_all;
use limits::{CounterKey, Group, Level, Limiter, Timestamp, Unit};

use crate::snapshot::Charge;

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
    pub(super) async fn look(&self, limiter: &Limiter, now: Timestamp) -> Vec<Seen> {
        let marks: Vec<Mark> = std::mem::take(&mut *self.lock()).into_values().collect();
        let mut all = Vec::with_capacity(marks.len());
        for some in marks.chunks(BATCH) {
            let counters: Vec<_> = some.iter().map(|mark| Arc::clone(&mark.charge.counter)).collect();
            match limiter.levels(&counters, now).await {
                Err(_) => some.iter().for_each(|mark| self.put_back(mark.clone())),
                Ok(levels) => all.extend(some.iter().zip(levels).map(|(mark, level)| {
                    let Mark { charge, room } = mark.clone();
                    Seen { charge, room, level }
                })),
            }
        }
        // Those with running requests are not done.
        for Seen { charge, room, .. } in all.iter().filter(|seen| seen.level.reserved > 0) {
            self.put_back(Mark { charge: charge.clone(), room: *room });
        }
        note(limiter, &all, now).await;
        all
    }

    /// It is to be looked at again.
    pub(super) fn keep(&self, seen: Seen) {
        self.put_back(Mark { charge: seen.charge, room: seen.room });
    }

    fn put_back(&self, mark: Mark) {
        let mut all = self.lock();
        // What came meanwhile is newer.
        if all.len() < MARKS {
            all.entry(mark.charge.counter.key().clone()).or_insert(mark);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CounterKey, Mark>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A counter that was read.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) charge: Charge,
    pub(super) level: Level,
    room: Room,
}

impl Seen {
    /// What is used.
    pub(super) fn spent(&self) -> u64 {
        used(self.charge.rule.unit, self.level)
    }

    /// The same, but what is used up counts as all of its amount, though the last bit of it suffices for no request.
    pub(super) fn used(&self) -> u64 {
        if self.room == Room::None { self.spent().max(self.level.amount) } else { self.spent() }
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
        mark.room = room;
        if !Arc::ptr_eq(&mark.charge.rule, &charge.rule) {
            // Of a newer config.
            mark.charge = charge.clone();
        }
    } else if marks.len() < MARKS {
        marks.insert(charge.counter.key().clone(), Mark { charge: charge.clone(), room });
    }
}

/// What is noted of one group.
struct Note<'a> {
    group: &'a Group,
    members: Vec<(&'a str, u64)>,
}

async fn note(limiter: &Limiter, all: &[Seen], now: Timestamp) {
    let mut notes: HashMap<&str, Note<'_>> = HashMap::new();
    for seen in all {
        let Charge { counter, rule } = &seen.charge;
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

//! Who is counted: of the many counters that one limit may have, those that are in use and about how full each is, so
//! that the fullest are found without a look at all. Whoever reads levels notes them here; no request waits for it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::counter::{GRACE, whole_ms};
use crate::window::{Window, WindowId};

/// Members of one group in one span of its window. Beyond it the emptiest are forgotten.
pub(crate) const MEMBERS: usize = 10_000;

/// What has no window is in use while it is noted; whoever holds some of it notes it more often than that.
const IN_USE: Duration = Duration::from_secs(60);

/// The counters of one limit, one for each subject. The members' names are the caller's.
#[derive(Clone, Debug)]
pub struct Group {
    name: Box<str>,
    window: Window,
}

/// The fullest of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fullest {
    /// How many have used something in the window, up to a bound of ten thousand.
    pub members: u64,
    /// How many of them have used at least the amount that was asked about.
    pub full: u64,
    /// The fullest first, with what was noted of them last.
    pub first: Vec<(String, u64)>,
}

/// Where in storage a group lies at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RollPlace {
    pub(crate) id: WindowId,
    /// Those that were noted last before that are forgotten, in milliseconds since 1970.
    pub(crate) oldest_ms: i64,
    /// How long it is of use, from now on.
    pub(crate) kept: Duration,
}

impl Group {
    /// Stable text that no other group has, and the window of its counters.
    #[must_use]
    pub fn new(name: &str, window: Window) -> Self {
        Self { name: name.into(), window }
    }

    /// As given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn place(&self, now: Timestamp) -> RollPlace {
        let id = self.window.placement(now).id;
        let now_ms = now.as_millisecond();
        let length = |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from));
        match (&self.window, self.window.span(now)) {
            (Window::Calendar(_), Some(span)) => {
                let kept = length(now, span.end).unwrap_or_default() + GRACE;
                RollPlace { id, oldest_ms: i64::MIN, kept }
            }
            (_, Some(span)) => {
                let kept = length(span.start, span.end).unwrap_or_default() + GRACE;
                RollPlace { id, oldest_ms: span.start.as_millisecond(), kept }
            }
            (_, None) => RollPlace { id, oldest_ms: now_ms - whole_ms(IN_USE), kept: IN_USE + GRACE },
        }
    }
}

/// The groups of one process.
#[derive(Debug, Default)]
pub(crate) struct Rolls(Mutex<HashMap<(Box<str>, WindowId), Roll>>);

#[derive(Debug, Default)]
struct Roll {
    /// By name: what it has used, and when that was noted.
    members: HashMap<String, (u64, i64)>,
    until_ms: i64,
}

impl Rolls {
    pub(crate) fn note(&self, group: &Group, seen: &[(&str, u64)], now: Timestamp) {
        let (place, now_ms) = (group.place(now), now.as_millisecond());
        let mut rolls = self.lock();
        rolls.retain(|_, roll| roll.until_ms > now_ms);
        let roll = rolls.entry((group.name.clone(), place.id)).or_default();
        roll.until_ms = now_ms.saturating_add(whole_ms(place.kept));
        for (name, used) in seen {
            match used {
                0 => drop(roll.members.remove(*name)),
                _ => drop(roll.members.insert((*name).to_owned(), (*used, now_ms))),
            }
        }
        roll.trim(&place);
    }

    pub(crate) fn fullest(&self, group: &Group, amount: u64, most: usize, now: Timestamp) -> Fullest {
        let place = group.place(now);
        let mut rolls = self.lock();
        let Some(roll) = rolls.get_mut(&(group.name.clone(), place.id)) else { return Fullest::default() };
        roll.trim(&place);
        let mut first: Vec<_> = roll.members.iter().map(|(name, (used, _))| (name, *used)).collect();
        let full = first.iter().filter(|(_, used)| *used >= amount).count();
        first.sort_unstable_by_key(|(name, used)| (Reverse(*used), *name));
        let first = first.into_iter().take(most).map(|(name, used)| (name.clone(), used));
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Fullest { members: count(roll.members.len()), full: count(full), first: first.collect() }
    }

    /// A panic elsewhere must not end all status; each change is whole by itself.
    fn lock(&self) -> MutexGuard<'_, HashMap<(Box<str>, WindowId), Roll>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roll {
    fn trim(&mut self, place: &RollPlace) {
        self.members.retain(|_, (_, noted)| *noted >= place.oldest_ms);
        let Some(over) = self.members.len().checked_sub(MEMBERS).filter(|over| *over > 0) else { return };
        let mut emptiest: Vec<_> = self.members.iter().map(|(name, (used, _))| (*used, name)).collect();
        emptiest.sort_unstable();
        let gone: Vec<_> = emptiest.into_iter().take(over).map(|(_, name)| name.clone()).collect();
        for name in gone {
            self.members.remove(&name);
        }
    }
}

//! The time that a counter counts over. `Window::span` is a pure function of the window and an instant; `calendar.rs` has
//! the rules of time zones, months and clock changes. What is counted lies in `book.rs`.

mod calendar;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;

pub use calendar::{Calendar, CalendarUnit};

/// A rolling window counts in this many slots.
const SLOTS: i64 = 20;

/// The longest rolling window: a year and a day.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Five minutes.
const SHORT_MS: i64 = 300_000;

/// What a counter counts over.
#[derive(Clone, Debug)]
pub enum Window {
    /// Minutes, days, months … of a time zone. Starts at nothing when one turns into the next.
    Calendar(Calendar),
    /// The time just past.
    Rolling(Rolling),
    /// Never starts over.
    Forever,
}

/// The time just past, in whole slots of a twentieth. The slot that runs and the twenty before it count, so usage counts
/// for at least the length of the window and at most a twentieth longer. Whatever true window of that length one looks
/// at, its usage was never granted beyond the limit; the price is that a steady caller gets up to 5 % less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolling {
    slot_ms: i64,
}

/// Why a window cannot be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// No such zone.
    #[error("time zone {0} is unknown: write it as in Europe/Vienna or UTC")]
    Zone(String),
    /// Beyond what the unit allows.
    #[error("a window of a {unit} cannot start at day {day}: {allowed}")]
    StartDay {
        /// In lower case.
        unit: &'static str,
        /// As given.
        day: u8,
        /// The way out.
        allowed: &'static str,
    },
    /// Too short for whole milliseconds in each slot, or longer than a year.
    #[error("a rolling window of {0:?} is not possible: take one from a second to 366 days")]
    Length(Duration),
}

/// Where an instant lies. Spans of one window follow each other without gap or overlap (a rolling window's overlap).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant that counts.
    pub start: Timestamp,
    /// The first instant that no longer belongs to it.
    pub end: Timestamp,
    /// Differs between the spans of a calendar window; stays for the others.
    pub id: WindowId,
}

/// Names a span among all of one counter's, whatever its windows were. A day and longer are named by their local date, so
/// that another time zone for the same days, or news about a zone's rules, does not make usage start over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowId {
    kind: char,
    number: i64,
}

/// Where in storage an instant's usage lies: the span's own place, cut into slots if the window rolls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(crate) id: WindowId,
    pub(crate) slot: i64,
    /// The oldest slot that counts.
    pub(crate) first: i64,
    /// From then on it counts nowhere, if that is ever so.
    pub(crate) over: Option<Timestamp>,
}

impl Window {
    /// The minutes, hours, days … of `zone` (an IANA name). `start_day` is the week day (1 is Monday) of a week, and the day
    /// of the month of a month, quarter or year; where a month is too short, its last day takes the place.
    ///
    /// # Errors
    /// [`WindowError::Zone`], [`WindowError::StartDay`].
    pub fn calendar(unit: CalendarUnit, zone: &str, start_day: Option<u8>) -> Result<Self, WindowError> {
        Calendar::new(unit, zone, start_day).map(Self::Calendar)
    }

    /// The last `length`, from a second to 366 days.
    ///
    /// # Errors
    /// [`WindowError::Length`].
    pub fn rolling(length: Duration) -> Result<Self, WindowError> {
        let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        if length < Duration::from_secs(1) || length > LONGEST {
            return Err(WindowError::Length(length));
        }
        // Rounded up, so that twenty slots are never shorter than the window.
        Ok(Self::Rolling(Rolling { slot_ms: (millis + SLOTS - 1) / SLOTS }))
    }

    /// The span that `now` lies in. It ends when usage begins to leave the count; `None` if that never happens.
    #[must_use]
    pub fn span(&self, now: Timestamp) -> Option<Span> {
        match self {
            Self::Calendar(calendar) => Some(calendar.span(now)),
            Self::Rolling(rolling) => {
                let slot = rolling.slot(now);
                let (start, end) = (rolling.start(slot - SLOTS), rolling.start(slot + 1));
                Some(Span { start, end, id: rolling.id() })
            }
            Self::Forever => None,
        }
    }

    /// Whether what is counted now will soon not count any more.
    pub(crate) fn is_short(&self) -> bool {
        match self {
            Self::Calendar(calendar) => calendar.is_of_minutes(),
            Self::Rolling(rolling) => rolling.slot_ms.saturating_mul(SLOTS) <= SHORT_MS,
            Self::Forever => false,
        }
    }

    /// Whether its slots last for a second at least.
    pub(crate) fn is_steady(&self) -> bool {
        match self {
            Self::Rolling(rolling) => rolling.slot_ms >= 1000,
            Self::Calendar(_) | Self::Forever => true,
        }
    }

    pub(crate) fn placement(&self, now: Timestamp) -> Placement {
        match self {
            Self::Calendar(calendar) => {
                let span = calendar.span(now);
                Placement { id: span.id, slot: 0, first: 0, over: Some(span.end) }
            }
            Self::Rolling(rolling) => {
                let slot = rolling.slot(now);
                let over = Some(rolling.start(slot + SLOTS + 1));
                Placement { id: rolling.id(), slot, first: slot - SLOTS, over }
            }
            Self::Forever => {
                Placement { id: WindowId { kind: 'f', number: 0 }, slot: 0, first: 0, over: None }
            }
        }
    }
}

impl Placement {
    /// Slots are kept for twice as long as they count: a pod whose clock is ahead must not drop what others count.
    pub(crate) fn oldest_kept(&self) -> i64 {
        self.first - (self.slot - self.first)
    }
}

impl Rolling {
    /// When `slot` is the oldest that counts.
    pub(crate) fn counts_from(&self, slot: i64) -> Timestamp {
        self.start(slot.saturating_add(SLOTS))
    }

    fn slot(&self, at: Timestamp) -> i64 {
        at.as_millisecond().div_euclid(self.slot_ms)
    }

    fn start(&self, slot: i64) -> Timestamp {
        millis(slot.saturating_mul(self.slot_ms))
    }

    /// By its length: the slots of one length mean nothing to another.
    fn id(&self) -> WindowId {
        WindowId { kind: 'r', number: self.slot_ms }
    }
}

impl std::fmt::Display for WindowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.kind, self.number)
    }
}

/// As it is displayed.
impl std::str::FromStr for WindowId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut letters = text.chars();
        let kind = letters.next().ok_or(())?;
        Ok(Self { kind, number: letters.as_str().parse().map_err(drop)? })
    }
}

/// The instant, or the nearest that there is.
pub(crate) fn millis(unix: i64) -> Timestamp {
    let nearest = if unix < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(unix).unwrap_or(nearest)
}

//! Calendar windows. A day, and all that is made of days, begins at the first instant of its first local date: midnight,
//! or the end of the gap that swallowed midnight; where midnight comes twice, the first. Hours and minutes follow the
//! local clock and are cut where the clock is set, so an hour that comes twice is two windows.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{Span as Step, Timestamp};

use super::{Span, WindowError, WindowId};

/// The units of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    /// Of the local clock.
    Minute,
    /// Of the local clock.
    Hour,
    /// A local date.
    Day,
    /// Seven days from the start day.
    Week,
    /// From the start day to the day before the next.
    Month,
    /// From the start day of January, April, July or October.
    Quarter,
    /// From the start day of January.
    Year,
}

/// A unit in a time zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    unit: CalendarUnit,
    zone: TimeZone,
    start_day: u8,
    /// The span that was asked for last: the next request almost always lies in it too.
    last: Arc<Mutex<Option<Span>>>,
}

impl Calendar {
    pub(super) fn new(unit: CalendarUnit, zone: &str, start_day: Option<u8>) -> Result<Self, WindowError> {
        // The database inside the binary, for all pods alike: images have none, and hosts have old ones.
        let found = TimeZoneDatabase::bundled().get(zone);
        let zone = found.map_err(|_| WindowError::Zone(zone.to_owned()))?;
        let (last, allowed) = match unit {
            CalendarUnit::Minute | CalendarUnit::Hour | CalendarUnit::Day => (0, "leave startDay out"),
            CalendarUnit::Week => (7, "take 1 (Monday) to 7 (Sunday)"),
            CalendarUnit::Month | CalendarUnit::Quarter | CalendarUnit::Year => (31, "take 1 to 31"),
        };
        if let Some(day) = start_day.filter(|day| !(1..=last).contains(day)) {
            return Err(WindowError::StartDay { unit: unit.name(), day, allowed });
        }
        Ok(Self { unit, zone, start_day: start_day.unwrap_or(1), last: Arc::default() })
    }

    pub(super) fn is_of_minutes(&self) -> bool {
        self.unit == CalendarUnit::Minute
    }

    pub(super) fn span(&self, now: Timestamp) -> Span {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(span) = last.filter(|span| span.start <= now && now < span.end) {
            return span;
        }
        let span = match self.unit {
            CalendarUnit::Minute => self.clock_span(now, 60),
            CalendarUnit::Hour => self.clock_span(now, 3600),
            _ => self.date_span(now),
        };
        *last = Some(span);
        span
    }

    fn clock_span(&self, now: Timestamp, seconds: i64) -> Span {
        let offset = self.zone.to_offset(now);
        let local = now.as_second() + i64::from(offset.seconds());
        // A fraction before 1970 rounds towards it.
        let local = if now.subsec_nanosecond() < 0 { local - 1 } else { local };
        let natural = local.div_euclid(seconds) * seconds - i64::from(offset.seconds());
        let start = self.not_before_transition(second(natural), now, offset);
        let end = self.not_after_transition(second(natural + seconds), now, offset);
        Span { start, end, id: WindowId { kind: self.unit.kind(), number: start.as_second() } }
    }

    fn not_before_transition(&self, natural: Timestamp, now: Timestamp, offset: Offset) -> Timestamp {
        if self.zone.to_offset(natural) == offset {
            return natural;
        }
        let mut before = self.zone.preceding(after(now)).map(|transition| transition.timestamp());
        before.find(|at| self.changes_clock(*at)).map_or(natural, |at| at.max(natural))
    }

    fn not_after_transition(&self, natural: Timestamp, now: Timestamp, offset: Offset) -> Timestamp {
        if self.zone.to_offset(before(natural)) == offset {
            return natural;
        }
        let mut following = self.zone.following(now).map(|transition| transition.timestamp());
        following.find(|at| self.changes_clock(*at)).map_or(natural, |at| at.min(natural))
    }

    /// Some transitions change only the zone's abbreviation.
    fn changes_clock(&self, at: Timestamp) -> bool {
        self.zone.to_offset(before(at)) != self.zone.to_offset(at)
    }

    fn date_span(&self, now: Timestamp) -> Span {
        let mut date = self.first_date(self.zone.to_datetime(now).date());
        // Where the clock is set back over midnight, a local date comes twice: the instant decides, not the date.
        while let Some(next) = date.and_then(|date| self.next_date(date)) {
            if now < self.first_instant(Some(next)).unwrap_or(Timestamp::MAX) {
                break;
            }
            date = Some(next);
        }
        let next = date.and_then(|date| self.next_date(date));
        let start = self.first_instant(date).unwrap_or(Timestamp::MIN);
        let end = self.first_instant(next).unwrap_or(Timestamp::MAX);
        Span { start, end, id: WindowId { kind: self.unit.kind(), number: date.map_or(0, number) } }
    }

    fn first_instant(&self, date: Option<Date>) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(date?.to_datetime(Time::midnight()));
        let gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let instant = ambiguous.compatible().ok()?;
        if !gap {
            return Some(instant);
        }
        self.zone.preceding(after(instant)).next().map(|transition| transition.timestamp())
    }

    /// The first date of the window that `date` lies in. There is none before the first year that can be told.
    fn first_date(&self, date: Date) -> Option<Date> {
        let Some(months) = self.unit.months() else {
            let into = match self.unit {
                CalendarUnit::Week => {
                    (date.weekday().to_monday_one_offset() - self.start_weekday()).rem_euclid(7)
                }
                _ => 0,
            };
            return date.checked_sub(Step::new().days(into)).ok();
        };
        let month = i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
        let month = month.div_euclid(months) * months;
        match self.start_in(month)? {
            start if start <= date => Some(start),
            _ => self.start_in(month - months),
        }
    }

    /// The first date of the window after that which begins at `first`.
    fn next_date(&self, first: Date) -> Option<Date> {
        match (self.unit.months(), self.unit) {
            (Some(months), _) => {
                self.start_in(i32::from(first.year()) * 12 + i32::from(first.month()) - 1 + months)
            }
            (None, CalendarUnit::Week) => first.checked_add(Step::new().days(7)).ok(),
            (None, _) => first.tomorrow().ok(),
        }
    }

    /// The start day in a month that is counted from year 0.
    fn start_in(&self, month: i32) -> Option<Date> {
        let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
        let first = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
        let day = i8::try_from(self.start_day).ok()?.min(first.days_in_month());
        Date::new(first.year(), first.month(), day).ok()
    }

    fn start_weekday(&self) -> i8 {
        i8::try_from(self.start_day).unwrap_or(1)
    }
}

impl CalendarUnit {
    fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    fn kind(self) -> char {
        match self {
            Self::Minute => 'i',
            Self::Hour => 'h',
            Self::Day => 'd',
            Self::Week => 'w',
            Self::Month => 'm',
            Self::Quarter => 'q',
            Self::Year => 'y',
        }
    }

    fn months(self) -> Option<i32> {
        match self {
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::Year => Some(12),
            Self::Minute | Self::Hour | Self::Day | Self::Week => None,
        }
    }
}

/// As it is read: 20261125.
fn number(date: Date) -> i64 {
    i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day())
}

fn second(unix: i64) -> Timestamp {
    super::millis(unix.saturating_mul(1000))
}

fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_nanosecond(at.as_nanosecond() - 1).unwrap_or(at)
}

fn after(at: Timestamp) -> Timestamp {
    Timestamp::from_nanosecond(at.as_nanosecond() + 1).unwrap_or(at)
}

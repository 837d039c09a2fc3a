use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::*;

const UNITS: [CalendarUnit; 7] = [
    CalendarUnit::Minute,
    CalendarUnit::Hour,
    CalendarUnit::Day,
    CalendarUnit::Week,
    CalendarUnit::Month,
    CalendarUnit::Quarter,
    CalendarUnit::Year,
];

/// Zones whose clocks do all that clocks do: change at midnight (Santiago, Beirut), a minute past it (St. John's), by half
/// an hour (Lord Howe), skip a day (Apia, Kwajalein), have had seconds in their offset (Amsterdam), or never change.
const ZONES: [&str; 14] = [
    "UTC",
    "Europe/Vienna",
    "America/New_York",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Havana",
    "America/St_Johns",
    "America/Toronto",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Europe/Amsterdam",
];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn span(unit: CalendarUnit, zone: &str, day: Option<u8>, now: &str) -> (String, String) {
    let span = Window::calendar(unit, zone, day).unwrap().span(at(now)).unwrap();
    (span.start.to_string(), span.end.to_string())
}

fn pair(start: &str, end: &str) -> (String, String) {
    (start.to_owned(), end.to_owned())
}

#[test]
fn a_day_that_loses_or_gains_an_hour_is_still_one_window() {
    let short = span(CalendarUnit::Day, "Europe/Vienna", None, "2026-03-29T12:00:00Z");
    assert_eq!(short, pair("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"));
    let long = span(CalendarUnit::Day, "Europe/Vienna", None, "2026-10-25T12:00:00Z");
    assert_eq!(long, pair("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"));
}

#[test]
fn a_day_whose_midnight_does_not_exist_starts_when_the_gap_ends() {
    let day = span(CalendarUnit::Day, "America/Sao_Paulo", None, "2018-11-04T12:00:00Z");
    assert_eq!(day, pair("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"), "clocks went from 0:00 to 1:00");
    let day = span(CalendarUnit::Day, "America/Toronto", None, "1919-03-31T12:00:00Z");
    assert_eq!(day.0, "1919-03-31T04:30:00Z", "clocks went from 23:30 to 0:30");
    let day = span(CalendarUnit::Day, "Pacific/Apia", None, "2011-12-30T09:00:00Z");
    assert_eq!(day, pair("2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"), "the 30th was skipped");
}

#[test]
fn a_midnight_that_comes_twice_starts_its_day_once() {
    // A minute past midnight the clock went back to 23:01 of the day before.
    let again = span(CalendarUnit::Day, "America/St_Johns", None, "2010-11-07T03:00:00Z");
    assert_eq!(again, pair("2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"));
}

#[test]
fn an_hour_that_comes_twice_is_two_windows() {
    let first = span(CalendarUnit::Hour, "Europe/Vienna", None, "2026-10-25T00:30:00Z");
    let second = span(CalendarUnit::Hour, "Europe/Vienna", None, "2026-10-25T01:30:00Z");
    assert_eq!(first, pair("2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"));
    assert_eq!(second, pair("2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"));
    // The clock goes back by half an hour at 2:00, so 1:30 to 2:00 comes again.
    let half = span(CalendarUnit::Hour, "Australia/Lord_Howe", None, "2026-04-04T15:10:00Z");
    assert_eq!(half, pair("2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"));
}

#[test]
fn hours_follow_the_local_clock_also_where_it_is_not_whole_hours_away() {
    let hour = span(CalendarUnit::Hour, "Asia/Kathmandu", None, "2026-11-25T12:00:00Z");
    assert_eq!(hour, pair("2026-11-25T11:15:00Z", "2026-11-25T12:15:00Z"));
}

#[test]
fn weeks_start_on_their_day() {
    let monday = span(CalendarUnit::Week, "UTC", None, "2026-11-25T12:00:00Z");
    assert_eq!(monday, pair("2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"));
    let sunday = span(CalendarUnit::Week, "UTC", Some(7), "2026-11-25T12:00:00Z");
    assert_eq!(sunday, pair("2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"));
}

#[test]
fn a_month_too_short_for_its_start_day_starts_on_its_last() {
    let leap = span(CalendarUnit::Month, "UTC", Some(31), "2028-03-05T00:00:00Z");
    assert_eq!(leap, pair("2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z"));
    let common = span(CalendarUnit::Month, "UTC", Some(31), "2027-02-27T23:00:00Z");
    assert_eq!(common, pair("2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z"));
    let quarter = span(CalendarUnit::Quarter, "UTC", Some(31), "2027-04-30T00:00:00Z");
    assert_eq!(quarter, pair("2027-04-30T00:00:00Z", "2027-07-31T00:00:00Z"));
    let year = span(CalendarUnit::Year, "UTC", Some(15), "2027-01-14T00:00:00Z");
    assert_eq!(year, pair("2026-01-15T00:00:00Z", "2027-01-15T00:00:00Z"));
}

#[test]
fn the_ends_of_time_are_inside_a_span() {
    for unit in UNITS {
        for zone in ZONES {
            let window = Window::calendar(unit, zone, None).unwrap();
            for now in [Timestamp::MIN, Timestamp::MAX] {
                let span = window.span(now).unwrap();
                assert!(span.start <= now && now <= span.end, "{unit:?} {zone} {now}: {span:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_says_the_way_out() {
    let said = |window: Result<Window, WindowError>| window.unwrap_err().to_string();
    assert_eq!(
        said(Window::calendar(CalendarUnit::Day, "Mars/Base", None)),
        "time zone Mars/Base is unknown: write it as in Europe/Vienna or UTC"
    );
    assert_eq!(
        said(Window::calendar(CalendarUnit::Week, "UTC", Some(8))),
        "a window of a week cannot start at day 8: take 1 (Monday) to 7 (Sunday)"
    );
    assert_eq!(
        said(Window::calendar(CalendarUnit::Day, "UTC", Some(1))),
        "a window of a day cannot start at day 1: leave startDay out"
    );
    assert!(Window::calendar(CalendarUnit::Month, "UTC", Some(0)).is_err());
    assert!(Window::rolling(Duration::from_millis(999)).is_err());
    assert!(Window::rolling(LONGEST + Duration::from_secs(1)).is_err());
}

#[test]
fn a_zones_name_does_not_make_the_same_day_another() {
    let id = |zone| Window::calendar(CalendarUnit::Day, zone, None).unwrap().span(at("2026-11-25T12:00:00Z"));
    assert_eq!(id("UTC").unwrap().id, id("Europe/Vienna").unwrap().id);
}

/// Any instant from 1850 to 2100, and for the half of them one near a change of the zone's clock.
fn instants(zone: &'static str) -> impl Strategy<Value = Timestamp> {
    let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
    let any_time = -3_786_000_000_000_i64..4_102_000_000_000;
    (any_time, any::<bool>(), -90_000_000_i64..90_000_000).prop_map(move |(ms, near, by)| {
        let instant = millis(ms);
        let change = near.then(|| zone.following(instant).next()).flatten();
        change.map_or(instant, |change| millis(change.timestamp().as_millisecond() + by))
    })
}

fn cases() -> impl Strategy<Value = (CalendarUnit, &'static str, Option<u8>, Timestamp)> {
    (prop::sample::select(&UNITS[..]), prop::sample::select(&ZONES[..]), 0..32_u8).prop_flat_map(
        |(unit, zone, day)| {
            let day = match unit {
                CalendarUnit::Minute | CalendarUnit::Hour | CalendarUnit::Day => None,
                CalendarUnit::Week => Some(day % 7 + 1),
                _ => (day > 0).then_some(day),
            };
            instants(zone).prop_map(move |now| (unit, zone, day, now))
        },
    )
}

fn is_start_of_a_date(zone: &TimeZone, instant: Timestamp) -> bool {
    let local = |at: Timestamp| zone.to_datetime(at);
    let is_midnight = local(instant).time() == jiff::civil::Time::midnight();
    let before = local(millis(instant.as_millisecond() - 1));
    is_midnight || before.date() < local(instant).date()
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(4096))]

    #[test]
    fn spans_tile_time((unit, zone, day, now) in cases()) {
        let of = |at| Window::calendar(unit, zone, day).unwrap().span(at);
        let span = of(now).unwrap();
        prop_assert!(span.start <= now && now < span.end, "{span:?}");
        let last = millis(span.end.as_millisecond() - 1);
        for inside in [span.start, last] {
            prop_assert_eq!(of(inside), Some(span), "all instants of a span agree on it");
        }
        let next = of(span.end).unwrap();
        prop_assert_eq!(next.start, span.end, "no gap, no overlap");
        prop_assert!(next.id != span.id);
        let previous = of(millis(span.start.as_millisecond() - 1)).unwrap();
        prop_assert_eq!(previous.end, span.start);
        let window = Window::calendar(unit, zone, day).unwrap();
        for at in [now, last, span.end, now] {
            prop_assert_eq!(window.span(at), of(at), "whatever was asked before");
        }
    }

    #[test]
    fn what_is_made_of_days_starts_with_a_date((unit, zone, day, now) in cases()) {
        if !matches!(unit, CalendarUnit::Minute | CalendarUnit::Hour) {
            let span = Window::calendar(unit, zone, day).unwrap().span(now).unwrap();
            let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
            prop_assert!(is_start_of_a_date(&zone, span.start), "{}", zone.to_datetime(span.start));
        }
    }

    #[test]
    fn a_rolling_window_covers_its_length_and_at_most_a_slot_more(
        ms in 1_000_i64..31_622_400_000, now in 0_i64..4_102_000_000_000,
    ) {
        let window = Window::rolling(Duration::from_millis(ms.unsigned_abs())).unwrap();
        let span = window.span(millis(now)).unwrap();
        let covered = now - span.start.as_millisecond();
        prop_assert!(covered >= ms, "covers {covered}");
        prop_assert!(covered <= ms + ms / SLOTS + SLOTS + 2, "covers {covered}");
        let left = window.placement(millis(now)).over.unwrap().as_millisecond();
        prop_assert!(left > now + ms, "usage must count for the whole window");
    }
}

//! Told cases, and any sequence of events against a plain model of the rules.

use proptest::prelude::*;

use super::*;

const TERMS: Cooldown =
    Cooldown { failures: 3, failure_percent: 50, duration_ms: 5_000, max_duration_ms: 20_000 };

fn second(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn fail(breaker: &mut Breaker, now: Instant) -> Option<Duration> {
    breaker.failed((FaultClass::Failed, None), now, &TERMS, now)
}

fn fail_times(breaker: &mut Breaker, now: Instant, times: u32) {
    for _ in 0..times {
        fail(breaker, now);
    }
}

#[test]
fn three_failures_in_a_row_cool_and_a_success_between_them_does_not() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    assert_eq!((fail(&mut breaker, now), fail(&mut breaker, now)), (None, None));
    breaker.answered(now, now);
    assert_eq!((fail(&mut breaker, now), fail(&mut breaker, now)), (None, None));
    assert_eq!(fail(&mut breaker, now), Some(second(5)));
    assert_eq!(breaker.standing(now), Standing::Cools(now + second(5)));
    assert_eq!(breaker.standing(now + second(5)), Standing::Due);
}

#[test]
fn one_call_tries_what_has_cooled_and_each_failure_doubles_it() {
    let (mut breaker, mut now) = (Breaker::default(), Instant::now());
    fail_times(&mut breaker, now, 3);
    for lasts in [10, 20, 20] {
        now += second(20);
        assert!(breaker.enter(now), "it is due");
        assert!(!breaker.enter(now), "one is enough");
        assert!(matches!(breaker.standing(now), Standing::Cools(_)));
        assert_eq!(fail(&mut breaker, now), Some(second(lasts)));
    }
    now += second(20);
    assert!(breaker.enter(now));
    breaker.answered(now, now);
    assert_eq!(breaker.standing(now), Standing::Stands);
    assert_eq!(fail(&mut breaker, now), None, "it begins anew");
}

#[test]
fn one_that_tries_and_is_lost_makes_room_for_another() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    breaker.cool(now, now);
    assert!(breaker.enter(now));
    breaker.leave();
    assert!(breaker.enter(now));
    assert_eq!(breaker.standing(now + TRY), Standing::Due);
}

#[test]
fn what_goes_on_cools_at_once_and_as_long_as_the_provider_says() {
    let now = Instant::now();
    let once = |class, told| Breaker::default().failed((class, told), now, &TERMS, now);
    assert_eq!(once(FaultClass::RateLimited, None), Some(second(5)));
    assert_eq!(once(FaultClass::RateLimited, Some(second(12))), Some(second(12)));
    assert_eq!(once(FaultClass::RateLimited, Some(second(3600))), Some(second(20)));
    assert_eq!(once(FaultClass::RateLimited, Some(Duration::ZERO)), Some(SOONEST));
    assert_eq!(once(FaultClass::Authentication, None), Some(second(5)));
    assert_eq!(once(FaultClass::NotFound, None), None, "a client may have named what is not there");
    let off = Cooldown { failures: 0, failure_percent: 0, ..TERMS };
    assert_eq!(Breaker::default().failed((FaultClass::RateLimited, None), now, &off, now), None);
}

#[test]
fn every_other_failure_is_too_much_of_ten_calls() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    for call in 0..9 {
        if call % 2 == 0 {
            assert_eq!(fail(&mut breaker, now), None, "call {call}");
        } else {
            breaker.answered(now, now);
        }
    }
    assert_eq!(fail(&mut breaker, now + second(29)), Some(second(5)), "six of ten");
    let mut late = Breaker::default();
    fail_times(&mut late, now, 2);
    for call in 0..20 {
        late.answered(now + second(61), now + second(61));
        assert_eq!(late.standing(now + second(61)), Standing::Stands, "call {call}");
    }
}

#[test]
fn calls_that_began_before_it_cooled_change_nothing() {
    let (mut breaker, began) = (Breaker::default(), Instant::now());
    let limited = (FaultClass::RateLimited, Some(second(15)));
    let cooled = began + second(1);
    assert_eq!(breaker.failed(limited, cooled, &TERMS, cooled), Some(second(15)));
    breaker.answered(began, cooled + second(1));
    assert_eq!(
        breaker.standing(cooled + second(1)),
        Standing::Cools(cooled + second(15)),
        "an older stream ends"
    );
    let late = cooled + second(20);
    assert_eq!(
        breaker.failed((FaultClass::Timeout, None), began, &TERMS, late),
        None,
        "an older call times out"
    );
    assert_eq!(breaker.standing(late), Standing::Due);
    breaker.answered(late, late);
    assert_eq!(breaker.standing(late), Standing::Stands);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Answered,
    Failed(FaultClass, Option<u64>),
    Told(u64),
    Enters,
    Leaves,
    Passes(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let classes = prop_oneof![
        Just(FaultClass::Failed),
        Just(FaultClass::Timeout),
        Just(FaultClass::RateLimited),
        Just(FaultClass::Authentication),
        Just(FaultClass::NotFound),
    ];
    prop_oneof![
        Just(Event::Answered),
        (classes, proptest::option::of(0_u64..40)).prop_map(|(class, told)| Event::Failed(class, told)),
        (0_u64..40).prop_map(Event::Told),
        Just(Event::Enters),
        Just(Event::Leaves),
        (0_u64..90).prop_map(Event::Passes),
    ]
}

proptest! {
    /// Whatever happens: it never cools beyond the longest time from now unless told so by another pod; of two calls that
    /// come when it is due one tries; an answer makes it stand; and it is due again when its time is over.
    #[test]
    fn any_sequence_keeps_the_rules(events in proptest::collection::vec(event(), 0..200)) {
        let (mut breaker, mut now) = (Breaker::default(), Instant::now());
        let mut told_until = now;
        for event in events {
            let before = breaker.standing(now);
            match event {
                Event::Answered => {
                    breaker.answered(now, now);
                    prop_assert_eq!(breaker.standing(now), Standing::Stands);
                    told_until = now;
                }
                Event::Failed(class, told) => {
                    let lasts = breaker.failed((class, told.map(Duration::from_secs)), now, &TERMS, now);
                    if let Some(lasts) = lasts {
                        prop_assert!(lasts <= second(20) && lasts >= SOONEST);
                        prop_assert!(matches!(breaker.standing(now), Standing::Cools(_)));
                    } else if before == Standing::Stands {
                        prop_assert_eq!(breaker.standing(now), Standing::Stands);
                    }
                }
                Event::Told(seconds) => {
                    breaker.cool(now + Duration::from_secs(seconds), now);
                    told_until = told_until.max(now + Duration::from_secs(seconds));
                }
                Event::Enters => {
                    prop_assert_eq!(breaker.enter(now), before == Standing::Due);
                    prop_assert!(!breaker.enter(now));
                }
                Event::Leaves => breaker.leave(),
                Event::Passes(seconds) => now += Duration::from_secs(seconds),
            }
            if let Standing::Cools(until) = breaker.standing(now) {
                prop_assert!(until <= told_until.max(now + TRY), "{:?}", until - now);
                prop_assert_eq!(breaker.standing(until), Standing::Due);
            }
        }
    }
}

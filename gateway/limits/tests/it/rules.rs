//! What every backend does, one rule a function.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use limits::{AtLimit, Backend, Counter, CounterKey, Level, MOST, Unit, Window};
use tokio::task::JoinSet;

use crate::place::each;
use crate::setting::{TTL, ask, counter, day, granted, level, minute, noon, refused, rolling, settle, usd};

each!(
    an_estimate_is_held_and_the_actual_amount_takes_its_place,
    none_is_charged_when_one_refuses,
    what_is_never_settled_is_free_again,
    settling_twice_counts_once,
    settling_after_expiry_only_adds,
    settling_what_was_never_granted_only_adds,
    settling_long_after_leaves_other_reservations_alone,
    a_late_reserve_of_a_settled_ask_holds_nothing,
    a_request_counts_in_the_window_that_let_it_in,
    another_amount_meets_the_usage_there_is,
    a_reset_forgets_what_is_spent_and_keeps_what_is_held,
    requests_count_when_they_are_let_in,
    concurrency_counts_only_while_it_lasts,
    a_rolling_window_lets_go_slot_by_slot,
    a_counter_that_only_counts_never_refuses,
    nothing_is_let_in_at_the_limit_even_if_it_asks_for_nothing,
    an_ask_larger_than_the_amount_never_resets,
    amounts_are_exact_up_to_the_largest,
    no_crowd_passes_a_limit,
    a_clock_behind_neither_forgets_nor_frees,
);

async fn an_estimate_is_held_and_the_actual_amount_takes_its_place(backend: impl Backend) {
    let usd = usd(100);
    let first = ask(noon(0), &[(&usd, 60)]);
    assert_eq!(granted(&backend, &first).await, [Level { spent: 0, reserved: 60, amount: 100 }]);
    let (which, full, resets_at) = refused(&backend, &ask(noon(1), &[(&usd, 41)])).await;
    assert_eq!((which, full), (0, Level { spent: 0, reserved: 60, amount: 100 }));
    assert_eq!(resets_at, Some(noon(12 * 3600)), "the day's end");
    settle(&backend, &first, 25, noon(2)).await;
    assert_eq!(level(&backend, &usd, noon(2)).await, (25, 0));
    granted(&backend, &ask(noon(3), &[(&usd, 75)])).await;
}

async fn none_is_charged_when_one_refuses(backend: impl Backend) {
    let roomy: Vec<_> =
        (0..5).map(|n| counter(&format!("roomy {n}"), Unit::Tokens, 100, rolling(60))).collect();
    let requests = counter("requests", Unit::Requests, 100, minute());
    let full = counter("full", Unit::NanoUsd, 5, day());
    let mut counters: Vec<_> = roomy.iter().map(|counter| (counter, 7)).collect();
    counters.extend([(&requests, 1), (&full, 6)]);
    let (which, ..) = refused(&backend, &ask(noon(0), &counters)).await;
    assert_eq!(which, 6, "the one that refused");
    for (counter, _) in counters {
        assert_eq!(level(&backend, counter, noon(0)).await, (0, 0), "{:?}", counter.key());
    }
}

async fn what_is_never_settled_is_free_again(backend: impl Backend) {
    let usd = usd(100);
    granted(&backend, &ask(noon(0), &[(&usd, 100)])).await;
    let ttl = i64::try_from(TTL.as_secs()).unwrap();
    refused(&backend, &ask(noon(ttl - 1), &[(&usd, 1)])).await;
    assert_eq!(level(&backend, &usd, noon(ttl)).await, (0, 0));
    granted(&backend, &ask(noon(ttl), &[(&usd, 100)])).await;
    // Long after, what has expired is gone from storage too, and still does not count.
    assert_eq!(
        granted(&backend, &ask(noon(3600), &[(&usd, 1)])).await,
        [Level { spent: 0, reserved: 1, amount: 100 }]
    );
}

async fn settling_twice_counts_once(backend: impl Backend) {
    let (usd, requests) = (usd(100), counter("requests", Unit::Requests, 100, minute()));
    let once = ask(noon(0), &[(&usd, 50), (&requests, 1)]);
    granted(&backend, &once).await;
    for now in [1, 2] {
        settle(&backend, &once, 1, noon(now)).await;
        assert_eq!(level(&backend, &usd, noon(now)).await, (1, 0));
        assert_eq!(level(&backend, &requests, noon(now)).await, (1, 0));
    }
}

async fn settling_after_expiry_only_adds(backend: impl Backend) {
    let usd = usd(100);
    let late = ask(noon(0), &[(&usd, 50)]);
    granted(&backend, &late).await;
    granted(&backend, &ask(noon(20), &[(&usd, 60)])).await;
    settle(&backend, &late, 30, noon(21)).await;
    assert_eq!(level(&backend, &usd, noon(21)).await, (30, 60));
    settle(&backend, &late, 30, noon(22)).await;
    assert_eq!(level(&backend, &usd, noon(22)).await, (30, 60));
}

async fn settling_what_was_never_granted_only_adds(backend: impl Backend) {
    let (usd, requests) = (usd(100), counter("requests", Unit::Requests, 100, minute()));
    granted(&backend, &ask(noon(0), &[(&usd, 50), (&requests, 1)])).await;
    let unknown = ask(noon(0), &[(&usd, 50), (&requests, 1)]);
    for now in [1, 2] {
        settle(&backend, &unknown, 1, noon(now)).await;
        assert_eq!(level(&backend, &usd, noon(now)).await, (1, 50), "the other's hold stays");
        assert_eq!(level(&backend, &requests, noon(now)).await, (2, 0));
    }
}

async fn settling_long_after_leaves_other_reservations_alone(backend: impl Backend) {
    let (usd, places) = (usd(100), counter("places", Unit::Concurrency, 10, Window::Forever));
    let requests = counter("requests", Unit::Requests, 100, day());
    let counters = [(&usd, 1), (&places, 1), (&requests, 1)];
    let late = ask(noon(0), &counters);
    granted(&backend, &late).await;
    granted(&backend, &ask(noon(3600), &counters)).await;
    settle(&backend, &late, 1, noon(3600)).await;
    assert_eq!(level(&backend, &usd, noon(3600)).await, (1, 1));
    assert_eq!(level(&backend, &places, noon(3600)).await, (0, 1));
    assert_eq!(level(&backend, &requests, noon(3600)).await, (2, 0), "each counted once");
}

async fn a_late_reserve_of_a_settled_ask_holds_nothing(backend: impl Backend) {
    let usd = usd(100);
    let hasty = ask(noon(0), &[(&usd, 50)]);
    settle(&backend, &hasty, 10, noon(1)).await;
    granted(&backend, &hasty).await;
    assert_eq!(level(&backend, &usd, noon(1)).await, (10, 0));
    let again = ask(noon(2), &[(&usd, 50)]);
    granted(&backend, &again).await;
    granted(&backend, &again).await;
    assert_eq!(level(&backend, &usd, noon(2)).await, (10, 50), "a repeated reserve holds once");
}

async fn a_request_counts_in_the_window_that_let_it_in(backend: impl Backend) {
    let tokens = counter("tokens", Unit::Tokens, 100, minute());
    let early = ask(noon(59), &[(&tokens, 80)]);
    granted(&backend, &early).await;
    assert_eq!(level(&backend, &tokens, noon(60)).await, (0, 0), "a new minute starts at nothing");
    granted(&backend, &ask(noon(60), &[(&tokens, 100)])).await;
    settle(&backend, &early, 70, noon(61)).await;
    assert_eq!(level(&backend, &tokens, noon(61)).await, (0, 100));
    assert_eq!(level(&backend, &tokens, noon(59)).await, (70, 0));
}

async fn another_amount_meets_the_usage_there_is(backend: impl Backend) {
    let first = ask(noon(0), &[(&usd(100), 40)]);
    granted(&backend, &first).await;
    settle(&backend, &first, 40, noon(0)).await;
    let (_, less, _) = refused(&backend, &ask(noon(1), &[(&usd(30), 1)])).await;
    assert_eq!(less, Level { spent: 40, reserved: 0, amount: 30 });
    let more = granted(&backend, &ask(noon(1), &[(&usd(200), 160)])).await;
    assert_eq!(more, [Level { spent: 40, reserved: 160, amount: 200 }]);
}

async fn a_reset_forgets_what_is_spent_and_keeps_what_is_held(backend: impl Backend) {
    let usd = usd(100);
    let (done, running) = (ask(noon(0), &[(&usd, 40)]), ask(noon(0), &[(&usd, 30)]));
    granted(&backend, &done).await;
    granted(&backend, &running).await;
    settle(&backend, &done, 40, noon(1)).await;
    backend.reset(&usd, noon(2)).await.unwrap();
    assert_eq!(level(&backend, &usd, noon(2)).await, (0, 30));
    settle(&backend, &running, 20, noon(3)).await;
    assert_eq!(level(&backend, &usd, noon(3)).await, (20, 0));
}

async fn requests_count_when_they_are_let_in(backend: impl Backend) {
    let requests = counter("requests", Unit::Requests, 2, day());
    let (sent, unsent) = (ask(noon(0), &[(&requests, 1)]), ask(noon(0), &[(&requests, 1)]));
    granted(&backend, &sent).await;
    granted(&backend, &unsent).await;
    refused(&backend, &ask(noon(1), &[(&requests, 1)])).await;
    settle(&backend, &unsent, 0, noon(2)).await;
    assert_eq!(level(&backend, &requests, noon(2)).await, (1, 0), "what was never sent does not count");
    assert_eq!(level(&backend, &requests, noon(600)).await, (1, 0), "what was never settled does");
    settle(&backend, &sent, 1, noon(600)).await;
    assert_eq!(level(&backend, &requests, noon(600)).await, (1, 0));
}

async fn concurrency_counts_only_while_it_lasts(backend: impl Backend) {
    let places = counter("places", Unit::Concurrency, 1, minute());
    let first = ask(noon(59), &[(&places, 1)]);
    granted(&backend, &first).await;
    let (.., resets_at) = refused(&backend, &ask(noon(61), &[(&places, 1)])).await;
    assert_eq!(resets_at, None, "no window frees a place");
    settle(&backend, &first, 1, noon(62)).await;
    assert_eq!(level(&backend, &places, noon(62)).await, (0, 0));
    granted(&backend, &ask(noon(62), &[(&places, 1)])).await;
    granted(&backend, &ask(noon(90), &[(&places, 1)])).await;
}

async fn a_rolling_window_lets_go_slot_by_slot(backend: impl Backend) {
    // Slots of a second.
    let tokens = counter("tokens", Unit::Tokens, 100, rolling(20));
    for (second, amount) in [(0, 30), (5, 40), (10, 30)] {
        let ask = ask(noon(second), &[(&tokens, amount)]);
        granted(&backend, &ask).await;
        settle(&backend, &ask, amount, noon(second)).await;
    }
    let (_, _, resets_at) = refused(&backend, &ask(noon(10), &[(&tokens, 30)])).await;
    assert_eq!(resets_at, Some(noon(21)), "the slot of second 0 has left");
    let (_, _, resets_at) = refused(&backend, &ask(noon(10), &[(&tokens, 31)])).await;
    assert_eq!(resets_at, Some(noon(26)));
    refused(&backend, &ask(noon(20), &[(&tokens, 30)])).await;
    assert_eq!(level(&backend, &tokens, noon(20)).await, (100, 0));
    granted(&backend, &ask(noon(21), &[(&tokens, 30)])).await;
    assert_eq!(level(&backend, &tokens, noon(26)).await, (30, 30));
    assert_eq!(level(&backend, &tokens, noon(1000)).await, (0, 0));
}

async fn a_counter_that_only_counts_never_refuses(backend: impl Backend) {
    let shadow = Counter::new(CounterKey::new("shadow"), Unit::NanoUsd, 10, day(), AtLimit::Count);
    let (shadow, full) = (Arc::new(shadow), counter("full", Unit::NanoUsd, 10, day()));
    assert_eq!(
        granted(&backend, &ask(noon(0), &[(&shadow, 50)])).await,
        [Level { spent: 0, reserved: 50, amount: 10 }]
    );
    let (which, ..) = refused(&backend, &ask(noon(0), &[(&shadow, 50), (&full, 11)])).await;
    assert_eq!(which, 1);
    assert_eq!(level(&backend, &shadow, noon(0)).await, (0, 50));
}

async fn nothing_is_let_in_at_the_limit_even_if_it_asks_for_nothing(backend: impl Backend) {
    let usd = usd(10);
    let first = ask(noon(0), &[(&usd, 0)]);
    granted(&backend, &first).await;
    settle(&backend, &first, 12, noon(0)).await;
    let (_, full, _) = refused(&backend, &ask(noon(1), &[(&usd, 0)])).await;
    assert_eq!(full.spent, 12, "it cost more than was reserved, and that is known");
    refused(&backend, &ask(noon(1), &[(&counter("closed", Unit::Tokens, 0, day()), 0)])).await;
}

async fn an_ask_larger_than_the_amount_never_resets(backend: impl Backend) {
    let (usd, tokens) = (usd(10), counter("tokens", Unit::Tokens, 10, rolling(60)));
    for counter in [&usd, &tokens] {
        let (.., resets_at) = refused(&backend, &ask(noon(0), &[(counter, 11)])).await;
        assert_eq!(resets_at, None);
    }
}

async fn amounts_are_exact_up_to_the_largest(backend: impl Backend) {
    let usd = usd(u64::MAX);
    let first = ask(noon(0), &[(&usd, MOST - 1)]);
    assert_eq!(granted(&backend, &first).await, [Level { spent: 0, reserved: MOST - 1, amount: MOST }]);
    refused(&backend, &ask(noon(0), &[(&usd, 2)])).await;
    granted(&backend, &ask(noon(0), &[(&usd, 1)])).await;
    refused(&backend, &ask(noon(0), &[(&usd, 1)])).await;
    settle(&backend, &first, u64::MAX, noon(1)).await;
    assert_eq!(level(&backend, &usd, noon(1)).await, (MOST, 1));
    let unknown = ask(noon(1), &[(&usd, 1)]);
    settle(&backend, &unknown, 5, noon(1)).await;
    assert_eq!(level(&backend, &usd, noon(1)).await, (MOST, 1), "full is full");
}

async fn no_crowd_passes_a_limit(backend: impl Backend + 'static) {
    let (usd, tokens) = (usd(1000), counter("tokens", Unit::Tokens, 700, rolling(3600)));
    let (backend, granted) = (Arc::new(backend), Arc::new(AtomicU64::new(0)));
    let mut crowd = JoinSet::new();
    for n in 0..200_u64 {
        let ask = ask(noon(0), &[(&usd, 7), (&tokens, 5)]);
        let (backend, granted) = (Arc::clone(&backend), Arc::clone(&granted));
        crowd.spawn(async move {
            let verdict = backend.reserve(&ask).await.unwrap();
            if let limits::Verdict::Granted(levels) = verdict {
                let within = levels.iter().all(|level| level.spent + level.reserved <= level.amount);
                assert!(within, "{levels:?}");
                granted.fetch_add(1, Ordering::Relaxed);
                // A third is settled while others still ask, for its estimates.
                if n % 3 == 0 {
                    let exact = limits::Settlement::new(&ask, |_, estimate| estimate);
                    backend.settle(&exact, noon(1)).await.unwrap();
                }
            }
        });
    }
    crowd.join_all().await;
    let granted = granted.load(Ordering::Relaxed);
    assert_eq!(granted, 140, "700 tokens, five each");
    let (spent, reserved) = level(&*backend, &tokens, noon(1)).await;
    assert_eq!(spent + reserved, 700);
    let (spent, reserved) = level(&*backend, &usd, noon(1)).await;
    assert_eq!(spent + reserved, 980);
}

async fn a_clock_behind_neither_forgets_nor_frees(backend: impl Backend) {
    let tokens = counter("tokens", Unit::Tokens, 100, rolling(20));
    let ahead = ask(noon(12), &[(&tokens, 60)]);
    granted(&backend, &ahead).await;
    assert_eq!(level(&backend, &tokens, noon(0)).await, (0, 60), "what a faster clock wrote counts");
    refused(&backend, &ask(noon(0), &[(&tokens, 41)])).await;
    let behind = ask(noon(0), &[(&tokens, 40)]);
    granted(&backend, &behind).await;
    granted(&backend, &ask(noon(30), &[(&tokens, 30)])).await;
    assert_eq!(
        level(&backend, &tokens, noon(1)).await.1,
        130,
        "a faster clock drops nothing of a slower one"
    );
}

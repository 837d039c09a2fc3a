//! Groups: who has used something, and the fullest of them, in one process and in Redis alike.

use limits::{Fullest, Group, Limiter, Timestamp, Window};

use crate::place;
use crate::setting::{day, noon, rolling};

fn group(window: Window) -> Group {
    Group::new("teams/usd", window)
}

async fn fullest(limiter: &Limiter, group: &Group, now: Timestamp) -> Fullest {
    limiter.fullest(group, 100, 2, now).await.unwrap()
}

fn told(members: u64, full: u64, first: &[(&str, u64)]) -> Fullest {
    Fullest { members, full, first: first.iter().map(|(name, used)| ((*name).into(), *used)).collect() }
}

async fn the_fullest_come_first(limiter: Limiter) {
    let days = group(day());
    assert_eq!(fullest(&limiter, &days, noon(0)).await, told(0, 0, &[]));
    limiter.note(&days, &[("red", 40), ("blue", 100), ("green", 9)], noon(0)).await.unwrap();
    assert_eq!(fullest(&limiter, &days, noon(1)).await, told(3, 1, &[("blue", 100), ("red", 40)]));
    limiter.note(&days, &[("green", 9_007_199_254_740_991), ("blue", 0)], noon(2)).await.unwrap();
    let all = told(2, 1, &[("green", 9_007_199_254_740_991), ("red", 40)]);
    assert_eq!(fullest(&limiter, &days, noon(3)).await, all, "what has used nothing is none of them");
    assert_eq!(fullest(&limiter, &days, noon(86_400)).await, told(0, 0, &[]), "each day begins at nothing");
    assert_eq!(fullest(&limiter, &Group::new("other", day()), noon(3)).await, told(0, 0, &[]));
}

async fn who_was_not_seen_for_a_window_is_forgotten(limiter: Limiter) {
    let minutes = group(rolling(60));
    limiter.note(&minutes, &[("red", 40), ("blue", 50)], noon(0)).await.unwrap();
    limiter.note(&minutes, &[("red", 30)], noon(50)).await.unwrap();
    assert_eq!(fullest(&limiter, &minutes, noon(59)).await, told(2, 0, &[("blue", 50), ("red", 30)]));
    assert_eq!(fullest(&limiter, &minutes, noon(64)).await, told(1, 0, &[("red", 30)]));
    let running = group(Window::Forever);
    limiter.note(&running, &[("red", 3)], noon(0)).await.unwrap();
    assert_eq!(fullest(&limiter, &running, noon(10)).await, told(1, 0, &[("red", 3)]));
    assert_eq!(fullest(&limiter, &running, noon(90)).await, told(0, 0, &[]));
}

async fn of_too_many_the_emptiest_are_forgotten(limiter: Limiter) {
    let days = group(day());
    let names: Vec<String> = (1..=10_100_u64).map(|used| format!("customer {used}")).collect();
    let seen: Vec<(&str, u64)> = names.iter().map(String::as_str).zip(1..).collect();
    for some in seen.chunks(1_000) {
        limiter.note(&days, some, noon(0)).await.unwrap();
    }
    let all = fullest(&limiter, &days, noon(1)).await;
    assert_eq!((all.members, all.full), (10_000, 10_000), "those that have used most");
    assert_eq!(all.first[0], ("customer 10100".into(), 10_100));
}

macro_rules! both {
    ($($rule:ident),* $(,)?) => {
        mod local {
            $(#[tokio::test]
            async fn $rule() {
                super::$rule(limits::Limiter::local()).await;
            })*
        }
        mod redis {
            $(#[tokio::test]
            async fn $rule() {
                super::$rule(limits::Limiter::shared(super::place::redis().await)).await;
            })*
        }
        mod cluster {
            $(#[tokio::test]
            async fn $rule() {
                super::$rule(limits::Limiter::shared(super::place::cluster().await)).await;
            })*
        }
    };
}
both!(
    the_fullest_come_first,
    who_was_not_seen_for_a_window_is_forgotten,
    of_too_many_the_emptiest_are_forgotten,
);

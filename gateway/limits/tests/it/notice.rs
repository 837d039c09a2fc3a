//! Notices: one of many claims them, in one process and in Redis alike.

use std::time::Duration;

use limits::{Claim, Limiter, Notice, Timestamp};
use tokio::task::JoinSet;

use crate::place::cluster;
use crate::place::redis;

const LONG: Duration = Duration::from_secs(600);

fn notice<'a>(name: &'a str, kept: Duration, entry: Option<&'a str>) -> Notice<'a> {
    Notice { name, kept, entry: entry.map(|entry| ("teams", entry)) }
}

async fn claim(limiter: &Limiter, notice: &Notice<'_>) -> Claim {
    limiter.claim(notice, Timestamp::now()).await.unwrap()
}

async fn one_of_a_crowd_claims_it(limiter: Limiter) {
    let mut crowd = JoinSet::new();
    for n in 0..50 {
        let limiter = limiter.clone();
        crowd.spawn(async move {
            let entry = format!("told by {n}");
            claim(&limiter, &notice("80", LONG, Some(&entry))).await
        });
    }
    let claims = crowd.join_all().await;
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::Mine).count(), 1);
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::Told).count(), 49, "the board tells it");
    assert_eq!(limiter.board("teams", Timestamp::now()).await.unwrap().len(), 1);
    assert_eq!(claim(&limiter, &notice("100", LONG, None)).await, Claim::Mine, "another is free");
    assert_eq!(claim(&limiter, &notice("100", LONG, None)).await, Claim::Others);
    assert_eq!(limiter.board("others", Timestamp::now()).await.unwrap(), Vec::<String>::new());
}

/// Claims as soon as it can be.
async fn claim_in_the_end(limiter: &Limiter, name: &str) {
    let again = async {
        while claim(limiter, &notice(name, LONG, None)).await != Claim::Mine {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again).await.unwrap();
}

async fn what_is_claimed_and_not_told_is_free_again(limiter: Limiter) {
    let brief = Duration::from_millis(1);
    assert_eq!(claim(&limiter, &notice("80", brief, None)).await, Claim::Mine);
    claim_in_the_end(&limiter, "80").await;
    limiter.told("80", LONG, Timestamp::now()).await.unwrap();
    assert_eq!(claim(&limiter, &notice("80", LONG, None)).await, Claim::Told);
}

async fn only_what_was_told_is_renewed(limiter: Limiter) {
    let brief = Duration::from_millis(300);
    assert_eq!(claim(&limiter, &notice("claimed", brief, None)).await, Claim::Mine);
    assert_eq!(claim(&limiter, &notice("told", brief, Some("entry"))).await, Claim::Mine);
    for name in ["claimed", "told"] {
        limiter.renew(name, LONG, Timestamp::now()).await.unwrap();
    }
    claim_in_the_end(&limiter, "claimed").await;
    assert_eq!(claim(&limiter, &notice("told", LONG, None)).await, Claim::Told);
}

async fn a_board_has_the_last_of_them_in_order(limiter: Limiter) {
    let entries: Vec<String> = (0..30).map(|n| format!("entry {n}")).collect();
    for entry in &entries {
        assert_eq!(claim(&limiter, &notice(entry, LONG, Some(entry))).await, Claim::Mine);
    }
    assert_eq!(limiter.board("teams", Timestamp::now()).await.unwrap(), entries[10..]);
}

macro_rules! both {
    ($($rule:ident),* $(,)?) => {
        mod local {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(limits::Limiter::local()).await;
            })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(limits::Limiter::shared(super::redis().await)).await;
            })*
        }
        mod cluster {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(limits::Limiter::shared(super::cluster().await)).await;
            })*
        }
    };
}
both!(
    one_of_a_crowd_claims_it,
    what_is_claimed_and_not_told_is_free_again,
    only_what_was_told_is_renewed,
    a_board_has_the_last_of_them_in_order,
);

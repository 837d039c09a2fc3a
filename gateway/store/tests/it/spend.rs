//! Spend records: each counts once, however often it is written, and sums grow with them.

mod months;
mod pages;

use store::{Daily, DailyQuery, SpendRecord, Store, Subject, Tags};

use crate::both;
use crate::place::Place;

both!(
    a_record_comes_back_as_it_was_written,
    a_batch_written_twice_counts_once,
    of_a_batch_half_known_only_the_new_half_counts,
    a_record_twice_in_a_batch_counts_once,
    writers_at_once_neither_lose_nor_double,
    every_subject_has_its_own_sums,
    attempts_and_failures_are_told_apart,
    what_no_database_takes_is_cut_and_cleaned,
    what_will_fail_again_is_told_from_what_may_not,
    absurd_numbers_do_not_spoil_sums,
);

/// 2026-11-25 10:00:00 UTC.
pub(crate) const NOW_US: i64 = 1_795_600_800_000_000;

/// Everything in it is set, so that a column that is not carried shows.
pub(crate) fn record(request_id: &str) -> SpendRecord {
    SpendRecord {
        request_id: request_id.into(),
        attempt: 0,
        started_us: NOW_US,
        duration_us: 1_500_000,
        first_byte_us: Some(250_000),
        gateway: Some("ai/main".into()),
        key_id: Some("ai/ann".into()),
        key_hash: Some("ab".repeat(32)),
        team_id: Some("blue".into()),
        user_id: Some("ann".into()),
        customer_id: Some("Grüße 🎉 'quoted' \"twice\"".into()),
        tags: Tags(vec!["a".into(), "b \"c\"".into()]),
        task: "answer".into(),
        dialect: "openai-chat".into(),
        model: Some("gpt".into()),
        deployment: Some("ai/gpt-eu".into()),
        provider: Some("openai".into()),
        upstream_model: Some("gpt-4o".into()),
        attempts: 2,
        is_stream: true,
        is_cached: true,
        status: Some(200),
        outcome: "answered".into(),
        fault: Some("none".into()),
        bytes_in: 3,
        bytes_out: 5,
        fresh_input: 7,
        cached_input: 11,
        cache_write: 13,
        cache_write_hour: 17,
        audio_input: 19,
        cached_audio: 23,
        image_input: 29,
        output: 31,
        reasoning: 37,
        audio_output: 41,
        image_output: 43,
        searches: 47,
        tier: Some("flex".into()),
        is_estimate: true,
        cost_nano: Some(i64::from(i32::MAX) * 1000),
        counted: None,
    }
}

fn records(numbers: std::ops::Range<usize>) -> Vec<SpendRecord> {
    numbers.map(|number| record(&format!("r{number:05}"))).collect()
}

/// All days of `subject`.
async fn sums(store: &Store, kind: Subject, subject: &str) -> Vec<Daily> {
    let query = DailyQuery { kind, subject: Some(subject), from: "1970-01-01", to: "9999-12-31" };
    store.daily_activity(&query).await.unwrap()
}

/// Requests and nano-dollars of the whole gateway.
async fn total(store: &Store) -> (i64, i64) {
    let days = sums(store, Subject::Gateway, "ai/main").await;
    days.iter().fold((0, 0), |sum, day| (sum.0 + day.requests, sum.1 + day.cost_nano))
}

async fn a_record_comes_back_as_it_was_written(place: &Place) {
    let store = place.open().await;
    let empty = SpendRecord { request_id: "r2".into(), started_us: NOW_US, ..SpendRecord::default() };
    assert_eq!(store.spend_insert(&[record("r1"), empty.clone()]).await.unwrap(), 2);
    assert_eq!(store.spend_by_request("r1").await.unwrap(), [record("r1")]);
    assert_eq!(store.spend_by_request("r2").await.unwrap(), [empty]);
    assert_eq!(store.spend_by_request("r3").await.unwrap(), []);
    assert_eq!(store.spend_insert(&[]).await.unwrap(), 0);
}

async fn a_batch_written_twice_counts_once(place: &Place) {
    let (store, other) = (place.open().await, place.open().await);
    let batch = records(0..300);
    assert_eq!(store.spend_insert(&batch).await.unwrap(), 300);
    let before = total(&store).await;
    assert_eq!(before, (300, 300 * record("").cost_nano.unwrap()));
    let changed: Vec<_> = batch.iter().map(|one| SpendRecord { cost_nano: Some(1), ..one.clone() }).collect();
    assert_eq!(other.spend_insert(&batch).await.unwrap(), 0);
    assert_eq!(other.spend_insert(&changed).await.unwrap(), 0, "what is there stays as it is");
    assert_eq!(total(&store).await, before);
}

async fn of_a_batch_half_known_only_the_new_half_counts(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.spend_insert(&records(0..100)).await.unwrap(), 100);
    assert_eq!(store.spend_insert(&records(50..150)).await.unwrap(), 50);
    assert_eq!(total(&store).await.0, 150);
}

async fn a_record_twice_in_a_batch_counts_once(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.spend_insert(&[record("r"), record("s"), record("r")]).await.unwrap(), 2);
    assert_eq!(total(&store).await.0, 2);
}

/// Two gateways, of which one sends again what the other's predecessor has sent, in another order.
async fn writers_at_once_neither_lose_nor_double(place: &Place) {
    let (store, other) = (place.open().await, place.open().await);
    let work = async |store: &Store, backwards: bool| {
        for start in 0..10 {
            let mut batch = records(start * 40..start * 40 + 80);
            if backwards {
                batch.reverse();
            }
            store.spend_insert(&batch).await.unwrap();
        }
    };
    tokio::join!(work(&store, false), work(&other, true));
    assert_eq!(total(&store).await.0, 440);
}

async fn every_subject_has_its_own_sums(place: &Place) {
    let store = place.open().await;
    let late = SpendRecord { started_us: NOW_US + 86_400_000_000, model: None, ..record("late") };
    let other =
        SpendRecord { key_id: Some("ai/bob".into()), tags: Tags(vec!["a".into(); 2]), ..record("other") };
    store.spend_insert(&[record("r"), late, other]).await.unwrap();
    for (kind, subject, requests) in [
        (Subject::Gateway, "ai/main", 3),
        (Subject::Key, "ai/ann", 2),
        (Subject::Key, "ai/bob", 1),
        (Subject::Team, "blue", 3),
        (Subject::User, "ann", 3),
        (Subject::Customer, "Grüße 🎉 'quoted' \"twice\"", 3),
        (Subject::Tag, "a", 3),
        (Subject::Tag, "b \"c\"", 2),
        (Subject::Tag, "nobody's", 0),
    ] {
        let days = sums(&store, kind, subject).await;
        let sum: i64 = days.iter().map(|day| day.requests).sum();
        assert_eq!(sum, requests, "{kind:?} {subject}: {days:?}");
    }
    let days = sums(&store, Subject::Key, "ai/ann").await;
    let expected = Daily {
        kind: "key".into(),
        subject: "ai/ann".into(),
        day: "2026-11-25".into(),
        key_id: "ai/ann".into(),
        model: "gpt".into(),
        provider: "openai".into(),
        requests: 1,
        failures: 0,
        failed_attempts: 0,
        duration_us: 1_500_000,
        fresh_input: 7 + 19 + 29,
        cached_input: 11 + 23,
        cache_write: 13 + 17,
        output: 31 + 41 + 43,
        reasoning: 37,
        cost_nano: record("").cost_nano.unwrap(),
    };
    let next = Daily { day: "2026-11-26".into(), model: String::new(), ..expected.clone() };
    assert_eq!(days, [expected.clone(), next]);
    let first = DailyQuery { kind: Subject::Key, subject: None, from: "2026-11-01", to: "2026-11-25" };
    let bob = Daily { subject: "ai/bob".into(), key_id: "ai/bob".into(), ..expected.clone() };
    assert_eq!(store.daily_activity(&first).await.unwrap(), [expected, bob]);
}

async fn attempts_and_failures_are_told_apart(place: &Place) {
    let store = place.open().await;
    let attempt = SpendRecord { attempt: 1, outcome: "refused".into(), cost_nano: None, ..record("r") };
    let refused = SpendRecord { outcome: "refused".into(), ..record("s") };
    let cut = SpendRecord { outcome: "stream_cut".into(), ..record("t") };
    let hung_up = SpendRecord { outcome: "client_closed".into(), ..record("u") };
    let answered = record("r");
    store.spend_insert(&[attempt.clone(), answered.clone(), refused, cut, hung_up]).await.unwrap();
    let day = sums(&store, Subject::Team, "blue").await.remove(0);
    assert_eq!((day.requests, day.failures, day.failed_attempts), (4, 2, 1));
    assert_eq!(store.spend_by_request("r").await.unwrap(), [answered, attempt]);
}

async fn what_no_database_takes_is_cut_and_cleaned(place: &Place) {
    let store = place.open().await;
    // As no compression makes it fit.
    let long: String = (0..5000).map(|_| char::from(rand::random_range(b'!'..=b'~'))).collect();
    let odd = SpendRecord {
        customer_id: Some(long.clone()),
        tags: Tags(vec!["nul\0".into(), "a\\u0000b".into()]),
        model: Some(long.clone()),
        key_id: Some(long.clone()),
        provider: Some(long.clone()),
        ..record("r")
    };
    assert_eq!(store.spend_insert(&[odd, record("s")]).await.unwrap(), 2);
    let kept = store.spend_by_request("r").await.unwrap().remove(0);
    assert_eq!(kept.customer_id.as_deref(), long.get(..512));
    assert_eq!(kept.tags.0, ["nul\u{fffd}", "a\\u0000b"]);
}

async fn what_will_fail_again_is_told_from_what_may_not(place: &Place) {
    let store = place.open().await;
    refuse(place, "bad").await;
    let error = store.spend_insert(&[record("r"), record("bad")]).await.unwrap_err();
    assert!(error.is_lasting(), "{error}");
    assert_eq!(
        (total(&store).await.0, store.spend_by_request("r").await.unwrap()),
        (0, vec![]),
        "all or nothing"
    );
    let away = Store::connect("postgres://u@127.0.0.1:1/d").unwrap();
    assert!(!away.spend_insert(&[record("r")]).await.unwrap_err().is_lasting());
    store.clone().close().await;
    assert!(!store.spend_insert(&[record("r")]).await.unwrap_err().is_lasting(), "closed");
}

/// From now on the database takes no record of that id.
async fn refuse(place: &Place, id: &str) {
    let sql = match place {
        Place::Folder(_) => format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON spend WHEN NEW.request_id = '{id}' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        ),
        Place::Url(_) => format!("ALTER TABLE spend ADD CONSTRAINT refuse CHECK (request_id <> '{id}')"),
    };
    place.execute(&sql).await;
}

/// A provider may tell any number. Sums must not overflow: SQLite would make fractions of them.
async fn absurd_numbers_do_not_spoil_sums(place: &Place) {
    let store = place.open().await;
    let absurd =
        |id: &str| SpendRecord { output: i64::MAX, cost_nano: Some(i64::MAX), fresh_input: -1, ..record(id) };
    for id in ["r", "s", "t"] {
        store.spend_insert(&[absurd(id)]).await.unwrap();
    }
    let day = sums(&store, Subject::Team, "blue").await.remove(0);
    assert_eq!((day.requests, day.cost_nano), (3, 3_000_000_000_000_000));
    assert_eq!(day.fresh_input, 3 * (19 + 29), "nothing uses less than nothing");
}
